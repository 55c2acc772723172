//! moto, a fake AWS that nobody here wrote: the audit agrees with the script that set it up.
//!
//! `tests/run` starts moto and names it in the environment; without it there is nothing to compare with.

mod coverage;

use std::process::Command;

use serde_json::Value;

use crate::support::{lastcopy, run};

pub(crate) const POLICY: &str = r#"
lastcopy: v1
name: moto
accounts:
  main: { id: "ACCOUNT", region: eu-west-1 }
controls:
  - { id: versioned, check: s3-bucket-versioning, scope: { account: main } }
  - { id: kept, check: s3-bucket-noncurrent-retention, with: { keep: 30d }, scope: { account: main } }
  - { id: current, check: s3-bucket-no-current-expiry, scope: { account: main } }
  - { id: uploads, check: s3-bucket-upload-abort, scope: { account: main } }
  - { id: private, check: s3-bucket-public-access-block, scope: { account: main } }
  - { id: owned, check: s3-bucket-ownership, scope: { account: main } }
  - { id: tls, check: s3-bucket-tls-only, scope: { account: main } }
  - { id: mfa-delete, check: s3-bucket-mfa-delete, scope: { account: main, buckets: "moto-*" }, severity: low }
  - { id: locked, check: s3-bucket-object-lock, with: { mode: compliance, default-retention: 30d }, scope: { account: main } }
  - { id: tagged, check: s3-bucket-versioning, scope: { account: main, tags: { data: customer } } }
  - { id: no-admin, check: iam-policy-no-full-admin, scope: { account: main } }
  - { id: destroyers, check: s3-bucket-least-privilege, scope: { account: main, buckets: moto-good } }
  - { id: passwords, check: account-password-policy, scope: { account: main } }
"#;

pub(crate) fn url(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run tests/run, which installs and starts moto"))
}

/// Sets moto up, once for each server however many tests ask: names of buckets are taken once.
pub(crate) fn made(url: &str) -> Value {
    let port = url.rsplit(':').next().unwrap();
    let kept = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("moto-{port}-{}.json", started()));
    let claim = kept.with_extension("claim");
    if std::fs::OpenOptions::new().write(true).create_new(true).open(&claim).is_ok() {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterparties/moto_world.py");
        let python = std::env::var("LASTCOPY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let made = Command::new(python).args([script, url]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let part = kept.with_extension("part");
        std::fs::write(&part, &made.stdout).unwrap();
        std::fs::rename(part, &kept).unwrap();
    }
    for _ in 0..600 {
        if let Ok(text) = std::fs::read(&kept) {
            return serde_json::from_slice(&text).unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("another test set moto up and did not finish");
}

/// Tells a server from a later one on the same port: `tests/run` names the run that started it.
fn started() -> String {
    std::env::var("LASTCOPY_MOTO_RUN").unwrap_or_else(|_| std::process::id().to_string())
}

/// A later moto answers GetBucketVersioning with a root element that AWS does not have.
#[test]
fn an_answer_of_another_shape_is_unknown() {
    let url = url("LASTCOPY_MOTO_ODD_URL");
    let world = made(&url);
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.yaml");
    std::fs::write(&policy, POLICY.replace("ACCOUNT", world["account"].as_str().unwrap())).unwrap();
    let mut command = lastcopy(dir.path());
    command.env("AWS_ENDPOINT_URL", &url).env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    let report = run(command.args(["audit", "--format", "json"]).arg(&policy)).json();
    let versioned: Vec<&Value> = report["findings"].as_array().unwrap().iter().filter(|f| f["control"] == "versioned").collect();
    assert_eq!(versioned.len(), 4);
    for finding in versioned {
        assert_eq!(
            (finding["verdict"].as_str(), finding["gaps"][0]["why"].as_str()),
            (Some("unknown"), Some("malformed")),
            "{finding}"
        );
    }
}

#[test]
fn the_audit_agrees_with_the_script() {
    let url = url("LASTCOPY_MOTO_URL");
    let world = made(&url);
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.yaml");
    std::fs::write(&policy, POLICY.replace("ACCOUNT", world["account"].as_str().unwrap())).unwrap();
    let live = |args: &[&str]| {
        let mut command = lastcopy(dir.path());
        command.env("AWS_ENDPOINT_URL", &url).env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        run(command.args(args).arg(&policy))
    };
    let report = live(&["audit", "--format", "json"]).json();

    let mut seen = std::collections::BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let arn = finding["resource"].as_str().unwrap();
        let name = if arn.ends_with(":root") { "account" } else { arn.rsplit(':').next().unwrap() };
        seen.insert(format!("{} {name}", finding["control"].as_str().unwrap()), finding["verdict"].as_str().unwrap().to_owned());
    }
    for (row, verdict) in world["expected"].as_object().unwrap() {
        assert_eq!(seen.get(row).map(String::as_str), verdict.as_str(), "{row}\n{seen:#?}");
    }
    assert!(!seen.contains_key("tagged moto-bad"), "only the tagged bucket is in that scope");
    let destroyers: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["control"] == "destroyers")
        .flat_map(|f| f["violations"].as_array().unwrap().iter().map(|v| v["subject"].as_str().unwrap().to_owned()))
        .collect();
    for principal in world["destroyers"].as_array().unwrap() {
        let principal = principal.as_str().unwrap();
        assert!(destroyers.iter().any(|d| d.ends_with(principal)), "{principal} in {destroyers:?}");
    }
    assert!(!destroyers.iter().any(|d| d.ends_with("user/dave")), "{destroyers:?}");

    // The snapshot of the same accounts says the same.
    let file = dir.path().join("state.jsonl");
    let collected = live(&["collect", "-o", file.to_str().unwrap()]);
    assert_eq!(collected.code, 0, "{}", collected.err);
    let replayed = run(lastcopy(dir.path()).args(["audit", "--format", "json", "--snapshot"]).arg(&file).arg(&policy)).json();
    assert_eq!(replayed["findings"], report["findings"]);
    assert_eq!(replayed["summary"], report["summary"]);
}

#[test]
fn moto_gets_a_policy() {
    let url = url("LASTCOPY_MOTO_URL");
    let world = made(&url);
    let dir = tempfile::tempdir().unwrap();
    let mut command = lastcopy(dir.path());
    command.env("AWS_ENDPOINT_URL", &url).env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    let done = run(command.env("AWS_REGION", "eu-west-1").args(["policy", "init", "-o", "lastcopy.yaml"]));
    assert_eq!(done.code, 0, "{}", done.err);
    let text = std::fs::read_to_string(dir.path().join("lastcopy.yaml")).unwrap();
    assert!(text.contains(world["account"].as_str().unwrap()), "{text}");
    let checked = run(lastcopy(dir.path()).args(["policy", "check", "lastcopy.yaml"]));
    assert_eq!(checked.code, 0, "{}\n{text}", checked.err);
}
