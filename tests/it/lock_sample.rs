//! Which documents are locked, read from the versions themselves.

use lastcopy_demo::{Account, Bucket, Fault, FaultKind, PRODUCTION_KEY, User, Version, World};
use serde_json::Value;

use crate::support::{Accounts, run};

const LOCK: &str = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
                    <Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule></ObjectLockConfiguration>";
const FAR: &str = "2099-01-01T00:00:00Z";

fn policy(with: &str) -> String {
    format!(
        "lastcopy: v1\nname: locks\naccounts: {{ production: {{ id: \"111111111111\", region: eu-west-1 }} }}\ncontrols:\n  \
         - {{ id: locked, check: s3-bucket-lock-coverage, with: {{ window: 14d{with} }}, scope: {{ account: production, buckets: [vault] }} }}\n"
    )
}

fn accounts(bucket: Bucket) -> Accounts {
    let user = User::new("auditor", "2024-01-01T09:00:00Z");
    let user = user.key(lastcopy_demo::AccessKey::of(PRODUCTION_KEY, "2026-11-01T09:00:00Z"));
    Accounts::of(World::default().account(Account::aws("111111111111", "production").user(user).bucket(bucket)))
}

fn vault(versions: impl IntoIterator<Item = Version>) -> Bucket {
    let bucket = Bucket::new("vault").versioned().object_lock(LOCK);
    versions.into_iter().fold(bucket, Bucket::version)
}

fn finding(accounts: &Accounts, with: &str) -> Value {
    let done = accounts.audit(&policy(with));
    done.json()["findings"][0].clone()
}

fn verdict(bucket: Bucket, with: &str) -> (String, String) {
    let found = finding(&accounts(bucket), with);
    (found["verdict"].as_str().unwrap().to_owned(), found.to_string())
}

#[test]
fn every_current_version_counts() {
    let old = Version { id: "old".to_owned(), latest: false, ..Version::current("a b/ü+%") };
    let marker = Version { marker: true, ..Version::current("gone") };
    let good = || vec![Version::current("a b/ü+%").locked("COMPLIANCE", FAR), Version::current("c").locked("GOVERNANCE", FAR)];
    let (is, text) = verdict(vault(good().into_iter().chain([old, marker])), "");
    assert_eq!(is, "pass", "{text}");
    assert_eq!(verdict(vault(good()), ", mode: compliance").0, "fail");
    let (is, text) = verdict(vault(good().into_iter().chain([Version::current("z")])), "");
    assert_eq!(is, "fail");
    assert!(text.contains("1 of 3 current versions"), "{text}");
    assert!(text.contains("the default retention of 30d covers only documents younger than 16d"), "{text}");
    let held = Version { legal_hold: Some(true), ..Version::current("z") };
    assert_eq!(verdict(vault(good().into_iter().chain([held])), "").0, "pass");
    let (is, text) = verdict(vault([Version::current("a").locked("GOVERNANCE", "2026-11-24T00:00:00Z")]), "");
    assert_eq!(is, "fail", "{text}");
    assert!(text.contains("ends 2026-11-24"), "{text}");
}

#[test]
fn without_object_lock_nothing_is_locked() {
    let bucket = Bucket::new("vault").versioned().version(Version::current("a"));
    assert_eq!(verdict(bucket, "").0, "fail");
}

#[test]
fn a_large_bucket_is_sampled_all_over() {
    let keys = |n: usize| (0..n).map(|i| format!("docs/{:02}/{i:05}", i % 40));
    let locked = |key: String| Version::current(&key).locked("COMPLIANCE", FAR);
    let accounts = accounts(vault(keys(8_000).map(locked)));
    let found = finding(&accounts, "");
    assert_eq!(found["verdict"], "unknown", "{found}");
    let calls = accounts.calls();
    assert!(calls["ListObjectVersions"] < 25, "{calls:?}");
    assert!(calls["GetObjectRetention"] <= 200, "{calls:?}");
    let found = finding(&accounts, ", evidence: sample");
    assert_eq!(found["verdict"], "pass", "{found}");
    // A folder in the middle that nobody locked is found, by folders and without them.
    for flat in [false, true] {
        let bare = |(i, key): (usize, String)| {
            let key =
                if flat { format!("{}{}", char::from(b'a' + u8::try_from(i % 26).unwrap()), key.replace('/', "-")) } else { key };
            if key.contains("docs/20/") || key.starts_with('r') { Version::current(&key) } else { locked(key) }
        };
        let (is, text) = verdict(vault(keys(8_000).enumerate().map(bare)), ", evidence: sample");
        assert_eq!(is, "fail", "{flat}: {text}");
    }
}

#[test]
fn what_may_not_be_read_is_unknown_and_named() {
    for operation in ["ListObjectVersions", "GetObjectRetention", "GetObjectLegalHold"] {
        let accounts = accounts(vault([Version::current("a").locked("COMPLIANCE", FAR)]));
        accounts.faults(vec![Fault::new(operation, FaultKind::Deny)]);
        let found = finding(&accounts, "");
        assert_eq!(found["verdict"], "unknown", "{operation}: {found}");
        assert!(found.to_string().contains(operation), "{operation}: {found}");
    }
}

#[test]
fn the_snapshot_holds_no_name_of_a_document() {
    let accounts = accounts(vault([Version::current("secret-name").locked("COMPLIANCE", FAR)]));
    let (done, file) = accounts.collect(&policy(""));
    assert_eq!(done.code, 0, "{}", done.err);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("s3-bucket.lock-sample") && !text.contains("secret-name"), "{text}");
    let path = accounts.policy(&policy(""));
    let document = run(accounts.lastcopy().arg("permissions").arg(path)).json().to_string();
    assert!(document.contains("arn:aws:s3:::vault/*") && document.contains("s3:GetObjectRetention"), "{document}");
}
