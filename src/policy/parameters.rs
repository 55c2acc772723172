//! Parameters: values that controls use as `${name}`, with a default where they are declared, set by the policy that uses a
//! pack or on the command line.
//!
//! They are written into the tree before anything reads it, so that every problem stays at its place. A value is never
//! looked into again: there is no recursion, no computation and nothing of the environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, quote};
use super::inside::inside;
use super::source::{Place, Source, SourceFile};
use super::tree::{self, Node, Value};
use super::{packs, suggest};

/// A value that the command line gives a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    /// As it is written: text where the default is text, else read as YAML.
    pub value: String,
}

/// A file whose parameters are filled in.
pub(super) struct File<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) root: &'a mut Node,
    pub(super) pack: bool,
}

/// Where a value stands and where it is from.
pub(super) struct Filled {
    source: Arc<Source>,
    place: Place,
    from: Arc<Source>,
    at: Place,
}

/// A value with its place.
#[derive(Clone)]
struct Given {
    value: Value,
    source: Arc<Source>,
    at: Place,
}

struct Declared {
    source: Arc<Source>,
    at: Place,
    default: Option<Given>,
    pack: bool,
    used: bool,
}

/// Writes the values of parameters into the controls of all files.
pub(super) fn fill(files: &mut [File<'_>], settings: &[Setting], whole: bool, problems: &mut Vec<Diagnostic>) -> Vec<Filled> {
    let mut declared = declared(files, problems);
    let mut values = set(files, &declared, whole, problems);
    values.extend(commanded(settings, &declared, whole, problems));
    for (name, of) in &declared {
        if let Some(default) = &of.default {
            values.entry(name.clone()).or_insert_with(|| default.clone());
        }
    }
    let taken: BTreeMap<&'static str, (Arc<Source>, Place)> = taken(files);
    let mut filled = Vec::new();
    for file in files.iter_mut() {
        let mut filler =
            Filler { source: file.source, declared: &mut declared, values: &values, whole, problems, filled: &mut filled };
        for control in under(file.root, "controls") {
            for key in ["with", "scope", "description"] {
                if let Some(part) = entry_mut(control, key) {
                    filler.node(part);
                }
            }
        }
    }
    for (name, of) in &declared {
        if of.used && !values.contains_key(name) {
            let (source, at) = match taken.get(of.source.path()) {
                Some((source, at)) if of.pack => (source, *at),
                Some(_) | None => (&of.source, of.at),
            };
            problems.push(
                Diagnostic::error(source, at, format!("the parameter {} has no value", quote(name)))
                    .label(if of.pack { "the pack needs it" } else { "no default" })
                    .hint(format!("write for example: set: {{ {name}: VALUE }}, or give it a default")),
            );
        } else if !of.used && !of.pack && whole {
            problems.push(
                Diagnostic::warning(&of.source, of.at, format!("the parameter {} is not used", quote(name)))
                    .hint(format!("write \"${{{name}}}\" where it is meant, or remove it")),
            );
        }
    }
    filled
}

/// Says of problems with a value where the value is from.
pub(super) fn explain(filled: &[Filled], problems: &mut [Diagnostic]) {
    for problem in problems {
        let within = |of: &&Filled| {
            Arc::ptr_eq(&of.source, &problem.source) && of.place.start <= problem.place.start && problem.place.end <= of.place.end
        };
        if let Some(of) = filled.iter().find(within) {
            *problem = problem.clone().also(&of.from, of.at, "the value is from here");
        }
    }
}

fn entry_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let Value::Map(entries) = &mut node.value else { return None };
    entries.iter_mut().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
}

fn under<'n>(root: &'n mut Node, key: &str) -> &'n mut [Node] {
    match entry_mut(root, key) {
        Some(Node { value: Value::Seq(items), .. }) => items,
        Some(_) | None => &mut [],
    }
}

/// Where packs are taken, by their path.
fn taken(files: &[File<'_>]) -> BTreeMap<&'static str, (Arc<Source>, Place)> {
    let mut taken = BTreeMap::new();
    for file in files.iter().filter(|file| !file.pack) {
        for (at, name) in Cursor::new(file.source, file.root).texts("extends") {
            if let Some(pack) = packs::pack(name) {
                taken.entry(pack.path).or_insert_with(|| (file.source.clone(), at.node.place));
            }
        }
    }
    taken
}

fn declared(files: &[File<'_>], problems: &mut Vec<Diagnostic>) -> BTreeMap<String, Declared> {
    let mut declared: BTreeMap<String, Declared> = BTreeMap::new();
    for file in files {
        for (key, of) in Cursor::new(file.source, file.root).entries("parameters") {
            let Some(name) = key.text() else { continue };
            if let Some(first) = declared.get(name) {
                let problem = key.error(format!("the parameter {} is declared twice", quote(name))).label("here again");
                let hint = if first.pack {
                    format!("to give it a value, write: set: {{ {name}: VALUE }}")
                } else {
                    "remove one".to_owned()
                };
                problems.push(problem.also(&first.source, first.at, "first here").hint(hint));
                continue;
            }
            let default = of.get("default").filter(|default| default.node.value != Value::Null);
            let given = |at: Cursor<'_>| Given { value: at.node.value.clone(), source: at.source.clone(), at: at.node.place };
            if let Some(default) = default {
                flat(default, problems);
            }
            let of = Declared {
                source: file.source.clone(),
                at: key.node.place,
                default: default.map(given),
                pack: file.pack,
                used: false,
            };
            declared.insert(name.to_owned(), of);
        }
    }
    declared
}

/// A value is not looked into again.
fn flat(value: Cursor<'_>, problems: &mut Vec<Diagnostic>) {
    let mut todo = vec![value.node];
    while let Some(node) = todo.pop() {
        todo.extend(node.items());
        if let Some(text) = node.as_str()
            && pieces(text).iter().any(|piece| matches!(piece, Piece::Name(..)))
        {
            let at = Cursor { node, ..value };
            problems.push(at.error("the value of a parameter holds no parameter").hint("write the value out"));
        }
    }
}

/// What files set.
fn set(
    files: &[File<'_>],
    declared: &BTreeMap<String, Declared>,
    whole: bool,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Given> {
    let mut values: BTreeMap<String, Given> = BTreeMap::new();
    for (key, value) in files.iter().flat_map(|file| Cursor::new(file.source, file.root).entries("set")) {
        let Some(name) = key.text() else { continue };
        if let Some(first) = values.get(name) {
            let problem = key.error(format!("the parameter {} is set twice", quote(name))).label("here again");
            problems.push(problem.also(&first.source, first.at, "first here").hint("keep one"));
            continue;
        }
        let Some(of) = declared.get(name) else {
            if whole {
                problems.push(unknown(key, name, declared));
            }
            continue;
        };
        flat(value, problems);
        let mut given = Given { value: value.node.value.clone(), source: value.source.clone(), at: value.node.place };
        if let Some(problem) = misfit(&given, name, of) {
            problems.push(problem);
            given.value = Value::Bad;
        }
        values.insert(name.to_owned(), given);
    }
    values
}

/// What the command line sets.
fn commanded(
    settings: &[Setting],
    declared: &BTreeMap<String, Declared>,
    whole: bool,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Given> {
    let mut values = BTreeMap::new();
    for Setting { name, value } in settings {
        let source = Arc::new(Source::new("--set", format!("{name}={value}")));
        let (key, at) = (source.place(0, name.len()), source.place(name.len() + 1, source.text().len()));
        let node = Node { value: Value::Null, place: key };
        let Some(of) = declared.get(name) else {
            if whole {
                problems.push(unknown(Cursor::new(&source, &node), name, declared));
            }
            continue;
        };
        let text = matches!(of.default, Some(Given { value: Value::Str(_), .. }));
        let parsed = || {
            let (_, node, wrong) = tree::read(&SourceFile { path: String::new(), bytes: value.clone().into_bytes() });
            node.filter(|_| wrong.is_empty()).map(|node| node.value)
        };
        let value = if text { Some(Value::Str(value.clone())) } else { parsed() };
        let mut given = Given { value: value.unwrap_or(Value::Bad), source: source.clone(), at };
        if given.value == Value::Bad {
            problems.push(Diagnostic::error(&source, at, "this is not a value").hint("quote it: --set 'name=\"text\"'"));
        } else if let Some(problem) = misfit(&given, name, of) {
            problems.push(problem);
            given.value = Value::Bad;
        }
        values.insert(name.clone(), given);
    }
    values
}

fn unknown(at: Cursor<'_>, name: &str, declared: &BTreeMap<String, Declared>) -> Diagnostic {
    let problem = at.error(format!("there is no parameter {}", quote(name))).label("not declared");
    let hint = suggest::hint(name, declared.keys().map(String::as_str), "there are");
    problem.maybe_hint(hint.or_else(|| Some("no file declares any under `parameters`".to_owned())))
}

/// A value of another type than the default.
fn misfit(given: &Given, name: &str, of: &Declared) -> Option<Diagnostic> {
    let default = of.default.as_ref()?;
    let kind = |value: &Value| Node { value: value.clone(), place: Place::default() }.kind();
    let (is, must) = (kind(&given.value), kind(&default.value));
    if is == must || given.value == Value::Bad || default.value == Value::Bad {
        return None;
    }
    let problem =
        Diagnostic::error(&given.source, given.at, format!("the parameter {} must be {must}, this is {is}", quote(name)));
    Some(problem.label(format!("expected {must}")).also(&default.source, default.at, "its default"))
}

struct Filler<'a> {
    source: &'a Arc<Source>,
    declared: &'a mut BTreeMap<String, Declared>,
    values: &'a BTreeMap<String, Given>,
    whole: bool,
    problems: &'a mut Vec<Diagnostic>,
    filled: &'a mut Vec<Filled>,
}

impl Filler<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::Seq(items) => items.iter_mut().for_each(|item| self.node(item)),
            Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| self.node(value)),
            Value::Str(text) if text.contains("${") => {
                let pieces = pieces(text);
                if let Some(value) = self.text(node, &pieces) {
                    node.value = value;
                }
            }
            Value::Str(_) | Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Bad => {}
        }
    }

    /// A text with its parameters filled in; one that is nothing but a parameter takes its type.
    fn text(&mut self, node: &Node, pieces: &[Piece]) -> Option<Value> {
        if let [Piece::Name(name, _)] = pieces {
            let value = self.value(node, name, &(0..name.len() + 3))?;
            return Some(planted(&value, node.place));
        }
        let mut whole = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Name(name, at) => match self.value(node, name, at)? {
                    Value::Str(text) => whole.push_str(&text),
                    Value::Int(number) => whole.push_str(&number.to_string()),
                    Value::Float(number) => whole.push_str(&number.to_string()),
                    Value::Bool(value) => whole.push_str(&value.to_string()),
                    Value::Null | Value::Seq(_) | Value::Map(_) => {
                        let place = inside(Cursor::new(self.source, node), at.clone());
                        let title = format!("the parameter {} is a list or mapping: it cannot stand inside a text", quote(name));
                        self.problems.push(Diagnostic::error(self.source, place, title).hint("let it be the whole value"));
                        return Some(Value::Bad);
                    }
                    Value::Bad => return Some(Value::Bad),
                },
            }
        }
        Some(Value::Str(whole))
    }

    /// The value of a parameter. `None`: it stays as it is written.
    fn value(&mut self, node: &Node, name: &str, at: &std::ops::Range<usize>) -> Option<Value> {
        let Some(of) = self.declared.get_mut(name) else {
            if !self.whole {
                return Some(Value::Bad);
            }
            let place = inside(Cursor::new(self.source, node), at.clone());
            let known: Vec<&str> = self.declared.keys().map(String::as_str).collect();
            let problem = Diagnostic::error(self.source, place, format!("there is no parameter {}", quote(name)));
            let hint = suggest::hint(name, known, "there are");
            let literal = "declare it under `parameters`; for the characters themselves, write `$${`";
            self.problems.push(problem.label("not declared").maybe_hint(hint.or_else(|| Some(literal.to_owned()))));
            return Some(Value::Bad);
        };
        of.used = true;
        match self.values.get(name) {
            Some(given) => {
                let filled = Filled { source: self.source.clone(), place: node.place, from: given.source.clone(), at: given.at };
                self.filled.push(filled);
                Some(given.value.clone())
            }
            None => Some(Value::Bad),
        }
    }
}

/// A value as if it were written at a place.
fn planted(value: &Value, place: Place) -> Value {
    let node = |node: &Node| Node { value: planted(&node.value, place), place };
    match value {
        Value::Seq(items) => Value::Seq(items.iter().map(node).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(key, value)| (node(key), node(value))).collect()),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_) | Value::Bad => value.clone(),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A name, and the bytes of `${name}`.
    Name(String, std::ops::Range<usize>),
}

/// A text as parts. `$${` is `${`; what stands between braces and is no name is text, as in `${aws:username}`.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("${")) {
        let start = at + found;
        let before = text.get(at..start).unwrap_or_default();
        let rest = text.get(start + 2..).unwrap_or_default();
        let name = rest
            .split_once('}')
            .map(|(name, _)| name)
            .filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        match (before.strip_suffix('$'), name) {
            (Some(before), _) => {
                plain.push_str(before);
                plain.push_str("${");
                at = start + 2;
            }
            (None, Some(name)) => {
                plain.push_str(before);
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                at = start + name.len() + 3;
                pieces.push(Piece::Name(name.to_owned(), start..at));
            }
            (None, None) => {
                plain.push_str(before);
                plain.push_str("${");
                at = start + 2;
            }
        }
    }
    plain.push_str(text.get(at..).unwrap_or_default());
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;
