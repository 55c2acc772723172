//! JSON with positions: every value and every key knows where it stands in the text (RFC 8259).
//!
//! It must never accept what AWS could read differently: two equal keys in one object, a lone surrogate, or anything
//! beyond the grammar is an error, not a guess. However hostile the text, it never takes more time than reading it and sorting
//! the keys of each object, and never nests deeper than [`MAX_DEPTH`].
//!
//! What it reads borrows from the text; only a string with escapes is copied.

use std::borrow::Cow;
use std::fmt;

use crate::json_reader::Reader;

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
pub struct Node<'a> {
    /// Where the value starts.
    pub at: Position,
    /// The value.
    pub value: Value<'a>,
}

/// A JSON value. A number keeps its spelling: nothing is rounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as written.
    Number(&'a str),
    /// A string with its escapes resolved.
    String(Cow<'a, str>),
    /// A list.
    List(Vec<Node<'a>>),
    /// An object, in the order of the text; its keys are distinct.
    Object(Vec<Member<'a>>),
}

impl Value<'_> {
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
pub struct Member<'a> {
    /// The key with its escapes resolved.
    pub key: Cow<'a, str>,
    /// Where the key starts.
    pub at: Position,
    /// The value.
    pub value: Node<'a>,
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
pub fn parse(text: &str) -> Result<Node<'_>, SyntaxError> {
    Reader::new(text).read()
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
