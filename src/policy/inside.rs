//! Places inside of a text that a policy writes as a scalar: a character of an expression, in the file.
//!
//! It must never guess: where the text cannot be followed through quotes and line breaks, the place is the whole scalar.

use std::ops::Range;

use super::cursor::Cursor;
use super::source::Place;

/// The place of bytes of the scalar's text.
pub(super) fn inside(scalar: Cursor<'_>, bytes: Range<usize>) -> Place {
    let whole = scalar.node.place;
    let (raw, text) = (scalar.source.slice(whole), scalar.text().unwrap_or_default());
    let Some(offsets) = offsets(raw, text, whole.column.saturating_sub(1)) else { return whole };
    let at = |byte: usize| offsets.get(byte).map(|at| whole.start + at);
    let Some(start) = at(bytes.start) else { return whole };
    // The end of the last character, not the beginning of the next: they may be lines apart.
    let last = (bytes.start..bytes.end).rev().find(|byte| text.is_char_boundary(*byte)).unwrap_or(bytes.start);
    let end = at(last).map_or(start, |last| {
        let rest = scalar.source.text().get(last..).unwrap_or_default();
        last + rest.chars().next().map_or(0, char::len_utf8)
    });
    if bytes.is_empty() { scalar.source.point(start) } else { scalar.source.place(start, end) }
}

/// For each byte of the text, and for its end, where it is in the raw scalar. `None`: not followed.
fn offsets(raw: &str, text: &str, indent: usize) -> Option<Vec<usize>> {
    let follow = |followed: Option<Followed>| {
        let (characters, end) = followed?;
        let decoded: String = characters.iter().map(|(c, _)| *c).collect();
        let mut offsets: Vec<usize> = characters.iter().flat_map(|(c, at)| std::iter::repeat_n(*at, c.len_utf8())).collect();
        offsets.push(end);
        // The line breaks at the end of a block are not in its place.
        (decoded.trim_end_matches('\n') == text.trim_end_matches('\n')).then_some(offsets)
    };
    let inner = || raw.len().checked_sub(1);
    match raw.chars().next()? {
        quote @ ('"' | '\'') => follow(folded(raw, 1, inner()?, Some(quote))),
        _ => follow(folded(raw, 0, raw.len(), None)).or_else(|| follow(Some(literal(raw, indent)))),
    }
}

/// Characters with their places, and the place of the end.
type Followed = (Vec<(char, usize)>, usize);

/// A plain or quoted scalar. A line break is a space, several are one less.
fn folded(raw: &str, from: usize, to: usize, quote: Option<char>) -> Option<Followed> {
    let body = raw.get(from..to)?;
    let mut found = Vec::new();
    let mut characters = body.char_indices().map(|(at, c)| (from + at, c)).peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '\n' => {
                while found.last().is_some_and(|(c, _)| *c == ' ' || *c == '\t' || *c == '\r') {
                    found.pop();
                }
                let mut breaks = 1;
                while let Some((_, c)) = characters.next_if(|(_, c)| c.is_ascii_whitespace()) {
                    breaks += usize::from(c == '\n');
                }
                if breaks == 1 {
                    found.push((' ', at));
                } else {
                    found.extend(std::iter::repeat_n(('\n', at), breaks - 1));
                }
            }
            '\'' if quote == Some('\'') => {
                characters.next_if(|(_, c)| *c == '\'')?;
                found.push((c, at));
            }
            '\\' if quote == Some('"') => {
                let (_, escape) = characters.next()?;
                let mut hex = |digits: usize| {
                    let code: String = (0..digits).filter_map(|_| characters.next().map(|(_, c)| c)).collect();
                    u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)
                };
                let meant = match escape {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    'x' => hex(2)?,
                    'u' => hex(4)?,
                    'U' => hex(8)?,
                    '"' | '\\' | '/' | ' ' => escape,
                    _ => return None,
                };
                found.push((meant, at));
            }
            c => found.push((c, at)),
        }
    }
    Some((found, to))
}

/// A block that keeps its lines (`|`). It begins behind the indentation of its first line.
fn literal(raw: &str, indent: usize) -> Followed {
    let mut found = Vec::new();
    let mut at = 0;
    for line in raw.split_inclusive('\n') {
        let skip = if at == 0 { 0 } else { indent.min(line.len() - line.trim_start_matches(' ').len()) };
        found.extend(line.char_indices().filter(|(i, c)| *i >= skip && *c != '\r').map(|(i, c)| (c, at + i)));
        at += line.len();
    }
    (found, raw.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::source::SourceFile;
    use crate::policy::tree;

    /// Where the word `here` of the text is said to be.
    fn place(yaml: &str) -> (usize, usize, String) {
        let (source, root, problems) = tree::read(&SourceFile { path: "a".to_owned(), bytes: yaml.as_bytes().to_vec() });
        assert_eq!(problems, []);
        let root = root.unwrap();
        let scalar = Cursor::new(&source, &root).get("expr").unwrap();
        let at = scalar.text().unwrap().find("here").unwrap();
        let place = inside(scalar, at..at + 4);
        (place.line, place.column, source.slice(place).to_owned())
    }

    #[test]
    fn every_style() {
        for (yaml, line, column) in [
            ("expr: a ä here b\n", 1, 11),
            ("expr: 'it''s here b'\n", 1, 14),
            ("expr: \"a \\\"b\\\" \\u00e4 here\"\n", 1, 23),
            ("expr: a\n  b\n  here c\n", 3, 3),
            ("expr: \"a\n  b\n\n  here c\"\n", 4, 3),
            ("{ expr: \"a == here\" }\n", 1, 15),
            ("expr: |\n  a &&\n  ä here\n", 3, 5),
            ("expr: |\n  a &&\n    here\nnext: 1\n", 3, 5),
            ("expr: |\n  here\n\n  a\n", 2, 3),
            ("expr: >-\n  a &&\n  here\n", 3, 3),
        ] {
            assert_eq!(place(yaml), (line, column, "here".to_owned()), "{yaml}");
        }
    }
}
