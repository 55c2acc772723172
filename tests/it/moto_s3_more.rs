//! Further S3 settings against moto, a fake AWS that nobody here wrote: the audit agrees with the script that set them up.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::support::{lastcopy, run};

const POLICY: &str = r#"
lastcopy: v1
name: moto
accounts:
  more: { id: "ACCOUNT", role-arn: "ROLE", region: us-east-1 }
controls:
  - { id: acl, check: s3-bucket-acl, scope: { account: more, buckets: BUCKETS } }
  - { id: logs, check: s3-bucket-access-logging, scope: { account: more, buckets: BUCKETS } }
  - { id: events, check: s3-bucket-delete-events, scope: { account: more, buckets: BUCKETS } }
  - { id: inventory, check: s3-bucket-inventory, scope: { account: more, buckets: BUCKETS } }
  - { id: uploads, check: s3-bucket-no-stale-uploads, with: { older-than: 0m }, scope: { account: more, buckets: BUCKETS } }
  - { id: points, check: s3-bucket-access-points, scope: { account: more, buckets: BUCKETS } }
  - { id: foreign, check: s3-bucket-no-foreign-grants, scope: { account: more, buckets: BUCKETS } }
"#;

#[test]
fn moto_agrees_on_further_settings() {
    let url = std::env::var("LASTCOPY_MOTO_URL")
        .unwrap_or_else(|_| panic!("LASTCOPY_MOTO_URL is not set: run tests/run, which installs and starts moto"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterparties/moto_s3_more.py");
    let python = std::env::var("LASTCOPY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let made = Command::new(python).args([script, &url]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let world: Value = serde_json::from_slice(&made.stdout).unwrap();
    let text = |key: &str| world[key].as_str().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.yaml");
    // By name and from another Region: where each bucket lies is not known at first.
    for buckets in ["more-*", "[more-good, more-bad, more-bare]"] {
        let filled = POLICY.replace("ACCOUNT", text("account")).replace("ROLE", text("role")).replace("BUCKETS", buckets);
        std::fs::write(&policy, filled).unwrap();
        let mut command = lastcopy(dir.path());
        command.env("AWS_ENDPOINT_URL", &url).env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        let report = run(command.args(["audit", "--format", "json"]).arg(&policy)).json();
        let seen: BTreeMap<String, &str> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| {
                let bucket = finding["resource"].as_str().unwrap().rsplit(':').next().unwrap();
                (format!("{} {bucket}", finding["control"].as_str().unwrap()), finding["verdict"].as_str().unwrap())
            })
            .collect();
        for (row, verdict) in world["expected"].as_object().unwrap() {
            assert_eq!(seen.get(row).copied(), verdict.as_str(), "{row}\n{report:#}");
        }
    }
}
