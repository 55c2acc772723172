//! moto's KMS and CloudTrail: the audit agrees with the script that set them up.
//!
//! `tests/run` starts moto and names it in the environment.

use std::process::Command;

use serde_json::Value;

use crate::support::{lastcopy, run};

mod moto {
    use super::*;

    const POLICY: &str = r#"
lastcopy: v1
name: moto-keys
accounts:
  main: { id: "ACCOUNT", region: eu-west-1 }
stores:
  same:
    copies:
      one: { account: main, bucket: keys-good }
      two: { account: main, bucket: keys-copy, fed-by: sync }
  apart:
    copies:
      one: { account: main, bucket: keys-related }
      two: { account: main, bucket: keys-aliased, fed-by: sync }
controls:
  - { id: usable, check: s3-bucket-key-usable, scope: { account: main, buckets: "keys-*" } }
  - { id: rotates, check: s3-bucket-key-rotation, scope: { account: main, buckets: "keys-*" } }
  - { id: guarded, check: s3-bucket-key-guarded, scope: { account: main, buckets: "keys-*" } }
  - { id: independent, check: store-key-independence, scope: { resource: store } }
  - { id: trail, check: account-trail, scope: { account: main } }
  - { id: writes, check: s3-bucket-data-events, scope: { account: main, buckets: "keys-*" } }
  - { id: reads, check: s3-bucket-data-events, with: { events: read }, scope: { account: main, buckets: "keys-*" } }
"#;

    #[test]
    fn keys_and_trails_agree_with_the_script() {
        let name = "LASTCOPY_MOTO_URL";
        let url =
            std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run tests/run, which installs and starts moto"));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterparties/moto_keys.py");
        let python = std::env::var("LASTCOPY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let made = Command::new(python).args([script, &url]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let world: Value = serde_json::from_slice(&made.stdout).unwrap();

        let dir = tempfile::tempdir().unwrap();
        let policy = dir.path().join("policy.yaml");
        std::fs::write(&policy, POLICY.replace("ACCOUNT", world["account"].as_str().unwrap())).unwrap();
        let live = |args: &[&str]| {
            let mut command = lastcopy(dir.path());
            command.env("AWS_ENDPOINT_URL", &url);
            for (at, name) in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].into_iter().enumerate() {
                command.env(name, world["credentials"][at].as_str().unwrap());
            }
            run(command.args(args).arg(&policy))
        };
        let report = live(&["audit", "--format", "json"]).json();
        let mut seen = std::collections::BTreeMap::new();
        for finding in report["findings"].as_array().unwrap() {
            let arn = finding["resource"].as_str().unwrap();
            let name = if arn.ends_with(":root") { "account" } else { arn.rsplit(':').next().unwrap() };
            seen.insert(format!("{} {name}", finding["control"].as_str().unwrap()), finding);
        }
        for (row, verdict) in world["expected"].as_object().unwrap() {
            let found = seen.get(row).unwrap_or_else(|| panic!("{row} is missing: {:#?}", seen.keys()));
            assert_eq!(found["verdict"], *verdict, "{row}: {found:#}");
        }
        let leaving = seen["usable keys-leaving"]["message"].as_str().unwrap();
        assert!(leaving.contains("scheduled for deletion on "), "{leaving}");
        let destroyer = seen["guarded keys-bare"]["violations"][0]["subject"].as_str().unwrap();
        assert!(destroyer.contains("user/key-admin on arn:aws:kms:"), "{destroyer}");

        // The key policy gives nothing to the user; a grant does.
        let who = live(&["who-can", "kms:Decrypt", world["good"].as_str().unwrap(), "--format", "json", "--all"]);
        let answers = who.json();
        let admin = answers["answers"].as_array().unwrap().iter().find(|a| a["name"].as_str().unwrap().contains("key-admin"));
        assert_eq!(admin.unwrap()["answer"], "always", "{}", who.out);

        let file = dir.path().join("state.jsonl");
        let collected = live(&["collect", "-o", file.to_str().unwrap()]);
        assert_eq!(collected.code, 0, "{}", collected.err);
        let replayed = run(lastcopy(dir.path()).args(["audit", "--format", "json", "--snapshot"]).arg(&file).arg(&policy)).json();
        // Days left are counted from the time at which is judged, which differs.
        let told = |report: &Value| -> Vec<String> {
            let findings = report["findings"].as_array().unwrap().iter();
            findings.map(|f| format!("{} {} {} {}", f["control"], f["name"], f["verdict"], f["fingerprint"])).collect()
        };
        assert_eq!(told(&replayed), told(&report));
    }
}
