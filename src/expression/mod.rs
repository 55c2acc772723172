//! Expressions over the facts of one resource, in CEL: checked when a policy is loaded, bounded before they run.
//!
//! An expression must never see a fact that could not be read, a clock, a file or the network; and it must never be
//! evaluated where its lists are longer than its loops may walk.

use std::ops::Range;
use std::sync::Arc;

use cel::common::ast::SourceInfo;
use cel::{Env, IdedExpr, Program};

use crate::fact::{Fact, FactId, Gap, Kind, Why};
use crate::resources;

mod calls;
mod parse;
mod run;
mod shape;
mod walk;

use shape::Shape;
use walk::{LEVELS, Read, Walk};

/// The longest expression, in bytes.
pub const MAX_BYTES: usize = 4096;
/// The longest list that an expression may meet.
pub const MAX_LIST: usize = 10_000;
/// A value so many times as large as what is read is refused: four comprehensions over a dozen joins stay below.
const MAX_GROWTH: usize = 1_000_000;
/// The most steps of all loops together.
pub const MAX_STEPS: usize = 1_000_000;

/// The variable that says which facts are configured.
const PRESENT: &str = "@present";
/// The function that stands for `matches` after its pattern was compiled.
const MATCHES: &str = "@matches";

/// Something that is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the expression.
    pub at: Range<usize>,
    /// The problem in one line.
    pub says: String,
    /// A few words for the place itself.
    pub label: &'static str,
    pub hint: Hint,
}

/// What to do about a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    None,
    Text(String),
    /// One of these was probably meant.
    Known {
        word: String,
        known: Vec<String>,
        /// Introduces the list: `it has`.
        what: &'static str,
    },
}

/// What an expression makes of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    True,
    False,
    /// It could not be evaluated; why, and where in the expression.
    Error(String),
}

/// An expression that was checked, ready to be evaluated.
pub struct Expression {
    kind: Kind,
    text: String,
    /// With `has` and `matches` written out.
    tree: IdedExpr,
    /// As it was written, with the places of its parts.
    program: Program,
    reads: Vec<Read>,
    empty: Vec<serde_json::Value>,
    steps: [usize; LEVELS],
    joins: usize,
    /// How many times as large as what is read a value may become, at most.
    growth: usize,
    longest: usize,
    env: Arc<Env>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expression").field("kind", &self.kind).field("text", &self.text).finish_non_exhaustive()
    }
}

/// The facts that an expression reads, as they were found.
#[derive(Debug)]
pub struct Values {
    context: cel::Value,
    present: cel::Value,
    longest: usize,
    /// What was read, for evidence.
    pub seen: Vec<(FactId, String)>,
}

/// The kinds that have facts.
pub fn kinds() -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for spec in resources::all_specs() {
        if !kinds.contains(&spec.kind) {
            kinds.push(spec.kind);
        }
    }
    kinds
}

/// What expressions call a resource of a kind: the last word of the kind's name.
pub fn root(kind: Kind) -> &'static str {
    let name = kind.as_str();
    name.rsplit('-').next().unwrap_or(name)
}

/// What expressions call a fact.
pub fn fact_name(fact: FactId) -> String {
    walk::name_of(fact.id)
}

/// The paths of a fact with their types, for documents.
pub fn paths(fact: FactId) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Some(form) = resources::form(fact) {
        Shape::of(&form.schema).paths(&format!("{}.{}", root(fact.kind), fact_name(fact)), &mut found);
    }
    found
}

impl Expression {
    /// Checks an expression. The mistakes are all that could be found.
    pub fn compile(kind: Kind, text: &str) -> Result<Self, Vec<Mistake>> {
        let program = parse::parse(text).map_err(|mistake| vec![mistake])?;
        let mut tree = program.expression().clone();
        let places = Places { text, info: program.source_info() };
        let mut walk = Walk {
            kind,
            root: root(kind),
            places: &places,
            reads: Vec::new(),
            mistakes: Vec::new(),
            patterns: Vec::new(),
            steps: [0; LEVELS],
            joins: 0,
            loops: 0,
            written: 0,
            longest: 0,
            bound: Vec::new(),
            depth: 0,
        };
        let whole = Mistake { at: 0..text.len(), says: String::new(), label: "", hint: Hint::None };
        let shape = walk.value(&mut tree);
        for (pattern, id) in std::mem::take(&mut walk.patterns) {
            if let Err(why) = run::compile_pattern(&pattern) {
                let says = format!("the pattern cannot be used: {why}");
                walk.mistakes.push(Mistake { at: places.of(id), says, label: "not a pattern", hint: Hint::None });
            }
        }
        if walk.mistakes.is_empty() {
            if !matches!(shape, Shape::Bool | Shape::Any) {
                let says = format!("the expression must be true or false, it is {}", shape.told());
                walk.mistakes.push(Mistake { says, label: "compare it with something", ..whole });
            } else if walk.reads.is_empty() && kind != Kind::S3Bucket {
                let says = "the expression reads no fact".to_owned();
                walk.mistakes.push(Mistake { says, label: "nothing would be read to judge by", ..whole });
            }
        }
        if !walk.mistakes.is_empty() {
            return Err(walk.mistakes);
        }
        let empty = walk.reads.iter().map(|read| resources::form(read.fact).map(|form| form.empty).unwrap_or_default());
        Ok(Self {
            kind,
            empty: empty.collect(),
            reads: walk.reads,
            steps: walk.steps,
            joins: walk.joins,
            growth: (1 + walk.joins + walk.written).checked_pow(walk.loops).unwrap_or(usize::MAX),
            longest: walk.longest,
            text: text.to_owned(),
            tree,
            program,
            env: run::env(),
        })
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The facts that it reads, in the order of reading.
    pub fn facts(&self) -> Vec<FactId> {
        self.reads.iter().map(|read| read.fact).collect()
    }

    /// The values of the facts, or every gap among them.
    pub fn values(
        &self,
        name: &str,
        account: &str,
        read: impl Fn(FactId) -> Fact<serde_json::Value>,
    ) -> Result<Values, Vec<Gap>> {
        let mut found = Vec::with_capacity(self.reads.len());
        let mut gaps: Vec<Gap> = Vec::new();
        for (of, empty) in self.reads.iter().zip(&self.empty) {
            match read(of.fact).read() {
                Ok(Some(json)) => found.push((of, true, std::borrow::Cow::Owned(json))),
                Ok(None) => found.push((of, false, std::borrow::Cow::Borrowed(empty))),
                Err(gap) if gaps.contains(&gap) => {}
                Err(gap) => gaps.push(gap),
            }
        }
        if gaps.is_empty() { Ok(run::values(name, account, &found)) } else { Err(gaps) }
    }

    /// Evaluates it.
    pub fn evaluate(&self, values: &Values) -> Outcome {
        match self.too_much(values.longest) {
            Some(why) => Outcome::Error(why),
            None => run::evaluate(self, values),
        }
    }

    /// Why lists so long are not walked.
    fn too_much(&self, longest: usize) -> Option<String> {
        if longest > MAX_LIST {
            return Some(format!("a list has {longest} elements; an expression walks at most {MAX_LIST}"));
        }
        if self.growth > MAX_GROWTH {
            return Some("it writes out, joins and maps too much: its values could outgrow memory".to_owned());
        }
        let longest = longest.max(self.longest).max(1).saturating_mul(self.joins + 1);
        let mut steps = 0usize;
        let mut work = 1usize;
        for count in self.steps {
            work = work.saturating_mul(longest);
            steps = steps.saturating_add(count.saturating_mul(work));
        }
        (steps > MAX_STEPS).then(|| {
            format!("it could take {steps} steps, the longest list has {longest} elements; at most {MAX_STEPS} are taken")
        })
    }

    /// A gap of evaluation.
    pub fn gap(&self, why: String) -> Gap {
        Gap::new(Why::NotEvaluated, "expression").with_detail(why)
    }
}

/// Places of the parts of an expression.
#[derive(Debug)]
struct Places<'a> {
    text: &'a str,
    info: &'a SourceInfo,
}

impl Places<'_> {
    /// The parser counts characters.
    fn start(&self, id: u64) -> usize {
        let at = self.info.offset_for(id).map_or(0, |(start, _)| start as usize);
        self.text.char_indices().nth(at).map_or(self.text.len(), |(at, _)| at)
    }

    /// The word or sign at which a part begins; of a text, all of it.
    fn of(&self, id: u64) -> Range<usize> {
        let start = self.start(id);
        let rest = self.text.get(start..).unwrap_or_default();
        let length = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let end = rest.char_indices().skip(1).find(|(_, c)| *c == quote);
                end.map_or(rest.len(), |(at, _)| at + 1)
            }
            Some(c) if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            Some(c) => rest.find(|other: char| !"=!<>&|".contains(other)).filter(|at| *at > 0).unwrap_or(c.len_utf8()),
            None => 0,
        };
        start..start + length
    }

    /// A name in a part: the field behind a dot, the name of a function.
    fn name(&self, id: u64, name: &str) -> Range<usize> {
        let start = self.start(id);
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let whole = |at: usize| {
            let before = self.text.get(..at).unwrap_or_default().chars().next_back().is_some_and(word);
            let after = self.text.get(at + name.len()..).unwrap_or_default().chars().next().is_some_and(word);
            !before && !after
        };
        let rest = self.text.get(start..).unwrap_or_default();
        let behind = rest.match_indices(name).map(|(at, _)| start + at).find(|at| whole(*at));
        let ahead = || {
            let before = self.text.get(..start).unwrap_or_default();
            before.rmatch_indices(name).map(|(at, _)| at).find(|at| whole(*at))
        };
        // A function's place is its parenthesis: its name stands before.
        let at = if rest.starts_with('(') { ahead().or(behind) } else { behind.or_else(ahead) };
        at.map_or_else(|| self.of(id), |at| at..at + name.len())
    }
}

#[cfg(test)]
mod tests;
