//! The shipped pack for document stores: a snapshot that meets it, and one that does not.

use std::path::Path;

use lastcopy_demo::{Account, Bucket, Root, RootMfa, World};

use crate::support::{Accounts, lastcopy, run};

const POLICY: &str = r#"
lastcopy: v1
name: acme
extends: [document-store]
accounts:
  production: { id: "111111111111", region: eu-west-1 }
  vault: { id: "222222222222", region: eu-west-1, role-arn: "arn:aws:iam::222222222222:role/lastcopy-audit", external-id: lastcopy-demo }
stores:
  documents:
    copies:
      primary: { account: production, bucket: acme-documents, exclude: ["tmp/"] }
      mirror: { account: vault, bucket: acme-documents-mirror, fed-by: replication }
"#;

/// Every check is of some use to the pack, so a new one is decided upon.
#[test]
fn the_company_of_the_demo_fails_the_pack() {
    let accounts = Accounts::company();
    let file = collected(&accounts);
    let report = judged(&accounts, &file).json();
    let failed: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["verdict"] == "fail")
        .filter_map(|f| f["check"].as_str())
        .collect();
    for check in ["s3-bucket-noncurrent-retention", "store-mirror-grants", "account-root-mfa", "s3-bucket-least-privilege"] {
        assert!(failed.contains(&check), "{check} in {failed:?}");
    }
}

fn collected(accounts: &Accounts) -> std::path::PathBuf {
    let path = accounts.policy(POLICY);
    let file = accounts.dir.path().join("state.jsonl");
    let endpoints = ["production", "vault"].map(|name| format!("--account={name}=endpoint:{}", accounts.url()));
    let done = run(accounts.lastcopy().arg("collect").arg(path).arg("-o").arg(&file).args(endpoints));
    assert_eq!(done.code, 0, "{}", done.err);
    file
}

fn judged(accounts: &Accounts, file: &Path) -> crate::support::Done {
    let policy = accounts.dir.path().join("policy.yaml");
    run(lastcopy(accounts.dir.path()).arg("audit").arg(policy).arg("--snapshot").arg(file).args([
        "--format",
        "json",
        "--evidence",
        "all",
    ]))
}
