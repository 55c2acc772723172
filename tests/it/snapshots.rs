//! Collect, then judge offline: identical findings; damaged files are told from whole ones.

use std::os::unix::fs::PermissionsExt;

use lastcopy_demo::{Fault, FaultKind};
use serde_json::Value;

use crate::support::{Accounts, Done, lastcopy, run};

const POLICY: &str = include_str!("../../policies/demo.yaml");

fn all(accounts: &Accounts) -> Vec<String> {
    ["production", "vault", "offsite"]
        .iter()
        .flat_map(|name| ["--account".to_owned(), format!("{name}=endpoint:{}", accounts.url())])
        .collect()
}

fn judge(accounts: &Accounts, file: &std::path::Path) -> Done {
    let policy = accounts.dir.path().join("policy.yaml");
    run(lastcopy(accounts.dir.path()).arg("audit").arg(policy).arg("--snapshot").arg(file).args(["--format", "json"]))
}

/// What must be the same: everything but times, and the calls (the first run waits for the credential report).
fn findings(report: &Value) -> Value {
    serde_json::json!([report["findings"], report["summary"], report["accounts"], report["controls"]])
}

#[test]
fn a_snapshot_is_judged_as_the_live_accounts_were() {
    let accounts = Accounts::company();
    let path = accounts.policy(POLICY);
    let file = accounts.dir.path().join("state.jsonl");
    let more = ["--account", "offsite=profile:offsite"];
    let done = run(accounts.lastcopy().arg("collect").arg(&path).arg("-o").arg(&file).args(all(&accounts)).args(more));
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let live = run(accounts.lastcopy().arg("audit").arg(&path).args(["--format", "json"]).args(all(&accounts)).args(more));
    let replayed = judge(&accounts, &file);
    assert_eq!(live.code, replayed.code);
    assert_eq!(findings(&live.json()), findings(&replayed.json()));
    // At its own time, however late it is judged: twice the same bytes.
    assert_eq!(replayed.out, judge(&accounts, &file).out);
    // Too old counts as not read.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let policy = accounts.dir.path().join("policy.yaml");
    let old = run(lastcopy(accounts.dir.path()).arg("audit").arg(policy).arg("--snapshot").arg(&file).args([
        "--max-age",
        "0m",
        "--format",
        "json",
    ]));
    assert_eq!(old.code, 3, "{}", old.out);
    assert_eq!(old.json()["summary"]["pass"], 0);
}

#[test]
fn damage_is_noticed() {
    let accounts = Accounts::company();
    let (done, file) = accounts.collect(crate::support::ONE_ACCOUNT);
    assert_eq!(done.code, 0, "{}", done.err);
    let whole = std::fs::read_to_string(&file).unwrap();
    let judge_text = |text: &str| {
        std::fs::write(&file, text).unwrap();
        judge(&accounts, &file)
    };
    assert_eq!(judge_text(&whole).code, 0);
    // Without its trailer: partial, never clean.
    let lines: Vec<&str> = whole.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n") + "\n";
    assert_eq!(judge_text(&cut).code, 3);
    // Torn in the middle of a line.
    let torn = judge_text(&whole[..whole.len() / 2]);
    assert_eq!(torn.code, 3, "{}", torn.err);
    // A changed byte.
    let changed = judge_text(&whole.replacen("suspended", "enabled", 1).replacen("enabled", "suspended", 1));
    assert_eq!(changed.code, 4);
    assert!(changed.err.contains("the file was changed after it was written"), "{}", changed.err);
    // Newer than this program.
    let newer = judge_text(&whole.replacen("\"schema\":1", "\"schema\":999", 1));
    assert_eq!(newer.code, 4);
    assert!(newer.err.contains("schema 999"), "{}", newer.err);
    for nonsense in ["", "{}", "not json\n", "[1,2]\n", "\u{0}\u{1}"] {
        let done = judge_text(nonsense);
        assert_eq!(done.code, 4, "{nonsense:?}");
        assert!(done.err.contains("not a lastcopy snapshot"), "{nonsense:?}: {}", done.err);
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(judge(&accounts, &file).code, 4);
}

#[test]
fn an_existing_snapshot_survives_a_collection_that_fails_to_write() {
    let accounts = Accounts::company();
    let (_, file) = accounts.collect(crate::support::ONE_ACCOUNT);
    let before = std::fs::read(&file).unwrap();
    accounts.faults(vec![Fault::new("*", FaultKind::Hang)]);
    let policy = accounts.policy(crate::support::ONE_ACCOUNT);
    let mut child = accounts.lastcopy().arg("collect").arg(policy).arg("-o").arg(&file).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_snapshot_of_another_account_is_not_judged() {
    let accounts = Accounts::company();
    let (_, file) = accounts.collect(crate::support::ONE_ACCOUNT);
    assert_eq!(judge(&accounts, &file).code, 0);
    accounts.policy(&crate::support::ONE_ACCOUNT.replace("111111111111", "222222222222"));
    let done = judge(&accounts, &file);
    assert_eq!(done.code, 4, "{}", done.out);
    let report = done.json();
    assert_eq!(report["summary"]["pass"], 0);
    assert!(report["findings"][0]["gaps"][0]["detail"].as_str().unwrap().contains("the snapshot is of 111111111111"));
}

#[test]
fn links_and_pipes_stay_what_they_are() {
    let accounts = Accounts::company();
    let (_, file) = accounts.collect(crate::support::ONE_ACCOUNT);
    let link = accounts.dir.path().join("latest.jsonl");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let policy = accounts.policy(crate::support::ONE_ACCOUNT);
    let done = run(accounts.lastcopy().arg("collect").arg(&policy).arg("-o").arg(&link));
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());

    let pipe = accounts.dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap())
    };
    let done = run(accounts.lastcopy().arg("audit").arg(&policy).args(["--format", "json", "-o"]).arg(&pipe));
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(reader.join().unwrap().contains("\"findings\""));
    assert!(!std::fs::symlink_metadata(&pipe).unwrap().is_file());
    assert_eq!(run(accounts.lastcopy().arg("audit").arg(&policy).args(["-o", "/dev/full"])).code, 4);
}
