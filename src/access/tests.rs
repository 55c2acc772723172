//! Who is asked about, and what is known of them, on small accounts.

use jiff::Timestamp;
use lastcopy_iam::Context;

use super::who_can::{self, Report};
use super::*;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::snapshot::AccountRecord;

const OWN: &str = "111111111111";

fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

/// An account with user a (may delete), user b (may read) and role c (what it holds is no document).
fn account() -> Snapshot {
    let mut snapshot = Snapshot::empty(Timestamp::UNIX_EPOCH);
    let key = AccountKey::new("own");
    let record = AccountRecord { id: Some(OWN.into()), partition: Some("aws".into()), ..AccountRecord::default() };
    snapshot.accounts.insert(key.clone(), record);
    let at = Timestamp::UNIX_EPOCH;
    let inline = |text: String| vec![Inline { name: "p".into(), document: text }];
    for (name, action) in [("a", "s3:Delete*"), ("b", "s3:Get*")] {
        let text = document(&format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#));
        let found =
            UserPermissions { arn: format!("arn:aws:iam::{OWN}:user/{name}"), inline: inline(text), ..Default::default() };
        snapshot.put(&ResourceId::new(&key, Kind::IamUser, name), Fact::Known(found), at);
    }
    let found = RolePermissions {
        arn: format!("arn:aws:iam::{OWN}:role/c"),
        inline: inline("{".into()),
        trust: document(r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/a"},"Action":"sts:AssumeRole"}"#),
        ..Default::default()
    };
    snapshot.put(&ResourceId::new(&key, Kind::IamRole, "c"), Fact::Known(found), at);
    snapshot.put_listing(&key, AUTHORIZATION, Fact::Known(3));
    snapshot
}

/// With bucket docs: its policy, ACLs off, nothing blocked.
fn with_bucket(policy: Fact<BucketPolicy>) -> Snapshot {
    let mut snapshot = account();
    let (key, at) = (AccountKey::new("own"), Timestamp::UNIX_EPOCH);
    let id = ResourceId::bucket(&key, "docs");
    snapshot.put(&id, policy, at);
    snapshot.put(&id, Fact::Known(Ownership("BucketOwnerEnforced".into())), at);
    snapshot.put::<PublicAccessBlock>(&id, Fact::Absent, at);
    snapshot.put::<AccountPublicAccessBlock>(&ResourceId::account(&key), Fact::Absent, at);
    if let Some(resource) = snapshot.resource_mut(&id) {
        resource.exists = Fact::Known(Existence::Here);
    }
    snapshot
}

fn given(statements: &str) -> Snapshot {
    with_bucket(Fact::Known(BucketPolicy(document(statements))))
}

/// `who verdict: conditions or why` for everybody.
fn told(snapshot: &Snapshot, action: &str, resource: &str) -> (Vec<String>, Report) {
    let estate = Estate::default();
    let material = Material::of(snapshot, &estate);
    let given = Given::parse(resource).unwrap();
    let guarded = Guarded::of(&given, &material, Stated::default()).unwrap();
    let asked = given.ask(action, "aws").unwrap();
    let cast = Cast::of(&material, &guarded);
    let answers = who_can::ask(&asked, &cast, &guarded, &material, &Context::open());
    let line = |answer: &who_can::Answer<'_>| {
        let who = &cast.who[answer.who];
        let told = who_can::tell(who, &answer.may, &guarded);
        let ways: Vec<String> = told.ways.iter().map(|way| way.conditions.join(" and ")).chain(told.why).collect();
        format!("{} {}: {}", who.label, told.verdict.as_str(), ways.join("; ")).trim_end_matches([':', ' ']).to_owned()
    };
    (answers.iter().map(line).collect(), who_can::report(&answers, &cast, &guarded, true))
}

fn outsiders_of(statements: &str, action: &str) -> Vec<String> {
    let (all, _) = told(&given(statements), action, "docs");
    all.into_iter().skip(4).collect()
}

#[test]
fn users_roles_and_the_root_user() {
    let (all, report) = told(&with_bucket(Fact::Absent), "s3:DeleteObject", "docs");
    assert_eq!(all[0], "user/a always");
    assert_eq!(all[1], "user/b never: no Allow in the principal's policies");
    assert!(all[2].starts_with("role/c unknown: a policy of it may allow it: GetAccountAuthorizationDetails"), "{}", all[2]);
    assert_eq!(all[3..], ["the root user of 111111111111 always"]);
    assert_eq!((report.principals.always, report.principals.never, report.principals.unknown), (1, 1, 1));
    assert!(report.unknown && report.roots.len() == 1 && report.unless.len() == 2);
}

#[test]
fn a_policy_that_was_not_read_may_grant() {
    let unread = Fact::Unreadable(Box::new(Gap::new(Why::Denied, "GetBucketPolicy")));
    for policy in [unread, Fact::Known(BucketPolicy("{".into()))] {
        let (all, report) = told(&with_bucket(policy), "s3:DeleteObject", "docs");
        assert_eq!(all[0], "user/a always");
        assert!(all[1].starts_with("user/b unknown: the bucket policy of docs may allow it: GetBucketPolicy"), "{}", all[1]);
        assert!(report.unknown);
    }
}

#[test]
fn outsiders_that_the_bucket_policy_names() {
    let grant = |principal: &str, more: &str| {
        format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::docs/*"{more}}}"#)
    };
    for (principal, more, expected) in [
        (r#"{"AWS":"111111111111"}"#, "", &[][..]),
        (r#"{"AWS":"999999999999"}"#, "", &["whomever account 999999999999 lets only-if: account 999999999999 allows it to"]),
        (
            r#"{"AWS":"arn:aws:iam::999999999999:role/x"}"#,
            "",
            &["arn:aws:iam::999999999999:role/x only-if: account 999999999999 allows it to"],
        ),
        (r#"{"Service":"backup.amazonaws.com"}"#, "", &["service backup.amazonaws.com always"]),
        (
            r#""*""#,
            "",
            &["everybody without credentials always", "anybody of any AWS account only-if: whatever account it is allows it to"],
        ),
        (
            r#""*""#,
            r#","Condition":{"StringEquals":{"aws:PrincipalAccount":"999999999999"}}"#,
            &[
                "everybody without credentials never: no Allow in the resource's policy",
                "anybody of any AWS account only-if: aws:PrincipalAccount is 999999999999 and whatever account it is allows it to",
            ],
        ),
        (
            r#"{"AWS":"*"}"#,
            r#","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x-*"}}"#,
            &[
                "everybody without credentials never: no Allow in the resource's policy",
                "anybody of any AWS account only-if: aws:PrincipalArn is like arn:aws:iam::*:role/x-* and whatever account it is allows it to",
            ],
        ),
        (
            r#""*""#,
            r#","Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"}}"#,
            &[
                "everybody without credentials never: no Allow in the resource's policy",
                "anybody of any AWS account never: no Allow in the resource's policy",
                "service of AWS, whichever always",
            ],
        ),
        (
            r#""*""#,
            r#","Condition":{"StringEquals":{"aws:PrincipalType":"AssumedRole"}}"#,
            &[
                "everybody without credentials never: no Allow in the resource's policy",
                "anybody of any AWS account only-if: aws:PrincipalType is AssumedRole and whatever account it is allows it to",
            ],
        ),
        (
            r#""*""#,
            r#","Condition":{"StringLike":{"aws:PrincipalAccount":"2222*"}}"#,
            &[
                "everybody without credentials never: no Allow in the resource's policy",
                "anybody of any AWS account only-if: aws:PrincipalAccount is like 2222* and whatever account it is allows it to",
            ],
        ),
        (
            r#"{"AWS":"AIDAEXAMPLEID1234567"}"#,
            "",
            &[
                "deleted principal AIDAEXAMPLEID1234567 only-if: statement 1 of bucket policy of docs names the caller and its account allows it to",
            ],
        ),
    ] {
        assert_eq!(outsiders_of(&grant(principal, more), "s3:GetObject"), expected, "{principal}{more}");
    }
}

#[test]
fn what_restricts_outsiders() {
    let everyone = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::docs/*"}"#;
    let mut snapshot = given(everyone);
    let blocked = AccountPublicAccessBlock(PublicAccessBlock::full());
    snapshot.put(&ResourceId::account(&AccountKey::new("own")), Fact::Known(blocked), Timestamp::UNIX_EPOCH);
    let (all, _) = told(&snapshot, "s3:GetObject", "docs");
    assert!(all[4..].iter().all(|line| line.contains("never: no Allow in Block Public Access")), "{all:?}");
    // ACLs are on: they may let in others, for the actions that ACLs give.
    let id = ResourceId::bucket(&AccountKey::new("own"), "docs");
    snapshot.put(&id, Fact::Known(Ownership("ObjectWriter".into())), Timestamp::UNIX_EPOCH);
    let (all, _) = told(&snapshot, "s3:GetObject", "docs");
    assert!(all[4..].iter().all(|line| line.contains("unknown: an ACL may allow it: ACLs are on")), "{all:?}");
    // Also where the policy names nobody.
    let mut silent = with_bucket(Fact::Absent);
    silent.put(&id, Fact::Known(Ownership("ObjectWriter".into())), Timestamp::UNIX_EPOCH);
    let (all_of_silent, report) = told(&silent, "s3:GetObject", "docs");
    assert!(all_of_silent.len() == 6 && report.outsiders.unknown == 2, "{all_of_silent:?}");
    let (all, _) = told(&snapshot, "s3:PutBucketPolicy", "docs");
    assert!(all[4..].iter().all(|line| line.contains("never")), "{all:?}");
}

#[test]
fn who_may_assume_a_role() {
    let (all, _) = told(&account(), "sts:AssumeRole", "arn:aws:iam::111111111111:role/c");
    assert_eq!(all[0], "user/a always");
    assert!(all[1].contains("never") && all[3].contains("never"), "{all:?}");
    // Its trust policy says nothing of who may change it.
    let (all, _) = told(&account(), "iam:DeleteRole", "arn:aws:iam::111111111111:role/c");
    assert!(all[0].contains("never") && all[3].contains("always"), "{all:?}");
    // A role that is not there, and a resource whose policy nobody reads.
    for (action, resource) in
        [("sts:AssumeRole", "arn:aws:iam::111111111111:role/d"), ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111111111111:q")]
    {
        let (all, report) = told(&account(), action, resource);
        assert!(report.unknown && all[0].contains("unknown"), "{all:?}");
    }
}

#[test]
fn buckets_that_are_not_there() {
    let snapshot = with_bucket(Fact::Absent);
    let guarded = |snapshot: &Snapshot, name: &str| {
        let estate = Estate::default();
        let material = Material::of(snapshot, &estate);
        Guarded::of(&Given::parse(name).unwrap(), &material, Stated::default()).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(guarded(&snapshot, "docs"), Ok(()));
    assert_eq!(guarded(&snapshot, "elsewhere"), Ok(()), "there is only one account it can lie in, with a policy unread");
    let mut two = snapshot.clone();
    let record = AccountRecord { id: Some("222222222222".into()), ..AccountRecord::default() };
    two.accounts.insert(AccountKey::new("other"), record);
    assert!(guarded(&two, "doc").unwrap_err().contains("did you mean docs?"));
    let mut gone = snapshot.clone();
    gone.resource_mut(&ResourceId::bucket(&AccountKey::new("own"), "docs")).unwrap().exists = Fact::Absent;
    assert_eq!(guarded(&gone, "docs").unwrap_err(), "there is no bucket docs in own");
}

#[test]
fn the_wants_are_those_of_one_question() {
    let account = crate::estate::Account { id: Some(OWN.into()), ..Default::default() };
    let estate = Estate { accounts: [(AccountKey::new("own"), account)].into(), ..Estate::default() };
    let facts = |resource: &str| {
        let wants = wants(&Given::parse(resource).unwrap(), &estate);
        let mut facts: Vec<&str> =
            wants.iter().flat_map(|want| &want.demands).flat_map(|demand| &demand.facts).map(|fact| fact.id).collect();
        facts.sort_unstable();
        facts.dedup();
        facts
    };
    let principals = [
        "account.organization-policies",
        "iam-group.permissions",
        "iam-policy.document",
        "iam-role.permissions",
        "iam-user.permissions",
    ];
    assert_eq!(facts("arn:aws:iam::111111111111:role/c"), principals);
    assert_eq!(facts("docs").len(), principals.len() + 4);
}
