//! Names from AWS are data: makes them safe to show in a terminal, in XML and in JSON that a person may look at.
//!
//! It must never drop a character: what cannot be shown is replaced visibly, so that two names stay two names.

use std::borrow::Cow;
use std::io;

pub use crate::visible::{is_unsafe, visible};
use unicode_width::UnicodeWidthStr;

/// The text for XML, in an element or in an attribute.
pub fn xml(text: &str) -> Cow<'_, str> {
    let safe = visible(text);
    if !safe.contains(['&', '<', '>', '"', '\'']) {
        return safe;
    }
    let mut escaped = String::with_capacity(safe.len() + 16);
    for c in safe.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// How many columns a text takes on a terminal.
pub fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Words broken over lines: no line is longer than `width` columns unless one word is. Without a width there is one line.
#[derive(Debug)]
pub struct Wrap {
    width: Option<usize>,
    hang: usize,
    at: usize,
    fresh: bool,
}

impl Wrap {
    /// Further lines begin after `hang` columns.
    pub fn new(width: Option<u16>, hang: usize) -> Self {
        Self { width: width.map(usize::from), hang, at: 0, fresh: true }
    }

    /// Begins a line after `indent` columns.
    pub fn indent(&mut self, out: &mut dyn io::Write, indent: usize) -> io::Result<()> {
        self.at = indent;
        self.fresh = true;
        write!(out, "{:indent$}", "")
    }

    /// Writes what is never broken; `gap` columns before it unless it begins a line.
    pub fn word(&mut self, out: &mut dyn io::Write, gap: usize, word: &str, style: anstyle::Style) -> io::Result<()> {
        let long = columns(word);
        let gap = if self.fresh { 0 } else { gap };
        if !self.fresh && self.width.is_some_and(|width| self.at + gap + long > width) {
            write!(out, "\n{:hang$}", "", hang = self.hang)?;
            self.at = self.hang;
        } else {
            write!(out, "{:gap$}", "")?;
            self.at += gap;
        }
        write!(out, "{style}{word}{style:#}")?;
        self.at += long;
        self.fresh = false;
        Ok(())
    }

    /// Writes words; the first one `gap` columns after what is there.
    pub fn words(&mut self, out: &mut dyn io::Write, gap: usize, text: &str, style: anstyle::Style) -> io::Result<()> {
        let mut gap = gap;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            self.word(out, gap, word, style)?;
            gap = 1;
        }
        Ok(())
    }

    /// Pads to a column, at least one column on.
    pub fn gap_to(&self, column: usize) -> usize {
        column.saturating_sub(self.at).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_a_terminal() {
        for (text, safe) in [
            ("acme-documents", "acme-documents"),
            ("a\nb", "a\\u{a}b"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("gpj.\u{202e}exe", "gpj.\\u{202e}exe"),
            ("\u{2066}\u{2069}\u{200e}\u{200f}", "\\u{2066}\\u{2069}\\u{200e}\\u{200f}"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("héllo ⌘ 日本", "héllo ⌘ 日本"),
        ] {
            assert_eq!(visible(text), safe);
        }
        for code in 0..=0x1_ffff_u32 {
            let Some(c) = char::from_u32(code) else { continue };
            assert!(!visible(&c.to_string()).contains(|c: char| c.is_control()));
        }
    }

    #[test]
    fn xml_stays_xml() {
        assert_eq!(xml("<script>&\"'"), "&lt;script&gt;&amp;&quot;&apos;");
        assert_eq!(xml("]]>"), "]]&gt;");
        assert_eq!(xml("\u{0}\u{fffe}\u{1b}"), "\\u{0}\\u{fffe}\\u{1b}");
        assert!(matches!(xml("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn wraps_by_words() {
        let plain = anstyle::Style::new();
        let mut out = Vec::new();
        let mut wrap = Wrap::new(Some(20), 4);
        wrap.indent(&mut out, 2).unwrap();
        wrap.words(&mut out, 1, "one two three four arn:aws:s3:::a-name-longer-than-the-line five", plain).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "  one two three four\n    arn:aws:s3:::a-name-longer-than-the-line\n    five");
    }
}
