//! One run over a folder with 25 mistakes says all 25, each at its place.

use std::path::Path;

use lastcopy::policy::diagnostic::Grade;
use lastcopy::policy::load::load;
use lastcopy::policy::source::SourceFile;

use crate::support::{lastcopy, run};

const FOLDER: &str = "tests/data/mistakes";

/// `LASTCOPY_GENERATE=1` writes what is said now; review the difference.
#[test]
fn twenty_five_mistakes_have_twenty_five_places() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = run(lastcopy(root).args(["policy", "check", FOLDER]));
    assert_eq!(done.code, 2);
    assert!(done.err.contains("the policy has 25 errors"), "{}", done.err);
    let expected = root.join("tests/data/mistakes.expected");
    if std::env::var_os("LASTCOPY_GENERATE").is_some() {
        std::fs::write(&expected, &done.err).unwrap();
    }
    assert_eq!(done.err, std::fs::read_to_string(expected).unwrap().replace("\r\n", "\n"));
    // No two at one place, and none about the whole of a file.
    let files: Vec<SourceFile> = [
        "accounts.yaml",
        "keys.yml",
        "more/deep/parameters.yaml",
        "more/expressions.yaml",
        "more/packs.yaml",
        "stores.yaml",
        "units.yaml",
        "waivers.yaml",
    ]
    .iter()
    .map(|name| SourceFile { path: format!("{FOLDER}/{name}"), bytes: std::fs::read(root.join(FOLDER).join(name)).unwrap() })
    .collect();
    let problems = load(&files).unwrap_err();
    let errors: Vec<_> = problems.iter().filter(|problem| problem.grade == Grade::Error).collect();
    let places: std::collections::BTreeSet<_> = errors.iter().map(|p| (p.source.path(), p.place.line, p.place.column)).collect();
    assert_eq!((errors.len(), places.len()), (25, 25));
    for (path, line, column) in places {
        assert!(done.err.contains(&format!("--> {path}:{line}:{column}")), "{path}:{line}:{column}");
        assert!((line, column) != (1, 1), "{path}");
    }
}

#[test]
fn hidden_files_and_tests_are_no_policies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = run(lastcopy(root).args(["policy", "check", FOLDER]));
    assert!(!done.err.contains(".hidden") && !done.err.contains(".test.yaml"), "{}", done.err);
    let done = run(lastcopy(root).args(["policy", "check", &format!("{FOLDER}/more/case.test.yaml")]));
    assert_eq!(done.code, 2);
    assert!(done.err.contains("lastcopy policy test"), "{}", done.err);
}

#[test]
fn parameters_are_set_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let text = "lastcopy: v1\nname: p\nparameters: { keep: {} }\naccounts: { a: {} }\ncontrols:\n  - { id: kept, check: s3-bucket-noncurrent-retention, with: { keep: \"${keep}\" } }\n";
    std::fs::write(dir.path().join("p.yaml"), text).unwrap();
    for (set, code, says) in [
        (vec![], 2, "p.yaml:3:15"),
        (vec!["--set", "keep=30d"], 0, "valid"),
        (vec!["--set", "keep=30 days"], 2, "--set:1:6"),
        (vec!["--set", "kep=30d"], 2, "did you mean `keep`?"),
        (vec!["--set", "keep"], 2, "NAME=VALUE"),
    ] {
        let done = run(lastcopy(dir.path()).args(["policy", "check", "p.yaml"]).args(&set));
        assert_eq!(done.code, code, "{set:?}: {}{}", done.out, done.err);
        assert!(format!("{}{}", done.out, done.err).contains(says), "{set:?}: {}{}", done.out, done.err);
    }
}
