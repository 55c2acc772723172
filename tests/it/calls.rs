//! The policies decide what is fetched; nothing else is called.

use lastcopy_demo::World;

use crate::support::{Accounts, ONE_ACCOUNT, run};

#[test]
fn named_buckets_cost_no_listing_and_each_fact_one_call() {
    let accounts = Accounts::company();
    let done = accounts.audit(ONE_ACCOUNT);
    let calls = &done.json()["calls"];
    assert_eq!(*calls, serde_json::json!({ "s3:GetBucketVersioning": 2, "sts:GetCallerIdentity": 1 }));
    let seen = accounts.calls();
    assert_eq!(seen["GetBucketVersioning"], 2);
    assert_eq!(seen.values().sum::<u64>(), 3, "{seen:?}");
}

#[test]
fn calls_for_each_bucket_are_the_facts_of_the_policy() {
    let accounts = Accounts::of(World::many(300));
    let policy = r#"
lastcopy: v1
name: many
accounts:
  production: { id: "111111111111", region: eu-west-1 }
controls:
  - { id: a, check: s3-bucket-versioning, scope: { account: production } }
  - { id: b, check: s3-bucket-mfa-delete, scope: { account: production } }
  - { id: c, check: s3-bucket-encryption, scope: { account: production } }
"#;
    let report = accounts.audit(policy).json();
    assert_eq!(report["calls"]["s3:GetBucketVersioning"], 300, "two controls, one call");
    assert_eq!(report["calls"]["s3:GetBucketEncryption"], 300);
    assert_eq!(report["calls"]["s3:ListBuckets"], 1);
    assert_eq!(report["calls"].as_object().unwrap().len(), 4, "{}", report["calls"]);
}

#[test]
fn the_forecast_is_what_is_sent() {
    let accounts = Accounts::company();
    let path = accounts.policy(ONE_ACCOUNT);
    let done = run(accounts.lastcopy().arg("collect").arg("--dry-run").arg(path));
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out, "production\ts3:GetBucketVersioning\t2\nproduction\tsts:GetCallerIdentity\t1\n");
    assert!(accounts.calls().is_empty(), "a dry run sends nothing");
}

#[test]
fn a_bucket_in_another_region_costs_one_redirect() {
    let accounts = Accounts::company();
    let policy = ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "acme-exports-eu");
    let report = accounts.audit(&policy).json();
    assert_eq!(report["findings"][0]["region"], "eu-central-1");
    assert_eq!(report["calls"]["s3:GetBucketVersioning"], 2);
    // From a listing the Region is known.
    let policy = ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "acme-exports-*");
    let report = accounts.audit(&policy).json();
    assert_eq!(report["calls"]["s3:GetBucketVersioning"], 1);
}
