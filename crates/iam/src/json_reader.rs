//! The recursive descent behind `json.rs`: one pass over the bytes, one function for each rule of RFC 8259.
//!
//! It must never recurse without counting the depth, and never build for a text in order what only an error needs: the path
//! that leads to a place is put together on the way out of the recursion.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::json::{MAX_DEPTH, Member, Node, Position, Syntax, SyntaxError, Value};

/// One step on the way to a value.
#[derive(Clone, Copy)]
pub(crate) enum Segment<K> {
    Key(K),
    Index(usize),
}

/// `Statement[2].Action`, from segments of which the innermost comes first.
pub(crate) fn join<K: AsRef<str>>(inside_out: &[Segment<K>]) -> String {
    let mut out = String::new();
    for segment in inside_out.iter().rev() {
        match segment {
            Segment::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key.as_ref());
            }
            Segment::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

/// An error on its way out; boxed, so that the good case moves no more than a value.
struct Fault<'a> {
    at: Position,
    kind: Syntax,
    inside_out: Vec<Segment<Cow<'a, str>>>,
}

type Step<'a, T> = Result<T, Box<Fault<'a>>>;

fn fail<'a, T>(at: Position, kind: Syntax) -> Step<'a, T> {
    Err(Box::new(Fault { at, kind, inside_out: Vec::new() }))
}

impl<'a> Fault<'a> {
    fn under(mut self: Box<Self>, segment: Segment<Cow<'a, str>>) -> Box<Self> {
        self.inside_out.push(segment);
        self
    }
}

pub(crate) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    /// The next byte; always between two characters.
    next: usize,
    line: u32,
    /// Where the line starts, plus the bytes since then that do not begin a character: column 1 lies here.
    origin: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), next: 0, line: 1, origin: 0, depth: 0 }
    }

    pub(crate) fn read(mut self) -> Result<Node<'a>, SyntaxError> {
        self.document().map_err(|fault| SyntaxError { at: fault.at, path: join(&fault.inside_out), kind: fault.kind })
    }

    fn document(&mut self) -> Step<'a, Node<'a>> {
        self.space();
        let node = self.value()?;
        self.space();
        if self.next == self.bytes.len() {
            return Ok(node);
        }
        self.wrong("the end of the text")
    }

    fn at(&self) -> Position {
        let column = u32::try_from(self.next - self.origin).unwrap_or(u32::MAX);
        Position { offset: self.next, line: self.line, column: column.saturating_add(1) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.next).copied()
    }

    fn peek_char(&self) -> Option<char> {
        self.text.get(self.next..)?.chars().next()
    }

    fn peek_word(&self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.bytes.get(self.next..)?.first_chunk()?))
    }

    fn take(&mut self, any: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| any.contains(&byte));
        self.next += usize::from(found);
        found
    }

    fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' => self.next += 1,
                b'\n' => {
                    self.next += 1;
                    self.line = self.line.saturating_add(1);
                    self.origin = self.next;
                    // Indentation.
                    while self.peek_word() == Some(each(b' ')) {
                        self.next += 8;
                    }
                }
                _ => return,
            }
        }
    }

    fn wrong<T>(&self, expected: &'static str) -> Step<'a, T> {
        let kind = self.peek_char().map_or(Syntax::End { expected }, |found| Syntax::Unexpected { expected, found });
        fail(self.at(), kind)
    }

    fn value(&mut self) -> Step<'a, Node<'a>> {
        let at = self.at();
        let value = match self.peek() {
            Some(b'"') => Value::String(self.string()?),
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(_) | None => return self.wrong("a value"),
        };
        Ok(Node { at, value })
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Step<'a, Value<'a>>) -> Step<'a, Value<'a>> {
        if self.depth == MAX_DEPTH {
            return fail(self.at(), Syntax::TooDeep);
        }
        self.depth += 1;
        self.next += 1;
        self.space();
        let value = inner(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Step<'a, Value<'a>> {
        let mut members = Vec::new();
        let mut keys = Keys::default();
        if self.take(b"}") {
            return Ok(Value::Object(members));
        }
        loop {
            let at = self.at();
            if self.peek() != Some(b'"') {
                return self.wrong("a key in double quotes");
            }
            let key = self.string()?;
            match self.member(&key, at, &members, &mut keys) {
                Ok(value) => members.push(Member { key, at, value }),
                Err(fault) => return Err(fault.under(Segment::Key(key))),
            }
            self.space();
            if self.take(b"}") {
                return Ok(Value::Object(members));
            }
            if !self.take(b",") {
                return self.wrong("\",\" or \"}\"");
            }
            self.space();
        }
    }

    /// What follows a key, if the key is a new one.
    fn member(&mut self, key: &Cow<'a, str>, at: Position, before: &[Member<'a>], keys: &mut Keys<'a>) -> Step<'a, Node<'a>> {
        if !keys.is_new(key, before) {
            return fail(at, Syntax::DuplicateKey(key.to_string()));
        }
        self.space();
        if !self.take(b":") {
            return self.wrong("\":\"");
        }
        self.space();
        self.value()
    }

    fn list(&mut self) -> Step<'a, Value<'a>> {
        let mut items = Vec::new();
        if self.take(b"]") {
            return Ok(Value::List(items));
        }
        loop {
            match self.value() {
                Ok(item) => items.push(item),
                Err(fault) => return Err(fault.under(Segment::Index(items.len()))),
            }
            self.space();
            if self.take(b"]") {
                return Ok(Value::List(items));
            }
            if !self.take(b",") {
                return self.wrong("\",\" or \"]\"");
            }
            self.space();
        }
    }

    fn word(&mut self, word: &'static str, value: Value<'a>) -> Step<'a, Value<'a>> {
        for wanted in word.bytes() {
            if !self.take(&[wanted]) {
                return self.wrong(word);
            }
        }
        Ok(value)
    }

    fn digits(&mut self) -> Step<'a, ()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return self.wrong("a digit");
        }
        while let Some(b'0'..=b'9') = self.peek() {
            self.next += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Step<'a, &'a str> {
        let start = self.next;
        self.take(b"-");
        // "01" is not a number: after a leading zero the integer part is over.
        if !self.take(b"0") {
            self.digits()?;
        }
        if self.take(b".") {
            self.digits()?;
        }
        if self.take(b"eE") {
            self.take(b"+-");
            self.digits()?;
        }
        Ok(self.since(start))
    }

    /// The text from here to the next byte. Both ends lie between characters, so nothing is lost.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.next).unwrap_or_default()
    }

    fn string(&mut self) -> Step<'a, Cow<'a, str>> {
        self.next += 1;
        let start = self.next;
        self.plain();
        if self.peek() == Some(b'"') {
            let text = self.since(start);
            self.next += 1;
            return Ok(Cow::Borrowed(text));
        }
        self.escaped(self.since(start).to_owned()).map(Cow::Owned)
    }

    /// The rest of a string from where it can no longer be borrowed.
    fn escaped(&mut self, mut out: String) -> Step<'a, String> {
        loop {
            let at = self.at();
            match self.peek() {
                None => return self.wrong("the closing double quote"),
                Some(b'"') => {
                    self.next += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape(at)?),
                // `plain` stops at nothing else.
                Some(control) => return fail(at, Syntax::Control(u32::from(control))),
            }
            let start = self.next;
            self.plain();
            out.push_str(self.since(start));
        }
    }

    /// Passes over what stands for itself in a string: up to a quote, a backslash, a control character or the end.
    fn plain(&mut self) {
        let (start, mut high) = (self.next, 0);
        while let Some(word) = self.peek_word() {
            high |= word;
            let stops = stops(word);
            if stops != 0 {
                self.next += stops.trailing_zeros() as usize / 8;
                return self.count(start, high);
            }
            self.next += 8;
        }
        while let Some(byte) = self.peek().filter(|byte| !matches!(byte, b'"' | b'\\' | ..b' ')) {
            high |= u64::from(byte);
            self.next += 1;
        }
        self.count(start, high);
    }

    /// Columns count characters: bytes that only continue one are left out. `high` tells whether there can be any.
    fn count(&mut self, start: usize, high: u64) {
        if high & each(0x80) != 0 {
            self.origin += self.since(start).bytes().filter(|byte| byte & 0xC0 == 0x80).count();
        }
    }

    fn escape(&mut self, at: Position) -> Step<'a, char> {
        self.next += 1;
        let Some(byte) = self.peek() else { return self.wrong("an escape") };
        let c = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(at),
            _ => return fail(at, Syntax::Escape(self.peek_char().unwrap_or(char::REPLACEMENT_CHARACTER))),
        };
        self.next += 1;
        Ok(c)
    }

    fn unicode(&mut self, at: Position) -> Step<'a, char> {
        let high = self.hex4()?;
        if let Some(c) = char::from_u32(high) {
            return Ok(c);
        }
        // RFC 8259 section 7: beyond the basic plane, a high surrogate followed by a low one.
        if high < 0xDC00 && self.bytes.get(self.next..).is_some_and(|rest| rest.starts_with(b"\\u")) {
            self.next += 1;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                let joined = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return char::from_u32(joined).map_or_else(|| fail(at, Syntax::LoneSurrogate(high)), Ok);
            }
        }
        fail(at, Syntax::LoneSurrogate(high))
    }

    /// The code behind the `u` that comes next.
    fn hex4(&mut self) -> Step<'a, u32> {
        self.next += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return self.wrong("four hexadecimal digits") };
            code = code * 16 + digit;
            self.next += 1;
        }
        Ok(code)
    }
}

/// A byte in all eight places of a word.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Marks the bytes at which plain text of a string stops, in their highest bits. The lowest mark is always right; a borrow can
/// set wrong ones above it.
fn stops(word: u64) -> u64 {
    let below = |word: u64, limit: u8| word.wrapping_sub(each(limit)) & !word;
    (below(word, b' ') | below(word ^ each(b'"'), 1) | below(word ^ each(b'\\'), 1)) & each(0x80)
}

/// The keys of an object so far. Few are compared one by one, which is quickest; many are kept sorted, or a hostile object
/// would take time quadratic in its keys.
#[derive(Default)]
struct Keys<'a> {
    sorted: Option<BTreeSet<Cow<'a, str>>>,
}

/// How many keys are compared one by one; elements of IAM have at most nine.
const FEW: usize = 16;

impl<'a> Keys<'a> {
    #[expect(clippy::ptr_arg, reason = "the key is kept, and a borrowed one is kept without a copy")]
    fn is_new(&mut self, key: &Cow<'a, str>, before: &[Member<'a>]) -> bool {
        if before.len() < FEW {
            return before.iter().all(|member| member.key != *key);
        }
        let sorted = self.sorted.get_or_insert_with(|| before.iter().map(|member| member.key.clone()).collect());
        sorted.insert(key.clone())
    }
}
