//! Files in the repository that are made from code.
//!
//! A file listed here must never be edited by hand; `just generate` writes all of them.

use std::fmt::Write as _;

use crate::checks::{CHECKS, Entry};
use crate::fact::{Kind, Per};

/// A generated file.
#[derive(Clone, Copy, Debug)]
pub struct Generated {
    /// Its path in the repository.
    pub path: &'static str,
    /// Its whole text.
    pub text: fn() -> String,
}

/// Every generated file.
pub const GENERATED: &[Generated] = &[
    Generated { path: "docs/policy.schema.json", text: crate::policy::schema::text },
    Generated { path: "docs/report.schema.json", text: crate::reporters::json::schema_text },
    Generated { path: "docs/checks.md", text: checks },
    Generated { path: "docs/facts.md", text: facts },
    Generated { path: "docs/coverage.md", text: crate::coverage::text },
    #[cfg(feature = "demo")]
    Generated { path: "docs/cli.md", text: crate::cli::reference },
];

/// The page of a check: what it requires, why, when it fails, its parameters and its examples.
pub fn check_page(entry: &Entry) -> String {
    let meta = entry.meta;
    let schema = (entry.schema)();
    let page = schema.get("description").and_then(|text| text.as_str()).unwrap_or_default();
    let mut text = format!("{}: {}\n\n{page}\n\n", meta.id, meta.title);
    let _ = writeln!(text, "# Facts\nJudges: {} · default severity: {}", meta.unit, meta.severity);
    if !meta.references.is_empty() {
        let _ = writeln!(text, "Framework controls: {}", meta.references.join(", "));
    }
    text.push_str("\n# Parameters\n");
    let required: Vec<&str> =
        schema.get("required").and_then(|r| r.as_array()).into_iter().flatten().filter_map(|name| name.as_str()).collect();
    let parameters = schema.get("properties").and_then(|p| p.as_object());
    match parameters {
        Some(parameters) if !parameters.is_empty() => {
            for (name, of) in parameters {
                let about = of.get("description").and_then(|d| d.as_str()).unwrap_or_default().replace('\n', " ");
                let default = match of.get("default") {
                    Some(value) => format!(" (default {value})"),
                    None if required.contains(&name.as_str()) => " (required)".to_owned(),
                    None => String::new(),
                };
                let _ = writeln!(text, "- `{name}`{default}: {about}");
            }
        }
        Some(_) | None => text.push_str("none\n"),
    }
    text.push_str("\n# Examples\n");
    let examples = (entry.examples)();
    for example in &examples {
        let _ = writeln!(text, "- {}: {}", example.expected.as_str(), example.name);
    }
    let with = examples.iter().map(|example| &example.with).find(|with| with.as_object().is_some_and(|map| !map.is_empty()));
    let _ = write!(text, "\n# In a policy\n{}", control_yaml(entry, with));
    text
}

/// A control that uses the check, as YAML.
fn control_yaml(entry: &Entry, with: Option<&serde_json::Value>) -> String {
    let of_store = matches!(entry.meta.unit, Kind::S3Bucket | Kind::Store);
    let scope =
        if of_store { serde_json::json!({ "store": "documents" }) } else { serde_json::json!({ "account": "production" }) };
    let mut control = serde_json::json!({ "id": format!("my-{}", entry.meta.id), "check": entry.meta.id, "scope": scope });
    if let (Some(with), Some(map)) = (with, control.as_object_mut()) {
        map.insert("with".to_owned(), with.clone());
    }
    serde_yaml::to_string(&[control]).unwrap_or_default()
}

fn checks() -> String {
    let mut text = "<!-- Generated: just generate -->\n# Checks\n\n".to_owned();
    for entry in CHECKS {
        let _ = writeln!(text, "- [`{0}`](#{0}): {1}", entry.meta.id, entry.meta.title);
    }
    for entry in CHECKS {
        let page = check_page(entry);
        let (_, page) = page.split_once("\n\n").unwrap_or_default();
        // Below the heading of the check itself.
        let (page, yaml) = page.split_once("# In a policy\n").unwrap_or((page, ""));
        let page: String =
            page.lines().map(|line| if line.starts_with("# ") { format!("##{line}\n") } else { format!("{line}\n") }).collect();
        let _ = write!(text, "\n## {}\n\n{}\n\n{}### In a policy\n\n```yaml\n{yaml}```\n", entry.meta.id, entry.meta.title, page);
    }
    text
}

fn facts() -> String {
    let mut text =
        "<!-- Generated: just generate -->\n# Facts\n\nWhat lastcopy reads, by which operation and with which permission.\n\n\
        | fact | operation | IAM actions | called |\n|---|---|---|---|\n"
            .to_owned();
    for spec in crate::resources::all_specs() {
        let often = match spec.per {
            Per::Resource => "once for each resource",
            Per::Region => "once in each Region of the buckets in question",
            Per::Account => "once for the account (and page)",
            Per::Free => "with another answer",
        };
        let mut operations: Vec<String> = std::iter::once(spec.operation)
            .chain(spec.also.iter().copied())
            .map(|operation| format!("`{}`", crate::collect::plan::call_of(spec, operation)))
            .collect();
        operations.dedup();
        let actions: Vec<String> = spec.actions.iter().map(|action| format!("`{action}`")).collect();
        let _ = writeln!(text, "| `{}` | {} | {} | {often} |", spec.id, operations.join(", "), actions.join(", "));
    }
    text.push_str(
        "\n## In expressions\n\nWhat `check: expression` reads, by path. Where a fact is not configured, `has` of it is false \
         and it is read as its empty value. What an answer leaves out is null. `[]` stands for the elements of a list.\n",
    );
    for spec in crate::resources::all_specs() {
        let empty = crate::resources::form(spec).map(|form| form.empty.to_string()).unwrap_or_default();
        let _ = writeln!(text, "\n### {}\n\nEmpty value: `{empty}`\n", spec.id);
        for (path, kind) in crate::expression::paths(spec) {
            let _ = writeln!(text, "- `{path}`: {kind}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// With `LASTCOPY_GENERATE=1` the files are written, else they are compared.
    #[test]
    fn generated_files_are_current() {
        let write = std::env::var_os("LASTCOPY_GENERATE").is_some();
        for file in super::GENERATED {
            let (path, text) = (Path::new(env!("CARGO_MANIFEST_DIR")).join(file.path), (file.text)());
            if write {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, text).unwrap();
            } else {
                let there = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
                assert!(there == text, "{} is stale; run: just generate", file.path);
            }
        }
    }
}
