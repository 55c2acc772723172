//! Another tool's rules and ours on the same accounts: where they differ is known, with the reason (docs/coverage.md).
//!
//! What Prowler said is in `tests/differential/prowler/verdicts.json`; `tests/differential/prowler/run` asks it again.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use lastcopy::checks::check;
use serde_json::Value;

use super::url;
use crate::support::{lastcopy, run};

fn json(path: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn strings(of: &Value) -> impl Iterator<Item = &str> {
    of.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The rules that an HTTP moto can decide and that this build has a check for.
fn compared(rules: &Value) -> Vec<&Value> {
    let ours = |rule: &&Value| rule["by"][0].as_str().is_some_and(|id| check(id).is_some()) && rule["held"].is_null();
    rules.as_array().unwrap().iter().filter(ours).collect()
}

fn control(rule: &Value) -> String {
    rule["id"].as_str().unwrap().replace('_', "-")
}

fn policy(rules: &[&Value], world: &Value) -> String {
    let mut text = "lastcopy: v1\nname: coverage\naccounts:\n".to_owned();
    for name in ["kept", "bare"] {
        let (id, region) = (world[name].as_str().unwrap(), world["region"].as_str().unwrap());
        let role = format!("arn:aws:iam::{id}:role/lastcopy-audit");
        let _ = writeln!(text, "  {name}: {{ id: \"{id}\", region: {region}, role-arn: \"{role}\" }}");
    }
    text.push_str("controls:\n");
    for rule in rules {
        let with = if rule["with"].is_null() { "{}".to_owned() } else { rule["with"].to_string() };
        let _ = writeln!(
            text,
            "  - {{ id: {}, check: {}, with: {with}, scope: {{ account: \"*\" }}, severity: low, allow-empty: true }}",
            control(rule),
            rule["by"][0].as_str().unwrap()
        );
    }
    text
}

/// Whether a text names a resource, and not one whose name only begins or ends so.
fn names(text: &str, name: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].strip_suffix("has-").unwrap_or(&text[..at]);
        !part(before.chars().next_back()) && !part(text[at + name.len()..].chars().next())
    })
}

/// Our verdict on a resource: that of its finding, else whether the findings of its account name it.
fn ours<'a>(findings: &[&'a Value], account: &str, resource: &str) -> &'a str {
    let of_account: Vec<&Value> = findings.iter().copied().filter(|f| f["account"] == account).collect();
    let worst = |of: &[&Value]| {
        let found = |verdict: &str| of.iter().any(|f| f["verdict"] == verdict);
        if found("fail") {
            "fail"
        } else if found("unknown") {
            "unknown"
        } else {
            "pass"
        }
    };
    if resource == "account" {
        return worst(&of_account);
    }
    if let Some(own) = of_account.iter().find(|f| f["name"] == resource) {
        return own["verdict"].as_str().unwrap();
    }
    // A bucket's violations also tell the way over others; their subject is who could.
    let said = |finding: &Value, violation: &Value| {
        if finding["unit"] == "account" { violation.to_string() } else { violation["subject"].to_string() }
    };
    let violated = |f: &&Value| f["violations"].as_array().into_iter().flatten().any(|v| names(&said(f, v), resource));
    if of_account.iter().any(violated) {
        return "fail";
    }
    if of_account.iter().any(|f| f["verdict"] == "unknown") { "unknown" } else { "pass" }
}

#[test]
fn verdicts_differ_from_prowlers_only_where_the_reason_is_written() {
    let url = url("LASTCOPY_MOTO_URL");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential/prowler/world.py");
    let python = std::env::var("LASTCOPY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let made = Command::new(python).args(["-B", script, &url]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let world: Value = serde_json::from_slice(&made.stdout).unwrap();
    let (data, said) = (json("docs/data/coverage.json"), json("tests/differential/prowler/verdicts.json"));
    let rules = compared(&data["prowler"]);

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("policy.yaml");
    std::fs::write(&file, policy(&rules, &world)).unwrap();
    let mut command = lastcopy(dir.path());
    command.env("AWS_ENDPOINT_URL", &url).env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    let report = run(command.args(["audit", "--format", "json", "--evidence", "all"]).arg(&file)).json();
    let findings = report["findings"].as_array().unwrap();

    let (mut agreed, mut wrong) = (0, Vec::new());
    for rule in rules {
        let id = control(rule);
        let of_control: Vec<&Value> = findings.iter().filter(|f| f["control"] == id.as_str()).collect();
        let mut differ = BTreeSet::new();
        for row in said["verdicts"].as_array().unwrap().iter().filter(|row| row["check"] == rule["id"]) {
            let (account, resource) = (row["account"].as_str().unwrap(), row["resource"].as_str().unwrap());
            // The root user of moto has neither password nor keys; a third account is there for Prowler only.
            if account == "empty" || resource == "root" {
                continue;
            }
            let theirs = match row["verdict"].as_str().unwrap() {
                "PASS" => "pass",
                "FAIL" => "fail",
                _ => "unknown",
            };
            let ours = ours(&of_control, account, resource);
            if ours == theirs {
                agreed += 1;
            } else {
                differ.insert(format!("{account}/{resource}: Prowler {theirs}, lastcopy {ours}"));
            }
        }
        let mut written = BTreeSet::new();
        for differs in rule["differs"].as_array().into_iter().flatten() {
            for on in strings(&differs["on"]) {
                written.insert((on, differs["ours"].as_str().unwrap()));
            }
        }
        // `account/*` is every resource of the account that no other row names.
        let covers = |on: &str, line: &str| match on.strip_suffix('*') {
            Some(account) => line.starts_with(account),
            None => line.starts_with(&format!("{on}: ")),
        };
        for line in &differ {
            if !written.iter().any(|(on, ours)| covers(on, line) && line.ends_with(&format!(" {ours}"))) {
                wrong.push(format!("{id}: {line}, and no reason is written"));
            }
        }
        for (on, _) in written.iter().filter(|(on, _)| !on.starts_with("empty/")) {
            if !differ.iter().any(|line| covers(on, line)) {
                wrong.push(format!("{id}: {on}: a reason is written for a difference that is none"));
            }
        }
    }
    assert!(wrong.is_empty(), "{agreed} agree; {}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(agreed > 0);
}
