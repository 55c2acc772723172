//! How a test file states a fact: a value, `absent`, or `unreadable` with the reason.
//!
//! It must never take a key that the fact does not have: a test that states nothing would pass for nothing.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};

use super::super::cursor::Cursor;
use super::super::diagnostic::{Diagnostic, quote};
use super::super::suggest;
use super::super::tree::Value;
use crate::estate::ResourceId;
use crate::fact::{FactId, Gap, Kind, Why};
use crate::snapshot::Snapshot;
use crate::units::Span;

/// The state of a fact as a test file says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    /// A value; a mapping changes the keys that it names of the value that is there (RFC 7396: `null` removes one).
    Change(Json),
    /// A value as a whole.
    Whole(Json),
    Absent,
    Unreadable(Why),
}

const WHY: &[&str] = &[
    "denied",
    "throttled",
    "timed-out",
    "malformed",
    "truncated",
    "unsupported",
    "not-compiled",
    "not-collected",
    "vanished",
    "wrong-account",
    "credentials",
    "unreachable",
    "not-evaluated",
    "failed",
];

/// Reads a state.
pub(super) fn state(at: Cursor<'_>) -> Result<State, Box<Diagnostic>> {
    match at.text() {
        Some("absent") => return Ok(State::Absent),
        Some("unreadable") => return Ok(State::Unreadable(Why::Denied)),
        Some(_) | None => {}
    }
    if let Value::Map(entries) = &at.node.value
        && let [(key, _)] = entries.as_slice()
    {
        match key.as_str() {
            Some("known") => return Ok(State::Whole(at.get("known").map_or(Json::Null, |value| value.node.to_json()))),
            Some("unreadable") => return why(at.get("unreadable").unwrap_or(at)).map(State::Unreadable),
            Some(_) | None => {}
        }
    }
    if at.node.value == Value::Null {
        let error = at.error("the fact has no value").hint("write `absent` for what is not configured, or `unreadable`");
        return Err(Box::new(error));
    }
    Ok(State::Change(at.node.to_json()))
}

/// A reason why something could not be read.
pub(super) fn why(at: Cursor<'_>) -> Result<Why, Box<Diagnostic>> {
    let at = at.get("why").unwrap_or(at);
    let word = at.text().unwrap_or_default();
    serde_json::from_value(Json::String(word.to_owned())).map_err(|_| {
        let problem = at.error(format!("{} is no reason why a fact cannot be read", quote(word)));
        Box::new(problem.maybe_hint(suggest::hint(word, WHY.iter().copied(), "it is one of")))
    })
}

/// Puts a state into a snapshot.
pub(super) fn put(snapshot: &mut Snapshot, id: &ResourceId, spec: FactId, state: State, number: &str) -> Result<(), String> {
    let now = snapshot.taken;
    let arn = snapshot.arn(id);
    let Some(resource) = snapshot.resource_mut(id) else { return Err(format!("{} is declared, not observed", id.kind)) };
    let value = match state {
        State::Unreadable(Why::NotCollected) => {
            resource.facts.take(spec);
            return Ok(());
        }
        State::Unreadable(why) => {
            resource.facts.put_gap(spec, &gap(why, spec));
            resource.stamp(spec, now);
            return Ok(());
        }
        State::Absent => Json::String("absent".to_owned()),
        State::Whole(value) => known(filled(value, id, number, now)?),
        State::Change(value) => {
            let mut value = filled(value, id, number, now)?;
            let mut before = None;
            resource
                .facts
                .each(&mut |fact, json| {
                    if fact == spec {
                        before = json.get("known").cloned()
                    }
                })
                .map_err(|e| e.to_string())?;
            if let (Some(before), Json::Object(_)) = (before, &value) {
                let change = std::mem::replace(&mut value, before);
                patch(&mut value, change);
            }
            known(with_arn(value, id.kind, arn))
        }
    };
    let put = resource.facts.put_json(spec.id, value).map_err(|error| error.to_string())?;
    if !put {
        return Err(format!("{} has no fact `{}`", id.kind, spec.id));
    }
    resource.stamp(spec, now);
    Ok(())
}

/// The gap of a fact.
pub(super) fn gap(why: Why, spec: FactId) -> Gap {
    let mut gap = Gap::new(why, spec.operation).with_action(spec.actions.first().copied());
    gap.code = (why == Why::Denied).then(|| "AccessDenied".to_owned());
    gap
}

fn known(value: Json) -> Json {
    Json::Object(Map::from_iter([("known".to_owned(), value)]))
}

/// Principals hold their own ARN; nobody wants to write it.
fn with_arn(mut value: Json, kind: Kind, arn: String) -> Json {
    if matches!(kind, Kind::IamUser | Kind::IamGroup | Kind::IamRole)
        && let Json::Object(map) = &mut value
    {
        map.entry("arn").or_insert(Json::String(arn));
    }
    value
}

/// A merge patch.
fn patch(value: &mut Json, change: Json) {
    let Json::Object(change) = change else {
        *value = change;
        return;
    };
    if !value.is_object() {
        *value = Json::Object(Map::new());
    }
    let Json::Object(map) = value else { return };
    for (key, change) in change {
        if change.is_null() {
            map.remove(&key);
        } else {
            patch(map.entry(key).or_insert(Json::Null), change);
        }
    }
}

/// Fills in `${name}`, `${account}`, `${now}` and `${now-90d}`, and makes texts of IAM policy documents.
fn filled(value: Json, id: &ResourceId, number: &str, now: Timestamp) -> Result<Json, String> {
    Ok(match value {
        Json::String(text) => Json::String(text_filled(&text, id, number, now)?),
        Json::Array(items) => Json::Array(items.into_iter().map(|item| filled(item, id, number, now)).collect::<Result<_, _>>()?),
        Json::Object(map) => {
            let map = map.into_iter().map(|(key, value)| Ok((key, filled(value, id, number, now)?)));
            let map: Map<String, Json> = map.collect::<Result<_, String>>()?;
            // No fact has a key like this: it is a document, which facts hold as text.
            if map.contains_key("Statement") { Json::String(Json::Object(map).to_string()) } else { Json::Object(map) }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => value,
    })
}

fn text_filled(text: &str, id: &ResourceId, number: &str, now: Timestamp) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((word, after)) = after.split_once('}') else { break };
        out.push_str(before);
        match word {
            "name" => out.push_str(&id.name),
            "account" => out.push_str(number),
            "now" => out.push_str(&now.to_string()),
            _ => match word.strip_prefix("now").and_then(|by| Some((by.strip_prefix('-'), by.strip_prefix(['-', '+'])?))) {
                Some((back, by)) => {
                    let by = SignedDuration::from_secs(by.parse::<Span>()?.seconds());
                    let moved = if back.is_some() { now.checked_sub(by) } else { now.checked_add(by) };
                    out.push_str(&moved.map_err(|error| error.to_string())?.to_string());
                }
                // A variable of an IAM policy document.
                None => out.push_str(&format!("${{{word}}}")),
            },
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The first key of a stated value that its fact does not have.
pub(super) fn unknown_key<'a>(stated: Cursor<'a>, is: &Json) -> Option<(Cursor<'a>, Vec<String>)> {
    match (&stated.node.value, is) {
        (Value::Map(_), Json::Object(map)) => stated.node.entries().find_map(|(key, value)| {
            let name = key.as_str()?;
            match map.get(name) {
                Some(inner) => unknown_key(Cursor { node: value, ..stated }, inner),
                None if value.value == Value::Null => None,
                None => Some((Cursor { node: key, ..stated }, map.keys().cloned().collect())),
            }
        }),
        (Value::Seq(items), Json::Array(is)) => {
            items.iter().zip(is).find_map(|(item, is)| unknown_key(Cursor { node: item, ..stated }, is))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::example::primary;

    #[test]
    fn texts_are_filled_in() {
        let now: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
        let fill = |text: &str| text_filled(text, &primary(), "111111111111", now);
        for (text, expected) in [
            ("arn:aws:s3:::${name}/*", "arn:aws:s3:::acme-documents/*"),
            ("${account}", "111111111111"),
            ("${now}", "2026-01-31T00:00:00Z"),
            ("${now-30d}", "2026-01-01T00:00:00Z"),
            ("${now+12h}", "2026-01-31T12:00:00Z"),
            ("${aws:username}/${name", "${aws:username}/${name"),
        ] {
            assert_eq!(fill(text).unwrap(), expected);
        }
        assert!(fill("${now-30}").is_err());
    }

    #[test]
    fn a_change_is_a_merge_patch() {
        let mut value = serde_json::json!({ "a": { "b": 1, "c": 2 }, "d": [1, 2] });
        patch(&mut value, serde_json::json!({ "a": { "b": null, "e": 3 }, "d": [4] }));
        assert_eq!(value, serde_json::json!({ "a": { "c": 2, "e": 3 }, "d": [4] }));
    }
}
