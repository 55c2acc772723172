//! Reads controls: the common keys first, then the parameters by the check's id.
//!
//! It must never drop a control: one that cannot be read is an error.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, Grade, quote};
use super::inside::inside;
use super::{Control, Dropped, schema, scopes, structure, suggest};
use crate::checks::{Check, Entry, Severity, check};
use crate::estate::Estate;
use crate::expression::{Hint, Mistake};
use crate::scope::Scope;

/// A control as it is written, over that of a pack which it changes.
#[derive(Clone, Copy)]
struct Draft<'a> {
    id: &'a str,
    /// The value of `id`.
    at: Cursor<'a>,
    own: Cursor<'a>,
    base: Option<Cursor<'a>>,
}

impl<'a> Draft<'a> {
    fn get(&self, key: &str) -> Option<Cursor<'a>> {
        self.own.get(key).or_else(|| self.base.and_then(|base| base.get(key)))
    }
}

/// A control with the place of its id.
pub(super) struct Placed<'a> {
    pub(super) control: Control,
    pub(super) at: Cursor<'a>,
}

/// What was read of all controls.
pub(super) struct Found<'a> {
    /// Those of packs, then those of files, in their order.
    pub(super) placed: Vec<Placed<'a>>,
    /// Every id, also of controls that could not be read.
    pub(super) ids: Vec<&'a str>,
    /// Controls of packs that are not required.
    pub(super) dropped: Vec<Dropped>,
}

/// Reads the controls of packs and files.
pub(super) fn read<'a>(
    packs: &[Cursor<'a>],
    files: &[Cursor<'a>],
    estate: &Estate,
    whole: bool,
    problems: &mut Vec<Diagnostic>,
) -> Found<'a> {
    let mut drafts = drafts(packs, files, whole, problems);
    let dropped = drop_unrequired(&mut drafts, whole, problems);
    let ids = drafts.iter().map(|draft| draft.id).collect();
    let mut read: Vec<Placed<'a>> = drafts.iter().filter_map(|draft| control(draft, estate, whole, problems)).collect();
    // Reports point into the files of the user: an unchanged control of a pack stands where the pack is taken.
    let taken: Vec<(Cursor<'_>, &str)> = files
        .iter()
        .flat_map(|file| file.items("extends"))
        .filter_map(|item| Some((item, super::packs::pack(item.text()?)?.path)))
        .collect();
    for placed in &mut read {
        if let Some((taken, _)) = taken.iter().find(|(_, path)| *path == placed.at.source.path()) {
            placed.control.at = taken.at();
        }
    }
    Found { placed: read, ids, dropped }
}

/// Takes out the controls that are not required.
fn drop_unrequired(drafts: &mut Vec<Draft<'_>>, whole: bool, problems: &mut Vec<Diagnostic>) -> Vec<Dropped> {
    let mut dropped = Vec::new();
    drafts.retain(|draft| {
        let Some(key) = draft.own.key("not-required") else { return true };
        if draft.base.is_none() {
            if whole {
                problems.push(
                    key.error(format!("control {} is of no pack", quote(draft.id)))
                        .label("only a control that a pack brings is taken out like this")
                        .hint("remove the control"),
                );
            }
            return true;
        }
        for (other, _) in draft.own.node.entries().filter(|(key, _)| !matches!(key.as_str(), Some("id" | "not-required"))) {
            problems.push(
                Cursor { node: other, ..draft.own }
                    .error(format!("control {} is not required, and changed", quote(draft.id)))
                    .also(key.source, key.node.place, "it is taken out here")
                    .hint("remove one of them"),
            );
        }
        if let Some(reason) = draft.own.text_of("not-required") {
            dropped.push(Dropped { control: draft.id.to_owned(), reason, at: draft.at.at() });
        }
        false
    });
    dropped
}

fn drafts<'a>(packs: &[Cursor<'a>], files: &[Cursor<'a>], whole: bool, problems: &mut Vec<Diagnostic>) -> Vec<Draft<'a>> {
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    let all = packs.iter().map(|pack| (true, *pack)).chain(files.iter().map(|file| (false, *file)));
    for (shipped, own) in all.flat_map(|(shipped, file)| file.items("controls").map(move |control| (shipped, control))) {
        let Some((at, id)) = own.get("id").and_then(|at| Some((at, at.text()?))) else { continue };
        let earlier = index.get(id).and_then(|number| drafts.get_mut(*number));
        match earlier {
            None => {
                if own.get("check").is_none() && !shipped && whole {
                    let packed = packs.iter().flat_map(|pack| pack.items("controls")).filter_map(|c| c.get("id")?.text());
                    let packed: Vec<&str> = packed.collect();
                    let hint = match suggest::nearest(id, packed.iter().copied()) {
                        Some(meant) => format!("did you mean to change `{meant}` of a pack?"),
                        None => "add `check:` with the id of a check".to_owned(),
                    };
                    problems.push(
                        at.error(format!("control {} must have the key `check`", quote(id)))
                            .label("`check` is missing")
                            .note("only a control that changes one of a pack goes without")
                            .hint(hint),
                    );
                }
                index.insert(id, drafts.len());
                drafts.push(Draft { id, at, own, base: None });
            }
            Some(draft) if !shipped && draft.base.is_none() && packs.iter().any(|pack| same(pack, draft.own)) => {
                if let Some(check) = own.key("check") {
                    problems.push(
                        check
                            .error(format!("the control {} of a pack already has a check", quote(id)))
                            .also(draft.at.source, draft.at.node.place, "the pack's control")
                            .hint("leave `check` out to change the pack's control, or choose another id"),
                    );
                }
                (draft.base, draft.own, draft.at) = (Some(draft.own), own, at);
            }
            Some(draft) => problems.push(
                at.error(format!("two controls have the id {}", quote(id)))
                    .label("here again")
                    .also(draft.at.source, draft.at.node.place, "first here")
                    .hint("findings and waivers name a control by its id: choose another"),
            ),
        }
    }
    drafts
}

fn same(file: &Cursor<'_>, item: Cursor<'_>) -> bool {
    std::sync::Arc::ptr_eq(file.source, item.source)
}

fn control<'a>(draft: &Draft<'a>, estate: &Estate, whole: bool, problems: &mut Vec<Diagnostic>) -> Option<Placed<'a>> {
    let entry = check(draft.get("check")?.text()?)?;
    let with = with(draft);
    let meta = (entry.meta_of)(&with);
    let scope = draft.get("scope").map_or_else(Scope::default, |at| scopes::read(at, meta, estate, whole, problems));
    let check = parameters(draft, entry, with, problems)?;
    let severity = draft.get("severity").and_then(Cursor::text).and_then(|word| {
        [Severity::Low, Severity::Medium, Severity::High, Severity::Critical].into_iter().find(|known| known.as_str() == word)
    });
    let references = match draft.get("references") {
        Some(_) => {
            let of = if draft.own.get("references").is_some() { draft.own } else { draft.base? };
            of.texts("references").into_iter().map(|(_, text)| text.to_owned()).collect()
        }
        None => meta.references.iter().map(|text| (*text).to_owned()).collect(),
    };
    let control = Control {
        id: draft.id.to_owned(),
        check,
        scope,
        severity: severity.unwrap_or(meta.severity),
        references,
        description: draft.get("description").and_then(Cursor::text).map(str::to_owned),
        allow_empty: draft.own.flag("allow-empty").or_else(|| draft.base?.flag("allow-empty")).unwrap_or_default(),
        at: draft.at.at(),
    };
    Some(Placed { control, at: draft.at })
}

/// The parameters: those of the pack, changed by those of the control.
fn with(draft: &Draft<'_>) -> Json {
    let mut with = Map::new();
    for side in [draft.base.and_then(|base| base.get("with")), draft.own.get("with")].into_iter().flatten() {
        if let Json::Object(map) = side.node.to_json() {
            with.extend(map);
        }
    }
    Json::Object(with)
}

/// The check with its parameters.
fn parameters(draft: &Draft<'_>, entry: &'static Entry, json: Json, problems: &mut Vec<Diagnostic>) -> Option<Box<dyn Check>> {
    let own = draft.own.get("with");
    if let (Some(_), Some(own)) = (draft.base, own) {
        let found = of_override(entry, own);
        if !found.is_empty() {
            problems.extend(found);
            return None;
        }
    }
    let check = match (entry.parse)(&json) {
        Ok(check) => check,
        Err(error) => {
            let at = own.unwrap_or(draft.own);
            let told = problems.iter().any(|problem| {
                let (a, b) = (problem.place, at.node.place);
                problem.grade == Grade::Error && problem.source.path() == at.source.path() && b.start <= a.start && a.end <= b.end
            });
            let told = told || own.is_some_and(|own| own.node.holds_mistake());
            if !told {
                let culprit = own.and_then(|own| blame(entry, &json, own, &error.to_string())).unwrap_or(at);
                problems.push(
                    culprit
                        .error(format!("check `{}` does not accept this", entry.meta.id))
                        .label(error.to_string().split(" at line ").next().unwrap_or_default().to_owned()),
                );
            }
            return None;
        }
    };
    let at = own.or_else(|| draft.own.get("check")).unwrap_or(draft.at);
    if let Some((key, mistakes)) = check.mistakes() {
        let of = own.and_then(|own| own.get(key)).or_else(|| draft.base?.get("with")?.get(key));
        problems.extend(mistakes.iter().map(|mistake| told(of.unwrap_or(at), mistake)));
        return None;
    }
    for problem in check.problems() {
        problems.push(at.error(format!("control {}: {problem}", quote(draft.id))));
    }
    Some(check)
}

/// A mistake in a text that is a parameter, at its place in the text.
fn told(text: Cursor<'_>, mistake: &Mistake) -> Diagnostic {
    let place = inside(text, mistake.at.clone());
    let problem = Diagnostic::error(text.source, place, &mistake.says).label(mistake.label);
    match &mistake.hint {
        Hint::None => problem,
        Hint::Text(hint) => problem.hint(hint),
        Hint::Known { word, known, what } => problem.maybe_hint(suggest::hint(word, known.iter().map(String::as_str), what)),
    }
}

/// What the schema of the check says of parameters that change a pack's; those left out are the pack's.
fn of_override(entry: &Entry, own: Cursor<'_>) -> Vec<Diagnostic> {
    match schema::of_override(entry) {
        Some((rules, validator)) => {
            structure::problems(validator, rules, own.source, own.node, &format!("check `{}`", entry.meta.id))
        }
        None => Vec::new(),
    }
}

/// The parameter without which the error is another.
fn blame<'a>(entry: &Entry, with: &Json, own: Cursor<'a>, error: &str) -> Option<Cursor<'a>> {
    own.node.entries().take(32).find_map(|(key, _)| {
        let key = key.as_str()?;
        let mut fewer = with.clone();
        fewer.as_object_mut()?.remove(key)?;
        let same = (entry.parse)(&fewer).is_err_and(|other| other.to_string() == error);
        if same { None } else { own.get(key) }
    })
}
