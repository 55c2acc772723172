//! The recursive descent behind `json.rs`: one pass over the characters, one function for each rule of RFC 8259.
//!
//! It must never look back or read a character twice, and never recurse without counting the depth.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::CharIndices;

use crate::json::{MAX_DEPTH, Member, Node, Position, Syntax, SyntaxError, Value};

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

pub(crate) struct Reader<'a> {
    chars: Peekable<CharIndices<'a>>,
    at: Position,
    end: usize,
    /// Left as it stood when an error occurred, so that the error can name it.
    path: Vec<Segment>,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let start = Position { offset: 0, line: 1, column: 1 };
        Self { chars: text.char_indices().peekable(), at: start, end: text.len(), path: Vec::new(), depth: 0 }
    }

    pub(crate) fn read(mut self) -> Result<Node, SyntaxError> {
        self.document().map_err(|(at, kind)| SyntaxError { at, path: join(&self.path), kind })
    }

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
