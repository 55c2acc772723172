//! A test file → cases.
//!
//! It must never open a file: policies and snapshots are handed in.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::cursor::Cursor;
use super::super::diagnostic::{Diagnostic, quote, tidy};
use super::super::packs::{Pack, pack};
use super::super::source::{Source, SourceFile};
use super::super::tree::{Node, Value};
use super::super::{Policy, structure, suggest, tree};
use super::schema::SHARED;
use super::world::{Writer, empty};
use super::{Case, Expected, WELL_KEPT, schema, well_kept};
use crate::assessment::At;
use crate::judgement::Verdict;
use crate::snapshot::Snapshot;

/// Opens a snapshot file that a test file names. The error is a sentence.
pub type Open<'a> = dyn FnMut(&str) -> Result<Snapshot, String> + 'a;

/// The ids of the controls that policy files write themselves, in their order; those of packs that they extend are not among
/// them.
pub fn controls_of(files: &[SourceFile]) -> Vec<String> {
    let mut ids = Vec::new();
    for file in files {
        let (_, root, _) = tree::read(file);
        let controls = root.as_ref().and_then(|root| root.entry("controls")).map(|(_, controls)| controls.items());
        let named = controls.into_iter().flatten().filter_map(|control| control.entry("id")?.1.as_str());
        ids.extend(named.map(str::to_owned));
    }
    ids
}

/// A test file whose form is right; its facts are not read yet, for they need the policies.
#[derive(Debug)]
pub struct Outline {
    source: Arc<Source>,
    root: Node,
}

/// Without a time of its own a case is judged at this one.
const NOW: &str = "2026-01-01T00:00:00Z";

/// Reads the form of a test file.
pub fn outline(file: &SourceFile) -> Result<Outline, Vec<Diagnostic>> {
    let (source, root, mut problems) = tree::read(file);
    match (&root, schema::validator()) {
        (Some(root), Some(validator)) => {
            problems.extend(structure::problems(validator, schema::schema(), &source, root, "a test file"));
        }
        (None, _) if problems.is_empty() => {
            problems.push(Diagnostic::error(&source, source.point(0), "the file is empty").hint("begin with `lastcopy: v1`"));
        }
        (Some(_), None) | (None, _) => {}
    }
    if let Some(root) = &root
        && source.text().get(root.place.start..).is_some_and(|text| text.starts_with('{'))
    {
        problems.push(
            Diagnostic::error(&source, source.point(root.place.start), "a test file is not written in braces")
                .hint("write one key to a line"),
        );
    }
    tidy(&mut problems);
    match root {
        Some(root) if problems.is_empty() => Ok(Outline { source, root }),
        Some(_) | None => Err(problems),
    }
}

impl Outline {
    fn cursor(&self) -> Cursor<'_> {
        Cursor::new(&self.source, &self.root)
    }

    /// The policy files that it names, relative to itself.
    pub fn policies(&self) -> Option<Vec<String>> {
        self.root.entry("policies")?;
        Some(self.cursor().texts("policies").into_iter().map(|(_, path)| path.to_owned()).collect())
    }

    /// The packs that it tests by name.
    pub fn packs(&self) -> Vec<&'static Pack> {
        self.cursor().texts("extends").into_iter().filter_map(|(_, name)| pack(name)).collect()
    }

    /// What it declares as a policy would, at its places: everything else of the text is blank.
    pub fn declarations(&self) -> Option<SourceFile> {
        let shared = SHARED.iter().filter_map(|key| self.root.entry(key)).collect::<Vec<_>>();
        if shared.is_empty() {
            return None;
        }
        let text = self.source.text();
        let keep = shared.into_iter().chain(self.root.entry("lastcopy"));
        let mut bytes: Vec<u8> = text.bytes().map(|byte| if byte == b'\n' { b'\n' } else { b' ' }).collect();
        for (key, value) in keep {
            let place = key.place.start..value.place.end.max(key.place.end);
            if let (Some(to), Some(from)) = (bytes.get_mut(place.clone()), text.as_bytes().get(place)) {
                to.copy_from_slice(from);
            }
        }
        Some(SourceFile { path: self.source.path().to_owned(), bytes })
    }

    /// A diagnostic at the beginning of the file, for what its surroundings lack.
    pub fn problem(&self, title: &str, hint: &str) -> Diagnostic {
        let at = self.cursor().key("lastcopy").map_or(self.root.place, |key| key.node.place);
        Diagnostic::error(&self.source, at, title).hint(hint)
    }

    /// The cases.
    pub fn read(&self, policy: &Policy, open: &mut Open<'_>) -> Result<Vec<Case>, Vec<Diagnostic>> {
        let mut reader = Reader { policy, cases: self.cursor().items("cases").collect(), problems: Vec::new() };
        reader.names();
        let cases = reader.cases.clone();
        let read = cases.iter().filter_map(|case| reader.case(*case, open)).collect();
        let mut problems = reader.problems;
        tidy(&mut problems);
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }
}

struct Reader<'a> {
    policy: &'a Policy,
    cases: Vec<Cursor<'a>>,
    problems: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn names(&mut self) {
        for (at, case) in self.cases.iter().enumerate() {
            let Some((key, name)) = case.get("name").and_then(|key| Some((key, key.text()?))) else { continue };
            if name == WELL_KEPT {
                let title = format!("a case cannot be called `{WELL_KEPT}`");
                self.problems.push(key.error(title).note("it is the world that comes with lastcopy").hint("choose another name"));
            }
            let same = |other: &&Cursor<'_>| other.get("name").and_then(Cursor::text) == Some(name);
            if let Some(first) = self.cases.iter().take(at).find(same).and_then(|case| case.get("name")) {
                self.problems.push(
                    key.error(format!("two cases are called {}", quote(name)))
                        .label("here again")
                        .also(first.source, first.node.place, "first here")
                        .hint("choose another name"),
                );
            }
        }
    }

    fn case(&mut self, case: Cursor<'a>, open: &mut Open<'_>) -> Option<Case> {
        let name = case.get("name")?;
        if case.get("expect").is_none() && case.get("everything-else").is_none() && !self.is_base(case) {
            self.problems.push(
                name.error(format!("case {} expects nothing", quote(name.text()?)))
                    .hint("add `expect:`, or `everything-else: pass`, or base another case on it"),
            );
        }
        let (snapshot, now) = self.world(case, open)?;
        let expected = case.entries("expect").flat_map(|(control, wanted)| self.expected(control, wanted)).collect();
        let rest_passes = case.get("everything-else").is_some();
        Some(Case { name: name.text()?.to_owned(), at: name.at(), snapshot, now, expected, rest_passes })
    }

    fn is_base(&self, case: Cursor<'_>) -> bool {
        let name = case.get("name").and_then(Cursor::text);
        self.cases.iter().any(|other| other.get("based-on").and_then(Cursor::text) == name)
    }

    /// The world of a case, from the case that all are based on to itself.
    fn world(&mut self, case: Cursor<'a>, open: &mut Open<'_>) -> Option<(Snapshot, Timestamp)> {
        let mut chain = vec![case];
        let mut well = false;
        while let Some(base) = chain.last()?.get("based-on") {
            let text = base.text()?;
            if let Some(snapshot) = chain.last()?.key("snapshot") {
                let key = chain.last()?.key("based-on")?;
                let also =
                    key.error("`based-on` together with `snapshot`").also(snapshot.source, snapshot.node.place, "and here");
                self.problems.push(also.hint("a case changes one of them: remove the other"));
                return None;
            }
            if text == WELL_KEPT {
                well = true;
                break;
            }
            let named = |other: &&Cursor<'_>| other.get("name").and_then(Cursor::text) == Some(text);
            let Some(next) = self.cases.iter().find(named).copied() else {
                let names = self.cases.iter().filter_map(|case| case.get("name")?.text()).chain([WELL_KEPT]);
                let names: Vec<&str> = names.collect();
                let hint = suggest::hint(text, names.iter().copied(), "there are");
                self.problems.push(base.error(format!("there is no case {}", quote(text))).maybe_hint(hint));
                return None;
            };
            if chain.iter().any(|earlier| std::ptr::eq(earlier.node, next.node)) {
                self.problems
                    .push(base.error("the case is based on itself").hint(format!("begin with `{WELL_KEPT}`, or with nothing")));
                return None;
            }
            chain.push(next);
        }
        let stated = chain.iter().find_map(|case| case.get("now"));
        let now = match stated {
            Some(at) => Some(self.time(at)?),
            None => None,
        };
        let mut snapshot = match chain.last()?.get("snapshot") {
            Some(at) => match open(at.text()?) {
                Ok(snapshot) => snapshot,
                Err(why) => {
                    self.problems.push(at.error("the snapshot cannot be used").label(why));
                    return None;
                }
            },
            None => empty(&self.policy.estate, now.or_else(|| NOW.parse().ok())?),
        };
        if well && let Err(why) = well_kept::write(&mut snapshot, &self.policy.estate) {
            self.problems.push(case.error(format!("the well-kept world is broken ({why}); please report this")));
        }
        for case in chain.into_iter().rev() {
            Writer { snapshot: &mut snapshot, estate: &self.policy.estate, problems: &mut self.problems }.case(case);
        }
        let now = now.unwrap_or(snapshot.taken);
        Some((snapshot, now))
    }

    fn time(&mut self, at: Cursor<'_>) -> Option<Timestamp> {
        let text = at.text()?;
        let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
        let time = whole.parse().ok();
        if time.is_none() {
            self.problems.push(at.error(format!("there is no time {}", quote(text))).hint("write for example: now: 2026-01-31"));
        }
        time
    }

    fn expected(&mut self, control: Cursor<'_>, wanted: Cursor<'_>) -> Vec<Expected> {
        let Some(id) = control.text() else { return Vec::new() };
        if !self.policy.controls.iter().any(|known| known.id == id) {
            let known: Vec<&str> = self.policy.controls.iter().map(|control| control.id.as_str()).collect();
            let hint = suggest::hint(id, known, "there are");
            self.problems.push(control.error(format!("there is no control {}", quote(id))).maybe_hint(hint));
            return Vec::new();
        }
        if wanted.text().is_some() || wanted.get("verdict").is_some() {
            return self.one(id, control.at(), None, wanted).into_iter().collect();
        }
        let entries = wanted.node.entries();
        let entries = entries.map(|(key, value)| (Cursor { node: key, ..wanted }, Cursor { node: value, ..wanted }));
        let found: Vec<Expected> =
            entries.filter_map(|(key, value)| self.one(id, key.at(), Some(key.text()?.to_owned()), value)).collect();
        if matches!(&wanted.node.value, Value::Map(entries) if entries.is_empty()) {
            self.problems
                .push(wanted.error(format!("nothing is expected of {}", quote(id))).hint("write a verdict, for example `fail`"));
        }
        found
    }

    fn one(&mut self, control: &str, at: At, on: Option<String>, wanted: Cursor<'_>) -> Option<Expected> {
        let word = wanted.get("verdict").unwrap_or(wanted);
        for (key, value) in wanted.node.entries() {
            let (key, value) = (Cursor { node: key, ..wanted }, Cursor { node: value, ..wanted });
            let name = key.text().unwrap_or_default();
            match name {
                "verdict" => {}
                "says" if value.text().is_some() => {}
                "subject" if !wanted.texts("subject").is_empty() => {}
                "says" | "subject" => {
                    self.problems.push(value.error(format!("{} must be text, this is {}", quote(name), value.node.kind())))
                }
                _ => {
                    self.problems.push(key.error(format!("an expectation has no key {}", quote(name))).maybe_hint(suggest::hint(
                        name,
                        ["verdict", "subject", "says"],
                        "it may have",
                    )))
                }
            }
        }
        let text = word.text().unwrap_or_default();
        let all = [Verdict::Pass, Verdict::Fail, Verdict::Unknown, Verdict::NotApplicable];
        let Some(verdict) = all.into_iter().find(|verdict| verdict.as_str() == text) else {
            let hint = suggest::hint(text, all.map(Verdict::as_str), "it is one of");
            let title =
                if text.is_empty() { "a verdict is missing here".to_owned() } else { format!("{} is no verdict", quote(text)) };
            self.problems.push(word.error(title).maybe_hint(hint));
            return None;
        };
        let subjects = wanted.texts("subject").into_iter().map(|(_, text)| text.to_owned()).collect();
        Some(Expected { control: control.to_owned(), on, verdict, subjects, says: wanted.text_of("says"), at })
    }
}
