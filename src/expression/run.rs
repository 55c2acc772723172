//! Evaluates an expression over values that were read.
//!
//! It must never show a value within an error: values are data of an account, and may be long.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use cel::common::ast::Expr;
use cel::common::types::{self, CelBool, CelString};
use cel::common::value::CowVal;
use cel::objects::{Key, Map};
use cel::{Context, Env, ExecutionError, IdedExpr, Value};
use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;

use super::shape::{Longest, Shape, record_value, value};
use super::walk::Read;
use super::{Expression, MATCHES, Outcome, PRESENT, Places, fact_name, root};

/// The most memory of one compiled pattern.
const PATTERN: usize = 1 << 20;
/// Evidence is not longer than this.
const EVIDENCE: usize = 160;

/// The functions of expressions, made once.
pub(super) fn env() -> Arc<Env> {
    static ENV: OnceLock<Arc<Env>> = OnceLock::new();
    ENV.get_or_init(|| {
        let mut env = Env::stdlib().with_optional_support(false);
        // It can only fail for a name that is there already.
        let _ = env.add_overload(MATCHES, MATCHES, vec![types::STRING_TYPE, types::STRING_TYPE], matches);
        Arc::new(env)
    })
    .clone()
}

/// Patterns that policies write out, compiled when they are loaded.
fn patterns() -> &'static RwLock<HashMap<String, Regex>> {
    static PATTERNS: OnceLock<RwLock<HashMap<String, Regex>>> = OnceLock::new();
    PATTERNS.get_or_init(RwLock::default)
}

/// Compiles a pattern, once.
pub(super) fn compile_pattern(pattern: &str) -> Result<(), String> {
    if patterns().read().unwrap_or_else(PoisonError::into_inner).contains_key(pattern) {
        return Ok(());
    }
    let compiled = RegexBuilder::new(pattern).size_limit(PATTERN).dfa_size_limit(PATTERN).build().map_err(|why| {
        if matches!(why, regex::Error::CompiledTooBig(_)) {
            return "it is too large".to_owned();
        }
        // The last line says what is wrong, the others show where.
        why.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })?;
    patterns().write().unwrap_or_else(PoisonError::into_inner).insert(pattern.to_owned(), compiled);
    Ok(())
}

fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = |at: usize| args.get(at).and_then(|arg| arg.downcast_ref::<CelString<'_>>()).map(CelString::inner);
    let (Some(text), Some(pattern)) = (text(0), text(1)) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let known = patterns().read().unwrap_or_else(PoisonError::into_inner);
    match known.get(pattern) {
        Some(pattern) => Ok(CowVal::owned(CelBool::from(pattern.is_match(text)))),
        None => Err(ExecutionError::function_error("matches", "the pattern was not compiled")),
    }
}

/// The variables of an expression.
pub(super) fn values(name: &str, account: &str, found: &[(&Read, bool, Cow<'_, Json>)]) -> super::Values {
    let key = |name: String| Key::String(Arc::new(name));
    let text = |text: &str| Value::String(Arc::new(text.to_owned()));
    let mut longest = Longest::default();
    let mut of: HashMap<Key, Value> = HashMap::with_capacity(found.len() + 2);
    let mut present: HashMap<Key, Value> = HashMap::with_capacity(found.len());
    let mut seen = Vec::with_capacity(found.len());
    of.insert(key("name".to_owned()), text(name));
    of.insert(key("account".to_owned()), text(account));
    for (read, there, json) in found {
        let fact = fact_name(read.fact);
        let value = match (&read.shape, &read.fields) {
            (Shape::Record(record), Some(fields)) => record_value(json, record, Some(fields), &mut longest),
            (shape, Some(_) | None) => value(json, shape, &mut longest),
        };
        present.insert(key(fact.clone()), Value::Bool(*there));
        of.insert(key(fact), value);
        seen.push((read.fact, if *there { evidence(json, read) } else { "not configured".to_owned() }));
    }
    let map = |map| Value::Map(Map { map: Arc::new(map) });
    super::Values { context: map(of), present: map(present), longest: longest.0, seen }
}

/// What was seen, in one short line.
fn evidence(json: &Json, read: &Read) -> String {
    let mut text = match (json, &read.fields) {
        (Json::Object(entries), Some(fields)) if !fields.is_empty() => {
            let kept = entries.iter().filter(|(key, _)| fields.contains(&super::shape::snake(key)));
            serde_json::to_string(&kept.map(|(key, value)| (key.clone(), value.clone())).collect::<serde_json::Map<_, _>>())
        }
        (_, Some(_) | None) => serde_json::to_string(json),
    }
    .unwrap_or_default();
    if text.len() > EVIDENCE {
        text.truncate(text.floor_char_boundary(EVIDENCE));
        text.push('…');
    }
    text
}

pub(super) fn evaluate(of: &Expression, values: &super::Values) -> Outcome {
    let mut context = Context::with_env(of.env.clone());
    context.add_variable_from_value(root(of.kind), values.context.clone());
    context.add_variable_from_value(PRESENT, values.present.clone());
    match Value::resolve_val(&of.tree, &context) {
        Ok(result) => match result.downcast_ref::<CelBool>() {
            Some(result) if *result.inner() => Outcome::True,
            Some(_) => Outcome::False,
            None => Outcome::Error("the result is neither true nor false".to_owned()),
        },
        Err(error) => {
            let culprit = culprit(&of.tree, &context);
            let places = Places { text: &of.text, info: of.program.source_info() };
            let at = places.start(culprit.id);
            let column = of.text.get(..at).unwrap_or_default().chars().count() + 1;
            Outcome::Error(format!("{} (character {column} of the expression)", told(&error)))
        }
    }
}

/// The innermost part that fails by itself.
fn culprit<'e>(expr: &'e IdedExpr, context: &Context<'_, '_>) -> &'e IdedExpr {
    let mut at = expr;
    loop {
        let parts: Vec<&IdedExpr> = match &at.expr {
            Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
            Expr::Select(select) => vec![&select.operand],
            Expr::Comprehension(of) => vec![&of.iter_range],
            Expr::List(list) => list.elements.iter().collect(),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        };
        // Of `a.b.c`, only the whole is a name.
        match parts.into_iter().find(|part| Value::resolve_val(part, context).is_err()) {
            Some(part) => at = part,
            None => return at,
        }
    }
}

/// An error without values.
#[expect(clippy::wildcard_enum_match_arm, reason = "errors of the evaluator are open, and the rest is said in general")]
fn told(error: &ExecutionError) -> String {
    let operator = |name: &str| name.trim_matches('_').trim_start_matches('@').to_owned();
    let safe = |text: &str| text.chars().take(60).collect::<String>();
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no key `{}`", safe(key)),
        ExecutionError::UndeclaredReference(name) => format!("there is no `{}`", safe(name)),
        ExecutionError::NoSuchOverload(of) => {
            format!("`{}` cannot be done with {}", operator(of.function()), of.argument_types().join(" and "))
        }
        ExecutionError::ValuesNotComparable(..) => "two values cannot be compared".to_owned(),
        ExecutionError::UnexpectedType { want, .. } => format!("a value is not {}", safe(want)),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "division by zero".to_owned(),
        ExecutionError::Overflow(..) => "a number is too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "the list is shorter than that".to_owned(),
        ExecutionError::FunctionError { function, .. } => format!("`{}` failed", safe(function)),
        _ => "it cannot be evaluated".to_owned(),
    }
}
