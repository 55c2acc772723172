//! What is read of root, identity providers, contacts, analyzers and last use, end to end; and what is not taken for an answer.

use std::collections::BTreeMap;

use lastcopy::estate::{AccountKey, ResourceId};
use lastcopy::fact::{Fact, Kind, Why};
use lastcopy::resources::account::analyzers::{Analyzer, Analyzers, Finds, Status};
use lastcopy::resources::account::contacts::Contacts;
use lastcopy::resources::account::identity_providers::IdentityProviders;
use lastcopy::resources::account::root_credentials::RootCredentials;
use lastcopy::resources::account::root_management::RootManagement;
use lastcopy::resources::account::virtual_mfa::VirtualMfa;
use lastcopy::resources::iam_role::service_last_accessed::RoleLastAccessed;
use lastcopy::resources::iam_user::credentials::{LastUsed, UserCredentials};
use lastcopy::resources::iam_user::service_last_accessed::UserLastAccessed;
use lastcopy::snapshot::Snapshot;
use lastcopy_demo::{Account, Bucket, Fault, FaultKind, World, company};
use serde_json::Value;

use crate::support::{Accounts, run, verdicts};

const POLICY: &str = r#"
lastcopy: v1
name: people
accounts:
  production: { id: "111111111111", region: eu-west-1 }
controls:
  - { id: paris, check: s3-bucket-versioning, scope: { account: production, buckets: acme-paris } }
  - { id: hardware, check: account-root-hardware-mfa, scope: { account: production } }
  - { id: root, check: account-root-unused, scope: { account: production } }
  - { id: central, check: account-root-management, scope: { account: production } }
  - { id: providers, check: account-identity-providers, with: { allow: [token.actions.githubusercontent.com, "*:saml-provider/okta"] }, scope: { account: production } }
  - { id: analyzer, check: account-access-analyzer, scope: { account: production } }
  - { id: contacts, check: account-contacts, with: { require: [security] }, scope: { account: production } }
  - { id: keys, check: iam-user-key-unused, scope: { account: production } }
  - { id: console, check: iam-user-console-unused, scope: { account: production } }
  - { id: one-key, check: iam-user-one-key, scope: { account: production } }
  - { id: direct, check: iam-user-no-direct-policies, scope: { account: production } }
  - { id: admin-mfa, check: iam-principal-admin-mfa, scope: { account: production } }
  - { id: unused, check: iam-principal-unused-permissions, scope: { account: production } }
"#;

const SAML: &str = "<SAMLProviderList><member><Arn>arn:aws:iam::111111111111:saml-provider/okta</Arn><ValidUntil>2126-11-22T12:00:00Z</ValidUntil></member></SAMLProviderList>";
const OIDC: &str = "<OpenIDConnectProviderList><member><Arn>arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com</Arn></member></OpenIDConnectProviderList>";
const GITHUB: &str = "<Url>token.actions.githubusercontent.com</Url><ClientIDList><member>sts.amazonaws.com</member></ClientIDList><ThumbprintList><member>6938fd4d98bab03faadb97b34396831e3780aea1</member></ThumbprintList>";
const FEATURES: &str = "<OrganizationId>o-example12345</OrganizationId><EnabledFeatures><member>RootCredentialsManagement</member></EnabledFeatures>";
const CONTACT: &str = r#"{"AlternateContact":{"Name":"Sam Doe","Title":"CISO","EmailAddress":"Sam.Doe@acme.example","PhoneNumber":"+1 555 0100","AlternateContactType":"SECURITY"}}"#;
const ANALYZER: &str = r#"{"analyzers":[{"arn":"arn:aws:access-analyzer:eu-west-1:111111111111:analyzer/watch","name":"watch","type":"ACCOUNT","createdAt":"2026-01-01T00:00:00Z","status":"ACTIVE"}]}"#;

/// The company, with one answer more for each `(operation, about, body)`; they come before the usual ones.
fn world(answers: &[(&str, &str, &str)]) -> World {
    let mut world = company();
    let usual = [
        ("iam:ListSAMLProviders", "", SAML),
        ("iam:ListOpenIDConnectProviders", "", OIDC),
        ("iam:GetOpenIDConnectProvider", "githubusercontent", GITHUB),
        ("iam:ListOrganizationsFeatures", "", FEATURES),
        ("account:GetAlternateContact", "SECURITY", CONTACT),
        ("accessanalyzer:ListAnalyzers", "", ANALYZER),
    ];
    let production = world.accounts.iter_mut().find(|account| account.id == "111111111111").unwrap();
    let taken = std::mem::replace(production, Account::aws("111111111111", "production"));
    let answered =
        answers.iter().chain(&usual).fold(taken, |account, (operation, about, body)| account.answer(operation, about, body));
    *production = answered.bucket(Bucket::new("acme-paris").region("eu-west-3").versioned());
    world
}

fn collected(accounts: &Accounts) -> Snapshot {
    let (done, file) = accounts.collect(POLICY);
    assert!([0, 3].contains(&done.code), "{}", done.err);
    lastcopy::snapshot::file::read(std::fs::read(file).unwrap().as_slice()).unwrap()
}

fn production() -> ResourceId {
    ResourceId::account(&AccountKey::new("production"))
}

fn of(kind: Kind, name: &str) -> ResourceId {
    ResourceId::new(&AccountKey::new("production"), kind, name)
}

fn known<T: std::fmt::Debug>(fact: Fact<T>) -> T {
    match fact {
        Fact::Known(value) => value,
        other @ (Fact::Absent | Fact::Unreadable(_)) => panic!("{other:?}"),
    }
}

#[test]
fn what_aws_says_is_recorded() {
    let accounts = Accounts::of(world(&[]));
    let snapshot = collected(&accounts);
    let account = production();

    let mfa = known(snapshot.read::<VirtualMfa>(&account));
    assert_eq!(mfa.users.iter().collect::<Vec<_>>(), ["alice"]);
    assert!(mfa.root <= 1);
    let root = &known(snapshot.read::<RootCredentials>(&account)).0;
    assert!(root.password_last_used.is_some() && root.generated.is_some());
    let providers = known(snapshot.read::<IdentityProviders>(&account));
    assert_eq!((providers.saml.len(), providers.oidc.len()), (1, 1));
    assert_eq!(providers.saml[0].valid_until.unwrap().to_string(), "2126-11-22T12:00:00Z");
    assert_eq!(providers.oidc[0].url, "token.actions.githubusercontent.com");
    assert_eq!(providers.oidc[0].client_ids, ["sts.amazonaws.com"]);
    assert_eq!(providers.oidc[0].thumbprints.len(), 1);
    let central = known(snapshot.read::<RootManagement>(&account));
    assert_eq!((central.credentials_management, central.root_sessions), (true, false));
    let contacts = known(snapshot.read::<Contacts>(&account));
    assert_eq!(contacts.security.as_ref().unwrap().domain, "acme.example");
    assert_eq!((&contacts.billing, &contacts.operations), (&None, &None));
    let watch = Analyzer { name: "watch".to_owned(), finds: Finds::ExternalAccess, organization: false, status: Status::Active };
    let analyzers: BTreeMap<_, _> = ["eu-west-1", "eu-west-3"].map(|region| (region.to_owned(), vec![watch.clone()])).into();
    assert_eq!(known(snapshot.read::<Analyzers>(&account)).0, analyzers);

    let bob = known(snapshot.read::<UserCredentials>(&of(Kind::IamUser, "bob")));
    assert_eq!(bob.keys[0].last_used, Some(LastUsed::At("2026-11-17T12:00:00Z".parse().unwrap())));
    assert_eq!(bob.password_last_used, Some(LastUsed::At("2026-11-19T12:00:00Z".parse().unwrap())));
    assert_eq!(bob.generated.unwrap().to_string(), "2026-11-22T12:00:00Z");
    let used = &known(snapshot.read::<UserLastAccessed>(&of(Kind::IamUser, "bob"))).0;
    assert_eq!(used.services["s3"], LastUsed::At("2026-11-17T12:00:00Z".parse().unwrap()));
    assert_eq!((used.services["kms"], used.services["backup"], used.services.len()), (LastUsed::Never, LastUsed::Never, 3));
    let deploy = &known(snapshot.read::<RoleLastAccessed>(&of(Kind::IamRole, "website-deploy"))).0;
    assert_eq!(deploy.services["s3"], LastUsed::Never, "its path is part of the ARN that is asked about");

    // Every user and role once, and once more where the job was not done.
    let calls = accounts.calls();
    assert_eq!((calls["GenerateServiceLastAccessedDetails"], calls["GetServiceLastAccessedDetails"]), (12, 24));
    let file = std::fs::read_to_string(accounts.dir.path().join("snapshot.jsonl")).unwrap();
    for personal in ["Sam", "sam.doe", "CISO", "555"] {
        assert!(!file.contains(personal), "{personal}");
    }
}

#[test]
fn what_the_company_is_told() {
    let accounts = Accounts::of(world(&[]));
    let done = accounts.audit(POLICY);
    let seen = verdicts(&done.json());
    let of = |control: &str, name: &str| seen[&format!("{control} arn:aws:iam::111111111111:{name}")].clone();
    for (control, name, expected) in [
        ("central", "root", "pass"),
        ("providers", "root", "pass"),
        ("analyzer", "root", "pass"),
        ("contacts", "root", "pass"),
        ("keys", "user/bob", "pass"),
        ("keys", "user/reporting", "pass"),
        ("console", "user/alice", "pass"),
        ("console", "user/ci-deploy", "pass"),
        ("one-key", "user/reporting", "pass"),
        ("direct", "user/alice", "pass"),
        ("direct", "user/auditor", "fail"),
        ("admin-mfa", "root", "fail"),
        ("unused", "root", "fail"),
    ] {
        assert_eq!(of(control, name), expected, "{control} {name}\n{seen:#?}");
    }
    let report = done.json();
    let subjects = |control: &str| -> Vec<String> {
        let found = report["findings"].as_array().unwrap().iter().filter(|f| f["control"] == control);
        let all = found.flat_map(|f| f["violations"].as_array().unwrap().iter());
        all.map(|v| v["subject"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()).collect()
    };
    assert_eq!(subjects("admin-mfa"), ["role/OrganizationAccountAccessRole"], "alice has MFA and no key");
    assert!(subjects("unused").contains(&"role/OrganizationAccountAccessRole".to_owned()), "{:?}", subjects("unused"));
    assert!(!subjects("unused").contains(&"user/reporting".to_owned()), "it can only read");
}

/// Control, why and operation of each gap of a report.
fn gaps(report: &Value, control: &str) -> Vec<(String, String, String)> {
    let found = report["findings"].as_array().unwrap().iter().filter(|f| f["control"] == control && f["verdict"] == "unknown");
    let all = found.flat_map(|f| f["gaps"].as_array().cloned().unwrap_or_default());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.map(|gap| (text(&gap["why"]), text(&gap["operation"]), text(&gap["detail"]))).collect()
}

#[test]
fn what_is_denied_is_unknown() {
    let accounts = Accounts::of(world(&[]));
    for (operation, control, says) in [
        ("ListVirtualMFADevices", "hardware", "ListVirtualMFADevices"),
        ("ListOrganizationsFeatures", "central", "ListOrganizationsFeatures"),
        ("ListSAMLProviders", "providers", "ListSAMLProviders"),
        ("ListOpenIDConnectProviders", "providers", "iam:ListOpenIDConnectProviders"),
        ("GetOpenIDConnectProvider", "providers", "iam:GetOpenIDConnectProvider of arn:aws"),
        ("account:GetAlternateContact", "contacts", "account:GetAlternateContact"),
        ("accessanalyzer:ListAnalyzers", "analyzer", "in eu-west-"),
        ("GetCredentialReport", "root", "GetCredentialReport"),
        ("GetCredentialReport", "keys", "GetCredentialReport"),
    ] {
        // A virtual device of root fails whatever else is denied; here nothing else is known of devices.
        accounts.faults(vec![Fault::new(operation, FaultKind::Deny)]);
        let report = accounts.audit(POLICY).json();
        let gaps = gaps(&report, control);
        assert!(!gaps.is_empty(), "{operation}: {:#?}", verdicts(&report));
        for (why, of, detail) in gaps {
            assert_eq!(why, "denied", "{operation}");
            assert!(of.contains(says) || detail.contains(says), "{operation}: {of} {detail}");
        }
    }
    accounts.faults(vec![Fault::new("GenerateServiceLastAccessedDetails", FaultKind::Deny)]);
    let snapshot = collected(&accounts);
    let Fact::Unreadable(gap) = snapshot.read::<UserLastAccessed>(&of(Kind::IamUser, "bob")) else { panic!("read") };
    assert_eq!(gap.why, Why::Denied);
    assert!(gap.detail.unwrap().contains("iam:GenerateServiceLastAccessedDetails"));
}

#[test]
fn only_the_management_account_is_told_of_central_management() {
    // Nothing put there: the demo says that there is no organization, which is an answer.
    let accounts = Accounts::of(company());
    let absent = verdicts(&accounts.audit(POLICY).json());
    assert_eq!(absent["central arn:aws:iam::111111111111:root"], "fail");
    for (operation, control) in [("iam:ListSAMLProviders", "providers"), ("accessanalyzer:ListAnalyzers", "analyzer")] {
        let expected = if control == "providers" { "pass" } else { "fail" };
        assert_eq!(absent[&format!("{control} arn:aws:iam::111111111111:root")], expected, "{operation}");
    }
    assert_eq!(absent["contacts arn:aws:iam::111111111111:root"], "fail");
}

#[test]
fn what_makes_no_sense_is_no_answer() {
    let device = |owner: &str| {
        format!(
            "<IsTruncated>false</IsTruncated><VirtualMFADevices><member><SerialNumber>arn:aws:iam::111111111111:mfa/x</SerialNumber>{owner}</member></VirtualMFADevices>"
        )
    };
    let (nobody, stranger) =
        (device(""), device("<User><Arn>arn:aws:iam::222222222222:user/a</Arn><UserName>a</UserName></User>"));
    let job = "<JobStatus>COMPLETED</JobStatus><ServicesLastAccessed></ServicesLastAccessed><IsTruncated>false</IsTruncated>";
    let twice = ANALYZER.replace("ACCOUNT", "GALAXY");
    let endless = ANALYZER.replace("]}", "],\"nextToken\":\"same\"}");
    let other = CONTACT.replace("SECURITY", "BILLING");
    for (operation, about, body, control, why) in [
        ("iam:ListVirtualMFADevices", "", &*nobody, "hardware", "malformed"),
        ("iam:ListVirtualMFADevices", "", &stranger, "hardware", "malformed"),
        ("iam:ListVirtualMFADevices", "", "<IsTruncated>true</IsTruncated><VirtualMFADevices/>", "hardware", "truncated"),
        ("iam:ListSAMLProviders", "", "", "providers", "malformed"),
        ("iam:ListSAMLProviders", "", "<SAMLProviderList><member/></SAMLProviderList>", "providers", "malformed"),
        ("iam:ListOpenIDConnectProviders", "", "", "providers", "malformed"),
        ("iam:GetOpenIDConnectProvider", "github", "<ClientIDList/>", "providers", "malformed"),
        ("iam:ListOrganizationsFeatures", "", "<EnabledFeatures/>", "central", "malformed"),
        (
            "iam:ListOrganizationsFeatures",
            "",
            "<OrganizationId>o-example12345</OrganizationId><EnabledFeatures><member>RootOfAllEvil</member></EnabledFeatures>",
            "central",
            "malformed",
        ),
        ("account:GetAlternateContact", "SECURITY", "{}", "contacts", "malformed"),
        ("account:GetAlternateContact", "SECURITY", &other, "contacts", "malformed"),
        ("account:GetAlternateContact", "SECURITY", r#"{"AlternateContact":{"Name":"Sam"}}"#, "contacts", "malformed"),
        ("accessanalyzer:ListAnalyzers", "", &twice, "analyzer", "malformed"),
        ("accessanalyzer:ListAnalyzers", "", &endless, "analyzer", "truncated"),
        ("accessanalyzer:ListAnalyzers", "region=eu-west-3", r#"{"analyzers":[{"#, "analyzer", "malformed"),
        ("iam:GetServiceLastAccessedDetails", "", job, "unused", "malformed"),
        ("iam:GetServiceLastAccessedDetails", "", "<JobStatus>LOST</JobStatus>", "unused", "malformed"),
        ("iam:GetServiceLastAccessedDetails", "", "<JobStatus>FAILED</JobStatus>", "unused", "failed"),
        ("iam:GenerateServiceLastAccessedDetails", "", "", "unused", "malformed"),
    ] {
        let accounts = Accounts::of(world(&[(operation, about, body)]));
        let report = accounts.audit(POLICY).json();
        let gaps = gaps(&report, control);
        assert!(gaps.iter().any(|(found, ..)| found == why), "{operation} {body}: {gaps:?} {:#?}", verdicts(&report));
    }
}

#[test]
fn a_page_that_repeats_is_no_end() {
    let accounts = Accounts::of(world(&[]));
    for (operation, control) in [("ListVirtualMFADevices", "hardware"), ("GetServiceLastAccessedDetails", "unused")] {
        accounts.faults(vec![Fault::new(operation, FaultKind::RepeatToken)]);
        let gaps = gaps(&accounts.audit(POLICY).json(), control);
        assert!(gaps.iter().any(|(why, of, _)| why == "truncated" && of == operation), "{operation}: {gaps:?}");
    }
}

#[test]
fn what_is_asked_of_each_principal_is_forecast_and_permitted() {
    let accounts = Accounts::of(world(&[]));
    let path = accounts.policy(POLICY);
    let forecast = run(accounts.lastcopy().args(["collect", "--dry-run", "-q"]).arg(&path));
    let permissions = run(accounts.lastcopy().arg("permissions").arg(&path));
    let calls = accounts.audit(POLICY).json()["calls"].clone();
    for call in calls.as_object().unwrap().keys() {
        assert!(forecast.out.contains(&format!("\t{call}\t")), "{call} is not in\n{}", forecast.out);
    }
    assert!(forecast.out.contains("production\taccount:GetAlternateContact\t3\n"), "{}", forecast.out);
    for action in [
        "iam:GenerateServiceLastAccessedDetails",
        "iam:GetServiceLastAccessedDetails",
        "iam:ListVirtualMFADevices",
        "iam:ListSAMLProviders",
        "iam:ListOpenIDConnectProviders",
        "iam:GetOpenIDConnectProvider",
        "iam:ListOrganizationsFeatures",
        "account:GetAlternateContact",
        "access-analyzer:ListAnalyzers",
    ] {
        assert!(permissions.out.contains(&format!("\"{action}\"")), "{action} is not in\n{}", permissions.out);
    }
}
