//! The JSON Schema of policy files (draft 2020-12), for editors and for loading.
//!
//! It is made from the types in `shape` and the list of checks. It must never hold a choice (`oneOf`, `anyOf`) over
//! checks: one mistake would be reported once for each of them.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::shape;
use crate::checks::CHECKS;

/// The schema. The same for every call.
pub fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(build)
}

/// The schema as it is published.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(schema()).unwrap_or_default();
    text.push('\n');
    text
}

/// Validates files; `None` only if the schema itself is broken, which a test refuses.
pub(super) fn validator() -> Option<&'static Validator> {
    static VALIDATOR: OnceLock<Option<Validator>> = OnceLock::new();
    VALIDATOR.get_or_init(|| compile(schema())).as_ref()
}

/// Compiles a schema. It fetches nothing and its patterns take linear time.
pub(super) fn compile(schema: &Value) -> Option<Validator> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .build(schema)
        .ok()
}

/// The schema of a check's parameters.
pub(super) fn parameters(entry: &crate::checks::Entry) -> Value {
    let mut schema = (entry.schema)().to_value();
    plain(&mut schema);
    if let Some(map) = schema.as_object_mut() {
        map.remove("$schema");
        map.remove("title");
    }
    schema
}

/// The schema of parameters that change a pack's, compiled once for each check: those left out are the pack's.
pub(super) fn of_override(entry: &crate::checks::Entry) -> Option<&'static (Value, Validator)> {
    type Compiled = OnceLock<Option<(Value, Validator)>>;
    static ALL: OnceLock<Vec<Compiled>> = OnceLock::new();
    let all = ALL.get_or_init(|| CHECKS.iter().map(|_| OnceLock::new()).collect());
    let at = CHECKS.iter().position(|known| known.meta.id == entry.meta.id)?;
    let of = all.get(at)?.get_or_init(|| {
        let mut rules = parameters(entry);
        if let Some(map) = rules.as_object_mut() {
            map.remove("required");
        }
        let validator = compile(&rules)?;
        Some((rules, validator))
    });
    of.as_ref()
}

/// The plain schema of a type, with everything in its place.
pub(super) fn from<T: schemars::JsonSchema>() -> Value {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12()
        .with(|s| s.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    plain(&mut schema);
    schema
}

fn build() -> Value {
    let mut schema = from::<shape::File>();
    if let Some(top) = schema.as_object_mut() {
        top.insert("title".to_owned(), "lastcopy policy".into());
    }
    if let Some(control) = schema.pointer_mut("/properties/controls/items").and_then(Value::as_object_mut) {
        control.insert("allOf".to_owned(), CHECKS.iter().map(rule).collect());
        control.insert("unevaluatedProperties".to_owned(), false.into());
    }
    schema
}

/// If the check is this one, then the parameters are its.
fn rule(entry: &crate::checks::Entry) -> Value {
    let with = parameters(entry);
    let mut then = json!({ "properties": { "with": with } });
    let needed = with.get("required").and_then(Value::as_array).is_some_and(|required| !required.is_empty());
    if let Some(then) = then.as_object_mut()
        && needed
    {
        then.insert("required".to_owned(), json!(["with"]));
    }
    json!({ "if": { "properties": { "check": { "const": entry.meta.id } }, "required": ["check"] }, "then": then })
}

/// Makes what schemars writes plain: an optional key is left out, never null, and a choice of words is an `enum`.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            drop_null(map);
            words(map);
            unwrap_choice(map);
            map.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn drop_null(map: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = map.get_mut("type")
        && types.len() > 1
    {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = map.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(Value::Array(arms)) = map.get_mut(choice) {
            arms.retain(|arm| arm.get("type").is_none_or(|name| name != "null"));
        }
    }
    if map.get("default").is_some_and(Value::is_null) {
        map.remove("default");
    }
}

/// `oneOf` of constants with descriptions becomes `enum` with descriptions.
fn words(map: &mut Map<String, Value>) {
    let Some(Value::Array(arms)) = map.get("oneOf") else { return };
    let (mut words, mut descriptions) = (Vec::new(), Vec::new());
    for arm in arms {
        let described = arm.get("description").cloned().unwrap_or_else(|| "".into());
        if let Some(word) = arm.get("const") {
            words.push(word.clone());
            descriptions.push(described);
        } else if let Some(Value::Array(of)) = arm.get("enum") {
            descriptions.extend(of.iter().map(|_| described.clone()));
            words.extend(of.iter().cloned());
        } else {
            return;
        }
    }
    map.remove("oneOf");
    map.insert("type".to_owned(), "string".into());
    map.insert("enum".to_owned(), words.into());
    map.insert("enumDescriptions".to_owned(), descriptions.into());
}

/// A choice with one arm is that arm.
fn unwrap_choice(map: &mut Map<String, Value>) {
    for choice in ["anyOf", "oneOf"] {
        let arm = match map.get(choice) {
            Some(Value::Array(arms)) => match arms.as_slice() {
                [Value::Object(arm)] => arm.clone(),
                _ => continue,
            },
            Some(_) | None => continue,
        };
        map.remove(choice);
        for (key, value) in arm {
            map.entry(key).or_insert(value);
        }
        words(map);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(value: &Value, see: &mut dyn FnMut(&Map<String, Value>)) {
        match value {
            Value::Object(map) => {
                see(map);
                map.values().for_each(|value| walk(value, see));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, see)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn is_a_schema() {
        assert!(jsonschema::meta::is_valid(schema()));
        assert!(validator().is_some());
        assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }

    #[test]
    fn offers_no_choice_and_no_null() {
        walk(schema(), &mut |map| {
            assert!(!map.contains_key("oneOf") && !map.contains_key("anyOf") && !map.contains_key("$ref"), "{map:#?}");
            assert_ne!(map.get("type"), Some(&"null".into()));
            assert!(map.get("type").and_then(Value::as_array).is_none_or(|types| !types.contains(&"null".into())), "{map:#?}");
        });
    }

    #[test]
    fn every_key_is_described() {
        for place in ["", "/properties/accounts/additionalProperties", "/properties/stores/additionalProperties"]
            .into_iter()
            .chain(["/properties/stores/additionalProperties/properties/copies/additionalProperties"])
            .chain(["/properties/controls/items", "/properties/controls/items/properties/scope"])
            .chain(["/properties/waivers/items", "/properties/attestations/items"])
        {
            let properties = schema().pointer(&format!("{place}/properties")).and_then(Value::as_object).expect(place);
            for (key, property) in properties {
                assert!(property.get("description").is_some(), "{place}: {key}");
            }
        }
    }

    #[test]
    fn every_check_has_its_rule() {
        let rules = schema()["properties"]["controls"]["items"]["allOf"].as_array().unwrap();
        assert_eq!(rules.len(), CHECKS.len());
        for (rule, entry) in rules.iter().zip(CHECKS) {
            assert_eq!(rule["if"]["properties"]["check"]["const"], entry.meta.id);
            let with = &rule["then"]["properties"]["with"];
            let validator = compile(with).unwrap();
            for example in (entry.examples)() {
                assert!(validator.is_valid(&example.with), "{}: {}: {}", entry.meta.id, example.name, example.with);
            }
            assert_eq!(with["additionalProperties"], false, "{}: deny_unknown_fields is missing", entry.meta.id);
        }
    }
}
