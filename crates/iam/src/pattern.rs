//! Patterns over `*` and `?`, and the three questions about them: does it match, does it cover, do two meet.
//!
//! It must never say "covers" when some string of the other pattern escapes, and never say "do not meet" when a common string
//! exists: a wrong answer in either direction would turn a hole into a pass.
//!
//! A pattern that holds a policy variable stands for many patterns. For "may" questions the variable is any string; for
//! "covers" the pattern covers nothing but itself.
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.

use std::fmt;

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

/// A pattern of an Action, NotAction, Resource or NotResource element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    text: String,
    case: Case,
    tokens: Vec<Token>,
    has_variable: bool,
}

impl Pattern {
    /// A pattern in which `${` has no meaning: actions, and every element of a 2008-10-17 document.
    #[must_use]
    pub fn new(text: &str, case: Case) -> Self {
        let tokens = text.chars().map(|c| wildcard(c, case)).collect();
        Self { text: text.to_owned(), case, tokens: normal(tokens), has_variable: false }
    }

    /// A pattern of a 2012-10-17 document: `${key}` is a variable; `${*}`, `${?}` and `${$}` are those characters.
    /// A `${` that never closes is taken as a variable that swallows the rest: unknown, not literal.
    #[must_use]
    pub fn with_variables(text: &str, case: Case) -> Self {
        let (mut tokens, mut has_variable, mut rest) = (Vec::new(), false, text);
        while let Some(c) = rest.chars().next() {
            let Some(open) = rest.strip_prefix("${") else {
                tokens.push(wildcard(c, case));
                rest = &rest[c.len_utf8()..];
                continue;
            };
            let (name, after) = open.split_once('}').unwrap_or((open, ""));
            match name {
                "*" => tokens.push(Token::Literal('*')),
                "?" => tokens.push(Token::Literal('?')),
                "$" => tokens.push(Token::Literal('$')),
                _variable => {
                    tokens.push(Token::Many);
                    has_variable = true;
                }
            }
            rest = after;
        }
        Self { text: text.to_owned(), case, tokens: normal(tokens), has_variable }
    }

    /// A pattern that matches exactly this text, wildcards included.
    #[must_use]
    pub fn literal(text: &str, case: Case) -> Self {
        let tokens = text.chars().map(|c| Token::Literal(fold(c, case))).collect();
        Self { text: text.to_owned(), case, tokens, has_variable: false }
    }

    /// Every string that starts with this text.
    #[must_use]
    pub fn starting_with(text: &str, case: Case) -> Self {
        let mut pattern = Self::literal(text, case);
        pattern.text.push('*');
        pattern.tokens.push(Token::Many);
        pattern
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Does it hold a policy variable?
    #[must_use]
    pub fn has_variable(&self) -> bool {
        self.has_variable
    }

    /// Does it match every string?
    #[must_use]
    pub fn is_everything(&self) -> bool {
        !self.has_variable && self.tokens == [Token::Many]
    }

    /// Can it match this string? A variable counts as any string.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.matches_in_steps(text).0
    }

    /// Also how many comparisons it took: at most pattern × text, and linear for the usual shapes.
    fn matches_in_steps(&self, text: &str) -> (bool, usize) {
        let text: Vec<char> = text.chars().map(|c| fold(c, self.case)).collect();
        let (mut p, mut t, mut steps) = (0, 0, 0);
        // Where to resume: the last `*`, and the first character it has not swallowed yet.
        let mut resume: Option<(usize, usize)> = None;
        while t < text.len() {
            steps += 1;
            match self.tokens.get(p) {
                Some(Token::Many) => {
                    resume = Some((p + 1, t));
                    p += 1;
                    continue;
                }
                Some(Token::One) => {
                    p += 1;
                    t += 1;
                    continue;
                }
                Some(Token::Literal(c)) if *c == text[t] => {
                    p += 1;
                    t += 1;
                    continue;
                }
                Some(Token::Literal(_)) | None => {}
            }
            let Some((after, swallowed)) = resume else { return (false, steps) };
            resume = Some((after, swallowed + 1));
            p = after;
            t = swallowed + 1;
        }
        (self.tokens[p..].iter().all(|token| *token == Token::Many), steps)
    }

    /// Does it match every string the other one matches?
    ///
    /// "Yes" is always right. "No" is right too, except that a pattern with a variable covers only its own text, that a
    /// sensitive pattern must cover both cases of an insensitive letter at one place, and beyond [`BUDGET`] it gives up.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self.text == other.text && self.case == other.case && self.tokens == other.tokens {
            return true;
        }
        if self.has_variable {
            return false;
        }
        // Sets of places in `self`, one for each way the strings of `other` can have begun. `?` and `*` of the other pattern
        // are played by a letter that occurs nowhere: if a wildcard accepts that one, it accepts any.
        let mut sets = vec![self.closure(std::iter::once(0))];
        let mut work = 0;
        for token in &other.tokens {
            match token {
                Token::Literal(c) => sets = sets.iter().map(|set| self.step(set, Some((*c, other.case)))).collect(),
                Token::One => sets = sets.iter().map(|set| self.step(set, None)).collect(),
                Token::Many => {
                    let mut all = Vec::new();
                    for set in sets {
                        let mut next = set;
                        while !all.contains(&next) {
                            let after = self.step(&next, None);
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
        sets.iter().all(|set| set.contains(&self.tokens.len()))
    }

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

    /// Is there a string both match? Exact, with a variable counted as any string.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.tokens, &other.tokens);
        let either = if self.case == Case::Insensitive { self.case } else { other.case };
        // `row[j]`: the rest of `mine` and the rest of `theirs` from `j` have a string in common.
        let mut row: Vec<bool> = Vec::new();
        for i in (0..=mine.len()).rev() {
            let below = std::mem::replace(&mut row, vec![false; theirs.len() + 1]);
            let under = |j: usize| below.get(j).copied().unwrap_or(false);
            for j in (0..=theirs.len()).rev() {
                row[j] = match (mine.get(i), theirs.get(j)) {
                    (None, None) => true,
                    // A `*` ends here, or swallows one token of the other side.
                    (Some(Token::Many), None) => under(j),
                    (Some(Token::Many), Some(_)) => under(j) || row[j + 1],
                    (_, Some(Token::Many)) => row[j + 1] || under(j),
                    (Some(Token::Literal(a)), Some(Token::Literal(b))) => fold(*a, either) == fold(*b, either) && under(j + 1),
                    (Some(_), Some(_)) => under(j + 1),
                    (None, Some(_)) | (Some(_), None) => false,
                };
            }
        }
        row.first().copied().unwrap_or(false)
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
