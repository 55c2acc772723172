//! What the schema refuses, in plain words and at its place.
//!
//! It must never show a validator's own message, and never say twice what is wrong with a value.

use std::sync::Arc;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::LocationSegment;
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value as Json;

use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, quote};
use super::source::Source;
use super::suggest;
use super::tree::{Node, Value};

/// Everything that a schema refuses in a tree; `what` names its root.
pub(super) fn problems(validator: &Validator, schema: &Json, source: &Arc<Source>, root: &Node, what: &str) -> Vec<Diagnostic> {
    let json = root.to_json();
    validator.iter_errors(&json).flat_map(|error| explain(&error, schema, Cursor::new(source, root), what)).collect()
}

/// Where an error is, by the path in the value.
struct Spot<'a> {
    what: &'a str,
    path: Vec<String>,
    root: Cursor<'a>,
    value: Cursor<'a>,
    key: Option<Cursor<'a>>,
}

fn find<'a>(error: &ValidationError<'_>, root: Cursor<'a>, what: &'a str) -> Option<Spot<'a>> {
    let mut spot = Spot { what, path: Vec::new(), root, value: root, key: None };
    for segment in error.instance_path().segments() {
        match segment {
            LocationSegment::Property(name) => {
                spot.key = spot.value.key(&name);
                spot.value = spot.value.get(&name)?;
                spot.path.push(name.into_owned());
            }
            LocationSegment::Index(index) => {
                spot.value = Cursor { node: spot.value.node.items().get(index)?, ..spot.value };
                spot.path.push(index.to_string());
            }
        }
    }
    Some(spot)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the validator knows more kinds than our schema can cause")]
fn explain(error: &ValidationError<'_>, schema: &Json, root: Cursor<'_>, what: &str) -> Vec<Diagnostic> {
    let Some(spot) = find(error, root, what) else { return Vec::new() };
    if spot.value.node.value == Value::Bad {
        return Vec::new();
    }
    let at = error.schema_path().as_str();
    // The schema that holds the keyword.
    let here = at.rsplit_once('/').and_then(|(parent, _)| schema.pointer(parent)).unwrap_or(&Json::Null);
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().filter_map(|name| unknown_key(&spot, here, name)).collect()
        }
        // What `additionalProperties: false` says where no key is known.
        Kind::FalseSchema => {
            let names = spot.value.node.entries().filter_map(|(key, _)| key.as_str());
            names.filter_map(|name| unknown_key(&spot, here, name)).collect()
        }
        Kind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            vec![missing_key(&spot, here, key)]
        }
        Kind::Type { kind } => vec![wrong_type(&spot, here, kind)],
        Kind::Enum { options } => {
            let words: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
            wrong_word(&spot, &words).into_iter().collect()
        }
        Kind::PropertyNames { error: inner } => {
            let name = inner.instance().as_str().unwrap_or_default();
            let key = spot.value.key(name).unwrap_or(spot.value);
            let rule = here.pointer("/propertyNames").unwrap_or(here);
            vec![not_like(key, &format!("the name {}", quote(name)), rule)]
        }
        Kind::MinLength { .. } | Kind::MinItems { .. } | Kind::MinProperties { .. } => {
            vec![spot.value.error(format!("{} must not be empty", spot.named())).maybe_hint(example(&spot, here))]
        }
        _ => vec![not_like(spot.value, &spot.named(), here)],
    }
}

fn unknown_key(spot: &Spot<'_>, here: &Json, name: &str) -> Option<Diagnostic> {
    let known: Vec<&str> = here.get("properties").and_then(Json::as_object).into_iter().flatten().map(|(k, _)| &**k).collect();
    // A known key with a bad value is not unknown as well.
    if known.contains(&name) {
        return None;
    }
    let key = spot.value.key(name).unwrap_or(spot.value);
    let problem = key.error(format!("{} has no key {}", spot.thing(), quote(name))).label("not known here");
    Some(if known.is_empty() {
        problem.hint("it takes no keys at all: remove it")
    } else {
        problem.maybe_hint(suggest::hint(name, known, "it may have"))
    })
}

fn missing_key(spot: &Spot<'_>, here: &Json, key: &str) -> Diagnostic {
    // At the first key, since a whole mapping is hard to look at.
    let first = spot.value.node.entries().next().map_or(spot.value, |(key, _)| Cursor { node: key, ..spot.value });
    let property = here.pointer(&format!("/properties/{key}")).unwrap_or(&Json::Null);
    let problem = first.error(format!("{} must have the key `{key}`", spot.thing())).label(format!("`{key}` is missing"));
    let problem = match property.get("description").and_then(Json::as_str) {
        Some(says) => problem.note(format!("{key}: {}", first_sentence(says))),
        None => problem,
    };
    match property.get("examples").and_then(|all| all.get(0)).or_else(|| property.get("enum").and_then(|all| all.get(0))) {
        Some(value) => problem.hint(format!("write for example: {key}: {}", yaml(value))),
        None => problem.hint(format!("add `{key}:`")),
    }
}

fn wrong_type(spot: &Spot<'_>, here: &Json, kind: &TypeKind) -> Diagnostic {
    let expected = match kind {
        TypeKind::Single(one) => plain(*one).to_owned(),
        TypeKind::Multiple(set) => set.iter().map(plain).collect::<Vec<_>>().join(" or "),
    };
    let text = match kind {
        TypeKind::Single(one) => *one == JsonType::String,
        TypeKind::Multiple(set) => set.iter().any(|one| one == JsonType::String),
    };
    let is = spot.value.node.kind();
    let problem =
        spot.value.error(format!("{} must be {expected}, this is {is}", spot.named())).label(format!("expected {expected}"));
    let raw = spot.value.source.slice(spot.value.node.place);
    let scalar = matches!(spot.value.node.value, Value::Int(_) | Value::Float(_) | Value::Bool(_));
    if spot.value.node.value == Value::Null
        && let Some(key) = spot.key
        && raw.is_empty()
    {
        let problem = key.error(format!("{} has no value", spot.named())).label(format!("expected {expected}"));
        return problem.maybe_hint(example(spot, here).or_else(|| Some("give it one, or remove the key".to_owned())));
    }
    if is_duration(here) {
        return problem.hint(DURATION);
    }
    if text && scalar {
        return problem.hint(format!("quote it: {}", yaml(&Json::String(raw.to_owned()))));
    }
    let says = here.get("description").and_then(Json::as_str).map(|says| first_sentence(says).to_owned());
    problem.maybe_hint(example(spot, here).or(says))
}

fn wrong_word(spot: &Spot<'_>, words: &[&str]) -> Option<Diagnostic> {
    // Of another type than text, that is the problem, and it is told.
    let word = spot.value.text()?;
    let title = match (spot.path.first().map(String::as_str), spot.path.last().map(String::as_str)) {
        (_, Some("check")) => format!("there is no check {}", quote(word)),
        (Some("extends"), _) => format!("there is no shipped policy {}", quote(word)),
        _ => format!("{} cannot be {}", spot.named(), quote(word)),
    };
    let problem = spot.value.error(title).maybe_hint(suggest::hint(word, words.iter().copied(), "it is one of"));
    let all = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let told = problem.hint.as_ref().is_some_and(|hint| hint.starts_with("it is one of"));
    Some(if told || words.len() > 40 { problem } else { problem.note(format!("it is one of: {all}")) })
}

fn not_like(at: Cursor<'_>, what: &str, rule: &Json) -> Diagnostic {
    let problem = at.error(format!("{what} is not as it must be"));
    if is_duration(rule) {
        return problem.label("not a length of time").hint(DURATION);
    }
    let says = rule.get("patternErrorMessage").or_else(|| rule.get("description")).and_then(Json::as_str).map(first_sentence);
    let problem = match says {
        Some(says) => problem.label(says.to_owned()),
        None => problem,
    };
    let number = |key: &str, words: &str| rule.get(key).map(|limit| format!("{words} {limit}"));
    let limits: Vec<String> = [
        number("minimum", "at least"),
        number("maximum", "at most"),
        number("maxItems", "items: at most"),
        number("maxLength", "characters: at most"),
    ]
    .into_iter()
    .flatten()
    .collect();
    match rule.get("examples").and_then(|all| all.get(0)) {
        Some(value) => problem.hint(format!("write for example {}", yaml(value))),
        None if !limits.is_empty() => problem.hint(limits.join(", ")),
        None => problem,
    }
}

const DURATION: &str = "a length of time is written `30d`, `12h` or `15m`";

fn is_duration(schema: &Json) -> bool {
    schema.get("pattern").and_then(Json::as_str).is_some_and(|pattern| pattern.ends_with("[dhm]$"))
}

fn plain(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "a mapping",
        JsonType::String => "text",
    }
}

fn example(spot: &Spot<'_>, schema: &Json) -> Option<String> {
    let value = schema.get("examples")?.get(0)?;
    Some(match spot.key.and_then(Cursor::text) {
        Some(key) => format!("write for example: {key}: {}", yaml(value)),
        None => format!("write for example: {}", yaml(value)),
    })
}

/// A value in the flow style of YAML.
fn yaml(value: &Json) -> String {
    match value {
        Json::String(text) => {
            let plain = text.chars().next().is_some_and(char::is_alphabetic)
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.' | ' '))
                || text.len() == 10 && text.starts_with("20") && text.matches('-').count() == 2;
            if plain { text.clone() } else { format!("{value}") }
        }
        Json::Array(items) => format!("[{}]", items.iter().map(yaml).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            format!("{{ {} }}", map.iter().map(|(key, value)| format!("{key}: {}", yaml(value))).collect::<Vec<_>>().join(", "))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => value.to_string(),
    }
}

fn first_sentence(text: &str) -> &str {
    let text = text.split('\n').next().unwrap_or(text);
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}

impl Spot<'_> {
    /// The value as the reader would call it: by its key.
    fn named(&self) -> String {
        match self.path.as_slice() {
            [] => self.what.to_owned(),
            [.., last] if last.parse::<usize>().is_err() => quote(last),
            [.., list, _] if list == "controls" || list == "waivers" || list == "attestations" => self.thing(),
            [.., list, _] => format!("an item of {}", quote(list)),
            [_] => "this".to_owned(),
        }
    }

    /// The mapping that is spoken of.
    fn thing(&self) -> String {
        let parts: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let item = |list: &str, index: &str, key: &str| {
            let index = index.parse::<usize>().ok();
            let item = index.and_then(|index| self.root.get(list)?.node.items().get(index));
            item.and_then(|item| item.entry(key)).and_then(|(_, name)| name.as_str()).map(quote)
        };
        let control = |index: &str| match item("controls", index, "id") {
            Some(id) => format!("control {id}"),
            None => "this control".to_owned(),
        };
        match parts.as_slice() {
            [] => self.what.to_owned(),
            ["accounts", name] => format!("account {}", quote(name)),
            ["stores", name] => format!("store {}", quote(name)),
            ["stores", store, "copies", copy] => format!("copy {}", quote(&format!("{store}/{copy}"))),
            ["controls", index] => control(index),
            ["controls", index, "scope"] => format!("the scope of {}", control(index)),
            ["controls", index, "with"] => match item("controls", index, "check") {
                Some(check) => format!("check {check}"),
                None => format!("`with` of {}", control(index)),
            },
            ["waivers", index] => match item("waivers", index, "control") {
                Some(id) => format!("the waiver of {id}"),
                None => "this waiver".to_owned(),
            },
            ["cases", index] => match item("cases", index, "name") {
                Some(name) => format!("case {name}"),
                None => "this case".to_owned(),
            },
            ["cases", _, "copies" | "accounts", name] => format!("the facts of {}", quote(name)),
            ["attestations", index] => match item("attestations", index, "fact") {
                Some(fact) => format!("the attestation of {fact}"),
                None => "this attestation".to_owned(),
            },
            [.., last] => quote(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::policy::source::SourceFile;
    use crate::policy::{schema, tree};
    use crate::units::Span;

    /// Parameters of every sort.
    #[derive(Deserialize, schemars::JsonSchema)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Parameters {
        /// How long.
        after: Span,
        /// How long at most.
        keep: Option<Span>,
        /// How many.
        #[schemars(range(min = 1, max = 10))]
        count: Option<u8>,
        names: Option<Vec<String>>,
        on: Option<bool>,
    }

    fn said(yaml: &str) -> Vec<String> {
        let rules = schema::from::<Parameters>();
        let (source, root, _) = tree::read(&SourceFile { path: "a".to_owned(), bytes: yaml.as_bytes().to_vec() });
        let found = problems(&schema::compile(&rules).unwrap(), &rules, &source, &root.unwrap(), "check `x`");
        found.iter().map(|p| format!("{}: {} ({})", p.place.column, p.title, p.hint.as_deref().unwrap_or_default())).collect()
    }

    #[test]
    fn parameters() {
        for (yaml, expected) in [
            ("{ after: 30d, keep: 12h, count: 3, names: [a], \"on\": true }", vec![]),
            (
                "{ after: 30 }",
                vec!["10: `after` must be text, this is a number (a length of time is written `30d`, `12h` or `15m`)"],
            ),
            ("{ after: 30 days }", vec!["10: `after` is not as it must be (a length of time is written `30d`, `12h` or `15m`)"]),
            (
                "{ after: 1d, keep: 1w }",
                vec!["20: `keep` is not as it must be (a length of time is written `30d`, `12h` or `15m`)"],
            ),
            ("{ after: 1d, count: 11 }", vec!["21: `count` is not as it must be (at least 1, at most 10)"]),
            ("{ after: 1d, count: -1 }", vec!["21: `count` is not as it must be (at least 1, at most 10)"]),
            ("{ after: 1d, names: [1] }", vec!["22: an item of `names` must be text, this is a number (quote it: \"1\")"]),
            ("{ count: 1 }", vec!["3: check `x` must have the key `after` (add `after:`)"]),
            ("{ after: 1d, aftr: 2d }", vec!["14: check `x` has no key `aftr` (did you mean `after`?)"]),
        ] {
            assert_eq!(said(yaml), expected, "{yaml}");
        }
    }
}
