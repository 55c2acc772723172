//! A node together with the file it is from, so that every reading can be told with its place.
//!
//! It must never report a wrong type: the schema has done so, and here the value is simply not there.

use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::source::Source;
use super::tree::{Node, Value};
use crate::assessment::At;

/// A node of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) node: &'a Node,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a Arc<Source>, node: &'a Node) -> Self {
        Self { source, node }
    }

    fn to(self, node: &'a Node) -> Self {
        Self { node, ..self }
    }

    /// The value of a key.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.node.entry(key).map(|(_, value)| self.to(value))
    }

    /// The key itself, for what is said about its presence.
    pub(super) fn key(self, key: &str) -> Option<Self> {
        self.node.entry(key).map(|(key, _)| self.to(key))
    }

    /// The text, if it is one.
    pub(super) fn text(self) -> Option<&'a str> {
        self.node.as_str()
    }

    /// The text of a key.
    pub(super) fn text_of(self, key: &str) -> Option<String> {
        self.get(key).and_then(Self::text).map(str::to_owned)
    }

    pub(super) fn flag(self, key: &str) -> Option<bool> {
        match self.get(key)?.node.value {
            Value::Bool(value) => Some(value),
            Value::Null | Value::Int(_) | Value::Float(_) | Value::Str(_) | Value::Seq(_) | Value::Map(_) | Value::Bad => None,
        }
    }

    /// The items of the list under a key.
    pub(super) fn items(self, key: &str) -> impl Iterator<Item = Self> + 'a {
        self.node.entry(key).into_iter().flat_map(|(_, list)| list.items()).map(move |item| self.to(item))
    }

    /// The entries of the mapping under a key; names are texts.
    pub(super) fn entries(self, key: &str) -> impl Iterator<Item = (Self, Self)> + 'a {
        self.node
            .entry(key)
            .into_iter()
            .flat_map(|(_, map)| map.entries())
            .map(move |(key, value)| (self.to(key), self.to(value)))
    }

    /// The texts under a key, which may hold one text or a list.
    pub(super) fn texts(self, key: &str) -> Vec<(Self, &'a str)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        match value.text() {
            Some(text) => vec![(value, text)],
            None => self.items(key).filter_map(|item| Some((item, item.text()?))).collect(),
        }
    }

    pub(super) fn error(self, title: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.source, self.node.place, title)
    }

    pub(super) fn warning(self, title: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(self.source, self.node.place, title)
    }

    pub(super) fn at(self) -> At {
        self.source.at(self.node.place)
    }
}
