//! Tests of reach on small worlds: one for each kind of step, and against trying everything.

use super::*;
use crate::context::Context;
use crate::layer::Guards;
use crate::may::{Question, Target, may};
use crate::model::Document;

const ACCOUNT: &str = "111111111111";

#[derive(Default)]
struct Town {
    members: Vec<(String, Document, Option<Document>, Option<Document>)>,
    groups: Vec<(String, Document)>,
    /// User and group.
    joined: Vec<(usize, usize)>,
    attached: Vec<(usize, &'static str)>,
}

fn doc(statements: &str) -> Document {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn allow(actions: &str, resource: &str) -> String {
    let list: Vec<String> = actions.split(' ').filter(|action| !action.is_empty()).map(|action| format!("{action:?}")).collect();
    if list.is_empty() {
        String::new()
    } else {
        format!(r#"{{"Effect":"Allow","Action":[{}],"Resource":"{resource}"}}"#, list.join(","))
    }
}

fn trusts(principal: &str) -> Document {
    doc(&format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}"#))
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{name}")
}

impl Town {
    fn user(mut self, name: &str, statements: &str) -> Self {
        self.members.push((arn(&format!("user/{name}")), doc(statements), None, None));
        self
    }

    fn role(mut self, name: &str, statements: &str, trust: &str) -> Self {
        self.members.push((arn(&format!("role/{name}")), doc(statements), Some(trusts(trust)), None));
        self
    }

    fn bounded(mut self, statements: &str) -> Self {
        if let Some(last) = self.members.last_mut() {
            last.3 = Some(doc(statements));
        }
        self
    }

    fn ways(&self) -> Vec<String> {
        self.search(false)
    }

    fn search(&self, exhaustive: bool) -> Vec<String> {
        let mut world = World::default();
        for (at, (arn, identity, trust, boundary)) in self.members.iter().enumerate() {
            let one = |document| Layer::Docs(vec![Named { name: "own", document }]);
            let joined = || self.joined.iter().filter(|(user, _)| *user == at).filter_map(|(_, group)| self.groups.get(*group));
            let mut docs = vec![Named { name: "own", document: identity }];
            docs.extend(joined().map(|(name, document)| Named { name, document }));
            world.sets.push(Policies {
                identity: Layer::Docs(docs),
                boundary: boundary.as_ref().map_or(Layer::None, one),
                ..Policies::default()
            });
            world.members.push(Member {
                arn,
                account: ACCOUNT,
                set: at,
                trust: trust.as_ref().map_or(Layer::None, one),
                groups: joined().map(|(arn, _)| arn.as_str()).collect(),
                attached: self.attached.iter().filter(|(member, _)| *member == at).map(|(_, policy)| *policy).collect(),
                boundary: boundary.as_ref().map(|_| "arn:aws:iam::111111111111:policy/boundary"),
            });
        }
        for (arn, document) in &self.groups {
            world.groups.push(Group { arn, account: ACCOUNT, policies: Layer::Docs(vec![Named { name: arn, document }]) });
        }
        let (context, target) = (Context::open(), Target::ObjectsOf("arn:aws:s3:::docs").pattern());
        let mut search = search::Search::new(&world);
        search.exhaustive = exhaustive;
        let found = search.run(|caller, policies| {
            let question = Question {
                caller: *caller,
                action: "s3:DeleteObject",
                target: &target,
                resource_account: Some(ACCOUNT),
                context: &context,
            };
            may(&question, policies, &Guards::default())
        });
        let name = |(member, mode): (usize, Mode)| {
            let short = world.members[member].arn.rsplit(':').next().unwrap_or_default();
            if mode == Mode::PLAIN { short.to_owned() } else { format!("{short}{}", world.become_of(mode)) }
        };
        let mut out: Vec<String> = Vec::new();
        for reached in &found.members {
            let hops = reached.path.iter().map(|hop| format!(" -{}-> {}", hop.how.id(), name(hop.to)));
            let strength = if reached.strength == Strength::Sure { String::new() } else { format!(" ({:?})", reached.strength) };
            out.push(format!("{}{}{strength}", name((reached.member, Mode::PLAIN)), hops.collect::<String>()));
        }
        out.extend(
            found
                .sources
                .iter()
                .filter(|source| source.external)
                .map(|source| format!("{} => {}", source.principal, name((source.role, Mode::PLAIN)))),
        );
        out
    }
}

const DELETES: &str = "s3:Delete*";
const ROOT: &str = r#"{"AWS":"111111111111"}"#;
const EC2: &str = r#"{"Service":"ec2.amazonaws.com"}"#;
const LAMBDA: &str = r#"{"Service":"lambda.amazonaws.com"}"#;

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..proptest::prelude::ProptestConfig::with_cases(400) })]

    /// What is found by index is what is found by trying everybody; the ways are as long and as sure.
    #[test]
    fn the_index_misses_nobody(
        users in proptest::collection::vec((0usize..10, 0usize..10, 0usize..3), 1..5),
        roles in proptest::collection::vec((0usize..10, 0usize..10, 0usize..8), 1..6),
    ) {
        let policies = [
            String::new(), allow("sts:AssumeRole", "*"), allow("sts:AssumeRole", &arn("role/r1")), allow("iam:PassRole lambda:*", "*"),
            allow("lambda:Update* lambda:InvokeFunction", "*"), allow("iam:PutUserPolicy iam:PutRolePolicy", &arn("*")),
            allow("iam:CreateAccessKey", &arn("user/u1")), allow("iam:AttachRolePolicy iam:PassRole", &arn("role/r*")),
            allow("s3:*", "arn:aws:s3:::docs/*"),
            r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/${aws:username}","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#.to_owned(),
        ];
        let trust = [
            ROOT.to_owned(), LAMBDA.to_owned(), EC2.to_owned(), format!(r#"{{"AWS":"{}"}}"#, arn("user/u1")), format!(r#"{{"AWS":"{}"}}"#, arn("role/r1")),
            format!(r#"{{"AWS":["{}","999999999999"]}}"#, arn("user/u0")), r#"{"AWS":"*"}"#.to_owned(), r#"{"AWS":"999999999999"}"#.to_owned(),
        ];
        let both = |a: usize, b: usize| [policies[a].as_str(), policies[b].as_str()].iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join(",");
        let mut town = Town::default();
        for (at, (a, b, bound)) in users.iter().enumerate() {
            town = town.user(&format!("u{at}"), &both(*a, *b));
            if *bound == 1 {
                town = town.bounded(&allow("s3:* sts:* lambda:* iam:Put*", "*"));
            }
        }
        for (at, (a, b, who)) in roles.iter().enumerate() {
            town = town.role(&format!("r{at}"), &both(*a, *b), &trust[*who]);
        }
        let short = |ways: Vec<String>| -> Vec<(String, usize, bool)> {
            let each = |way: String| (way.split(' ').next().unwrap_or_default().to_owned(), way.matches("->").count(), way.contains("(If)"));
            ways.into_iter().map(each).collect()
        };
        proptest::prop_assert_eq!(short(town.search(false)), short(town.search(true)));
    }
}

#[test]
fn by_trust() {
    let eraser = |trust| Town::default().role("eraser", &allow(DELETES, "*"), trust);
    // Trust in the account leaves it to the account.
    let town = eraser(ROOT)
        .user("anna", &allow("sts:AssumeRole", "*"))
        .user("bert", "")
        .user("carl", &allow("sts:AssumeRole", &arn("role/other")));
    assert_eq!(town.ways(), ["role/eraser", "user/anna -sts-001-> role/eraser"]);
    // Trust in one user needs no more.
    let town = eraser(r#"{"AWS":"arn:aws:iam::111111111111:user/bert"}"#).user("anna", &allow("sts:*", "*")).user("bert", "");
    assert_eq!(town.ways(), ["role/eraser", "user/bert -sts-001-> role/eraser"]);
    // Others are sources.
    let town = eraser(r#"{"AWS":["999999999999","*"],"Federated":"accounts.google.com"}"#).user("anna", "");
    let ways = town.ways();
    assert_eq!(ways[0], "role/eraser");
    assert!(ways[1..].contains(&"account 999999999999 => role/eraser".to_owned()), "{ways:?}");
    assert!(ways.contains(&"identity provider accounts.google.com => role/eraser".to_owned()), "{ways:?}");
}

#[test]
fn chains_and_cycles() {
    let trust = |name: &str| format!(r#"{{"AWS":"{}"}}"#, arn(name));
    let town = Town::default()
        .role("c", &allow(DELETES, "*"), &trust("role/b"))
        .role("b", "", &trust("role/a"))
        .role("a", "", &format!(r#"{{"AWS":["{}","{}"]}}"#, arn("user/anna"), arn("role/c")))
        .user("anna", "");
    assert_eq!(
        town.ways(),
        [
            "role/c",
            "role/b -sts-001-> role/c",
            "role/a -sts-001-> role/b -sts-001-> role/c",
            "user/anna -sts-001-> role/a -sts-001-> role/b -sts-001-> role/c",
        ]
    );
}

#[test]
fn by_escalation() {
    let eraser = || Town::default().role("eraser", &allow(DELETES, "*"), LAMBDA);
    let cases = [
        (allow("iam:PassRole lambda:CreateFunction lambda:InvokeFunction", "*"), "user/anna -lambda-001-> role/eraser"),
        (allow("lambda:UpdateFunctionCode lambda:InvokeFunction", "*"), "user/anna -lambda-003-> role/eraser (If)"),
        (allow("iam:UpdateAssumeRolePolicy", "*"), "user/anna -iam-012-> role/eraser"),
        (allow("iam:PutUserPolicy", "*"), "user/anna -iam-007-> user/anna with any permission"),
        (allow("iam:CreateRole iam:PutRolePolicy", "*"), "user/anna -iam-create-role-put-> user/anna with any permission"),
        (allow("iam:PassRole ec2:RunInstances", "*"), "user/anna -pass-role-other-> role/eraser (If)"),
        (allow("iam:PassRole", "*"), "user/anna -pass-role-other-> role/eraser (If)"),
        (allow("iam:PutUserPolicy", &arn("user/other")), ""),
        (allow("iam:PassRole lambda:CreateFunction lambda:InvokeFunction", &arn("role/other")), ""),
    ];
    for (statements, expected) in cases {
        let ways = eraser().user("anna", &statements).ways();
        assert_eq!(ways.get(1).map_or("", String::as_str), expected, "{statements}");
    }
    // A pass limited to another service is none.
    let limited = format!(
        r#"{{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{{"StringEquals":{{"iam:PassedToService":"ec2.amazonaws.com"}}}}}},{}"#,
        allow("lambda:*", "*")
    );
    assert_eq!(eraser().user("anna", &limited).ways()[1..], ["user/anna -lambda-003-> role/eraser (If)"]);
}

#[test]
fn over_other_users_and_groups() {
    let mut town =
        Town::default().user("eraser", &allow(DELETES, "*")).user("anna", &allow("iam:CreateAccessKey iam:DeleteAccessKey", "*"));
    assert_eq!(town.ways(), ["user/eraser", "user/anna -iam-003-> user/eraser"]);
    town = Town::default().user("anna", &allow("iam:AddUserToGroup", "*")).user("bert", "");
    town.groups.push((arn("group/erasers"), doc(&allow(DELETES, "*"))));
    assert_eq!(town.ways(), ["user/anna -iam-013-> user/anna in the groups it may join"]);
    // Somebody's policy is raised and his key taken.
    let town = Town::default()
        .user("bert", "")
        .user("anna", &allow("iam:AttachUserPolicy iam:CreateAccessKey iam:DeleteAccessKey", &arn("user/bert")));
    assert_eq!(town.ways()[0], "user/anna -iam-003-> user/bert with any permission");
    // A policy of one's own gets a new version.
    let mut town = Town::default().user("anna", &allow("iam:CreatePolicyVersion", "arn:aws:iam::111111111111:policy/team"));
    assert!(town.ways().is_empty());
    town.attached.push((0, "arn:aws:iam::111111111111:policy/team"));
    assert_eq!(town.ways(), ["user/anna -iam-001-> user/anna with any permission"]);
}

#[test]
fn boundaries_hold_until_they_are_lifted() {
    let town = || Town::default().user("anna", &allow("iam:PutUserPolicy iam:DeleteUserPermissionsBoundary s3:Delete*", "*"));
    assert!(town().bounded(&allow("s3:Get* iam:PutUserPolicy", "*")).ways().is_empty());
    assert_eq!(
        town().bounded(&allow("s3:Get* iam:Put* iam:DeleteUserPermissionsBoundary", "*")).ways(),
        ["user/anna -iam-boundary-delete-user-> user/anna without its boundary"]
    );
}

#[test]
fn a_sure_way_comes_before_a_shorter_doubtful_one() {
    let mfa =
        r#"{"Effect":"Allow","Action":"s3:Delete*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}},"#;
    let town = Town::default()
        .role("eraser", &allow(DELETES, "*"), ROOT)
        .user("anna", &format!("{mfa}{}", allow("sts:AssumeRole", "*")));
    assert_eq!(town.ways(), ["role/eraser", "user/anna -sts-001-> role/eraser"]);
    let town = Town::default().role("eraser", &allow(DELETES, "*"), EC2).user("anna", mfa.trim_end_matches(','));
    assert_eq!(town.ways(), ["role/eraser", "user/anna (If)"]);
}

#[test]
fn what_others_do_to_a_member() {
    let bob = || Town::default().user("bob", &allow("s3:Delete*", "*"));
    let keys = "iam:CreateAccessKey iam:DeleteAccessKey";
    // A boundary is taken away, then the keys are taken.
    let town =
        bob().bounded(&allow("s3:Get*", "*")).user("anna", &allow(&format!("{keys} iam:DeleteUserPermissionsBoundary"), "*"));
    assert_eq!(town.ways(), ["user/anna -iam-003-> user/bob without its boundary"]);
    // Who gives another more, and cannot act as him, needs help.
    let town = Town::default().user("bob", "").user("anna", &allow("iam:PutUserPolicy", &arn("user/bob")));
    assert_eq!(town.ways(), ["user/anna --> user/bob with any permission (If)"]);
    // A role that one may assume changes one's own policies.
    let trust = format!(r#"{{"AWS":"{}"}}"#, arn("user/anna"));
    let town = Town::default().user("anna", "").role("r", &allow("iam:PutUserPolicy", &arn("user/anna")), &trust);
    assert_eq!(
        town.ways(),
        ["user/anna -sts-001-> role/r --> user/anna with any permission (If)", "role/r --> user/anna with any permission (If)"]
    );
}

#[test]
fn groups_in_several_rounds() {
    let mut town = Town::default().user("anna", &allow("iam:AddUserToGroup", &arn("group/a")));
    town.groups.push((arn("group/a"), doc(&allow("iam:AddUserToGroup", &arn("group/b")))));
    town.groups.push((arn("group/b"), doc(&allow(DELETES, "*"))));
    assert_eq!(
        town.ways(),
        ["user/anna -iam-013-> user/anna in the groups it may join -iam-013-> user/anna in the groups it may join"]
    );
}

#[test]
fn sessions_partitions_and_denials() {
    let session = r#"{"AWS":"arn:aws:sts::111111111111:assumed-role/ops/night"}"#;
    let town = Town::default().role("eraser", &allow(DELETES, "*"), session).role("team/ops", "", ROOT);
    assert_eq!(town.ways(), ["role/eraser", "role/team/ops -sts-001-> role/eraser (If)"]);
    let china = r#"{"Service":"ec2.amazonaws.com.cn"}"#;
    let passes = allow("iam:PassRole iam:CreateInstanceProfile iam:AddRoleToInstanceProfile ec2:RunInstances", "*");
    let town = Town::default().role("eraser", &allow(DELETES, "*"), china).user("anna", &passes);
    assert_eq!(town.ways()[1], "user/anna -ec2-001-profile-> role/eraser");
    let denied =
        format!(r#"{},{{"Effect":"Deny","Action":"s3:*","Resource":"*"}}"#, allow("s3:Delete* iam:DeleteUserPolicy", "*"));
    let town = Town::default().user("anna", &denied);
    assert_eq!(town.ways(), ["user/anna -iam-lift-delete-user-policy-> user/anna without the denials of its policies (If)"]);
    // Somebody new has no boundary.
    let town = Town::default()
        .user("anna", &allow("iam:CreateRole iam:PutRolePolicy", "*"))
        .bounded(&allow("iam:CreateRole iam:PutRolePolicy", "*"));
    assert_eq!(town.ways(), ["user/anna -iam-create-role-put-> user/anna with any permission and without its boundary"]);
}

#[test]
fn a_group_that_is_joined_or_made_is_ones_own() {
    let own = |actions: &str| {
        let mut town = Town::default().user("anna", &allow(actions, "*"));
        town.groups.push((arn("group/a"), doc("")));
        town.ways()
    };
    assert_eq!(
        own("iam:AddUserToGroup iam:PutGroupPolicy"),
        ["user/anna -iam-013-> user/anna in the groups it may join -iam-011-> user/anna with any permission"]
    );
    assert_eq!(
        own("iam:CreateGroup iam:AddUserToGroup iam:PutGroupPolicy"),
        ["user/anna -iam-create-group-> user/anna with any permission"]
    );
}
