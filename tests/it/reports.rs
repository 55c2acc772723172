//! Reports are judged by the schemas that their readers publish.

use std::process::Command;

use serde_json::Value;

use crate::support::{lastcopy, run};

fn demo(format: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    run(lastcopy(dir.path()).args(["audit", "--demo", "--format", format])).out
}

fn schema(name: &str) -> String {
    std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn sarif_is_valid_2_1_0() {
    let mut schema: Value = serde_json::from_str(&schema("tests/schemas/sarif-2.1.0.json")).unwrap();
    // The published schema writes a look-around that is no regular expression of JSON Schema, for a field never written here.
    strip_language_patterns(&mut schema);
    let report: Value = serde_json::from_str(&demo("sarif")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let results = report["runs"][0]["results"].as_array().unwrap();
    let kinds: std::collections::BTreeSet<&str> = results.iter().filter_map(|r| r["kind"].as_str()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["fail", "notApplicable", "open", "pass"]);
    assert!(results.iter().any(|r| r["suppressions"].as_array().is_some_and(|s| !s.is_empty())), "the waiver is a suppression");
    for result in results {
        let place = &result["locations"][0];
        assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "policies/demo.yaml", "{result}");
        assert!(place["physicalLocation"]["region"]["startLine"].as_u64().unwrap() > 20, "{result}");
        assert!(place["logicalLocations"][0]["fullyQualifiedName"].is_string(), "{result}");
        assert!(result["partialFingerprints"].as_object().is_some_and(|f| !f.is_empty()), "{result}");
    }
}

fn strip_language_patterns(value: &mut Value) {
    if let Some(language) = value.pointer_mut("/definitions/toolComponent/properties/language") {
        language.as_object_mut().map(|o| o.remove("pattern"));
    }
    if let Some(language) = value.pointer_mut("/definitions/run/properties/language") {
        language.as_object_mut().map(|o| o.remove("pattern"));
    }
}

#[test]
fn junit_is_valid_by_its_xsd() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.xml");
    std::fs::write(&file, demo("junit")).unwrap();
    let xsd = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas/junit-jenkins.xsd");
    let judged = Command::new("xmllint").args(["--noout", "--schema", xsd]).arg(&file).output();
    let judged = judged.expect("xmllint is missing: run tests/run, which installs it");
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
}

#[test]
fn json_is_valid_by_our_schema() {
    let schema: Value = serde_json::from_str(&schema("docs/report.schema.json")).unwrap();
    let report: Value = serde_json::from_str(&demo("json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// Independent readers: Python's csv, and a Markdown renderer.
#[test]
fn csv_and_markdown_are_read_by_others() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("report.csv"), demo("csv")).unwrap();
    std::fs::write(dir.path().join("report.md"), demo("markdown")).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterparties/read_reports.py");
    let python = std::env::var("LASTCOPY_PYTHON").expect("LASTCOPY_PYTHON is not set: run tests/run");
    for golden in ["", concat!(env!("CARGO_MANIFEST_DIR"), "/src/reporters/golden")] {
        let at = if golden.is_empty() { dir.path().to_str().unwrap() } else { golden };
        let read = Command::new(&python).args([script, at]).output().unwrap();
        assert!(read.status.success(), "{at}: {}", String::from_utf8_lossy(&read.stderr));
    }
}

#[test]
fn gitlab_is_valid_by_the_schema() {
    let schema: Value = serde_json::from_str(&schema("tests/schemas/gitlab-code-quality.json")).unwrap();
    let report: Value = serde_json::from_str(&demo("gitlab")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty() && !report.as_array().unwrap().is_empty(), "{errors:#?}");
}

#[test]
fn several_formats_go_to_several_files() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let args = [
        "audit", "--demo", "--format", "human", "--format", "sarif", "--format", "junit", "-o", "-", "-o", "a.sarif", "-o",
        "b.xml",
    ];
    let done = run(lastcopy(dir.path()).args(args));
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.out.contains("documents"));
    for file in ["a.sarif", "b.xml"] {
        let meta = std::fs::metadata(dir.path().join(file)).unwrap();
        assert!(meta.len() > 1000, "{file}");
        assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{file}");
    }
}
