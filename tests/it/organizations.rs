//! Service and resource control policies are read from the account that manages the organization, and count below it.

use lastcopy_demo::{AccessKey, Account, Bucket, Fault, FaultKind, ManagedPolicy, User, World};
use serde_json::{Value, json};

use crate::support::{Accounts, run};

const MEMBER: &str = "111111111111";
const MANAGER: &str = "999999999999";

const POLICY: &str = r#"
lastcopy: v1
name: organization
accounts:
  production: { id: "111111111111", region: eu-west-1 }
  management: { id: "999999999999", region: eu-west-1, role-arn: "arn:aws:iam::999999999999:role/audit", manages-organization: true }
controls:
  - { id: member, check: account-organization, scope: { account: "*" } }
  - { id: rails, check: account-guardrails, with: { deny: [ "s3:DeleteObjectVersion" ] }, scope: { account: production } }
  - id: destroyers
    check: s3-bucket-least-privilege
    with: { actions: [ "s3:DeleteObjectVersion" ] }
    scope: { account: production, buckets: acme }
"#;

fn scp(deny: bool) -> Value {
    let allow = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let deny = deny.then(|| json!({ "Effect": "Deny", "Action": "s3:DeleteObject*", "Resource": "*" }));
    json!({ "Version": "2012-10-17", "Statement": std::iter::once(allow).chain(deny).collect::<Vec<_>>() })
}

/// A member with an administrator, and the account that manages its organization.
fn world(deny: bool) -> World {
    let organization = json!({ "Organization": { "Id": "o-acme", "MasterAccountId": MANAGER, "FeatureSet": "ALL" } }).to_string();
    let summary = json!({ "Id": "p-1", "Name": "rails", "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": false });
    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let admin =
        User::new("auditor", "2024-01-01T09:00:00Z").key(AccessKey::of(lastcopy_demo::PRODUCTION_KEY, "2026-11-01T09:00:00Z"));
    let answers = |operation: &str, about: &str, body: Value| (operation.to_owned(), about.to_owned(), body.to_string());
    let tree = [
        answers(
            "organizations:ListRoots",
            "",
            json!({ "Roots": [{ "Id": "r-1",
            "PolicyTypes": [{ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" }] }] }),
        ),
        answers(
            "organizations:ListOrganizationalUnitsForParent",
            "\"r-1\"",
            json!({ "OrganizationalUnits": [{ "Id": "ou-1" }] }),
        ),
        answers("organizations:ListOrganizationalUnitsForParent", "\"ou-1\"", json!({ "OrganizationalUnits": [] })),
        answers("organizations:ListAccountsForParent", "\"r-1\"", json!({ "Accounts": [{ "Id": MANAGER }] })),
        // The list has two pages.
        answers("organizations:ListAccountsForParent", "\"more\"", json!({ "Accounts": [{ "Id": MEMBER }] })),
        answers("organizations:ListAccountsForParent", "\"ou-1\"", json!({ "Accounts": [], "NextToken": "more" })),
        answers("organizations:ListPolicies", "", json!({ "Policies": [summary] })),
        answers(
            "organizations:DescribePolicy",
            "p-1",
            json!({ "Policy": { "PolicySummary": summary, "Content": scp(deny).to_string() } }),
        ),
        answers(
            "organizations:ListTargetsForPolicy",
            "p-1",
            json!({ "Targets": [{ "TargetId": "r-1" },
            { "TargetId": "ou-1" }, { "TargetId": MEMBER }] }),
        ),
    ];
    let admin = admin.attach("arn:aws:iam::aws:policy/AdministratorAccess");
    let policy = ManagedPolicy::new("arn:aws:iam::aws:policy/AdministratorAccess", "2024-01-01T09:00:00Z", all);
    let member = Account::aws(MEMBER, "production").user(admin).policy(policy).bucket(Bucket::new("acme"));
    let role = lastcopy_demo::Role::new(
        "audit",
        "2024-01-01T09:00:00Z",
        &json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
        "Principal": { "AWS": "111111111111" }, "Action": "sts:AssumeRole" }] })
        .to_string(),
    );
    let manager = tree.iter().fold(Account::aws(MANAGER, "management").role(role), |account, (operation, about, body)| {
        account.answer(operation, about, body)
    });
    let both = |account: Account| account.answer("organizations:DescribeOrganization", "", &organization);
    World::default().account(both(member)).account(both(manager))
}

fn verdicts(report: &Value) -> Vec<(String, String, String)> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let mut all: Vec<_> = findings.map(|f| (text(f, "control"), text(f, "account"), text(f, "verdict"))).collect();
    all.sort();
    all
}

fn expected(rails: &str, destroyers: &str) -> Vec<(String, String, String)> {
    let row = |control: &str, account: &str, verdict: &str| (control.to_owned(), account.to_owned(), verdict.to_owned());
    vec![
        row("destroyers", "production", destroyers),
        row("member", "management", "fail"),
        row("member", "production", "pass"),
        row("rails", "production", rails),
    ]
}

#[test]
fn what_the_organization_denies_nobody_can() {
    let held = Accounts::of(world(true));
    assert_eq!(verdicts(&held.audit(POLICY).json()), expected("pass", "pass"));
    let open = Accounts::of(world(false));
    assert_eq!(verdicts(&open.audit(POLICY).json()), expected("fail", "fail"));
    // who-can says the same.
    let path = held.policy(POLICY);
    let ask = |accounts: &Accounts| {
        let mut command = accounts.lastcopy();
        command.args(["who-can", "s3:DeleteObjectVersion", "arn:aws:s3:::acme/*"]).arg(&path).args(["--format", "json"]);
        run(&mut command).json()
    };
    let always = |answer: &Value, count: u8| answer.to_string().contains(&format!(r#""principals":{{"all":2,"always":{count},"#));
    assert!(always(&ask(&held), 0), "{:#}", ask(&held));
    assert!(always(&ask(&open), 1), "{:#}", ask(&open));
}

#[test]
fn what_cannot_be_read_of_the_organization_is_unknown() {
    for operation in ["ListRoots", "ListPolicies", "DescribePolicy", "ListTargetsForPolicy", "ListAccountsForParent"] {
        let accounts = Accounts::of(world(true));
        accounts.faults(vec![Fault::new(&format!("organizations:{operation}"), FaultKind::Deny)]);
        let report = accounts.audit(POLICY).json();
        assert_eq!(verdicts(&report), expected("unknown", "unknown"), "{operation}");
    }
    // An answer without a body.
    let accounts = Accounts::of(world(true));
    accounts.faults(vec![Fault::new("organizations:ListPolicies", FaultKind::Empty200)]);
    assert_eq!(verdicts(&accounts.audit(POLICY).json()), expected("unknown", "unknown"));
}
