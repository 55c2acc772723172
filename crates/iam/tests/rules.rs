//! Every documented rule of AWS's evaluation, one case each: `rules.jsonl` for what one line of `simulate` can say, this file for
//! the rest. An expectation must never follow the evaluator: it says what the page that it names says.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on says so")]

use std::collections::{BTreeMap, BTreeSet};

use lastcopy_iam::decide::Effect;
use lastcopy_iam::simulate::simulate;
use lastcopy_iam::{
    AclGrant, Bearing, Bucket, Caller, Context, Decision, Document, Grantee, Guards, KeyGrant, Layer, LayerName, Level, Line,
    Named, Policies, Request, Setting, decide, explain,
};
use serde_json::Value;

const RULES: &str = include_str!("rules.jsonl");

fn rules() -> impl Iterator<Item = (&'static str, Value)> {
    RULES.lines().map(|line| (line, serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}\n{line}"))))
}

#[test]
fn every_rule_is_decided_as_aws_documents_it() {
    let mut wrong = Vec::new();
    for (line, rule) in rules() {
        let expect = &rule["expect"];
        let layers =
            |of: &Value| of.as_array().map(|layers| layers.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        let blocked_by: Vec<String> = layers(&expect["blocked_by"]).expect("expect.blocked_by is a list");
        let wanted = format!("{} {blocked_by:?}", expect["decision"].as_str().expect("expect.decision is a word"));
        let found = match simulate(line).decided {
            Ok(decided) => {
                let layers: Vec<&str> = decided.blocked_by.iter().map(|layer| layer.as_str()).collect();
                format!("{} {layers:?}", decided.effect.as_str())
            }
            Err(refusal) => refusal.to_string(),
        };
        if found != wanted {
            wrong.push(format!("{}: {found}, but AWS: {wanted}: {} {}", rule["id"], rule["rule"], rule["page"]));
        }
    }
    assert!(wrong.is_empty(), "{} rules broken:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_has_a_name_a_page_and_a_sentence() {
    let mut seen = BTreeSet::new();
    for (line, rule) in rules() {
        let text = |field: &str| rule[field].as_str().unwrap_or_default().to_owned();
        assert!(!text("id").is_empty() && seen.insert(text("id")), "no id, or one twice: {line}");
        assert!(text("page").starts_with("https://docs.aws.amazon.com/"), "no page: {line}");
        assert!(text("rule").ends_with('.'), "no rule: {line}");
    }
    assert!(seen.len() > 400, "{}", seen.len());
}

/// The points on which implementations differ, in the order of `docs/iam.md`: each is decided and tested.
#[test]
fn every_point_of_difference_has_a_rule() {
    let mut points = BTreeMap::new();
    for (line, rule) in rules() {
        let Some(point) = rule["point"].as_u64() else { continue };
        assert!(rule["rule"].as_str().is_some_and(|rule| rule.contains(&point.to_string())) || point == 0, "{line}");
        *points.entry(point).or_insert(0) += 1;
    }
    assert_eq!(points.keys().copied().collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>(), "{points:?}");
}

const OWN: &str = "111111111111";
const OTHER: &str = "222222222222";
const ANNA: &str = "arn:aws:iam::111111111111:user/anna";
const STRANGER: &str = "arn:aws:iam::222222222222:user/stranger";
const OBJECT: &str = "arn:aws:s3:::docs/a.txt";
const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1";

fn document(statements: &str) -> Document {
    Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap_or_else(|e| panic!("{e}"))
}

fn layer(document: &Document) -> Layer<Vec<Named<'_>>> {
    Layer::Docs(vec![Named { name: "p", document }])
}

fn ask<'a>(caller: &str, action: &str, resource: &str, policies: &Policies<'a>, guards: &Guards<'a>) -> Decision<'a> {
    let context = Context::closed();
    let request = Request { caller: Caller::parse(caller), action, resource, resource_account: Some(OWN), context: &context };
    decide(&request, policies, guards)
}

/// What `caller`, who may do all that its own policies can say, may do with an object of a bucket.
fn on_object(caller: &str, action: &str, bucket: Bucket<'_>, policy: &str) -> String {
    let (identity, policy) = (document(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#), document(policy));
    let policies = Policies { identity: layer(&identity), ..Policies::default() };
    let guards = Guards { resource: layer(&policy), bucket, ..Guards::default() };
    words(&ask(caller, action, OBJECT, &policies, &guards))
}

fn words(decision: &Decision<'_>) -> String {
    let list = |layers: &[LayerName]| layers.iter().map(|layer| layer.as_str()).collect::<Vec<_>>().join(" ");
    let text = format!("{} {}", decision.effect.as_str(), list(&decision.blocked_by));
    let unread = if decision.unread.is_empty() { String::new() } else { format!("; unread {}", list(&decision.unread)) };
    format!("{}{unread}", text.trim_end())
}

fn gives(principal: &str, rest: &str) -> String {
    format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"s3:*","Resource":"arn:aws:s3:::docs/*"{rest}}}"#)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>: `RestrictPublicBuckets`
/// leaves a bucket with a public policy to AWS services and to the bucket owner's account.
#[test]
fn restricted_public_buckets() {
    let on = || Bucket { restrict_public: Setting::On, ..Bucket::default() };
    let everybody = gives(r#""*""#, "");
    let of_organization = gives(r#""*""#, r#","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#);
    let named = gives(r#"{"AWS":"222222222222"}"#, "");
    let read = "s3:GetObject";
    assert_eq!(on_object("*", read, Bucket::default(), &everybody), "allow");
    assert_eq!(on_object("*", read, on(), &everybody), "implicit_deny public-access-block");
    assert_eq!(on_object(STRANGER, read, on(), &everybody), "implicit_deny public-access-block");
    assert_eq!(on_object(ANNA, read, on(), &everybody), "allow", "the owner's account keeps its access");
    // A policy that is not public is not restricted; one public statement makes all of it public.
    assert_eq!(on_object(STRANGER, read, on(), &named), "allow");
    assert_eq!(on_object(STRANGER, read, on(), &format!("{named},{of_organization}")), "allow");
    assert_eq!(on_object(STRANGER, read, on(), &format!("{named},{everybody}")), "implicit_deny public-access-block");
    let service = gives(r#"{"Service":"cloudtrail.amazonaws.com"}"#, "");
    assert_eq!(on_object("cloudtrail.amazonaws.com", read, on(), &format!("{service},{everybody}")), "allow");
    let unread = Bucket { restrict_public: Setting::Unread, ..Bucket::default() };
    assert_eq!(on_object("*", read, unread, &everybody), "allow; unread public-access-block");
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>: an ACL gives to other accounts, to everybody with
/// AWS credentials, or to everybody, and for what its permission stands for.
#[test]
fn acl_grants() {
    let acl = |to| Bucket { acl: Layer::Docs(vec![AclGrant { to, action: "s3:GetObject" }]), ..Bucket::default() };
    let nobody = gives(r#"{"AWS":"333333333333"}"#, "");
    let cases = [
        (STRANGER, "s3:GetObject", Grantee::Everyone, "allow"),
        ("*", "s3:GetObject", Grantee::Everyone, "allow"),
        (STRANGER, "s3:GetObject", Grantee::Authenticated, "allow"),
        ("*", "s3:GetObject", Grantee::Authenticated, "implicit_deny resource"),
        (STRANGER, "s3:GetObject", Grantee::Account(OTHER), "allow"),
        (STRANGER, "s3:GetObject", Grantee::Account("333333333333"), "implicit_deny resource"),
        (STRANGER, "s3:PutObject", Grantee::Everyone, "implicit_deny resource"),
    ];
    for (caller, action, to, expected) in cases {
        assert_eq!(on_object(caller, action, acl(to), &nobody), expected, "{caller} {action} {to:?}");
    }
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#;
    assert_eq!(on_object(STRANGER, "s3:GetObject", acl(Grantee::Everyone), deny), "explicit_deny resource");
    // What an ACL gives to another account is that account's to pass on.
    let guards = Guards { bucket: acl(Grantee::Account(OTHER)), ..Guards::default() };
    assert_eq!(words(&ask(STRANGER, "s3:GetObject", OBJECT, &Policies::default(), &guards)), "implicit_deny identity");
    let unread = Bucket { acl: Layer::Unread(Vec::new()), ..Bucket::default() };
    assert_eq!(on_object(STRANGER, "s3:GetObject", unread, &nobody), "implicit_deny acl; unread acl");
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>: where ACLs are enabled an object belongs
/// to the account that wrote it. The bucket's policy gives nothing on it, though the bucket's owner may delete it and deny.
#[test]
fn objects_of_another_owner() {
    let foreign = || Bucket { object_owner: Some(OTHER), ..Bucket::default() };
    let everybody = gives(r#""*""#, "");
    assert_eq!(on_object(ANNA, "s3:GetObject", foreign(), &everybody), "implicit_deny resource");
    assert_eq!(on_object(ANNA, "s3:DeleteObject", foreign(), &everybody), "allow");
    assert_eq!(on_object(STRANGER, "s3:GetObject", foreign(), &everybody), "allow");
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#;
    assert_eq!(on_object(STRANGER, "s3:GetObject", foreign(), deny), "explicit_deny resource");
    assert_eq!(on_object(ANNA, "s3:DeleteObject", foreign(), deny), "explicit_deny resource");
}

/// <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>: a grant gives its operations to its grantee, beside the
/// key policy; a Deny still wins.
#[test]
fn grants_of_keys() {
    let nobody = document(r#"{"Effect":"Allow","Principal":{"AWS":"333333333333"},"Action":"kms:*","Resource":"*"}"#);
    let deny = document(r#"{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}"#);
    let role = "arn:aws:iam::111111111111:role/team/ops";
    let session = "arn:aws:sts::111111111111:assumed-role/ops/night";
    let grant = |grantee, constrained| KeyGrant { id: "g", grantee, operations: vec!["Decrypt"], constrained };
    let asked = |caller, action, grants, policy| {
        let guards = Guards { resource: layer(policy), key_grants: grants, ..Guards::default() };
        words(&ask(caller, action, KEY, &Policies::default(), &guards))
    };
    let to = |grantee| Layer::Docs(vec![grant(grantee, false)]);
    assert_eq!(asked(ANNA, "kms:Decrypt", to(ANNA), &nobody), "allow");
    assert_eq!(asked(session, "kms:Decrypt", to(role), &nobody), "allow", "sessions act for their role");
    assert_eq!(asked(ANNA, "kms:Encrypt", to(ANNA), &nobody), "implicit_deny resource identity");
    assert_eq!(asked(ANNA, "kms:Decrypt", to(role), &nobody), "implicit_deny resource identity");
    assert_eq!(asked(ANNA, "kms:Decrypt", to(ANNA), &deny), "explicit_deny resource");
    // Encryption contexts are not read: a constrained grant is not relied on.
    let constrained = Layer::Docs(vec![grant(ANNA, true)]);
    assert_eq!(asked(ANNA, "kms:Decrypt", constrained, &nobody), "implicit_deny resource identity");
    assert_eq!(asked(ANNA, "kms:Decrypt", Layer::Unread(Vec::new()), &nobody), "implicit_deny key-grant; unread key-grant");
    // A grant cannot hold the administration of a key.
    assert_eq!(asked(ANNA, "kms:ScheduleKeyDeletion", Layer::Unread(Vec::new()), &nobody), "implicit_deny resource identity");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>: a layer that was not read is
/// named, where it could deny what is allowed, and where it could allow what is not.
#[test]
fn layers_that_were_not_read() {
    let (all, none) = (
        document(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#),
        document(r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#),
    );
    let may = || Policies { identity: layer(&all), ..Policies::default() };
    let asked = |policies: &Policies<'_>, guards: &Guards<'_>| words(&ask(ANNA, "s3:GetObject", OBJECT, policies, guards));
    let plain = Guards::default();
    assert_eq!(asked(&Policies { scps: Layer::Unread(Vec::new()), ..may() }, &plain), "allow; unread scp");
    assert_eq!(asked(&Policies { boundary: Layer::Unread(Vec::new()), ..may() }, &plain), "allow; unread boundary");
    assert_eq!(asked(&Policies { session: Layer::Unread(Vec::new()), ..may() }, &plain), "allow; unread session");
    assert_eq!(asked(&may(), &Guards { rcps: Layer::Unread(Vec::new()), ..Guards::default() }), "allow; unread rcp");
    assert_eq!(asked(&may(), &Guards { endpoint: Layer::Unread(Vec::new()), ..Guards::default() }), "allow; unread endpoint");
    assert_eq!(asked(&may(), &Guards { resource: Layer::Unread(Vec::new()), ..Guards::default() }), "allow; unread resource");
    let unread = Policies { identity: Layer::Unread(Vec::new()), ..Policies::default() };
    assert_eq!(asked(&unread, &plain), "implicit_deny identity; unread identity");
    // A Deny that was read is enough.
    let denied = Policies { identity: Layer::Unread(vec![Named { name: "p", document: &none }]), ..Policies::default() };
    assert_eq!(asked(&denied, &plain), "explicit_deny identity");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>: one
/// Allow is enough, however many statements before it allow too and do not suffice.
#[test]
fn the_last_of_many_statements_counts() {
    let session = "arn:aws:sts::111111111111:assumed-role/ops/night";
    let role = gives(r#"{"AWS":"arn:aws:iam::111111111111:role/ops"}"#, "");
    let mut statements = vec![role; 200];
    statements.push(gives(&format!(r#"{{"AWS":"{session}"}}"#), ""));
    let (policy, boundary) = (document(&statements.join(",")), document(r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"}"#));
    let policies = Policies { boundary: layer(&boundary), ..Policies::default() };
    let guards = Guards { resource: layer(&policy), ..Guards::default() };
    assert_eq!(words(&ask(session, "s3:GetObject", OBJECT, &policies, &guards)), "allow");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>: actions are case-insensitive, also
/// where something other than a statement gives them.
#[test]
fn actions_of_grants_are_case_insensitive() {
    let grant = KeyGrant { id: "g", grantee: ANNA, operations: vec!["Decrypt"], constrained: false };
    let guards = Guards { key_grants: Layer::Docs(vec![grant]), ..Guards::default() };
    assert_eq!(words(&ask(ANNA, "KMS:decrypt", KEY, &Policies::default(), &guards)), "allow");
    let bucket = Bucket { acl: Layer::Unread(Vec::new()), ..Bucket::default() };
    assert_eq!(on_object(STRANGER, "S3:getobject", bucket, ""), "implicit_deny acl; unread acl");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>: `aws:ResourceAccount` is the
/// account in the resource's ARN, for the explanation as for the decision.
#[test]
fn the_explanation_sees_what_the_decision_sees() {
    let own = document(
        r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"111111111111"}}}"#,
    );
    let (policies, guards, context) =
        (Policies { identity: layer(&own), ..Policies::default() }, Guards::default(), Context::closed());
    let resource = "arn:aws:sqs:eu-west-1:111111111111:jobs";
    let request =
        Request { caller: Caller::parse(ANNA), action: "sqs:SendMessage", resource, resource_account: None, context: &context };
    assert_eq!(decide(&request, &policies, &guards).effect, Effect::Allow);
    assert!(matches!(explain(&request, &policies, &guards)[..], [Line { bears: Bearing::Applies, .. }]));
}

/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html>: SCPs do not bind the management
/// account, so none is given for it; an account without any Allow at a level can do nothing.
#[test]
fn the_management_account() {
    let all = document(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let policies = |scps| Policies { identity: layer(&all), scps, ..Policies::default() };
    let member = policies(Layer::Docs(vec![Level { id: "r-root", policies: Vec::new() }]));
    let asked = |policies: &Policies<'_>| words(&ask(ANNA, "s3:GetObject", OBJECT, policies, &Guards::default()));
    assert_eq!(asked(&policies(Layer::None)), "allow");
    assert_eq!(asked(&policies(Layer::Docs(Vec::new()))), "allow");
    assert_eq!(asked(&member), "implicit_deny scp");
}
