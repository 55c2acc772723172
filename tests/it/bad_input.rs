//! Bad input: a clear message, the documented exit code, within a bounded time; never a panic, never a pass.

use std::time::{Duration, Instant};

use crate::support::{lastcopy, run};

fn check(bytes: &[u8]) -> crate::support::Done {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("p.yaml"), bytes).unwrap();
    let began = Instant::now();
    let done = run(lastcopy(dir.path()).args(["policy", "check", "p.yaml"]));
    assert!(began.elapsed() < Duration::from_secs(20), "too slow");
    done
}

#[test]
fn one_control_with_three_mistakes_gives_three_diagnostics() {
    let done = check(
        br#"lastcopy: v1
name: three
accounts:
  production: { id: "111111111111" }
controls:
  - id: versioned
    check: s3-bucket-versionin
    severity: urgent
    scop: { account: production }
"#,
    );
    assert_eq!(done.code, 2);
    for place in ["p.yaml:7:12", "p.yaml:8:15", "p.yaml:9:5"] {
        assert!(done.err.contains(place), "{place} in\n{}", done.err);
    }
    assert_eq!(done.err.matches("--> p.yaml").count(), 3, "{}", done.err);
    insta::assert_snapshot!("three-mistakes", done.err);
}

#[test]
fn hostile_files_are_refused_with_exit_2() {
    let bomb = {
        let mut text = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
        for (previous, name) in "abcdefgh".chars().zip("bcdefghi".chars()) {
            text.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{previous}"); 9].join(",")));
        }
        assert!(text.len() < 400, "{}", text.len());
        text.into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("alias bomb", bomb),
        ("open brackets", vec![b'['; 100_000]),
        ("50 MB", [b"# ".as_slice(), &vec![b'x'; 50 << 20]].concat()),
        ("invalid UTF-8", b"lastcopy: v1\nname: \xff\xfe\n".to_vec()),
        ("empty", Vec::new()),
        ("only a comment", b"# nothing\n".to_vec()),
        ("a list", b"- 1\n- 2\n".to_vec()),
        ("tabs", b"lastcopy:\tv1\n\tname: x\n".to_vec()),
        ("duplicate keys", b"lastcopy: v1\nname: a\nname: b\n".to_vec()),
        ("unknown key", b"lastcopy: v1\nname: a\nstoers: {}\n".to_vec()),
        ("two documents", b"lastcopy: v1\nname: a\n---\nlastcopy: v1\n".to_vec()),
        ("nul bytes", b"lastcopy: v1\nname: \0\n".to_vec()),
        ("newer version", b"lastcopy: v9\nname: a\n".to_vec()),
        ("nothing but brackets closed", b"}}}}".to_vec()),
    ];
    for (name, bytes) in cases {
        let done = check(&bytes);
        assert_eq!(done.code, 2, "{name}: {}{}", done.out, done.err);
        assert!(done.err.starts_with("error"), "{name}: {}", done.err);
        assert!(done.err.contains("p.yaml"), "{name} names its file: {}", done.err);
        assert!(done.err.len() < 20_000, "{name}: {} bytes of message", done.err.len());
    }
}

#[test]
fn missing_files_and_folders_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    for (args, says) in [
        (vec!["audit"], "audit --demo"),
        (vec!["audit", "absent.yaml"], "absent.yaml"),
        (vec!["audit", "empty"], "holds no policy"),
        (vec!["audit", "--demo", "--format", "xml"], "xml"),
        (vec!["audit", "--demo", "--fail-on", "urgent"], "critical"),
        (vec!["audit", "--demo", "--format", "json", "--format", "human"], "only one format can go to stdout"),
        (vec!["nonsense"], "nonsense"),
        (vec!["collect", "x.yaml"], "--output"),
    ] {
        let done = run(lastcopy(dir.path()).args(&args));
        assert_eq!(done.code, 2, "{args:?}: {}", done.err);
        assert!(done.err.contains(says), "{args:?}: {}", done.err);
    }
}

#[test]
fn a_folder_shows_the_problems_of_all_files() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("all")).unwrap();
    std::fs::write(dir.path().join("all/a.yaml"), "lastcopy: v1\nname: a\ncontrols:\n  - { id: x, check: nope }\n").unwrap();
    std::fs::write(dir.path().join("all/b.yml"), "lastcopy: v1\naccounts:\n  p: { id: 12 }\n").unwrap();
    let done = run(lastcopy(dir.path()).args(["policy", "check", "all"]));
    assert_eq!(done.code, 2);
    assert!(done.err.contains("all/a.yaml:4:") && done.err.contains("all/b.yml:3:"), "{}", done.err);
}
