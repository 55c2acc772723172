//! The walls of the code, held by reading it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn sources(under: &str) -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(ROOT).join(under), &mut found);
    found.sort();
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The part before the tests.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

/// Which of our modules a text names.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for piece in text.split("crate::").skip(1) {
        let name: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        found.insert(name);
    }
    if text.contains("aws_sdk") || text.contains("aws_config") || text.contains("aws_smithy") {
        found.insert("(sdk)".to_owned());
    }
    if text.contains("anyhow") {
        found.insert("(anyhow)".to_owned());
    }
    found
}

/// Who may import whom. Readers of facts may use `aws` and the SDK behind the feature; nobody but `cli` may use `anyhow`.
const WALLS: &[(&str, &[&str])] = &[
    ("fact.rs", &[]),
    ("units.rs", &[]),
    ("visible.rs", &[]),
    ("estate.rs", &["fact"]),
    ("resources", &["fact", "estate", "resources", "aws", "collect", "(sdk)"]),
    ("snapshot.rs", &["fact", "estate", "resources", "snapshot"]),
    ("snapshot", &["fact", "estate", "resources", "snapshot"]),
    ("expression", &["fact", "resources", "expression"]),
    ("scope.rs", &["fact", "estate", "resources", "snapshot"]),
    ("demand.rs", &["fact", "scope", "keys"]),
    ("keys.rs", &["fact", "estate", "resources", "snapshot"]),
    ("trails.rs", &["estate", "resources"]),
    ("trails", &["resources", "trails"]),
    ("judgement.rs", &["fact", "estate", "resources"]),
    ("document.rs", &["fact"]),
    ("guardrails.rs", &["fact", "document", "estate", "resources", "snapshot"]),
    ("principals.rs", &["fact", "demand", "document", "estate", "guardrails", "resources", "snapshot"]),
    ("authorization.rs", &["fact", "estate", "resources", "snapshot"]),
    ("windows.rs", &["estate", "resources"]),
    ("outputs", &["fact", "estate", "resources", "snapshot", "authorization"]),
    ("world.rs", &["fact", "principals", "resources", "snapshot"]),
    (
        "access",
        &["fact", "document", "guardrails", "estate", "resources", "snapshot", "demand", "scope", "principals", "world", "keys"],
    ),
    ("view.rs", &["fact", "estate", "resources", "snapshot", "judgement", "principals", "keys"]),
    (
        "checks",
        &[
            "fact",
            "units",
            "document",
            "guardrails",
            "estate",
            "resources",
            "snapshot",
            "demand",
            "judgement",
            "principals",
            "view",
            "checks",
            "world",
            "expression",
            "windows",
            "keys",
            "trails",
        ],
    ),
    (
        "policy",
        &[
            "fact",
            "units",
            "estate",
            "scope",
            "checks",
            "assessment",
            "judgement",
            "policy",
            "resources",
            "snapshot",
            "demand",
            "visible",
            "expression",
            "windows",
        ],
    ),
    (
        "evaluate.rs",
        &["fact", "estate", "resources", "snapshot", "scope", "demand", "judgement", "view", "checks", "policy", "assessment"],
    ),
    ("trial.rs", &["fact", "estate", "scope", "judgement", "policy", "assessment", "evaluate"]),
    ("assessment.rs", &["fact", "estate", "snapshot", "judgement", "checks"]),
    ("exit.rs", &["assessment", "checks", "judgement", "estate", "fact", "snapshot", "exit"]),
    (
        "reporters",
        &[
            "visible",
            "assessment",
            "checks",
            "judgement",
            "estate",
            "fact",
            "snapshot",
            "exit",
            "reporters",
            "units",
            "resources",
        ],
    ),
    ("aws", &["fact", "estate", "resources", "collect", "aws", "(sdk)", "keys"]),
    ("collect", &["fact", "estate", "resources", "snapshot", "scope", "demand", "aws", "collect", "keys"]),
    (
        "generate.rs",
        &["checks", "policy", "reporters", "resources", "generate", "fact", "collect", "cli", "expression", "coverage"],
    ),
    ("coverage.rs", &["checks"]),
    ("coverage_tests.rs", &["checks", "judgement"]),
];

#[test]
fn modules_import_what_they_may() {
    let src = Path::new(ROOT).join("src");
    for (path, text) in sources("src") {
        let name = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        let top = name.split('/').next().unwrap();
        if matches!(top, "cli" | "main.rs" | "lib.rs") {
            continue;
        }
        let allowed =
            WALLS.iter().find(|(module, _)| *module == top).unwrap_or_else(|| panic!("{top}: no wall is written for it")).1;
        for import in imports(shipped(&text)) {
            let own = import == top.trim_end_matches(".rs");
            assert!(own || allowed.contains(&import.as_str()), "{name} imports {import}; allowed: {allowed:?}");
        }
    }
}

#[test]
fn checks_and_evaluation_read_no_clock_file_or_network() {
    for (path, text) in sources("src") {
        let name = path.strip_prefix(ROOT).unwrap().to_string_lossy().into_owned();
        let pure = ![
            "src/cli/",
            "src/aws/",
            "src/collect/run.rs",
            "src/main.rs",
            "src/policy/load_tests.rs",
            "src/policy/cases/tests.rs",
            "src/policy/tree_tests.rs",
            "src/expression/tests.rs",
            "src/reporters/tests.rs",
            "src/reporters/sample.rs",
        ]
        .iter()
        .any(|live| name.starts_with(live));
        if !pure {
            continue;
        }
        for word in ["Timestamp::now", "SystemTime::now", "Instant::now", "std::fs", "std::env::", "std::net::Tcp", "tokio::"] {
            assert!(!shipped(&text).contains(word), "{name} uses {word}");
        }
    }
}

#[test]
fn iam_documents_are_judged_in_lastcopy_iam_only() {
    for (path, text) in sources("src/checks") {
        for word in ["serde_json::from_str", "\"Statement\"", "SecureTransport\":"] {
            let code: String = shipped(&text).lines().filter(|line| !line.trim_start().starts_with("///")).collect();
            let code = code.split("fn examples()").next().unwrap_or_default().to_owned()
                + code.split("impl Check for").nth(1).unwrap_or_default();
            assert!(!code.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn no_reader_of_facts_writes() {
    for (path, text) in sources("src") {
        for (at, _) in text.match_indices("().bucket(") {
            let call: String = text[..at].chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let call: String = call.chars().rev().collect();
            assert!(
                call.starts_with("get_") || call.starts_with("list_") || call.starts_with("head_"),
                "{}: {call}",
                path.display()
            );
        }
    }
}

#[test]
fn every_module_opens_with_its_purpose() {
    for under in ["src", "crates/iam/src", "crates/demo/src", "tests/it"] {
        for (path, text) in sources(under) {
            // A check's page is the doc comment of its type.
            let check = path.starts_with(Path::new(ROOT).join("src/checks")) && text.contains("impl CheckType for");
            assert!(text.starts_with("//!") || text.starts_with("/*!") || check, "{} has no purpose", path.display());
        }
    }
}

#[test]
fn the_demo_shares_nothing_with_the_auditor() {
    let manifest = std::fs::read_to_string(Path::new(ROOT).join("crates/demo/Cargo.toml")).unwrap();
    assert!(!manifest.contains("path ="), "the demo must stand alone");
    let iam = std::fs::read_to_string(Path::new(ROOT).join("crates/iam/Cargo.toml")).unwrap();
    for word in ["tokio", "aws-", "serde ="] {
        let normal = iam.split("[dev-dependencies]").next().unwrap();
        assert!(!normal.contains(word), "lastcopy-iam is pure: {word}");
    }
    for (path, text) in sources("crates/iam/src") {
        for word in ["::now(", "SystemTime", "Instant", "std::fs", "std::env", "std::net::Tcp"] {
            assert!(!shipped(&text).contains(word), "{} is pure: {word}", path.display());
        }
    }
}

#[test]
fn each_dependency_has_its_reason() {
    for manifest in ["Cargo.toml", "crates/iam/Cargo.toml", "crates/demo/Cargo.toml"] {
        let text = std::fs::read_to_string(Path::new(ROOT).join(manifest)).unwrap();
        let mut inside = false;
        for line in text.lines() {
            if line.starts_with('[') {
                inside = line.ends_with("dependencies]");
            } else if inside && line.contains('=') && !line.starts_with('#') {
                assert!(line.contains(" # "), "{manifest}: {line}");
            }
        }
    }
}
