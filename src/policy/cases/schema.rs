//! The JSON Schema of test files, for editors and for reading them.
//!
//! It must never offer a choice (`oneOf`, `anyOf`): one mistake would be told once for each arm.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::super::schema as of_policies;
use crate::fact::Kind;
use crate::resources::specs_of;

/// Keys that mean in a test file what they mean in a policy.
pub(super) const SHARED: &[&str] = &["extends", "set", "accounts", "stores"];

/// The schema. The same for every call.
pub(super) fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(build)
}

/// The schema as `policy schema --tests` prints it.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(schema()).unwrap_or_default();
    text.push('\n');
    text
}

/// Validates files; `None` only if the schema itself is broken, which a test refuses.
pub(super) fn validator() -> Option<&'static Validator> {
    static VALIDATOR: OnceLock<Option<Validator>> = OnceLock::new();
    VALIDATOR.get_or_init(|| of_policies::compile(schema())).as_ref()
}

fn build() -> Value {
    let text =
        |about: &str, example: &str| json!({ "type": "string", "minLength": 1, "description": about, "examples": [example] });
    let case = json!({
        "type": "object",
        "description": "One world and the verdicts that it must get.",
        "required": ["name"],
        "additionalProperties": false,
        "properties": {
            "name": text("What the case shows; unique in the file.", "versioning is suspended"),
            "based-on": text("The case whose facts this one changes, or `well-kept`: every fact of every declared copy and account is safe.", "well-kept"),
            "snapshot": text("A snapshot file, relative to the test file, whose facts this case changes.", "last-night.jsonl"),
            "now": json!({
                "type": "string",
                "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+Z)?$",
                "patternErrorMessage": "a time is a day, or a day with a time in UTC",
                "description": "The time to judge at. Without it 2026-01-01, or the time of the snapshot.",
                "examples": ["2026-01-01"],
            }),
            "copies": json!({
                "type": "object",
                "description": "Facts of the buckets of copies, by store and copy; `*` matches.",
                "additionalProperties": facts_of(Kind::S3Bucket),
                "examples": [{ "documents/primary": { "versioning": { "status": "suspended" } } }],
            }),
            "accounts": json!({
                "type": "object",
                "description": "Facts of accounts, by alias.",
                "additionalProperties": facts_of(Kind::Account),
                "examples": [{ "production": { "password-policy": "absent" } }],
            }),
            "facts": json!({
                "type": "object",
                "description": "Facts of any resource: account, then kind and name, then fact. `lists` says whether the account's lists are whole.",
                "additionalProperties": { "type": "object", "additionalProperties": { "type": ["object", "string"] } },
                "examples": [{ "production": { "iam-user/bob": { "credentials": { "password-enabled": true } } } }],
            }),
            "expect": json!({
                "type": "object",
                "description": "Verdicts by control: one for the worst of the control, or one for each resource.",
                "additionalProperties": { "type": ["object", "string"] },
                "examples": [{ "documents-versioned": { "documents/primary": "fail" } }],
            }),
            "everything-else": json!({
                "type": "string",
                "enum": ["pass"],
                "description": "Every control that `expect` does not name must pass, or not apply.",
            }),
        },
    });
    let mut properties = Map::new();
    properties.insert(
        "lastcopy".to_owned(),
        json!({ "type": "string", "enum": ["v1"], "description": "The version of the language of policies and tests.", "examples": ["v1"] }),
    );
    properties.insert(
        "policies".to_owned(),
        json!({
            "type": "array",
            "items": { "type": "string", "minLength": 1 },
            "description": "The policy files that are tested, relative to the test file. Without it: the file of the same name without `.test`.",
            "examples": [["lastcopy.yaml"]],
        }),
    );
    for key in SHARED {
        if let Some(shared) = of_policies::schema().pointer(&format!("/properties/{key}")) {
            properties.insert((*key).to_owned(), shared.clone());
        }
    }
    properties.insert(
        "cases".to_owned(),
        json!({ "type": "array", "minItems": 1, "items": case, "description": "The cases.", "examples": [[{ "name": "all in order" }]] }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lastcopy tests of a policy",
        "description": "Unit tests of policies: worlds, and the verdicts that they must get.",
        "type": "object",
        "required": ["lastcopy", "cases"],
        "additionalProperties": false,
        "properties": properties,
    })
}

/// A mapping from the facts of a kind to their states, or one word for the whole resource.
fn facts_of(kind: Kind) -> Value {
    let facts: Map<String, Value> = specs_of(kind)
        .iter()
        .map(|spec| (short(spec.id).to_owned(), json!({ "description": format!("What {} answers.", spec.operation) })))
        .collect();
    json!({ "type": ["object", "string"], "properties": facts, "additionalProperties": false })
}

/// The name of a fact without that of its kind.
pub(super) fn short(id: &str) -> &str {
    id.split_once('.').map_or(id, |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_schema() {
        assert!(jsonschema::meta::is_valid(schema()));
        assert!(validator().is_some());
        assert!(!text().contains("anyOf") && !text().contains("oneOf"));
    }
}
