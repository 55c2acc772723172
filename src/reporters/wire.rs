//! How JSON is written: the outer levels on lines of their own, each finding on one line, and no character that could
//! change what a reader of the raw file sees.
//!
//! It must never alter a value: unsafe characters become `\uXXXX` escapes, which every JSON parser reads back.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::text::is_unsafe;

/// Writes a value, with a line for each element down to `depth` levels.
pub(crate) fn write<T: Serialize>(value: &T, depth: usize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    value.serialize(&mut Serializer::with_formatter(&mut out, Lines { depth, at: 0, has_value: false }))?;
    io::Write::write_all(&mut out, b"\n")?;
    io::Write::flush(&mut out)
}

struct Lines {
    depth: usize,
    at: usize,
    has_value: bool,
}

impl Lines {
    fn begin<W: io::Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.at += 1;
        self.has_value = false;
        out.write_all(bracket)
    }

    fn next<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(if self.at > self.depth { b", " } else { b"," })?;
        }
        self.line(out, self.at)
    }

    fn line<W: io::Write + ?Sized>(&mut self, out: &mut W, indent: usize) -> io::Result<()> {
        if self.at <= self.depth {
            out.write_all(b"\n")?;
            for _ in 0..indent {
                out.write_all(b"  ")?;
            }
        }
        Ok(())
    }

    fn end<W: io::Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        if self.has_value {
            self.line(out, self.at.saturating_sub(1))?;
        }
        self.at = self.at.saturating_sub(1);
        self.has_value = true;
        out.write_all(bracket)
    }
}

impl Formatter for Lines {
    fn begin_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly every text is plain ASCII, which holds nothing unsafe but below a space and at 127.
        // Without a way out of the loop, so that it looks at many bytes at once.
        if fragment.bytes().fold(true, |plain, byte| plain & (b' '..127).contains(&byte)) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unsafe(*c)) {
            let (before, after) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = after.strip_prefix(c).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn reads_back_and_hides_nothing() {
        let value = serde_json::json!({ "a": [{ "b": "x\u{202e}y\n\u{1b}\u{e0041}\u{9b}" }, {}], "c": {}, "d": [] });
        let mut out = Vec::new();
        super::write(&value, 2, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        assert!(!text.contains(|c| c != '\n' && super::is_unsafe(c)), "{text}");
        let expected = "{\n  \"a\": [\n    {\"b\": \"x\\u202ey\\n\\u001b\\udb40\\udc41\\u009b\"},\n    {}\n  ],\n  \"c\": {},\n  \"d\": []\n}\n";
        assert_eq!(text, expected);
    }
}
