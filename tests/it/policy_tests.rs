//! `policy test`: the shipped tests, what failing cases show, coverage, exit codes.

use std::path::Path;

use serde_json::Value;

use crate::support::{Done, lastcopy, run};

const POLICY: &str = r#"
lastcopy: v1
name: acme
accounts:
  production: { id: "111111111111" }
stores:
  documents: { copies: { primary: { account: production, bucket: acme-documents } } }
controls:
  - { id: versioned, check: s3-bucket-versioning, scope: { store: documents } }
  - { id: kept, check: s3-bucket-noncurrent-retention, with: { keep: 30d }, scope: { store: documents } }
"#;

const TESTS: &str = r#"
lastcopy: v1
cases:
  - name: all is well
    based-on: well-kept
    everything-else: pass
  - name: suspended
    based-on: well-kept
    copies: { documents/primary: { versioning: { status: suspended } } }
    expect: { versioned: { documents/primary: fail } }
"#;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

fn test(dir: &Path, args: &[&str]) -> Done {
    run(lastcopy(dir).args(["policy", "test"]).args(args))
}

#[test]
fn the_tests_that_are_shipped_pass() {
    let done = test(Path::new(env!("CARGO_MANIFEST_DIR")), &["policies", "--require-coverage"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("0 failed"), "{}", done.out);
}

#[test]
fn tests_lie_beside_their_policy() {
    let dir = folder(&[("lastcopy.yaml", POLICY), ("lastcopy.test.yaml", TESTS)]);
    for args in [&[][..], &["lastcopy.yaml"], &["lastcopy.test.yaml"], &["."]] {
        let done = test(dir.path(), args);
        assert_eq!(done.code, 0, "{args:?}: {}{}", done.out, done.err);
        assert!(done.out.contains("  ok    all is well\n  ok    suspended\n"), "{}", done.out);
        assert!(done.out.contains("coverage: 1 of 2 controls have a failing case; without: kept\n"), "{}", done.out);
        assert!(done.out.ends_with("2 cases: 2 ok, 0 failed\n"), "{}", done.out);
    }
    assert_eq!(test(dir.path(), &["--require-coverage"]).code, 1);
}

#[test]
fn a_failing_case_says_what_the_check_said() {
    let wrong = TESTS
        .replace("documents/primary: fail", "documents/primary: pass")
        .replace("everything-else: pass", "expect: { kept: { elsewhere: fail } }");
    let more = r#"
  - name: the rest
    based-on: suspended
    everything-else: pass
  - name: why
    based-on: suspended
    expect: { versioned: { verdict: fail, subject: x, says: never } }
  - name: said
    based-on: suspended
    expect: { versioned: { verdict: fail, says: suspended } }
"#;
    let dir = folder(&[("lastcopy.yaml", POLICY), ("lastcopy.test.yaml", &format!("{wrong}{}", more.trim_start_matches('\n')))]);
    let done = test(dir.path(), &[]);
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    let expected = "\
lastcopy.test.yaml
  FAIL  all is well
        kept of elsewhere: expected fail, is not judged; the control judges documents/primary (lastcopy.test.yaml:6:23)
  FAIL  suspended
        versioned of documents/primary: expected pass, is fail (lastcopy.test.yaml:10:28)
          documents/primary: fail: versioning is suspended
  FAIL  the rest
        versioned: expected pass, as everything else, is fail (lastcopy.test.yaml:11:11)
          documents/primary: fail: versioning is suspended
        kept: expected pass, as everything else, is fail (lastcopy.test.yaml:11:11)
          documents/primary: fail: versioning is suspended, so a deleted or overwritten document is not kept [versioning]
  FAIL  why
        versioned: expected fail with subject x, is fail (lastcopy.test.yaml:16:15)
          documents/primary: fail: versioning is suspended
  ok    said
coverage: 1 of 2 controls have a failing case; without: kept
5 cases: 1 ok, 4 failed
";
    assert_eq!(done.out, expected);
    let json = test(dir.path(), &["--format", "json"]).json();
    let cases = json["files"][0]["cases"].as_array().unwrap();
    assert_eq!(cases.iter().map(|case| case["ok"].as_bool().unwrap()).collect::<Vec<_>>(), [false, false, false, false, true]);
    assert_eq!(json["coverage"][0]["without"], serde_json::json!(["kept"]));
    let mismatch = &cases[1]["mismatches"][0];
    let field = |name: &str| mismatch[name].as_str().unwrap_or_default();
    assert_eq!((field("control"), field("expected"), field("actual")), ("versioned", "pass", "fail"));
    let junit = test(dir.path(), &["--format", "junit"]);
    assert!(junit.out.contains(r#"tests="5" failures="4""#), "{}", junit.out);
}

#[test]
fn a_pack_is_tested_by_name() {
    let tests = r#"
lastcopy: v1
extends: [document-store]
accounts: { main: {} }
stores: { documents: { copies: { primary: { account: main, bucket: abc } } } }
cases:
  - { name: a, based-on: well-kept, copies: { documents/primary: { lifecycle: absent } }, expect: { uploads-cleaned-up: fail } }
"#;
    let dir = folder(&[("pack.test.yaml", tests)]);
    let done = test(dir.path(), &["pack.test.yaml"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("coverage: 1 of "), "{}", done.out);
}

#[test]
fn several_policies_and_a_snapshot() {
    let estate = POLICY.split("controls:").next().unwrap();
    let control = "lastcopy: v1\ncontrols:\n  - { id: versioned, check: s3-bucket-versioning, scope: { store: documents } }\n";
    let snapshot = concat!(
        r#"{"snapshot":{"schema":1,"tool":"0","taken":"2026-01-01T00:00:00Z","policy-digest":null,"complete":true}}"#,
        "\n",
        r#"{"exists":{"resource":{"account":"production","kind":"s3-bucket","name":"acme-documents"},"state":{"known":"here"}}}"#,
        "\n",
        r#"{"fact":{"resource":{"account":"production","kind":"s3-bucket","name":"acme-documents"},"fact":"s3-bucket.versioning","at":"2026-01-01T00:00:00Z","state":"absent"}}"#,
        "\n",
    );
    let tests = r#"
lastcopy: v1
policies: [estate.yaml, ../controls.yaml]
cases:
  - { name: as it was, snapshot: state.jsonl, expect: { versioned: fail } }
  - { name: mended, based-on: as it was, copies: { documents/primary: { versioning: { status: enabled } } }, expect: { versioned: pass } }
"#;
    let dir = folder(&[
        ("tests/estate.yaml", estate),
        ("controls.yaml", control),
        ("tests/both.test.yaml", tests),
        ("tests/state.jsonl", snapshot),
        ("tests/.hidden/broken.test.yaml", "?"),
    ]);
    let done = test(dir.path(), &["."]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("coverage: 1 of 1 "), "{}", done.out);
}

#[test]
fn what_cannot_be_tested_is_a_usage_error() {
    let bad = "lastcopy: v1\ncases:\n  - { name: a, expect: { versoned: fail } }\n";
    let dir = folder(&[
        ("lastcopy.yaml", POLICY),
        ("lastcopy.test.yaml", bad),
        ("good/a.yaml", POLICY),
        ("good/a.test.yaml", TESTS),
        ("none/a.yaml", POLICY),
        ("b.test.yaml", TESTS),
    ]);
    let done = test(dir.path(), &["lastcopy.yaml", "good"]);
    assert_eq!(done.code, 2, "{}", done.out);
    assert!(done.err.contains("lastcopy.test.yaml:3:26") && done.err.contains("did you mean `versioned`?"), "{}", done.err);
    assert!(done.out.contains("2 cases: 2 ok"), "the good file is judged: {}", done.out);
    for (args, says) in [
        (&["none"][..], "holds no tests"),
        (&["none/a.yaml"], "has no tests"),
        (&["b.test.yaml"], "there is no b.yaml beside the test file"),
        (&["nowhere.test.yaml"], "cannot read"),
    ] {
        let done = test(dir.path(), args);
        assert_eq!(done.code, 2, "{args:?}");
        assert!(done.err.contains(says), "{}", done.err);
    }
}

#[test]
fn the_schema_of_tests_is_printed() {
    let done = run(lastcopy(Path::new(".")).args(["policy", "schema", "--tests"]));
    let schema: Value = done.json();
    assert_eq!(schema["title"], "lastcopy tests of a policy");
    assert!(
        schema["properties"]["cases"]["items"]["properties"]["copies"]["additionalProperties"]["properties"]["versioning"]
            .is_object()
    );
}
