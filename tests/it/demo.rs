//! The first command of the README.

use std::collections::BTreeSet;

use crate::support::{lastcopy, run};

fn demo(more: &[&str]) -> crate::support::Done {
    let dir = tempfile::tempdir().unwrap();
    run(lastcopy(dir.path()).args(["audit", "--demo"]).args(more))
}

#[test]
fn the_demo_shows_every_verdict() {
    let done = demo(&["--format", "json"]);
    assert_eq!(done.code, 1, "{}", done.err);
    let report = done.json();
    let findings = report["findings"].as_array().unwrap();
    let seen: BTreeSet<&str> = findings.iter().map(|f| f["verdict"].as_str().unwrap()).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["fail", "not_applicable", "pass", "unknown"]);
    for finding in findings {
        for key in ["control", "check", "resource", "account", "region", "severity", "verdict", "waived", "message", "evidence"] {
            assert!(finding.get(key).is_some(), "{key} of {finding}");
        }
        assert!(!finding["message"].as_str().unwrap().is_empty());
        if finding["verdict"] != "not_applicable" {
            let evidence = finding["evidence"].as_array().unwrap();
            assert!(!evidence.is_empty(), "{finding}");
            assert!(evidence.iter().all(|e| e["operation"].is_string()), "{finding}");
        }
    }
    for key in ["pass", "fail", "unknown", "not_applicable", "waived"] {
        assert!(report["summary"][key].as_u64().unwrap() > 0, "{key}: {}", report["summary"]);
    }
    let total: u64 = ["pass", "fail", "unknown", "not_applicable"].iter().map(|k| report["summary"][k].as_u64().unwrap()).sum();
    assert_eq!(total, findings.len() as u64);
    let calls = report["calls"].as_object().unwrap();
    assert!(calls["s3:GetBucketVersioning"].as_u64().unwrap() >= 3);
    assert!(calls["sts:AssumeRole"].as_u64() == Some(1), "{calls:?}");
}

#[test]
fn the_demo_is_the_same_every_time() {
    let (first, second) = (demo(&["--format", "json"]), demo(&["--format", "json"]));
    assert_eq!(first.out, second.out);
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let readme = include_str!("../../README.md");
    let shown = readme.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let printed = demo(&[]).out;
    for line in shown.lines().filter(|line| *line != "[…]") {
        assert!(printed.lines().any(|other| other == line), "README: {line}");
    }
}

#[test]
fn the_demo_says_what_to_try_next_and_quiet_keeps_quiet() {
    let talk = demo(&[]);
    assert!(talk.err.contains("This was a demo"), "{}", talk.err);
    assert!(talk.err.contains("lastcopy policy explain"));
    assert!(!talk.out.contains("This was a demo"), "talk goes to stderr");
    assert_eq!(demo(&["--quiet"]).err, "");
}

#[test]
fn every_explained_check_has_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let list = run(lastcopy(dir.path()).args(["policy", "explain"]));
    assert_eq!(list.code, 0);
    for line in list.out.lines() {
        let id = line.split_whitespace().next().unwrap();
        let page = run(lastcopy(dir.path()).args(["policy", "explain", id]));
        assert_eq!(page.code, 0, "{id}");
        assert!(page.out.contains("Fails when"), "{id}: {}", page.out);
    }
    let unknown = run(lastcopy(dir.path()).args(["policy", "explain", "s3-bucket-versionin"]));
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("did you mean s3-bucket-versioning?"), "{}", unknown.err);
}

#[test]
fn serve_prints_an_environment_that_works() {
    use std::io::BufRead;
    let dir = tempfile::tempdir().unwrap();
    let mut server = lastcopy(dir.path()).args(["demo", "serve"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufReader::new(server.stdout.take().unwrap()).lines();
    let mut environment = Vec::new();
    for line in lines.by_ref().take(4) {
        let line = line.unwrap();
        let (key, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
        environment.push((key.to_owned(), value.to_owned()));
    }
    let policy = dir.path().join("lastcopy.yaml");
    std::fs::write(&policy, crate::support::ONE_ACCOUNT).unwrap();
    let done = run(lastcopy(dir.path()).envs(environment).args(["audit", "--format", "json"]));
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
}
