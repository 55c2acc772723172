//! Patterns over `*` and `?`, and the three questions about them: does it match, does it cover, do two meet.
//!
//! It must never say "covers" when some string of the other pattern escapes, and never say "do not meet" when a common string
//! exists: a wrong answer in either direction would turn a hole into a pass.
//!
//! A pattern that holds a policy variable stands for many patterns. For "may" questions the variable is any string; for
//! "covers" the pattern covers nothing but itself.
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.

use std::borrow::Cow;
use std::fmt;
use std::str::Chars;

use crate::variable::{self, Piece};

/// Whether letters must agree in case. Actions and condition keys are insensitive, resources sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Case {
    /// `a` and `A` differ.
    Sensitive,
    /// `a` and `A` are the same (ASCII letters; actions have no others).
    Insensitive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Token {
    Literal(char),
    One,
    Many,
}

/// What most patterns are, so that they cost neither memory nor a search.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Shape {
    /// The text itself.
    Exact,
    /// The text without its last character, a `*`, and anything after it.
    Prefix,
    /// Anything else; with a variable counted as any string.
    Free { tokens: Box<[Token]>, has_variable: bool },
}

/// A pattern of an Action, NotAction, Resource or NotResource element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    text: Box<str>,
    case: Case,
    shape: Shape,
}

impl Pattern {
    /// A pattern in which `${` has no meaning: actions, and every element of a 2008-10-17 document.
    #[must_use]
    pub fn new(text: &str, case: Case) -> Self {
        let shape = match text.bytes().position(|b| b == b'*' || b == b'?') {
            None => Shape::Exact,
            Some(at) if at + 1 == text.len() && text.ends_with('*') => Shape::Prefix,
            Some(_) => {
                let tokens = normal(text.chars().map(|c| wildcard(c, case)).collect());
                Shape::Free { tokens: tokens.into(), has_variable: false }
            }
        };
        Self { text: text.into(), case, shape }
    }

    /// A pattern of a 2012-10-17 document: `${key}` is a variable; `${*}`, `${?}` and `${$}` are those characters.
    /// A `${` that never closes is taken as a variable that swallows the rest: unknown, not literal.
    #[must_use]
    pub fn with_variables(text: &str, case: Case) -> Self {
        if !text.contains("${") {
            return Self::new(text, case);
        }
        let (mut tokens, mut has_variable) = (Vec::new(), false);
        for piece in variable::pieces(text) {
            match piece {
                Piece::Plain(c) => tokens.push(wildcard(c, case)),
                Piece::Literal(c) => tokens.push(Token::Literal(fold(c, case))),
                Piece::Variable { .. } => {
                    tokens.push(Token::Many);
                    has_variable = true;
                }
            }
        }
        Self { text: text.into(), case, shape: Shape::Free { tokens: normal(tokens).into(), has_variable } }
    }

    /// A Resource of a 2012-10-17 document. Only the part after the fifth colon of an ARN may hold variables.
    #[must_use]
    pub fn resource(text: &str) -> Self {
        let before = |at: usize| text.bytes().take(at).filter(|byte| *byte == b':').count() < 5;
        if text.starts_with("arn:") && text.find("${").is_some_and(before) {
            return Self::literal(text, Case::Sensitive);
        }
        Self::with_variables(text, Case::Sensitive)
    }

    /// The pattern with its variables replaced, each by the literal text that `value` knows, or else by its default.
    /// `None`: one has neither. See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.
    pub fn resolved<'v>(&self, mut value: impl FnMut(&str) -> Option<Cow<'v, str>>) -> Option<Self> {
        let mut tokens = Vec::new();
        for piece in variable::pieces(&self.text) {
            match piece {
                Piece::Plain(c) => tokens.push(wildcard(c, self.case)),
                Piece::Literal(c) => tokens.push(Token::Literal(fold(c, self.case))),
                Piece::Variable { key, default } => {
                    let text = value(key).or(default.map(Cow::Borrowed))?;
                    tokens.extend(text.chars().map(|c| Token::Literal(fold(c, self.case))));
                }
            }
        }
        let shape = Shape::Free { tokens: normal(tokens).into(), has_variable: false };
        Some(Self { text: self.text.clone(), case: self.case, shape })
    }

    /// A pattern that matches exactly this text, wildcards included.
    #[must_use]
    pub fn literal(text: &str, case: Case) -> Self {
        Self { text: text.into(), case, shape: Shape::Exact }
    }

    /// Every string that starts with this text.
    #[must_use]
    pub fn starting_with(text: &str, case: Case) -> Self {
        Self { text: format!("{text}*").into(), case, shape: Shape::Prefix }
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Does it hold a policy variable?
    #[must_use]
    pub fn has_variable(&self) -> bool {
        matches!(self.shape, Shape::Free { has_variable: true, .. })
    }

    /// Does it match every string?
    #[must_use]
    pub fn is_everything(&self) -> bool {
        match &self.shape {
            Shape::Exact => false,
            Shape::Prefix => self.stem().is_empty(),
            Shape::Free { tokens, has_variable } => !has_variable && **tokens == [Token::Many],
        }
    }

    /// What every string it matches begins with, as written: the text before the first wildcard or variable.
    #[must_use]
    pub fn stem(&self) -> &str {
        match &self.shape {
            Shape::Exact => &self.text,
            Shape::Prefix => self.text.get(..self.text.len() - 1).unwrap_or_default(),
            Shape::Free { .. } => {
                let end = self.text.find(['*', '?', '$']).unwrap_or(self.text.len());
                self.text.get(..end).unwrap_or_default()
            }
        }
    }

    /// Does it match one string only?
    #[must_use]
    pub fn is_exact(&self) -> bool {
        match &self.shape {
            Shape::Exact => true,
            Shape::Prefix => false,
            Shape::Free { tokens, .. } => tokens.iter().all(|token| matches!(token, Token::Literal(_))),
        }
    }

    fn tokens(&self) -> Cow<'_, [Token]> {
        match &self.shape {
            Shape::Free { tokens, .. } => Cow::Borrowed(tokens),
            Shape::Exact | Shape::Prefix => {
                let literal = self.stem().chars().map(|c| Token::Literal(fold(c, self.case)));
                Cow::Owned(literal.chain((self.shape == Shape::Prefix).then_some(Token::Many)).collect())
            }
        }
    }

    /// Can it match this string? A variable counts as any string.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Exact => match self.case {
                Case::Sensitive => *self.text == *text,
                Case::Insensitive => self.text.eq_ignore_ascii_case(text),
            },
            Shape::Prefix => begins(text, self.stem(), self.case),
            Shape::Free { .. } => self.matches_in_steps(text).0,
        }
    }

    /// Also how many comparisons it took: at most pattern × text, and linear for the usual shapes.
    fn matches_in_steps(&self, text: &str) -> (bool, usize) {
        let tokens = self.tokens();
        let (mut p, mut rest, mut steps) = (0, text.chars(), 0);
        // Where to resume: the last `*`, and what it has not swallowed yet.
        let mut resume: Option<(usize, Chars<'_>)> = None;
        loop {
            let ahead = rest.clone();
            let Some(c) = rest.next() else { break };
            steps += 1;
            match tokens.get(p) {
                Some(Token::Many) => {
                    p += 1;
                    rest = ahead;
                    resume = Some((p, rest.clone()));
                    continue;
                }
                Some(Token::One) => {
                    p += 1;
                    continue;
                }
                Some(Token::Literal(mine)) if *mine == fold(c, self.case) => {
                    p += 1;
                    continue;
                }
                Some(Token::Literal(_)) | None => {}
            }
            let Some((after, mut swallowed)) = resume else { return (false, steps) };
            swallowed.next();
            p = after;
            rest = swallowed.clone();
            resume = Some((after, swallowed));
        }
        (tokens.iter().skip(p).all(|token| *token == Token::Many), steps)
    }

    /// Does it match every string the other one matches?
    ///
    /// "Yes" is always right. "No" is right too, except that a pattern with a variable covers only its own text, that a
    /// sensitive pattern must cover both cases of an insensitive letter at one place, and beyond [`BUDGET`] it gives up.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        if self.has_variable() {
            return false;
        }
        if let Some(answer) = self.covers_at_once(other) {
            return answer;
        }
        let tokens = self.tokens();
        let mine = Places { tokens: &tokens, case: self.case };
        // Sets of places in `self`, one for each way the strings of `other` can have begun. `?` and `*` of the other pattern
        // are played by a letter that occurs nowhere: if a wildcard accepts that one, it accepts any.
        let mut sets = vec![mine.closure(std::iter::once(0))];
        let mut work = 0;
        for token in other.tokens().iter() {
            match token {
                Token::Literal(c) => sets = sets.iter().map(|set| mine.step(set, Some((*c, other.case)))).collect(),
                Token::One => sets = sets.iter().map(|set| mine.step(set, None)).collect(),
                Token::Many => {
                    let mut all = Vec::new();
                    for set in sets {
                        let mut next = set;
                        while !all.contains(&next) {
                            let after = mine.step(&next, None);
                            work += next.len() * (all.len() + 1);
                            all.push(next);
                            next = after;
                            if work > BUDGET {
                                return false;
                            }
                        }
                    }
                    sets = all;
                }
            }
            smallest(&mut sets);
            work += sets.len() * sets.iter().map(Vec::len).sum::<usize>();
            if work > BUDGET || sets.iter().any(Vec::is_empty) {
                return false;
            }
        }
        sets.iter().all(|set| set.contains(&tokens.len()))
    }

    /// The answer for patterns that are a text or a prefix, in one comparison.
    fn covers_at_once(&self, other: &Self) -> Option<bool> {
        if self.case != other.case && self.case == Case::Sensitive {
            return None;
        }
        match (&self.shape, &other.shape) {
            (Shape::Exact | Shape::Free { .. }, Shape::Exact) => Some(self.matches(&other.text)),
            (Shape::Exact, Shape::Prefix) => Some(false),
            (Shape::Prefix, Shape::Exact | Shape::Prefix) => Some(begins(other.stem(), self.stem(), self.case)),
            (Shape::Prefix, Shape::Free { .. }) if self.stem().is_empty() => Some(true),
            (Shape::Free { .. }, Shape::Prefix | Shape::Free { .. }) | (Shape::Exact | Shape::Prefix, Shape::Free { .. }) => None,
        }
    }

    /// Is there a string both match? Exact, with a variable counted as any string.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        let either = if self.case == Case::Insensitive { self.case } else { other.case };
        match (&self.shape, &other.shape) {
            (Shape::Exact, Shape::Exact) => same(&self.text, &other.text, either),
            (Shape::Exact, Shape::Prefix) => begins(&self.text, other.stem(), either),
            (Shape::Prefix, Shape::Exact) => begins(&other.text, self.stem(), either),
            (Shape::Prefix, Shape::Prefix) => {
                begins(self.stem(), other.stem(), either) || begins(other.stem(), self.stem(), either)
            }
            (Shape::Exact, Shape::Free { .. }) if other.case == either => other.matches(&self.text),
            (Shape::Free { .. }, Shape::Exact) if self.case == either => self.matches(&other.text),
            (Shape::Free { .. }, _) | (_, Shape::Free { .. }) => self.intersects_slowly(other, either),
        }
    }

    fn intersects_slowly(&self, other: &Self, either: Case) -> bool {
        let (mine, theirs) = (self.tokens(), other.tokens());
        // `row[j]`: the rest of `mine` and the rest of `theirs` from `j` have a string in common.
        let mut row: Vec<bool> = Vec::new();
        for i in (0..=mine.len()).rev() {
            let below = std::mem::replace(&mut row, vec![false; theirs.len() + 1]);
            let under = |j: usize| below.get(j).copied().unwrap_or(false);
            for j in (0..=theirs.len()).rev() {
                let beside = row.get(j + 1).copied().unwrap_or(false);
                let common = in_common(mine.get(i), theirs.get(j), either, [under(j), beside, under(j + 1)]);
                if let Some(cell) = row.get_mut(j) {
                    *cell = common;
                }
            }
        }
        row.first().copied().unwrap_or(false)
    }

    /// A string that both match, if there is one; a variable counts as any string. A wildcard stands for as little as can be,
    /// but two that meet stand for something unusual. `None` also for patterns too long to try: it proves nothing.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Option<String> {
        let (mine, theirs) = (self.tokens(), other.tokens());
        let either = if self.case == Case::Insensitive { self.case } else { other.case };
        let width = theirs.len() + 1;
        if (mine.len() + 1).saturating_mul(width) > BUDGET {
            return None;
        }
        // `table[i * width + j]`: the rest of `mine` from `i` and the rest of `theirs` from `j` have a string in common.
        let mut table = vec![false; (mine.len() + 1) * width];
        let at = |table: &[bool], i: usize, j: usize| j < width && table.get(i * width + j).copied().unwrap_or(false);
        for i in (0..=mine.len()).rev() {
            for j in (0..=theirs.len()).rev() {
                let next = [at(&table, i + 1, j), at(&table, i, j + 1), at(&table, i + 1, j + 1)];
                let common = in_common(mine.get(i), theirs.get(j), either, next);
                if let Some(cell) = table.get_mut(i * width + j) {
                    *cell = common;
                }
            }
        }
        at(&table, 0, 0).then(|| {
            let (mut i, mut j, mut out) = (0, 0, String::new());
            loop {
                let letter = |token: &Token| match token {
                    Token::Literal(c) => Some(*c),
                    Token::One => Some(WITNESS),
                    Token::Many => None,
                };
                match (mine.get(i), theirs.get(j)) {
                    (None, None) => return out,
                    (Some(Token::Many), Some(Token::Many)) => {
                        out.push(WITNESS);
                        if at(&table, i + 1, j) { i += 1 } else { j += 1 }
                    }
                    (Some(Token::Many), right) => match right.and_then(letter).filter(|_| at(&table, i, j + 1)) {
                        Some(c) => {
                            out.push(c);
                            j += 1;
                        }
                        None => i += 1,
                    },
                    (left, Some(Token::Many)) => match left.and_then(letter).filter(|_| at(&table, i + 1, j)) {
                        Some(c) => {
                            out.push(c);
                            i += 1;
                        }
                        None => j += 1,
                    },
                    (Some(a), Some(b)) => {
                        out.extend(if let Token::Literal(_) = a { letter(a) } else { letter(b) });
                        i += 1;
                        j += 1;
                    }
                    (Some(_), None) | (None, Some(_)) => return out,
                }
            }
        })
    }
}

/// What a wildcard of a [`Pattern::meet`] stands for: a letter that policies hardly name.
const WITNESS: char = '~';

/// Sets of places in the tokens of a pattern.
struct Places<'t> {
    tokens: &'t [Token],
    case: Case,
}

impl Places<'_> {
    /// The places reachable from these without reading, sorted.
    fn closure(&self, places: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut out: Vec<usize> = Vec::new();
        for mut place in places {
            // Places arrive in order, so what is already held ends at the last one.
            while out.last().is_none_or(|last| *last < place) {
                out.push(place);
                if self.tokens.get(place) == Some(&Token::Many) {
                    place += 1;
                }
            }
        }
        out
    }

    /// The places after one letter; `None` is the letter that occurs nowhere.
    fn step(&self, places: &[usize], letter: Option<(char, Case)>) -> Vec<usize> {
        let next = places.iter().filter_map(|&place| match self.tokens.get(place)? {
            Token::Many => Some(place),
            Token::One => Some(place + 1),
            Token::Literal(mine) => {
                let (theirs, case) = letter?;
                accepts(*mine, self.case, theirs, case).then_some(place + 1)
            }
        });
        self.closure(next)
    }
}

/// How many steps [`Pattern::covers`] takes before it answers "no" for want of proof; patterns people write need a few hundred.
pub const BUDGET: usize = 1 << 18;

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn wildcard(c: char, case: Case) -> Token {
    match c {
        '*' => Token::Many,
        '?' => Token::One,
        _literal => Token::Literal(fold(c, case)),
    }
}

fn fold(c: char, case: Case) -> char {
    match case {
        Case::Sensitive => c,
        Case::Insensitive => c.to_ascii_lowercase(),
    }
}

fn same(a: &str, b: &str, case: Case) -> bool {
    match case {
        Case::Sensitive => a == b,
        Case::Insensitive => a.eq_ignore_ascii_case(b),
    }
}

/// Whether the rests of two patterns have a string in common, from what follows: the one side moved on, the other, both.
fn in_common(mine: Option<&Token>, theirs: Option<&Token>, case: Case, [mine_on, theirs_on, both_on]: [bool; 3]) -> bool {
    match (mine, theirs) {
        (None, None) => true,
        // A `*` ends here, or swallows one token of the other side.
        (Some(Token::Many), None) => mine_on,
        (None, Some(Token::Many)) => theirs_on,
        (Some(Token::Many), Some(_)) | (Some(_), Some(Token::Many)) => mine_on || theirs_on,
        (Some(Token::Literal(a)), Some(Token::Literal(b))) => fold(*a, case) == fold(*b, case) && both_on,
        (Some(_), Some(_)) => both_on,
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// Does the text begin with the stem?
fn begins(text: &str, stem: &str, case: Case) -> bool {
    text.as_bytes().get(..stem.len()).is_some_and(|head| match case {
        Case::Sensitive => head == stem.as_bytes(),
        Case::Insensitive => head.eq_ignore_ascii_case(stem.as_bytes()),
    })
}

fn accepts(mine: char, my_case: Case, theirs: char, their_case: Case) -> bool {
    match (my_case, their_case) {
        (Case::Insensitive, _) => mine == theirs.to_ascii_lowercase(),
        (Case::Sensitive, Case::Sensitive) => mine == theirs,
        (Case::Sensitive, Case::Insensitive) => mine == theirs && !mine.is_ascii_alphabetic(),
    }
}

/// `*?*` and `?*` are the same language: in each run of wildcards every `?` comes first and one `*` last.
fn normal(tokens: Vec<Token>) -> Vec<Token> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut many = false;
    for token in tokens {
        match token {
            Token::Many => many = true,
            Token::One => out.push(Token::One),
            Token::Literal(_) => {
                if std::mem::take(&mut many) {
                    out.push(Token::Many);
                }
                out.push(token);
            }
        }
    }
    if many {
        out.push(Token::Many);
    }
    out
}

/// Keeps the sets that hold no other one: from fewer places, fewer strings are accepted.
fn smallest(sets: &mut Vec<Vec<usize>>) {
    sets.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    sets.dedup();
    let mut kept: Vec<Vec<usize>> = Vec::new();
    for set in sets.drain(..) {
        if !kept.iter().any(|small| small.iter().all(|place| set.binary_search(place).is_ok())) {
            kept.push(set);
        }
    }
    *sets = kept;
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
