//! Reads the syntax tree of an expression before it is ever evaluated: which facts it reads, what is wrong with it, and what
//! it may cost.
//!
//! It must never let a path through that no fact has.

use std::sync::Arc;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators};

use super::shape::{Shape, snake};
use super::{Hint, Mistake, PRESENT, Places};
use crate::fact::{FactId, Kind};

/// A fact that an expression reads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Read {
    pub(super) fact: FactId,
    pub(super) shape: Shape,
    /// The fields that are read; `None`: the whole.
    pub(super) fields: Option<Vec<String>>,
}

/// What a resource is called by, whatever its kind.
pub(super) const IDENTITY: &[&str] = &["name", "account"];

/// Loops within loops. What one such step costs is counted by [`Walk::steps`].
const NESTED: usize = 2;
/// How many kinds of nested work are counted: loops, and a search or comparison of lists inside them.
pub(super) const LEVELS: usize = 4;

/// What a part of the expression stands for.
pub(super) enum Of {
    /// The resource.
    Root,
    /// A fact, of which nothing was taken yet.
    Fact(FactId, Shape),
    Value(Shape),
}

/// Walks one expression.
pub(super) struct Walk<'a> {
    pub(super) kind: Kind,
    pub(super) root: &'a str,
    pub(super) places: &'a Places<'a>,
    pub(super) reads: Vec<Read>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) patterns: Vec<(String, u64)>,
    /// How often work is done for each element of a list, of a list for each element of a list, and so on.
    pub(super) steps: [usize; LEVELS],
    /// Lists may be joined: so often as long as the longest that is read.
    pub(super) joins: usize,
    /// Comprehensions, each of which may repeat what the one before it grew.
    pub(super) loops: u32,
    /// Elements of lists that are written out.
    pub(super) written: usize,
    /// The longest list that is written out.
    pub(super) longest: usize,
    pub(super) bound: Vec<(String, Shape)>,
    pub(super) depth: usize,
}

impl Walk<'_> {
    pub(super) fn say(&mut self, id: u64, says: String, label: &'static str) -> &mut Mistake {
        let mistake = Mistake { at: self.places.of(id), says, label, hint: Hint::None };
        self.push(mistake)
    }

    pub(super) fn push(&mut self, mistake: Mistake) -> &mut Mistake {
        let at = self.mistakes.len();
        self.mistakes.push(mistake);
        // The index was just made.
        &mut self.mistakes[at]
    }

    /// The value of a part.
    pub(super) fn value(&mut self, expr: &mut IdedExpr) -> Shape {
        let id = expr.id;
        match self.of(expr) {
            Of::Value(shape) => shape,
            Of::Fact(fact, shape) => {
                self.read(fact, &shape, None);
                shape
            }
            Of::Root => {
                let says = format!("`{}` alone is not a value", self.root);
                self.say(id, says, "a fact is missing behind it").hint =
                    Hint::Known { word: String::new(), known: self.names(), what: "it has" };
                Shape::Any
            }
        }
    }

    /// The facts and fields of the resource, as expressions write them.
    fn names(&self) -> Vec<String> {
        let facts = crate::resources::specs_of(self.kind).iter().map(|spec| super::fact_name(spec));
        facts.chain(IDENTITY.iter().map(|name| (*name).to_owned())).collect()
    }

    fn read(&mut self, fact: FactId, shape: &Shape, field: Option<&str>) {
        let at = match self.reads.iter().position(|read| read.fact == fact) {
            Some(at) => at,
            None => {
                self.reads.push(Read { fact, shape: shape.clone(), fields: Some(Vec::new()) });
                self.reads.len() - 1
            }
        };
        if let Some(read) = self.reads.get_mut(at) {
            match (field, &mut read.fields) {
                (Some(field), Some(fields)) if !fields.iter().any(|known| known == field) => fields.push(field.to_owned()),
                (None, fields) => *fields = None,
                (Some(_), Some(_) | None) => {}
            }
        }
    }

    fn of(&mut self, expr: &mut IdedExpr) -> Of {
        let id = expr.id;
        match &mut expr.expr {
            Expr::Ident(name) => self.ident(id, &name.clone()),
            Expr::Select(select) if select.test => {
                let rewritten = self.has(id, select);
                if let Some(rewritten) = rewritten {
                    expr.expr = rewritten;
                }
                Of::Value(Shape::Bool)
            }
            Expr::Select(select) => {
                let of = self.of(&mut select.operand);
                self.select(id, of, &select.field)
            }
            Expr::Call(call) => self.call(id, call),
            Expr::Comprehension(of) => Of::Value(self.comprehension(id, of)),
            Expr::List(list) => {
                self.longest = self.longest.max(list.elements.len());
                self.written += list.elements.len();
                let shapes: Vec<Shape> = list.elements.iter_mut().map(|element| self.value(element)).collect();
                Of::Value(Shape::List(Arc::new(shapes.iter().fold(Shape::Never, |all, shape| all.join(shape)))))
            }
            Expr::Map(map) => {
                self.longest = self.longest.max(map.entries.len());
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.value(&mut entry.key);
                        self.value(&mut entry.value);
                    }
                }
                Of::Value(Shape::Map(Arc::new(Shape::Any)))
            }
            Expr::Literal(literal) => Of::Value(match literal {
                LiteralValue::Boolean(_) => Shape::Bool,
                LiteralValue::Bytes(_) => Shape::Any,
                LiteralValue::Double(_) => Shape::Float,
                LiteralValue::Int(_) | LiteralValue::UInt(_) => Shape::Int,
                LiteralValue::Null => Shape::Null,
                LiteralValue::String(_) => Shape::Text,
            }),
            Expr::Struct(_) | Expr::Unspecified => {
                self.say(id, "messages cannot be made here".to_owned(), "not understood");
                Of::Value(Shape::Any)
            }
        }
    }

    fn ident(&mut self, id: u64, name: &str) -> Of {
        if let Some((_, shape)) = self.bound.iter().rev().find(|(bound, _)| bound == name) {
            return Of::Value(shape.clone());
        }
        if name == self.root {
            return Of::Root;
        }
        let names = self.names();
        let mut known: Vec<String> = self.bound.iter().map(|(name, _)| name.clone()).filter(|n| !n.starts_with('@')).collect();
        known.push(self.root.to_owned());
        let hint = if names.iter().any(|fact| fact == name) {
            Hint::Text(format!("write `{}.{name}`", self.root))
        } else {
            Hint::Known { word: name.to_owned(), known, what: "there is" }
        };
        let at = self.places.name(id, name);
        self.push(Mistake { at, says: format!("there is no `{}` here", short(name)), label: "not known", hint });
        Of::Value(Shape::Any)
    }

    /// A field of something.
    fn select(&mut self, id: u64, of: Of, field: &str) -> Of {
        let unknown = |walk: &mut Self, says: String, known: Vec<String>| {
            let at = walk.places.name(id, field);
            let hint = Hint::Known { word: field.to_owned(), known, what: "it has" };
            walk.push(Mistake { at, says, label: "no such path", hint });
            Of::Value(Shape::Any)
        };
        let shape = match of {
            Of::Root if IDENTITY.contains(&field) => return Of::Value(Shape::Text),
            Of::Root => {
                let found = crate::resources::specs_of(self.kind).iter().find(|spec| super::fact_name(spec) == field);
                let form = found.and_then(|spec| crate::resources::form(spec));
                return match (found, form) {
                    (Some(spec), Some(form)) => Of::Fact(spec, Shape::of(&form.schema)),
                    (Some(_) | None, _) => {
                        let says = format!("{} has no fact `{}`", self.kind, short(field));
                        let names = self.names();
                        unknown(self, says, names)
                    }
                };
            }
            Of::Fact(fact, Shape::Record(record)) => match record.field(field) {
                Some(found) => {
                    self.read(fact, &Shape::Record(record.clone()), Some(field));
                    return Of::Value(found.shape.clone());
                }
                None => {
                    self.read(fact, &Shape::Record(record.clone()), Some(field));
                    Shape::Record(record)
                }
            },
            Of::Fact(fact, shape) => {
                self.read(fact, &shape, None);
                shape
            }
            Of::Value(shape) => shape,
        };
        match shape {
            Shape::Record(record) => match record.field(field) {
                Some(found) => Of::Value(found.shape.clone()),
                None => {
                    let known = record.fields.iter().map(|field| field.name.to_string()).collect();
                    unknown(self, format!("there is no `{}` in it", short(field)), known)
                }
            },
            Shape::Map(of) => Of::Value((*of).clone()),
            Shape::Any | Shape::Never => Of::Value(Shape::Any),
            shape @ (Shape::Null | Shape::Bool | Shape::Int | Shape::Float | Shape::Text | Shape::Words(_) | Shape::List(_)) => {
                unknown(self, format!("{} has no `{}`", shape.told(), short(field)), Vec::new())
            }
        }
    }

    /// `has(x)`. Of a fact: it is configured. Of what a fact says: it is not null. What it means is written into the tree.
    fn has(&mut self, id: u64, select: &mut SelectExpr) -> Option<Expr> {
        let of = self.of(&mut select.operand);
        let (root, open) = match &of {
            Of::Root => (true, false),
            Of::Fact(_, shape) | Of::Value(shape) => (false, !matches!(shape, Shape::Record(_))),
        };
        let found = self.select(id, of, &select.field);
        if open {
            return None;
        }
        if root {
            return match found {
                Of::Fact(fact, shape) => {
                    // Only whether it is there.
                    if !self.reads.iter().any(|read| read.fact == fact) {
                        self.reads.push(Read { fact, shape, fields: Some(Vec::new()) });
                    }
                    let present = IdedExpr { id, expr: Expr::Ident(PRESENT.to_owned()) };
                    Some(Expr::Select(SelectExpr { operand: Box::new(present), field: select.field.clone(), test: false }))
                }
                Of::Root | Of::Value(_) => None,
            };
        }
        // x.a.b: neither x.a nor x.a.b is null. What is computed is not computed again.
        let whole = SelectExpr { operand: select.operand.clone(), field: select.field.clone(), test: false };
        let mut part = IdedExpr { id, expr: Expr::Select(whole) };
        let mut all: Option<IdedExpr> = None;
        while let Expr::Select(SelectExpr { operand, test: false, .. }) = &part.expr {
            let operand = (**operand).clone();
            let null = IdedExpr { id, expr: Expr::Literal(LiteralValue::Null) };
            let there = call(id, operators::NOT_EQUALS, vec![part.clone(), null]);
            all = Some(match all {
                Some(rest) => call(id, operators::LOGICAL_AND, vec![there, rest]),
                None => there,
            });
            if !is_name(&operand) {
                break;
            }
            part = operand;
        }
        all.map(|all| all.expr)
    }

    pub(super) fn index(&mut self, id: u64, of: &mut CallExpr) -> Of {
        let [target, index] = of.args.as_mut_slice() else { return Of::Value(Shape::Any) };
        let found = self.of(target);
        let shape = self.value(index);
        if let Expr::Literal(LiteralValue::String(field)) = &index.expr {
            let record = matches!(&found, Of::Root | Of::Fact(_, Shape::Record(_)) | Of::Value(Shape::Record(_)));
            if record {
                let field = field.inner().to_owned();
                return self.select(index.id, found, &field);
            }
        }
        let target = match found {
            Of::Root => {
                self.say(id, "the name of a fact must be written out".to_owned(), "it is computed here");
                return Of::Value(Shape::Any);
            }
            Of::Fact(fact, shape) => {
                self.read(fact, &shape, None);
                shape
            }
            Of::Value(shape) => shape,
        };
        Of::Value(match target {
            Shape::List(of) => {
                if !shape.meets(&Shape::Int) {
                    self.say(id, format!("a list is read by number, this is {}", shape.told()), "not a number");
                }
                (*of).clone()
            }
            Shape::Map(of) => (*of).clone(),
            Shape::Any | Shape::Never | Shape::Record(_) => Shape::Any,
            shape @ (Shape::Null | Shape::Bool | Shape::Int | Shape::Float | Shape::Text | Shape::Words(_)) => {
                self.say(id, format!("{} has no elements", shape.told()), "not a list");
                Shape::Any
            }
        })
    }

    /// Work for each element, inside of so many loops.
    pub(super) fn step(&mut self) {
        if let Some(count) = self.steps.get_mut(self.depth.min(LEVELS - 1)) {
            *count += 1;
        }
    }

    fn comprehension(&mut self, id: u64, of: &mut ComprehensionExpr) -> Shape {
        self.loops = self.loops.saturating_add(1);
        let range = of.iter_range.id;
        let element = match self.value(&mut of.iter_range) {
            Shape::List(of) => (Shape::Int, (*of).clone()),
            Shape::Map(of) => (Shape::Text, (*of).clone()),
            Shape::Any | Shape::Never | Shape::Record(_) => (Shape::Any, Shape::Any),
            shape @ (Shape::Null | Shape::Bool | Shape::Int | Shape::Float | Shape::Text | Shape::Words(_)) => {
                let says = format!("only lists and mappings have elements, this is {}", shape.told());
                self.say(range, says, "not a list");
                (Shape::Any, Shape::Any)
            }
        };
        self.step();
        self.depth += 1;
        if self.depth == NESTED + 1 {
            self.say(id, format!("loops are nested at most {NESTED} deep"), "one too many");
        }
        let start = self.value(&mut of.accu_init);
        let before = self.bound.len();
        match &of.iter_var2 {
            Some(second) => {
                self.bound.push((of.iter_var.clone(), element.0));
                self.bound.push((second.clone(), element.1));
            }
            // Of a mapping, one name is bound to the keys.
            None if element.0 == Shape::Text => self.bound.push((of.iter_var.clone(), Shape::Text)),
            None => self.bound.push((of.iter_var.clone(), element.1)),
        }
        self.bound.push((of.accu_var.clone(), start.clone()));
        self.value(&mut of.loop_cond);
        let step = self.value(&mut of.loop_step);
        if let Some((_, accumulated)) = self.bound.last_mut() {
            *accumulated = start.join(&step);
        }
        let result = self.value(&mut of.result);
        self.bound.truncate(before);
        self.depth -= 1;
        result
    }
}

fn call(id: u64, name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    IdedExpr { id, expr: Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }) }
}

/// Whether it is a name with fields.
fn is_name(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Ident(_) => true,
        Expr::Select(select) => !select.test && is_name(&select.operand),
        Expr::Call(_)
        | Expr::Comprehension(_)
        | Expr::List(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Struct(_)
        | Expr::Unspecified => false,
    }
}

/// A name as it can be shown.
pub(super) fn short(name: &str) -> String {
    let mut short: String = name.chars().take(60).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}

/// The depth of a tree, without recursion.
pub(super) fn depth(root: &IdedExpr) -> usize {
    let (mut most, mut todo) = (0, vec![(root, 1)]);
    while let Some((expr, depth)) = todo.pop() {
        most = most.max(depth);
        let mut next = |expr| todo.push((expr, depth + 1));
        match &expr.expr {
            Expr::Call(call) => {
                call.target.iter().for_each(|target| next(target));
                call.args.iter().for_each(next);
            }
            Expr::Comprehension(of) => {
                [&of.iter_range, &of.accu_init, &of.loop_cond, &of.loop_step, &of.result].into_iter().for_each(next);
            }
            Expr::List(list) => list.elements.iter().for_each(next),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        next(&entry.key);
                        next(&entry.value);
                    }
                }
            }
            Expr::Select(select) => next(&select.operand),
            Expr::Struct(_) | Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        }
    }
    most
}

/// The name of a fact's field in an expression.
pub(super) fn name_of(fact: &str) -> String {
    snake(fact.split_once('.').map_or(fact, |(_, name)| name))
}
