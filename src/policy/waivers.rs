//! Reads waivers and attestations.
//!
//! It must never let a waiver reach further than it says: several accounts need a word about which.

use std::sync::Arc;

use jiff::civil::Date;

use super::controls::Placed;
use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, quote};
use super::{Accepts, Attestation, Waiver, scopes, suggest};
use crate::estate::Estate;
use crate::fact::Kind;
use crate::resources;

/// Operations without a fact of their own that a gap may name.
const FURTHER: &[&str] = &["AssumeRole", "GetCallerIdentity", "ListBuckets", "expression"];

/// The waivers of all files.
pub(super) fn waivers(
    files: &[Cursor<'_>],
    controls: &[Placed<'_>],
    ids: &[&str],
    estate: &Estate,
    whole: bool,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Waiver> {
    let mut waivers = Vec::new();
    for item in files.iter().flat_map(|file| file.items("waivers")) {
        let control = item.get("control").and_then(|at| Some((at, at.text()?)));
        if let Some((at, id)) = control {
            match controls.iter().find(|placed| placed.control.id == id) {
                Some(placed) => reach(item, at, placed, estate, whole, problems),
                None if whole && !ids.contains(&id) => problems.push(
                    at.error(format!("there is no control {}", quote(id))).label("waived here").maybe_hint(suggest::hint(
                        id,
                        ids.iter().copied(),
                        "there are",
                    )),
                ),
                None => {}
            }
        }
        if let Some(at) = item.get("account")
            && let Some(name) = at.text()
            && name != "*"
        {
            scopes::known_account(at, name, estate, whole, problems);
        }
        let copy = item.get("copy").and_then(|at| scopes::copy(at, estate, whole, problems));
        let accepts = accepts(item, problems);
        let expires = expires(item, problems);
        let (Some((at, id)), Some(accepts), Some(expires), Some(reason), Some(owner)) =
            (control, accepts, expires, item.text_of("reason"), item.text_of("owner"))
        else {
            continue;
        };
        waivers.push(Waiver {
            control: id.to_owned(),
            account: item.text_of("account"),
            copy,
            resource: item.text_of("resource"),
            subject: item.text_of("subject"),
            accepts,
            reason,
            owner,
            expires,
            at: at.at(),
        });
    }
    waivers
}

/// Whether it is clear which resources of the control a waiver is about.
fn reach(waiver: Cursor<'_>, at: Cursor<'_>, placed: &Placed<'_>, estate: &Estate, whole: bool, problems: &mut Vec<Diagnostic>) {
    let control = &placed.control;
    let unit = control.check.meta().unit;
    if unit == Kind::Store
        && let Some(key) = waiver.key("account").or_else(|| waiver.key("copy"))
    {
        problems.push(
            key.error(format!("control {} judges stores, which lie in no account", quote(&control.id)))
                .hint("select a store by `resource: NAME`"),
        );
        return;
    }
    if unit != Kind::S3Bucket
        && let Some(key) = waiver.key("copy")
    {
        problems.push(
            key.error(format!("control {} judges no buckets", quote(&control.id))).hint("select by `account` and `resource`"),
        );
        return;
    }
    let clear = waiver.get("account").is_some() || waiver.get("copy").is_some();
    if !whole || clear || unit == Kind::Store || control.scope.accounts(estate).len() < 2 {
        return;
    }
    match waiver.get("resource") {
        Some(resource) if resource.text().is_some_and(|glob| glob.contains(['*', '?'])) => problems.push(
            resource
                .error("this pattern could match in several accounts")
                .note("waivers never cross accounts silently")
                .hint("add `account: NAME`, or `account: \"*\"` for every account"),
        ),
        Some(_) => {}
        None => problems.push(
            at.error(format!(
                "control {} covers several accounts, and the waiver does not say what is waived",
                quote(&control.id)
            ))
            .also(placed.at.source, placed.at.node.place, "the control")
            .hint("add `account`, `copy` or `resource`; `account: \"*\"` is every account"),
        ),
    }
}

fn accepts(item: Cursor<'_>, problems: &mut Vec<Diagnostic>) -> Option<Accepts> {
    let fail = match item.get("accepts").map(Cursor::text) {
        None | Some(Some("fail")) => true,
        Some(Some("unknown")) => false,
        Some(Some(_) | None) => return None,
    };
    if fail {
        for key in ["operation", "fact"] {
            if let Some(key_at) = item.key(key) {
                problems.push(
                    key_at
                        .error(format!("`{key}` goes with `accepts: unknown` only"))
                        .hint("add `accepts: unknown`, or remove it; a violation is selected by `subject`"),
                );
            }
        }
        return Some(Accepts::Fail);
    }
    let operations = || resources::all_specs().flat_map(|spec| std::iter::once(&spec.operation).chain(spec.also).copied());
    let (operation, fact) = (item.get("operation"), item.get("fact"));
    match (operation, fact) {
        (Some(_), Some(fact)) => {
            problems.push(fact.error("a waiver names the operation or the fact, not both").hint("keep one"));
            None
        }
        (None, None) => {
            let at = item.key("accepts").unwrap_or(item);
            problems.push(
                at.error("`accepts: unknown` must say what cannot be read")
                    .label("`operation` or `fact` is missing")
                    .hint("write for example: operation: GetBucketPolicy"),
            );
            None
        }
        (Some(at), None) => {
            let name = at.text()?;
            if !operations().chain(FURTHER.iter().copied()).any(|known| known == name) {
                let known: Vec<&str> = operations().chain(FURTHER.iter().copied()).collect();
                let problem = at.error(format!("no audit calls the operation {}", quote(name)));
                let action = resources::all_specs().find(|spec| spec.actions.contains(&name));
                problems.push(match action {
                    Some(spec) => problem.hint(format!("that is an IAM action; the operation is `{}`", spec.operation)),
                    None => problem.maybe_hint(suggest::nearest(name, known).map(|meant| format!("did you mean `{meant}`?"))),
                });
                return None;
            }
            Some(Accepts::Unknown { operation: Arc::from(name) })
        }
        (None, Some(at)) => {
            let name = at.text()?;
            let Some(spec) = resources::spec(name) else {
                let known: Vec<&str> = resources::all_specs().map(|spec| spec.id).collect();
                let hint = suggest::nearest(name, known).map(|meant| format!("did you mean `{meant}`?"));
                problems.push(at.error(format!("there is no fact {}", quote(name))).maybe_hint(hint));
                return None;
            };
            Some(Accepts::Unknown { operation: Arc::from(spec.operation) })
        }
    }
}

/// The last day. The schema has told of texts that do not look like a day.
fn expires(item: Cursor<'_>, problems: &mut Vec<Diagnostic>) -> Option<Date> {
    let at = item.get("expires")?;
    let text = at.text()?;
    let looks =
        text.len() == 10 && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    if !looks {
        return None;
    }
    match text.parse() {
        Ok(date) => Some(date),
        Err(_) => {
            problems.push(at.error(format!("{} is not a day of the calendar", quote(text))));
            None
        }
    }
}

/// The attestations of all files.
pub(super) fn attestations(
    files: &[Cursor<'_>],
    estate: &Estate,
    whole: bool,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Attestation> {
    let mut attestations = Vec::new();
    for item in files.iter().flat_map(|file| file.items("attestations")) {
        if let Some(at) = item.get("account")
            && let Some(name) = at.text()
        {
            scopes::known_account(at, name, estate, whole, problems);
        }
        if let (Some(copy), Some(account)) = (item.key("copy"), item.key("account")) {
            problems.push(
                account
                    .error("an attestation is about a copy or an account, not both")
                    .also(copy.source, copy.node.place, "also here")
                    .hint("keep one"),
            );
        }
        let copy = item.get("copy").and_then(|at| scopes::copy(at, estate, whole, problems));
        let expires = expires(item, problems);
        let fact = item.get("fact").and_then(|at| Some((at, at.text()?)));
        let (Some((at, fact)), Some(value), Some(by), Some(evidence), Some(expires)) =
            (fact, item.get("value"), item.text_of("by"), item.text_of("evidence"), expires)
        else {
            continue;
        };
        attestations.push(Attestation {
            fact: fact.to_owned(),
            copy,
            account: item.text_of("account"),
            value: value.node.to_json(),
            by,
            evidence,
            expires,
            at: at.at(),
        });
    }
    attestations
}
