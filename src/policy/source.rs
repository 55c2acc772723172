//! The text of a policy file, and places in it.
//!
//! It must never open a file: texts are handed in.

use std::sync::Arc;

use crate::assessment::At;

/// A policy file as it was read by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as the user wrote it; shown in diagnostics.
    pub path: String,
    /// What the file holds.
    pub bytes: Vec<u8>,
}

/// Part of a text. Bytes count from 0; lines and columns from 1, columns in characters; ends are exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Byte offset of the first character.
    pub start: usize,
    /// Byte offset behind the last character.
    pub end: usize,
    /// Line of the first character.
    pub line: usize,
    /// Column of the first character.
    pub column: usize,
    /// Line of the end.
    pub end_line: usize,
    /// Column behind the last character.
    pub end_column: usize,
}

/// A text in which places can be found and shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    path: Arc<str>,
    text: String,
    /// Byte offsets of the beginnings of lines.
    lines: Vec<usize>,
}

impl Source {
    /// A text with the path that diagnostics show.
    pub fn new(path: &str, text: String) -> Self {
        let lines = std::iter::once(0).chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1));
        Self { path: path.into(), lines: lines.collect(), text }
    }

    /// The path as the user wrote it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a place.
    pub fn slice(&self, place: Place) -> &str {
        self.text.get(place.start..place.end).unwrap_or_default()
    }

    /// The place between two byte offsets, moved into the text and onto characters.
    pub fn place(&self, start: usize, end: usize) -> Place {
        let start = self.floor(start);
        let end = self.floor(end).max(start);
        let ((line, column), (end_line, end_column)) = (self.line_column(start), self.line_column(end));
        Place { start, end, line, column, end_line, end_column }
    }

    /// The place of one character, or of the end of what is written.
    pub fn point(&self, at: usize) -> Place {
        let at = self.floor(at).min(self.text.trim_end().len());
        let width = self.text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n').map_or(0, char::len_utf8);
        self.place(at, at + width)
    }

    /// A place for reports.
    pub fn at(&self, place: Place) -> At {
        At { file: self.path.clone(), line: place.line, column: place.column }
    }

    /// Bytes of the lines from `first` to `last`, without the last line break.
    pub fn lines(&self, first: usize, last: usize) -> std::ops::Range<usize> {
        let start = self.lines.get(first.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let end = self.lines.get(last).map_or(self.text.len(), |next| next.saturating_sub(1));
        start..end.max(start)
    }

    fn floor(&self, at: usize) -> usize {
        self.text.floor_char_boundary(at)
    }

    fn line_column(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        (line, self.text.get(start..at).map_or(0, |text| text.chars().count()) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn places() {
        let source = Source::new("a", "ä: b\r\nc\n".to_owned());
        let place = source.place(4, 5);
        assert_eq!((place.line, place.column, source.slice(place)), (1, 4, "b"));
        assert_eq!(source.place(1, 1).start, 0, "onto a character");
        let place = source.place(7, 99);
        assert_eq!((place.line, place.column, place.end_line, place.end_column), (2, 1, 3, 1));
        assert_eq!(source.point(99).start, 8, "the end of what is written");
        assert_eq!(source.lines(1, 1), 0..6);
        assert_eq!(source.lines(3, 3), 9..9);
    }
}
