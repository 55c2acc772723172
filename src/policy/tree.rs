//! YAML as a tree in which every key and value knows its place.
//!
//! It must never guess: what YAML versions read differently is an error. It must never recurse over what was not yet
//! measured, and work and memory are bounded whatever the input.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::diagnostic::{Diagnostic, quote};
use super::source::{Place, Source, SourceFile};

/// The largest file.
pub const MAX_BYTES: usize = 1 << 20;
/// The most values and keys of a file, aliases counted as what they stand for.
pub const MAX_NODES: usize = 20_000;
/// The most aliases of a file.
pub const MAX_ALIASES: usize = 200;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 32;

/// A value or key.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it is written; an alias is where the alias is.
    pub place: Place,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number; always finite.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    Seq(Vec<Node>),
    /// Keys, all of them distinct texts, with their values.
    Map(Vec<(Node, Node)>),
    /// A problem was reported for it; nothing more is to be said.
    Bad,
}

impl Node {
    /// The entry of a key of a mapping.
    pub fn entry(&self, key: &str) -> Option<(&Node, &Node)> {
        self.entries().find(|(name, _)| name.as_str() == Some(key))
    }

    /// All entries; none if it is no mapping.
    pub fn entries(&self) -> impl Iterator<Item = (&Node, &Node)> + '_ {
        let entries: &[(Node, Node)] = if let Value::Map(entries) = &self.value { entries } else { &[] };
        entries.iter().map(|(key, value)| (key, value))
    }

    /// All items; none if it is no list.
    pub fn items(&self) -> &[Node] {
        if let Value::Seq(items) = &self.value { items } else { &[] }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Str(text) = &self.value { Some(text) } else { None }
    }

    /// Whether a problem was reported for something in it.
    pub fn holds_mistake(&self) -> bool {
        match &self.value {
            Value::Bad => true,
            Value::Seq(items) => items.iter().any(Self::holds_mistake),
            Value::Map(entries) => entries.iter().any(|(_, value)| value.holds_mistake()),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_) => false,
        }
    }

    /// What it is, in plain words.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Str(_) => "text",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Bad => "a mistake",
        }
    }

    /// The same as JSON. Nesting is at most [`MAX_DEPTH`].
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null | Value::Bad => Json::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Str(text) => text.as_str().into(),
            Value::Seq(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => Json::Object(
                entries.iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.to_json()))).collect(),
            ),
        }
    }
}

/// Reads a file. Without a tree nothing of it could be used; the problems are told in either case.
pub fn read(file: &SourceFile) -> (Arc<Source>, Option<Node>, Vec<Diagnostic>) {
    if file.bytes.len() > MAX_BYTES {
        let source = Arc::new(Source::new(&file.path, String::new()));
        let title = format!("the file has {} bytes; a policy file has at most {MAX_BYTES}", file.bytes.len());
        let problem = Diagnostic::error(&source, source.point(0), title).hint("split it: several files may be given");
        return (source, None, vec![problem]);
    }
    let text = match std::str::from_utf8(&file.bytes) {
        Ok(text) => text,
        Err(error) => {
            let source = Arc::new(Source::new(&file.path, String::from_utf8_lossy(&file.bytes).into_owned()));
            let at = error.valid_up_to();
            let problem = Diagnostic::error(&source, source.place(at, at + '\u{fffd}'.len_utf8()), "the file is not UTF-8")
                .label("this byte does not belong to a UTF-8 character")
                .hint("save the file as UTF-8");
            return (source, None, vec![problem]);
        }
    };
    let source = Arc::new(Source::new(&file.path, text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()));
    let mut builder = Builder::new(&source);
    let root = builder.run();
    (source.clone(), root, builder.problems)
}

struct Frame {
    place: Place,
    anchor: usize,
    content: Content,
    /// Counters when it was opened.
    before: Size,
    height: usize,
}

enum Content {
    Seq(Vec<Node>),
    Map { entries: Vec<(Node, Node)>, seen: HashMap<String, Place>, key: Key },
}

enum Key {
    Expected,
    Read(Node),
    /// The value is read and dropped: its key was no good.
    Refused,
}

/// How much was built.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
}

struct Anchored {
    node: Node,
    size: Size,
    height: usize,
}

struct Builder<'s> {
    source: &'s Arc<Source>,
    /// Byte offsets of characters: the parser counts characters.
    offsets: Vec<usize>,
    stack: Vec<Frame>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    size: Size,
    aliases: usize,
    problems: Vec<Diagnostic>,
}

/// Nothing more can be read.
struct Stop;

impl<'s> Builder<'s> {
    fn new(source: &'s Arc<Source>) -> Self {
        let offsets = source.text().char_indices().map(|(at, _)| at).collect();
        Self {
            source,
            offsets,
            stack: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            size: Size::default(),
            aliases: 0,
            problems: Vec::new(),
        }
    }

    fn run(&mut self) -> Option<Node> {
        let source = self.source;
        let mut parser = Parser::new_from_str(source.text());
        let mut documents = 0;
        loop {
            let (event, span) = match parser.next_event() {
                Some(Ok(event)) => event,
                Some(Err(error)) => {
                    let place = source.point(self.offset(error.marker().index()));
                    self.problems.push(
                        Diagnostic::error(source, place, format!("not YAML: {}", error.info()))
                            .hint("look at the indentation, brackets and quotes up to here"),
                    );
                    return None;
                }
                None => break,
            };
            let place = self.place(&event, span);
            if let Event::DocumentStart(_) = event {
                documents += 1;
                if documents > 1 {
                    self.problems.push(
                        Diagnostic::error(source, place, "a policy file holds one document")
                            .label("the second begins here")
                            .hint("put it into a file of its own"),
                    );
                    return None;
                }
            }
            if self.event(event, place).is_err() {
                return None;
            }
        }
        self.root.take()
    }

    fn event(&mut self, event: Event<'_>, place: Place) -> Result<(), Stop> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(tag.is_some(), place);
                self.grow(1, text.len(), place)?;
                let node = self.scalar(&text, style, place);
                self.push(node, anchor, Size { nodes: 1, bytes: text.len() }, 0);
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag(tag.is_some(), place);
                self.open(Content::Seq(Vec::new()), anchor, place)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.tag(tag.is_some(), place);
                self.open(Content::Map { entries: Vec::new(), seen: HashMap::new(), key: Key::Expected }, anchor, place)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place),
            Event::Alias(anchor) => self.alias(anchor, place)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn offset(&self, index: usize) -> usize {
        self.offsets.get(index).copied().unwrap_or(self.source.text().len())
    }

    fn place(&self, event: &Event<'_>, span: saphyr_parser::Span) -> Place {
        let (start, end) = (self.offset(span.start.index()), self.offset(span.end.index()));
        let text = self.source.text().get(start..end).unwrap_or_default();
        // The parser counts what follows a quoted text up to the next token as part of it.
        let end = match event {
            Event::Scalar(_, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, ..) => start + quoted(text),
            Event::Scalar(..) => start + text.trim_end().len(),
            Event::SequenceEnd | Event::MappingEnd if text.starts_with([']', '}']) => start + 1,
            Event::SequenceEnd | Event::MappingEnd | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_) => end,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => end,
        };
        self.source.place(start, end)
    }

    fn tag(&mut self, present: bool, place: Place) {
        if present {
            self.problems.push(
                Diagnostic::error(self.source, place, "tags (`!name`) are not understood here")
                    .hint("remove the tag; put text into quotes where its type matters"),
            );
        }
    }

    fn grow(&mut self, nodes: usize, bytes: usize, place: Place) -> Result<(), Stop> {
        self.size.nodes = self.size.nodes.saturating_add(nodes);
        self.size.bytes = self.size.bytes.saturating_add(bytes);
        if self.size.nodes > MAX_NODES || self.size.bytes > 4 * MAX_BYTES {
            let title = format!("the file holds more than {MAX_NODES} values once its aliases are written out");
            let problem = Diagnostic::error(self.source, place, title).label("here the limit is reached");
            self.problems.push(problem.hint("write less, or split the file"));
            return Err(Stop);
        }
        Ok(())
    }

    fn too_deep(&mut self, place: Place) -> Stop {
        let title = format!("nested more than {MAX_DEPTH} deep");
        self.problems.push(Diagnostic::error(self.source, place, title).hint("is a bracket left open?"));
        Stop
    }

    fn open(&mut self, content: Content, anchor: usize, place: Place) -> Result<(), Stop> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.too_deep(place));
        }
        let before = self.size;
        self.grow(1, 0, place)?;
        self.stack.push(Frame { place, anchor, content, before, height: 0 });
        Ok(())
    }

    fn close(&mut self, end: Place) {
        let Some(frame) = self.stack.pop() else { return };
        let (value, last) = match frame.content {
            Content::Seq(items) => {
                let last = items.last().map(|node| node.place);
                (Value::Seq(items), last)
            }
            Content::Map { entries, .. } => {
                let last =
                    entries.last().map(|(key, value)| if value.place.end > key.place.end { value.place } else { key.place });
                (Value::Map(entries), last)
            }
        };
        // Of a block collection, the parser says that it ends where the next thing begins.
        let bracket = matches!(self.source.slice(end), "]" | "}");
        let to = if bracket { end.end } else { last.map_or(frame.place.end, |place| place.end) };
        let place = self.source.place(frame.place.start, to.max(frame.place.end));
        let size = Size { nodes: self.size.nodes - frame.before.nodes, bytes: self.size.bytes - frame.before.bytes };
        self.push(Node { value, place }, frame.anchor, size, frame.height + 1);
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Stop> {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            self.problems.push(Diagnostic::error(self.source, place, format!("more than {MAX_ALIASES} aliases")));
            return Err(Stop);
        }
        let Some(anchored) = self.anchors.get(&anchor) else {
            self.problems.push(Diagnostic::error(self.source, place, "the alias stands within what it stands for"));
            return Err(Stop);
        };
        let (mut node, size, height) = (Node { value: Value::Bad, place }, anchored.size, anchored.height);
        if self.stack.len() + height > MAX_DEPTH {
            return Err(self.too_deep(place));
        }
        self.grow(size.nodes, size.bytes, place)?;
        if let Some(anchored) = self.anchors.get(&anchor) {
            node.value = anchored.node.value.clone();
        }
        self.push(node, 0, size, height);
        Ok(())
    }

    fn push(&mut self, node: Node, anchor: usize, size: Size, height: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), size, height });
        }
        let source = self.source;
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        frame.height = frame.height.max(height);
        match &mut frame.content {
            Content::Seq(items) => items.push(node),
            Content::Map { entries, seen, key } => match std::mem::replace(key, Key::Expected) {
                Key::Read(name) => entries.push((name, node)),
                Key::Refused => {}
                Key::Expected => {
                    *key = match refuse_key(source, &node, seen) {
                        Some(problem) => {
                            self.problems.extend(problem);
                            Key::Refused
                        }
                        None => Key::Read(node),
                    };
                }
            },
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, place: Place) -> Node {
        let is_key = matches!(self.stack.last(), Some(Frame { content: Content::Map { key: Key::Expected, .. }, .. }));
        let value = if style != ScalarStyle::Plain {
            Value::Str(text.to_owned())
        } else {
            match plain(text) {
                Ok(value) => value,
                Err(_) if is_key => Value::Str(text.to_owned()),
                Err(why) => {
                    self.problems.push(why.diagnostic(self.source, place, text));
                    Value::Bad
                }
            }
        };
        Node { value, place }
    }
}

/// The length of a quoted text at the beginning of `text`; an anchor or tag may come first.
fn quoted(text: &str) -> usize {
    let mut quote = None;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match quote {
            None if c == '"' || c == '\'' => quote = Some(c),
            Some('"') if c == '\\' => {
                let _ = characters.next();
            }
            Some('\'') if c == '\'' && characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                let _ = characters.next();
            }
            Some(open) if c == open => return at + 1,
            Some(_) | None => {}
        }
    }
    text.trim_end().len()
}

/// The problem of a key, if it has one; the inner option is empty when it was told before.
fn refuse_key(source: &Arc<Source>, node: &Node, seen: &mut HashMap<String, Place>) -> Option<Option<Diagnostic>> {
    let error = |title: String| Diagnostic::error(source, node.place, title);
    match &node.value {
        Value::Str(name) if name == "<<" && source.slice(node.place) == "<<" => Some(Some(
            error("merge keys (`<<`) are not understood here".to_owned()).hint("write the keys out, or use an alias as a value"),
        )),
        Value::Str(name) => match seen.get(name) {
            Some(first) => Some(Some(
                error(format!("the key {} is there twice", quote(name)))
                    .label("here again")
                    .also(source, *first, "first here")
                    .hint("remove one of them"),
            )),
            None => {
                seen.insert(name.clone(), node.place);
                None
            }
        },
        Value::Bad => Some(None),
        Value::Seq(_) | Value::Map(_) => Some(Some(error(format!("a key is text, this is {}", node.kind())))),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
            let problem = error(format!("a key is text, this is {}", node.kind()));
            let raw = source.slice(node.place);
            Some(Some(if raw.is_empty() { problem } else { problem.hint(format!("quote it: \"{raw}\"")) }))
        }
    }
}

enum Odd {
    /// A word that is a truth value in YAML 1.1 and text in YAML 1.2.
    Truth(bool),
    Number,
}

impl Odd {
    fn diagnostic(&self, source: &Arc<Source>, place: Place, text: &str) -> Diagnostic {
        match self {
            Self::Truth(means) => {
                Diagnostic::error(source, place, format!("{} is text to some readers of YAML and {means} to others", quote(text)))
                    .label("not clear")
                    .hint(format!("write {means}, or quote it: \"{text}\""))
            }
            Self::Number => Diagnostic::error(source, place, format!("the number {} cannot be kept exactly", quote(text)))
                .hint(format!("if it is text (an account id, for example), quote it: {}", quote(&format!("\"{text}\"")))),
        }
    }
}

/// A plain scalar by the core schema of YAML 1.2.
fn plain(text: &str) -> Result<Value, Odd> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Err(Odd::Truth(true)),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Err(Odd::Truth(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(Odd::Number);
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(unsigned) {
        return text.parse().map(Value::Int).map_err(|_| Odd::Number);
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(number) = text.strip_prefix(prefix)
            && !number.is_empty()
            && number.chars().all(|c| c.is_digit(radix))
        {
            return i64::from_str_radix(number, radix).map(Value::Int).map_err(|_| Odd::Number);
        }
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if all(whole) && all(part) && !(whole.is_empty() && part.is_empty()) && exponent.is_none_or(digits) {
        return text.parse().ok().filter(|value: &f64| value.is_finite()).map(Value::Float).ok_or(Odd::Number);
    }
    Ok(Value::Str(text.to_owned()))
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
