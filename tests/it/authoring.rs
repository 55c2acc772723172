//! `policy init` and `policy explain`: the policy that is drafted loads and audits; the words say what is required.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use lastcopy_demo::{Bucket, World, company};

use crate::support::{Accounts, Done, lastcopy, run};

fn fed(command: &mut Command, input: &str) -> Done {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

fn check(dir: &Path, file: &str) -> Done {
    run(lastcopy(dir).args(["policy", "check", file]))
}

#[test]
fn the_demo_gets_a_policy_that_loads_and_audits() {
    let dir = tempfile::tempdir().unwrap();
    let done = run(lastcopy(dir.path()).args(["policy", "init", "--demo", "--output", "lastcopy.yaml"]));
    assert_eq!(done.code, 0, "{}", done.err);
    let text = std::fs::read_to_string(dir.path().join("lastcopy.yaml")).unwrap();
    for part in [
        "# yaml-language-server: $schema=",
        "production: { id: \"111111111111\"",
        "primary: { account: production, bucket: acme-documents }",
        "mirror: { account: vault, bucket: acme-documents-mirror, fed-by: replication }",
        "offsite: { account: offsite, bucket: acme-documents-offsite, fed-by: sync }",
        "documents-kept (critical)",
        "fails today: acme-documents: rule tidy purges noncurrent versions after 3d",
        "production/acme-logs",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let checked = check(dir.path(), "lastcopy.yaml");
    assert_eq!(checked.code, 0, "{}\n{text}", checked.err);
    assert!(!checked.err.contains("warning"), "{}", checked.err);
    let audit = run(lastcopy(dir.path()).args(["audit", "--demo", "lastcopy.yaml", "--format", "json"]));
    assert_eq!(audit.code, 1, "{}", audit.err);
    let report = audit.json();
    let kept: Vec<_> = report["findings"].as_array().unwrap().iter().filter(|f| f["control"] == "documents-kept").collect();
    assert!(kept.iter().any(|finding| finding["verdict"] == "fail"), "{kept:#?}");
    // What is there is not replaced.
    let again = run(lastcopy(dir.path()).args(["policy", "init", "--demo", "--output", "lastcopy.yaml"]));
    assert_eq!(again.code, 2);
    assert!(again.err.contains("--force"), "{}", again.err);
    let forced =
        run(lastcopy(dir.path()).args(["policy", "init", "--demo", "--force", "--name", "Other Name", "-o", "lastcopy.yaml"]));
    assert_eq!(forced.code, 0, "{}", forced.err);
    assert!(std::fs::read_to_string(dir.path().join("lastcopy.yaml")).unwrap().contains("name: other-name\n"));
}

#[test]
fn a_snapshot_gets_a_policy() {
    let accounts = Accounts::company();
    let policy = include_str!("../../policies/demo.yaml").replace("https://s3.offsite.example", &accounts.url());
    let (collected, file) = accounts.collect(&policy);
    assert!(collected.code == 0 || collected.code == 3, "{}", collected.err);
    let dir = accounts.dir.path();
    let done = run(lastcopy(dir).args(["policy", "init", "-o", "drafted.yaml", "--snapshot"]).arg(&file));
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(check(dir, "drafted.yaml").code, 0);
    let audit = run(lastcopy(dir).args(["audit", "drafted.yaml", "--format", "json", "--snapshot"]).arg(&file));
    assert_eq!(audit.code, 1, "{}", audit.err);
}

#[test]
fn questions_are_answered_by_lines_and_by_their_end() {
    let dir = tempfile::tempdir().unwrap();
    let ask =
        |input: &str, more: &[&str]| fed(lastcopy(dir.path()).args(["policy", "init", "--demo", "--ask"]).args(more), input);
    let done = ask("Kundenakten\nDossiers\n\n-\n", &["-o", "-"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("What is the policy called? [documents]"), "{}", done.err);
    assert!(done.out.contains("name: kundenakten\n") && done.out.contains("  dossiers:\n"), "{}", done.out);
    // The end of the input takes every offer, the file too.
    let done = ask("", &[]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
    assert_eq!(check(dir.path(), "lastcopy.yaml").code, 0);
    // No store is kept.
    let done = ask(&format!("x\n{}", "no\n".repeat(20)), &["-o", "-"]);
    assert!(done.out.contains("left out: production/acme-documents"), "{}", done.out);
    assert!(!done.out.contains("\nstores:"), "{}", done.out);
}

#[test]
fn the_live_accounts_get_a_policy_whatever_they_hold() {
    let none = || {
        let mut account = company().accounts.into_iter().find(|account| account.id == "111111111111").unwrap();
        account.buckets.clear();
        account
    };
    let many = (0..300).fold(none(), |account, number| {
        let name = match number % 3 {
            0 => format!("team-{number}-documents"),
            1 => format!("team.{number}.logs"),
            _ => format!("{number}-things"),
        };
        account.bucket(Bucket::new(&name))
    });
    for (account, stores, says) in
        [(many, 12, "88 buckets seem to hold documents too"), (none(), 0, "No bucket looks as if it held documents")]
    {
        let accounts = Accounts::of(World::default().account(account));
        let dir = accounts.dir.path();
        let done = run(accounts.lastcopy().args(["policy", "init", "-o", "lastcopy.yaml"]));
        assert_eq!(done.code, 0, "{}", done.err);
        let text = std::fs::read_to_string(dir.join("lastcopy.yaml")).unwrap();
        assert!(text.contains("main: { id: \"111111111111\" }"), "{text}");
        assert!(text.contains(says), "{text}");
        assert_eq!(text.matches("\n      primary: { account: main").count(), stores, "{text}");
        assert_eq!(check(dir, "lastcopy.yaml").code, 0, "{text}");
        let calls = accounts.calls();
        assert!(calls.keys().all(|call| call.contains("Get") || call.contains("List")), "{calls:?}");
    }
}

#[test]
fn accounts_that_cannot_be_entered_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let done = run(lastcopy(dir.path()).args(["policy", "init"]).env("AWS_REGION", "eu-west-1"));
    assert_eq!(done.code, 4, "{}", done.out);
    assert!(done.out.contains("could not be read"), "{}", done.out);
    for flag in ["x", "a=b", "A=ambient", "a=profile:"] {
        let done = run(lastcopy(dir.path()).args(["policy", "init", "--account", flag]));
        assert_eq!(done.code, 2, "{flag}: {}", done.err);
    }
}

#[test]
fn a_policy_is_explained_in_plain_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = run(lastcopy(root).args(["policy", "explain", "policies/demo.yaml"]));
    assert_eq!(done.code, 0, "{}", done.err);
    for part in [
        "Store documents\n",
        "  every copy\n    Versioning is enabled [documents-versioned, ",
        "Noncurrent versions are kept long enough (keep: 30d) [documents-kept-30-days, critical]",
        "  mirror (vault/acme-documents-mirror): fed by replication\n",
        "  primary (production/acme-documents): documents are written here; without tmp/\n",
        "Account production (111111111111)\n",
        "s3-bucket tagged data=customer in production: ",
        "users-mfa of bob in production: failures, until 2026-12-31, by head of operations: ",
    ] {
        assert!(done.out.contains(part), "{part} in\n{}", done.out);
    }
    let other = run(lastcopy(root).args(["policy", "explain", "--policy", "policies/demo.yaml"]));
    assert_eq!(other.out, done.out);
}

#[test]
fn what_no_control_looks_at_is_said() {
    let policy = r#"
lastcopy: v1
name: acme
extends: [document-store]
accounts: { a: {}, b: {}, c: {} }
stores:
  one: { copies: { primary: { account: a, bucket: one } } }
controls:
  - { id: documents-kept, with: { keep: 90d } }
"#;
    let bare = r#"
lastcopy: v1
name: acme
accounts: { a: {}, b: {} }
stores:
  one: { copies: { primary: { account: a, bucket: one }, other: { account: b, bucket: two, fed-by: sync } } }
controls:
  - { id: versioned, check: s3-bucket-versioning, scope: { copy: one/primary } }
"#;
    let dir = tempfile::tempdir().unwrap();
    let explain = |text: &str| {
        std::fs::write(dir.path().join("p.yaml"), text).unwrap();
        run(lastcopy(dir.path()).args(["policy", "explain", "p.yaml"])).out
    };
    let said = explain(policy);
    assert!(said.contains("Not covered\n    account b: no control looks at it\n    account c: "), "{said}");
    // The pack's description speaks of 30 days.
    assert!(said.contains("Noncurrent versions are kept long enough (keep: 90d) [documents-kept, critical]"), "{said}");
    let said = explain(bare);
    assert!(said.contains("copy one/other: no control surely judges its buckets"), "{said}");
    assert!(said.contains("account b: no control looks at it"), "{said}");
}
