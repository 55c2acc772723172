//! The functions and operators of expressions: what they take, and what comes out.
//!
//! It must never let a function through that is not listed here.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use super::shape::Shape;
use super::walk::{Of, Walk, short};
use super::{Hint, MATCHES, Mistake};

impl Walk<'_> {
    pub(super) fn call(&mut self, id: u64, of: &mut CallExpr) -> Of {
        let name = of.func_name.clone();
        let count = of.args.len();
        match (name.as_str(), count) {
            (operators::INDEX, 2) => return self.index(id, of),
            (operators::LOGICAL_AND | operators::LOGICAL_OR, 2) | (operators::LOGICAL_NOT, 1) => {
                for arg in &mut of.args {
                    self.truth(arg);
                }
                return Of::Value(Shape::Bool);
            }
            ("@not_strictly_false", 1) => {
                of.args.iter_mut().for_each(|arg| drop(self.value(arg)));
                return Of::Value(Shape::Bool);
            }
            (operators::CONDITIONAL, 3) => {
                let [condition, one, other] = of.args.as_mut_slice() else { return Of::Value(Shape::Any) };
                self.truth(condition);
                let shape = self.value(one);
                return Of::Value(shape.join(&self.value(other)));
            }
            _ => {}
        }
        let target = of.target.as_mut().map(|target| self.value(target));
        let args: Vec<Shape> = of.args.iter_mut().map(|arg| self.value(arg)).collect();
        let all: Vec<&Shape> = target.iter().chain(&args).collect();
        Of::Value(match (name.as_str(), target.is_some(), all.as_slice()) {
            (operators::EQUALS | operators::NOT_EQUALS, false, [a, b]) => {
                self.compare(id, of, a, b);
                if a.is_long() && b.is_long() {
                    self.step();
                }
                Shape::Bool
            }
            (operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS, false, [a, b]) => {
                self.compare(id, of, a, b);
                Shape::Bool
            }
            (operators::IN, false, [item, list]) => {
                self.step();
                self.among(id, of, item, list);
                Shape::Bool
            }
            (operators::ADD, false, [a, b]) => {
                self.joins += 1;
                match (a, b) {
                    (Shape::Text | Shape::Words(_), Shape::Text | Shape::Words(_)) => Shape::Text,
                    _ => a.join(b),
                }
            }
            (operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO, false, [a, b]) => a.join(b),
            (operators::NEGATE, false, [a]) => (*a).clone(),
            ("size", _, [a]) => {
                if matches!(a, Shape::Bool | Shape::Int | Shape::Float | Shape::Null) {
                    self.say(id, format!("{} has no size", a.told()), "lists, mappings and texts have one");
                }
                Shape::Int
            }
            ("contains" | "startsWith" | "endsWith", true, [a, b]) => {
                for shape in [a, b] {
                    if !shape.meets(&Shape::Text) {
                        let mistake = self.say(id, format!("`{name}` looks into text, this is {}", shape.told()), "not text");
                        if matches!(shape, Shape::List(_)) {
                            mistake.hint = Hint::Text("write `item in list`, or `list.exists(x, …)`".to_owned());
                        }
                    }
                }
                Shape::Bool
            }
            ("matches", _, [text, _]) => {
                if !text.meets(&Shape::Text) {
                    self.say(id, format!("`matches` looks into text, this is {}", text.told()), "not text");
                }
                self.pattern(id, of);
                Shape::Bool
            }
            ("string", false, [_]) => Shape::Text,
            ("int" | "uint", false, [_]) => Shape::Int,
            ("double", false, [_]) => Shape::Float,
            _ => {
                self.unknown_function(id, &name, count);
                Shape::Any
            }
        })
    }

    fn unknown_function(&mut self, id: u64, name: &str, count: usize) {
        const FUNCTIONS: &[&str] = &[
            "all",
            "exists",
            "exists_one",
            "map",
            "filter",
            "has",
            "size",
            "contains",
            "startsWith",
            "endsWith",
            "matches",
            "string",
            "int",
            "uint",
            "double",
        ];
        let at = self.places.name(id, name);
        let (says, hint) = if FUNCTIONS.contains(&name) {
            (format!("`{name}` is not used like this"), Hint::Text(usage(name).to_owned()))
        } else if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let known = FUNCTIONS.iter().map(|name| (*name).to_owned()).collect();
            (format!("there is no function `{}`", short(name)), Hint::Known { word: name.to_owned(), known, what: "there are" })
        } else {
            (format!("this is not understood here ({count} operands)"), Hint::None)
        };
        self.push(Mistake { at, says, label: "not understood", hint });
    }

    fn truth(&mut self, expr: &mut IdedExpr) {
        let id = expr.id;
        let shape = self.value(expr);
        if !matches!(shape, Shape::Bool | Shape::Any | Shape::Never) {
            self.say(id, format!("this must be true or false, it is {}", shape.told()), "compare it with something");
        }
    }

    fn compare(&mut self, id: u64, of: &CallExpr, a: &Shape, b: &Shape) {
        if !a.meets(b) {
            let says = format!("{} is never like {}", a.told(), b.told());
            self.say(id, says, "never true");
            return;
        }
        let [left, right] = of.args.as_slice() else { return };
        for (shape, literal) in [(a, right), (b, left)] {
            self.word(shape, literal);
        }
    }

    /// A text that is compared with one of a few words is one of them.
    fn word(&mut self, shape: &Shape, literal: &IdedExpr) {
        if let (Shape::Words(words), Expr::Literal(LiteralValue::String(text))) = (shape, &literal.expr)
            && !words.iter().any(|word| word == text.inner())
        {
            let known = words.to_vec();
            let hint = Hint::Known { word: text.inner().to_owned(), known, what: "it is one of" };
            self.say(literal.id, format!("it is never \"{}\"", short(text.inner())), "never true").hint = hint;
        }
    }

    fn among(&mut self, id: u64, of: &CallExpr, item: &Shape, list: &Shape) {
        match list {
            Shape::List(of) if !of.meets(item) => {
                let says = format!("{} is never in a list whose items are {}", item.told(), of.told());
                self.say(id, says, "never true");
            }
            Shape::Null | Shape::Bool | Shape::Int | Shape::Float | Shape::Text | Shape::Words(_) => {
                let says = format!("`in` looks into a list or mapping, this is {}", list.told());
                let mistake = self.say(id, says, "not a list");
                if list.meets(&Shape::Text) {
                    mistake.hint = Hint::Text("write `text.contains(…)`".to_owned());
                }
            }
            Shape::List(_) | Shape::Any | Shape::Never | Shape::Map(_) | Shape::Record(_) => {}
        }
        match (of.args.first(), of.args.get(1)) {
            (Some(_), Some(IdedExpr { expr: Expr::List(written), .. })) => {
                written.elements.iter().for_each(|literal| self.word(item, literal));
            }
            (Some(literal), Some(_)) => {
                if let Shape::List(of) = list {
                    self.word(of, literal);
                }
            }
            (Some(_) | None, None) | (None, Some(_)) => {}
        }
    }

    /// The pattern of `matches` is written out, so that it is compiled once.
    fn pattern(&mut self, id: u64, of: &mut CallExpr) {
        let Some(last) = of.args.last() else { return };
        let Expr::Literal(LiteralValue::String(pattern)) = &last.expr else {
            self.say(last.id, "the pattern of `matches` must be written out".to_owned(), "it is computed here");
            return;
        };
        self.patterns.push((pattern.inner().to_owned(), last.id));
        let mut args: Vec<IdedExpr> = of.target.take().map(|target| *target).into_iter().collect();
        args.append(&mut of.args);
        *of = CallExpr { func_name: MATCHES.to_owned(), target: None, args };
        let _ = id;
    }
}

fn usage(name: &str) -> &'static str {
    match name {
        "has" => "write `has(x.y)`",
        "size" => "write `size(x)`",
        "contains" | "startsWith" | "endsWith" => "write `text.contains(\"part\")`; of a list, `item in list`",
        "matches" => "write `text.matches(\"pattern\")`",
        "string" | "int" | "uint" | "double" => "write `int(x)`",
        _ => "write `list.exists(x, condition on x)`",
    }
}
