//! moto on people, identity providers and contacts: the audit agrees with the script that set them up, and takes what moto does
//! not speak for unknown.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::support::{lastcopy, run};

const POLICY: &str = r#"
lastcopy: v1
name: moto-iam
accounts:
  main: { id: "ACCOUNT", region: eu-west-1, role-arn: "ROLE" }
controls:
  - { id: hardware, check: account-root-hardware-mfa, scope: { account: main } }
  - { id: root, check: account-root-unused, scope: { account: main } }
  - { id: central, check: account-root-management, scope: { account: main } }
  - { id: providers, check: account-identity-providers, with: { allow: ["*:saml-provider/okta", token.actions.githubusercontent.com] }, scope: { account: main } }
  - { id: no-providers, check: account-identity-providers, scope: { account: main } }
  - { id: analyzer, check: account-access-analyzer, scope: { account: main } }
  - { id: contacts, check: account-contacts, with: { require: [security, billing], domains: [acme.example] }, scope: { account: main } }
  - { id: all-contacts, check: account-contacts, scope: { account: main } }
  - { id: keys, check: iam-user-key-unused, scope: { account: main } }
  - { id: console, check: iam-user-console-unused, scope: { account: main } }
  - { id: one-key, check: iam-user-one-key, scope: { account: main } }
  - { id: direct, check: iam-user-no-direct-policies, scope: { account: main } }
  - { id: admin-mfa, check: iam-principal-admin-mfa, scope: { account: main } }
  - { id: unused, check: iam-principal-unused-permissions, scope: { account: main } }
"#;

#[test]
fn the_audit_agrees_with_the_script() {
    let named = "LASTCOPY_MOTO_URL";
    let url =
        std::env::var(named).unwrap_or_else(|_| panic!("{named} is not set: run tests/run, which installs and starts moto"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterparties/moto_iam.py");
    let python = std::env::var("LASTCOPY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let made = Command::new(python).args([script, &url]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let world: Value = serde_json::from_slice(&made.stdout).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("policy.yaml");
    let text = |key: &str| world[key].as_str().unwrap().to_owned();
    std::fs::write(&path, POLICY.replace("ACCOUNT", &text("account")).replace("ROLE", &text("role"))).unwrap();
    let mut command = lastcopy(dir.path());
    command.env("AWS_ENDPOINT_URL", &url).env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    let report = run(command.args(["audit", "--format", "json"]).arg(&path)).json();

    let mut seen = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let arn = finding["resource"].as_str().unwrap();
        let name = if arn.ends_with(":root") { "account" } else { arn.rsplit('/').next().unwrap() };
        seen.insert(format!("{} {name}", finding["control"].as_str().unwrap()), finding["verdict"].as_str().unwrap());
    }
    for (row, verdict) in world["expected"].as_object().unwrap() {
        assert_eq!(seen.get(row).copied(), verdict.as_str(), "{row}\n{seen:#?}\n{}", report["findings"]);
    }
}
