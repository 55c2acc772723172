//! What the JSON form of a fact looks like to an expression, from its JSON Schema.
//!
//! Every path that a shape knows can be read: what an answer leaves out is null. It must never rename a key that is data,
//! such as the name of a tag.

use std::sync::Arc;

use cel::Value;
use cel::objects::{Key, Map};
use serde_json::Value as Json;

/// A type, as far as it is known before anything was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Nothing is known of it.
    Any,
    /// No value at all: the element of an empty list.
    Never,
    Null,
    Bool,
    Int,
    Float,
    Text,
    /// One of these texts.
    Words(Arc<[String]>),
    List(Arc<Shape>),
    /// Keys are data.
    Map(Arc<Shape>),
    Record(Arc<Record>),
}

/// A mapping with known keys.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) fields: Vec<Field>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Field {
    /// The key in snapshots.
    stored: String,
    /// The key in expressions.
    pub(super) name: Arc<String>,
    pub(super) shape: Shape,
    /// A word that stands alone in snapshots (`markers-only`): true where it does.
    word: bool,
}

/// A key as expressions write it.
pub(super) fn snake(text: &str) -> String {
    text.replace('-', "_")
}

impl Record {
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| *field.name == name)
    }

    fn add(&mut self, stored: &str, shape: Shape, word: bool) {
        match self.fields.iter_mut().find(|field| field.stored == stored) {
            Some(field) => field.shape = field.shape.join(&shape),
            None => {
                self.fields.push(Field { stored: stored.to_owned(), name: Arc::new(snake(stored)), shape, word });
            }
        }
    }
}

impl Shape {
    /// From a schema without references.
    pub(super) fn of(schema: &Json) -> Self {
        let arms: Vec<&Json> = ["anyOf", "oneOf"]
            .iter()
            .filter_map(|key| schema.get(key)?.as_array())
            .flatten()
            .filter(|arm| arm.get("type").is_none_or(|name| name != "null"))
            .collect();
        if let Some(first) = arms.first() {
            return Self::choice(first, &arms);
        }
        if let Some(word) = schema.get("const").and_then(Json::as_str) {
            return Self::Words([word.to_owned()].into());
        }
        if let Some(Json::Array(words)) = schema.get("enum") {
            let words: Vec<String> = words.iter().filter_map(Json::as_str).map(str::to_owned).collect();
            return if words.is_empty() { Self::Any } else { Self::Words(words.into()) };
        }
        let kind = match schema.get("type") {
            Some(Json::Array(kinds)) => match kinds.iter().filter(|kind| **kind != "null").collect::<Vec<_>>().as_slice() {
                [one] => one.as_str(),
                _ => None,
            },
            Some(kind) => kind.as_str(),
            None => None,
        };
        match kind {
            Some("boolean") => Self::Bool,
            Some("integer") => Self::Int,
            Some("number") => Self::Float,
            Some("string") => Self::Text,
            Some("array") => Self::List(Arc::new(schema.get("items").map_or(Self::Any, Self::of))),
            Some("object") => Self::object(schema),
            Some(_) | None => Self::Any,
        }
    }

    fn object(schema: &Json) -> Self {
        let further = schema.get("additionalProperties").filter(|further| !further.is_boolean());
        match (schema.get("properties").and_then(Json::as_object), further) {
            (Some(fields), None) => {
                let mut record = Record::default();
                for (key, field) in fields {
                    record.add(key, Self::of(field), false);
                }
                Self::Record(Arc::new(record))
            }
            (None, Some(values)) => Self::Map(Arc::new(Self::of(values))),
            (Some(_), Some(_)) | (None, None) => Self::Any,
        }
    }

    /// A choice of words is a text; a choice with mappings is a mapping in which the keys of the other choices are null.
    fn choice(first: &Json, arms: &[&Json]) -> Self {
        let shapes: Vec<Self> = arms.iter().map(|arm| Self::of(arm)).collect();
        let records = shapes.iter().any(|shape| matches!(shape, Self::Record(_)));
        if arms.len() == 1 || !records {
            return shapes.iter().fold(Self::of(first), |all, shape| all.join(shape));
        }
        let mut record = Record::default();
        for shape in &shapes {
            match shape {
                Self::Record(of) => of.fields.iter().for_each(|f| record.add(&f.stored, f.shape.clone(), f.word)),
                Self::Words(words) => words.iter().for_each(|word| record.add(word, Self::Bool, true)),
                Self::Any
                | Self::Never
                | Self::Null
                | Self::Bool
                | Self::Int
                | Self::Float
                | Self::Text
                | Self::List(_)
                | Self::Map(_) => return Self::Any,
            }
        }
        Self::Record(Arc::new(record))
    }

    /// What is known of a value that is one or the other.
    pub(super) fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one.clone(),
            (Self::Never | Self::Null, shape) | (shape, Self::Never | Self::Null) => shape.clone(),
            (Self::Words(a), Self::Words(b)) => {
                let mut all = a.to_vec();
                all.extend(b.iter().filter(|word| !a.contains(word)).cloned());
                Self::Words(all.into())
            }
            (Self::Words(_) | Self::Text, Self::Words(_) | Self::Text) => Self::Text,
            (Self::Int | Self::Float, Self::Int | Self::Float) => Self::Float,
            (Self::List(a), Self::List(b)) => Self::List(Arc::new(a.join(b))),
            (Self::Map(a), Self::Map(b)) => Self::Map(Arc::new(a.join(b))),
            _ => Self::Any,
        }
    }

    /// In plain words.
    pub(super) fn told(&self) -> &'static str {
        match self {
            Self::Any | Self::Never => "a value",
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Int | Self::Float => "a number",
            Self::Text | Self::Words(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) | Self::Record(_) => "a mapping",
        }
    }

    /// Whether a value may be equal to one of another shape.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let open = |shape: &Self| matches!(shape, Self::Any | Self::Never | Self::Null);
        open(self) || open(other) || self.told() == other.told()
    }

    /// Whether it may be long.
    pub(super) fn is_long(&self) -> bool {
        matches!(self, Self::Any | Self::List(_) | Self::Map(_) | Self::Record(_))
    }

    /// The paths below it, one to a line of a document: name and type.
    pub(super) fn paths(&self, name: &str, found: &mut Vec<(String, String)>) {
        let told = if let Self::Words(words) = self {
            words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
        } else {
            self.told().to_owned()
        };
        match self {
            Self::Record(record) => record.fields.iter().for_each(|f| f.shape.paths(&format!("{name}.{}", f.name), found)),
            Self::List(of) if matches!(**of, Self::Record(_)) => of.paths(&format!("{name}[]"), found),
            Self::List(of) => found.push((name.to_owned(), format!("a list; each: {}", of.told()))),
            Self::Map(of) => found.push((name.to_owned(), format!("a mapping; each value: {}", of.told()))),
            Self::Any | Self::Never | Self::Null | Self::Bool | Self::Int | Self::Float | Self::Text | Self::Words(_) => {
                found.push((name.to_owned(), told));
            }
        }
    }
}

/// Counts while values are made.
#[derive(Debug, Default)]
pub(super) struct Longest(pub(super) usize);

/// The value of an expression, with the keys of its shape.
pub(super) fn value(json: &Json, shape: &Shape, longest: &mut Longest) -> Value {
    match (json, shape) {
        (Json::Null, _) => Value::Null,
        (_, Shape::Record(record)) => record_value(json, record, None, longest),
        (Json::Array(items), shape) => {
            longest.0 = longest.0.max(items.len());
            let of = if let Shape::List(of) = shape { of } else { &Shape::Any };
            Value::List(Arc::new(items.iter().map(|item| value(item, of, longest)).collect()))
        }
        (Json::Object(entries), shape) => {
            longest.0 = longest.0.max(entries.len());
            let of = if let Shape::Map(of) = shape { of } else { &Shape::Any };
            let entries = entries.iter().map(|(key, item)| (key_of(key), value(item, of, longest)));
            Value::Map(Map { map: Arc::new(entries.collect()) })
        }
        (Json::String(text), _) => Value::String(Arc::new(text.clone())),
        (Json::Bool(value), _) => Value::Bool(*value),
        (Json::Number(number), _) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
    }
}

/// A record with some of its fields; the others are not read by anybody.
pub(super) fn record_value(json: &Json, record: &Record, only: Option<&[String]>, longest: &mut Longest) -> Value {
    let field = |field: &Field, longest: &mut Longest| match json {
        Json::String(word) if field.word => Value::Bool(*word == field.stored),
        Json::Object(entries) => entries.get(&field.stored).map_or(Value::Null, |found| value(found, &field.shape, longest)),
        Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => Value::Null,
    };
    let wanted = record.fields.iter().filter(|field| only.is_none_or(|only| only.contains(&field.name)));
    let entries = wanted.map(|f| (Key::String(f.name.clone()), field(f, longest)));
    Value::Map(Map { map: Arc::new(entries.collect()) })
}

fn key_of(text: &str) -> Key {
    Key::String(Arc::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn choices_become_mappings() {
        let spec = crate::resources::spec("s3-bucket.lifecycle").unwrap();
        let shape = Shape::of(&crate::resources::form(spec).unwrap().schema);
        let mut paths = Vec::new();
        shape.paths("bucket.lifecycle", &mut paths);
        let paths: Vec<String> = paths.into_iter().map(|(path, kind)| format!("{path}: {kind}")).collect();
        for path in [
            "bucket.lifecycle.rules[].noncurrent_days: a number",
            "bucket.lifecycle.rules[].expiration.days: a number",
            "bucket.lifecycle.rules[].expiration.markers_only: true or false",
        ] {
            assert!(paths.contains(&path.to_owned()), "{path} in {paths:#?}");
        }
        let rule = |expiration: Json| json!({ "rules": [{ "enabled": true, "expiration": expiration }] });
        for (stored, seen) in [
            (rule(json!("markers-only")), json!({ "markers_only": true, "days": null, "date": null })),
            (rule(json!({ "days": 3 })), json!({ "markers_only": null, "days": 3, "date": null })),
            (rule(json!(null)), json!(null)),
        ] {
            let seen_now = value(&stored, &shape, &mut Longest::default()).json().unwrap();
            assert_eq!(seen_now["rules"][0]["expiration"], seen, "{stored}");
            assert_eq!(seen_now["rules"][0]["noncurrent_days"], Json::Null);
        }
    }

    #[test]
    fn every_fact_has_a_shape() {
        for spec in crate::resources::all_specs() {
            let form = crate::resources::form(spec).unwrap();
            let shape = Shape::of(&form.schema);
            assert_ne!(shape, Shape::Any, "{}: {}", spec.id, form.schema);
        }
    }

    #[test]
    fn data_keys_stay() {
        let shape = Shape::Map(Arc::new(Shape::Text));
        let seen = value(&json!({ "cost-center": "a" }), &shape, &mut Longest::default());
        assert_eq!(seen.json().unwrap(), json!({ "cost-center": "a" }));
    }
}
