//! JSON with positions: every value and every key knows where it stands in the text (RFC 8259).
//!
//! It must never accept what AWS could read differently: two equal keys in one object, a lone surrogate, or anything
//! beyond the grammar is an error, not a guess. It runs in time linear in the text and never nests deeper than [`MAX_DEPTH`].

use std::collections::BTreeSet;
use std::fmt;
use std::iter::Peekable;
use std::str::CharIndices;

/// How many objects and lists may stand inside one another. IAM needs six.
pub const MAX_DEPTH: usize = 64;

/// A place in the text. Line and column count from 1, columns in characters; the offset counts bytes from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Byte offset from the start of the text.
    pub offset: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where the value starts.
    pub at: Position,
    /// The value.
    pub value: Value,
}

/// A JSON value. A number keeps its spelling: nothing is rounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as written.
    Number(String),
    /// A string with its escapes resolved.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// An object, in the order of the text; its keys are distinct.
    Object(Vec<Member>),
}

impl Value {
    /// The kind of value in plain words, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// One key of an object with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The key with its escapes resolved.
    pub key: String,
    /// Where the key starts.
    pub at: Position,
    /// The value.
    pub value: Node,
}

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Syntax {
    /// Something else was required here.
    #[error("expected {expected}, found {found:?}")]
    Unexpected {
        /// What may stand here.
        expected: &'static str,
        /// What stands here.
        found: char,
    },
    /// The text stops too early.
    #[error("expected {expected}, found the end of the text")]
    End {
        /// What may stand here.
        expected: &'static str,
    },
    /// A key occurs twice in one object; AWS does not say which of the two would count.
    #[error("key {0:?} occurs twice in one object")]
    DuplicateKey(String),
    /// More than [`MAX_DEPTH`] levels.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A backslash followed by a character that RFC 8259 section 7 does not list.
    #[error("unknown escape \\{0}")]
    Escape(char),
    /// Half of a UTF-16 pair.
    #[error("lone surrogate \\u{0:04x}")]
    LoneSurrogate(u32),
    /// A raw control character in a string.
    #[error("control character U+{0:04X} in a string")]
    Control(u32),
}

/// A syntax error with its place and the path of keys that leads there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub at: Position,
    /// `Statement[2].Action`; empty at the top.
    pub path: String,
    /// What.
    pub kind: Syntax,
}

/// Reads one JSON text.
///
/// # Errors
/// The first place where the text leaves the grammar.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let start = Position { offset: 0, line: 1, column: 1 };
    let mut reader = Reader { chars: text.char_indices().peekable(), at: start, end: text.len(), path: Vec::new(), depth: 0 };
    let node = reader.document();
    node.map_err(|(at, kind)| SyntaxError { at, path: join(&reader.path), kind })
}

enum Segment {
    Key(String),
    Index(usize),
}

fn join(path: &[Segment]) -> String {
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
            }
            Segment::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

type Step<T> = Result<T, (Position, Syntax)>;

struct Reader<'a> {
    chars: Peekable<CharIndices<'a>>,
    at: Position,
    end: usize,
    /// Left as it stood when an error occurred, so that the error can name it.
    path: Vec<Segment>,
    depth: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Step<Node> {
        self.space();
        let node = self.value()?;
        self.space();
        match self.peek() {
            None => Ok(node),
            Some(found) => Err((self.at, Syntax::Unexpected { expected: "the end of the text", found })),
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|&(_, c)| c)
    }

    fn bump(&mut self) -> Option<char> {
        let (_, c) = self.chars.next()?;
        self.at.offset = self.chars.peek().map_or(self.end, |&(offset, _)| offset);
        if c == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(c)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.bump();
        }
    }

    fn wrong<T>(&mut self, expected: &'static str) -> Step<T> {
        let kind = self.peek().map_or(Syntax::End { expected }, |found| Syntax::Unexpected { expected, found });
        Err((self.at, kind))
    }

    fn expect(&mut self, wanted: char, expected: &'static str) -> Step<()> {
        if self.peek() == Some(wanted) {
            self.bump();
            return Ok(());
        }
        self.wrong(expected)
    }

    fn value(&mut self) -> Step<Node> {
        let at = self.at;
        let value = match self.peek() {
            Some('{') => self.nested(Self::object)?,
            Some('[') => self.nested(Self::list)?,
            Some('"') => Value::String(self.string()?),
            Some('t') => self.word("true", Value::Bool(true))?,
            Some('f') => self.word("false", Value::Bool(false))?,
            Some('n') => self.word("null", Value::Null)?,
            Some('-' | '0'..='9') => Value::Number(self.number()?),
            Some(_) | None => return self.wrong("a value"),
        };
        Ok(Node { at, value })
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Step<Value>) -> Step<Value> {
        if self.depth == MAX_DEPTH {
            return Err((self.at, Syntax::TooDeep));
        }
        self.depth += 1;
        self.bump();
        self.space();
        let value = inner(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Step<Value> {
        let mut members = Vec::new();
        let mut seen = BTreeSet::new();
        if self.peek() == Some('}') {
            self.bump();
            return Ok(Value::Object(members));
        }
        loop {
            let at = self.at;
            if self.peek() != Some('"') {
                return self.wrong("a key in double quotes");
            }
            let key = self.string()?;
            self.path.push(Segment::Key(key.clone()));
            if !seen.insert(key.clone()) {
                return Err((at, Syntax::DuplicateKey(key)));
            }
            self.space();
            self.expect(':', "\":\"")?;
            self.space();
            let value = self.value()?;
            self.path.pop();
            members.push(Member { key, at, value });
            self.space();
            match self.peek() {
                Some(',') => self.bump(),
                Some('}') => break,
                Some(_) | None => return self.wrong("\",\" or \"}\""),
            };
            self.space();
        }
        self.bump();
        Ok(Value::Object(members))
    }

    fn list(&mut self) -> Step<Value> {
        let mut items = Vec::new();
        if self.peek() == Some(']') {
            self.bump();
            return Ok(Value::List(items));
        }
        loop {
            self.path.push(Segment::Index(items.len()));
            items.push(self.value()?);
            self.path.pop();
            self.space();
            match self.peek() {
                Some(',') => self.bump(),
                Some(']') => break,
                Some(_) | None => return self.wrong("\",\" or \"]\""),
            };
            self.space();
        }
        self.bump();
        Ok(Value::List(items))
    }

    fn word(&mut self, word: &'static str, value: Value) -> Step<Value> {
        for wanted in word.chars() {
            self.expect(wanted, word)?;
        }
        Ok(value)
    }

    fn digits(&mut self, out: &mut String) -> Step<()> {
        if !matches!(self.peek(), Some('0'..='9')) {
            return self.wrong("a digit");
        }
        while let Some(c @ '0'..='9') = self.peek() {
            out.push(c);
            self.bump();
        }
        Ok(())
    }

    fn take(&mut self, any: &[char], out: &mut String) -> bool {
        let found = self.peek().filter(|c| any.contains(c));
        if let Some(c) = found {
            out.push(c);
            self.bump();
        }
        found.is_some()
    }

    fn number(&mut self) -> Step<String> {
        let mut out = String::new();
        self.take(&['-'], &mut out);
        // "01" is not a number: after a leading zero the integer part is over.
        if !self.take(&['0'], &mut out) {
            self.digits(&mut out)?;
        }
        if self.take(&['.'], &mut out) {
            self.digits(&mut out)?;
        }
        if self.take(&['e', 'E'], &mut out) {
            self.take(&['+', '-'], &mut out);
            self.digits(&mut out)?;
        }
        Ok(out)
    }

    fn string(&mut self) -> Step<String> {
        let mut out = String::new();
        self.bump();
        loop {
            let at = self.at;
            match self.peek() {
                None => return self.wrong("the closing double quote"),
                Some('"') => {
                    self.bump();
                    return Ok(out);
                }
                Some('\\') => out.push(self.escape(at)?),
                Some(c) if c < ' ' => return Err((at, Syntax::Control(u32::from(c)))),
                Some(c) => {
                    out.push(c);
                    self.bump();
                }
            }
        }
    }

    fn escape(&mut self, at: Position) -> Step<char> {
        self.bump();
        let Some(c) = self.bump() else { return self.wrong("an escape") };
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(at),
            other => return Err((at, Syntax::Escape(other))),
        })
    }

    fn unicode(&mut self, at: Position) -> Step<char> {
        let high = self.hex4()?;
        if let Some(c) = char::from_u32(high) {
            return Ok(c);
        }
        // RFC 8259 section 7: beyond the basic plane, a high surrogate followed by a low one.
        if high < 0xDC00 && self.peek() == Some('\\') {
            self.bump();
            if self.peek() == Some('u') {
                self.bump();
                let low = self.hex4()?;
                if (0xDC00..0xE000).contains(&low) {
                    let joined = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    return char::from_u32(joined).ok_or((at, Syntax::LoneSurrogate(high)));
                }
            }
        }
        Err((at, Syntax::LoneSurrogate(high)))
    }

    fn hex4(&mut self) -> Step<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(16)) else { return self.wrong("four hexadecimal digits") };
            code = code * 16 + digit;
            self.bump();
        }
        Ok(code)
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
