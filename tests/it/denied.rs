//! Unknown is never a pass: denied operations.

use lastcopy_demo::{Fault, FaultKind};
use serde_json::Value;

use crate::support::{Accounts, ONE_ACCOUNT, verdicts};

/// Passes on the company's log bucket and mirror-free parts: a policy that is met.
const MET: &str = r#"
lastcopy: v1
name: met
accounts:
  production: { id: "111111111111", region: eu-west-1 }
controls:
  - { id: versioned, check: s3-bucket-versioning, scope: { account: production, buckets: acme-documents } }
  - { id: tls, check: s3-bucket-tls-only, scope: { account: production, buckets: acme-documents } }
  - { id: boundless, check: iam-policy-no-full-admin, with: { allowed: ["*"] }, scope: { account: production } }
"#;

fn gaps(report: &Value, control: &str) -> Vec<Value> {
    let found = report["findings"].as_array().unwrap().iter().filter(|f| f["control"] == control);
    found.flat_map(|f| f["gaps"].as_array().cloned().unwrap_or_default()).collect()
}

#[test]
fn what_is_denied_is_unknown_with_operation_and_permission() {
    let accounts = Accounts::company();
    let met = accounts.audit(MET);
    assert_eq!(met.code, 0, "{}\n{}", met.out, met.err);
    let before = verdicts(&met.json());
    for (operation, action, control) in [
        ("GetBucketVersioning", "s3:GetBucketVersioning", "versioned"),
        ("GetBucketPolicy", "s3:GetBucketPolicy", "tls"),
        ("GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails", "boundless"),
    ] {
        accounts.faults(vec![Fault::new(operation, FaultKind::Deny)]);
        let denied = accounts.audit(MET);
        assert_eq!(denied.code, 3, "{operation}: {}", denied.out);
        let report = denied.json();
        let after = verdicts(&report);
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{operation}: no row disappears");
        for (row, verdict) in &after {
            let expected = if row.starts_with(control) { "unknown" } else { before[row].as_str() };
            assert_eq!(verdict, expected, "{operation}: {row}");
        }
        let gaps = gaps(&report, control);
        assert!(!gaps.is_empty());
        for gap in gaps {
            assert_eq!((gap["operation"].as_str(), gap["action"].as_str()), (Some(operation), Some(action)), "{gap}");
        }
        assert_eq!(report["incomplete"], true);
    }
}

#[test]
fn a_failure_beside_an_unknown_is_exit_1() {
    let accounts = Accounts::company();
    let policy =
        MET.replace("buckets: acme-documents } }\n  - { id: tls", "buckets: [acme-documents, acme-invoices] } }\n  - { id: tls");
    accounts.faults(vec![Fault::new("GetBucketPolicy", FaultKind::Deny)]);
    let done = accounts.audit(&policy);
    assert_eq!(done.code, 1, "{}", done.out);
    assert_eq!(done.json()["incomplete"], true);
}

#[test]
fn a_denied_listing_is_not_an_empty_one() {
    let accounts = Accounts::company();
    accounts.faults(vec![Fault::new("ListBuckets", FaultKind::Deny)]);
    let done = accounts.audit(&ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "acme-*"));
    assert_eq!(done.code, 3, "{}", done.out);
    let report = done.json();
    let finding = &report["findings"][0];
    assert_eq!(finding["verdict"], "unknown");
    assert_eq!(finding["gaps"][0]["operation"], "ListBuckets");
    assert_eq!(finding["gaps"][0]["action"], "s3:ListAllMyBuckets");
}

#[test]
fn denied_tags_keep_every_bucket_in_scope_as_unknown() {
    let accounts = Accounts::company();
    let policy = ONE_ACCOUNT.replace("buckets: [acme-documents, acme-logs]", "tags: { data: customer }");
    let with_tags = verdicts(&accounts.audit(&policy).json());
    accounts.faults(vec![Fault::new("GetBucketTagging", FaultKind::Deny)]);
    let done = accounts.audit(&policy);
    assert_eq!(done.code, 3, "{}", done.out);
    let without = verdicts(&done.json());
    assert!(without.len() > with_tags.len());
    assert!(without.values().all(|verdict| verdict == "unknown"), "{without:?}");
}

#[test]
fn a_bucket_of_another_account_fails_and_a_missing_one_fails() {
    let accounts = Accounts::company();
    let policy = ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "[acme-documents, no-such-bucket-here]");
    let report = accounts.audit(&policy).json();
    let messages: Vec<&str> = report["findings"].as_array().unwrap().iter().filter_map(|f| f["message"].as_str()).collect();
    assert!(messages.iter().any(|m| m.contains("bucket no-such-bucket-here does not exist")), "{messages:?}");

    // Somebody else's bucket that lets us read it: without the expected owner it would look like ours.
    let mut world = lastcopy_demo::company();
    let vault = world.accounts.iter_mut().find(|a| a.id == "222222222222").unwrap();
    vault.buckets.push(lastcopy_demo::Bucket::new("acme-taken-over").versioned().shared_with("111111111111"));
    let accounts = Accounts::of(world);
    let done = accounts.audit(&ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "acme-taken-over"));
    assert_eq!(done.code, 1, "{}", done.out);
    let report = done.json();
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("bucket acme-taken-over belongs to another account"), "{message}");
}

#[test]
fn credentials_of_another_account_make_everything_unknown() {
    let accounts = Accounts::company();
    let done = accounts.audit(&ONE_ACCOUNT.replace("111111111111", "333333333333"));
    assert_eq!(done.code, 4, "{}", done.out);
    let report = done.json();
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(finding["verdict"], "unknown");
        assert!(finding["gaps"][0]["detail"].as_str().unwrap().contains("pins production to 333333333333"));
    }
    assert!(report["calls"].get("s3:GetBucketVersioning").is_none(), "nothing is read of the wrong account");
}

#[test]
fn a_named_profile_is_used_or_nothing() {
    let accounts = Accounts::company();
    let path = accounts.policy(ONE_ACCOUNT);
    let done =
        crate::support::run(accounts.lastcopy().arg("audit").arg(path).args(["--account", "production=profile:no-such-profile"]));
    assert_eq!(done.code, 4, "keys in the environment must not stand in for it: {}", done.out);
    assert!(accounts.calls().is_empty(), "{:?}", accounts.calls());
}

#[test]
fn a_role_that_may_not_be_assumed_says_so() {
    let accounts = Accounts::company();
    accounts.faults(vec![Fault::new("AssumeRole", FaultKind::Deny)]);
    let policy = ONE_ACCOUNT
        .replace(r#"id: "111111111111","#, r#"id: "222222222222", role-arn: "arn:aws:iam::222222222222:role/lastcopy-audit","#);
    let report = accounts.audit(&policy).json();
    let gap = &report["findings"][0]["gaps"][0];
    assert_eq!((gap["operation"].as_str(), gap["action"].as_str()), (Some("AssumeRole"), Some("sts:AssumeRole")), "{gap}");
    assert_eq!(gap["why"], "denied");
}
