//! One request with all its policies as one line of JSON, and the decision on it: for pipelines, and for comparing evaluators.
//!
//! It must never decide on a line that it does not wholly understand, except for fields it does not know, which it ignores.

use std::fmt;

use crate::ParseError;
use crate::context::Context;
use crate::decide::{Effect, decide};
use crate::evaluate::Request;
use crate::json::{self, Node, Value};
use crate::layer::{Guards, Layer, LayerName, Level, Named, Policies};
use crate::model::{Document, StatementRef};
use crate::principal::{Caller, Principals};

/// The answer to one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `id` of the line as JSON text; `null` where there is none.
    pub id: String,
    /// The decision, or why there is none.
    pub decided: Result<Decided, Refusal>,
}

/// A decision that outlives the policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The decision.
    pub effect: Effect,
    /// Of a denial, the layers that deny or lack an Allow.
    pub blocked_by: Vec<LayerName>,
    /// The statements it rests on, the first deciding.
    pub statements: Vec<Stated>,
}

/// A deciding statement, by the place of its policy in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// `identity_policies[0]`, `scps[1].policies[0]`.
    pub policy: String,
    /// The layer.
    pub layer: LayerName,
    /// The statement; none for the root user's own rights.
    pub statement: Option<StatementRef>,
}

/// Why a line cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not JSON.
    #[error("not JSON: {at}: {kind}")]
    Json {
        /// Where.
        at: json::Position,
        /// What.
        kind: json::Syntax,
    },
    /// A field is absent.
    #[error("missing {0}")]
    Missing(&'static str),
    /// A field is of another kind.
    #[error("{at}: {field} must be {expected}, found {found}")]
    Kind {
        /// Where.
        at: json::Position,
        /// Which field.
        field: String,
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A policy is none.
    #[error("{field}: {error}")]
    Policy {
        /// Which field.
        field: String,
        /// What is wrong with it; the position is that of the line.
        error: ParseError,
    },
    /// A policy of a principal names a principal, which AWS refuses.
    #[error("{field}: {statement} has a Principal, which a policy of its kind cannot have")]
    Principal {
        /// Which field.
        field: String,
        /// Which statement.
        statement: StatementRef,
    },
    /// The action has wildcards or no service.
    #[error("request.action {0:?} is no action: one such as s3:GetObject, without wildcards, is needed")]
    Action(String),
}

type Step<T> = Result<T, Refusal>;
/// Documents with the field they stand in.
type Docs = Vec<(String, Document)>;

/// Evaluates one line.
#[must_use]
pub fn simulate(line: &str) -> Answer {
    match json::parse(line) {
        Err(error) => Answer { id: "null".to_owned(), decided: Err(Refusal::Json { at: error.at, kind: error.kind }) },
        Ok(root) => Answer { id: id(&root), decided: evaluate(&root) },
    }
}

fn id(root: &Node<'_>) -> String {
    match member(root, "id").map(|node| &node.value) {
        Some(Value::String(text)) => quoted(text),
        Some(Value::Number(number)) => (*number).to_owned(),
        Some(Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_)) | None => "null".to_owned(),
    }
}

/// A string as JSON (RFC 8259, section 7), pure ASCII.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ (b'"' | b'\\')) => out.extend(['\\', char::from(byte)]),
            Ok(byte @ b' '..=b'~') => out.push(char::from(byte)),
            Ok(_) | Err(_) => out.push_str(&format!("\\u{unit:04x}")),
        }
    }
    out.push('"');
    out
}

/// The documents of one line, parsed.
#[derive(Default)]
struct Read {
    identity: Option<Docs>,
    boundary: Option<Docs>,
    session: Option<Docs>,
    resource: Option<Docs>,
    endpoint: Option<Docs>,
    scps: Vec<(String, Docs)>,
    rcps: Vec<(String, Docs)>,
}

fn evaluate(root: &Node<'_>) -> Step<Decided> {
    let request = field(root, "request")?.ok_or(Refusal::Missing("request"))?;
    let (principal, context) = (principal(request)?, context(request)?);
    let action = text(request, "action")?.ok_or(Refusal::Missing("request.action"))?;
    if action.contains(['*', '?']) || !action.split_once(':').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()) {
        return Err(Refusal::Action(action.to_owned()));
    }
    let resource = text(request, "resource")?.ok_or(Refusal::Missing("request.resource"))?;
    let request = Request {
        caller: principal.map_or(Caller::Anonymous, Caller::parse),
        action,
        resource,
        resource_account: text(request, "resource_account")?,
        context: &context,
    };
    let read = Read {
        identity: docs(root, "identity_policies", true)?,
        boundary: docs(root, "permission_boundaries", true)?,
        session: docs(root, "session_policy", true)?,
        resource: docs(root, "resource_policy", false)?,
        endpoint: docs(root, "endpoint_policies", false)?,
        scps: levels(root, "scps", true)?,
        rcps: levels(root, "rcps", false)?,
    };
    let policies = Policies {
        identity: layer(read.identity.as_ref()),
        boundary: layer(read.boundary.as_ref()),
        session: layer(read.session.as_ref()),
        scps: Layer::Docs(read.scps.iter().map(level).collect()),
        lifted: false,
    };
    let guards = Guards {
        resource: layer(read.resource.as_ref()),
        rcps: Layer::Docs(read.rcps.iter().map(level).collect()),
        endpoint: layer(read.endpoint.as_ref()),
        ..Guards::default()
    };
    let decision = decide(&request, &policies, &guards);
    let stated = decision.by.iter().map(|deciding| Stated {
        policy: deciding.policy.to_owned(),
        layer: deciding.layer,
        statement: deciding.reference(),
    });
    Ok(Decided { effect: decision.effect, statements: stated.collect(), blocked_by: decision.blocked_by })
}

fn layer(docs: Option<&Docs>) -> Layer<Vec<Named<'_>>> {
    docs.map_or(Layer::None, |docs| Layer::Docs(named(docs)))
}

fn named(docs: &[(String, Document)]) -> Vec<Named<'_>> {
    docs.iter().map(|(name, document)| Named { name, document }).collect()
}

fn level((id, docs): &(String, Docs)) -> Level<'_> {
    Level { id, policies: named(docs) }
}

fn member<'n, 'a>(node: &'n Node<'a>, key: &str) -> Option<&'n Node<'a>> {
    let Value::Object(members) = &node.value else { return None };
    members.iter().find(|member| member.key == key).map(|member| &member.value)
}

/// A field that is there and not null.
fn field<'n, 'a>(node: &'n Node<'a>, key: &str) -> Step<Option<&'n Node<'a>>> {
    match &node.value {
        Value::Object(_) => Ok(member(node, key).filter(|node| node.value != Value::Null)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::List(_) => {
            Err(kind(node, "the line", "an object"))
        }
    }
}

fn kind(node: &Node<'_>, field: impl fmt::Display, expected: &'static str) -> Refusal {
    Refusal::Kind { at: node.at, field: field.to_string(), expected, found: node.value.kind() }
}

fn text<'n>(node: &'n Node<'_>, key: &'static str) -> Step<Option<&'n str>> {
    match field(node, key)? {
        None => Ok(None),
        Some(node) => match &node.value {
            Value::String(text) => Ok(Some(text)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
                Err(kind(node, key, "a string"))
            }
        },
    }
}

/// `None`: anonymous.
fn principal<'n>(request: &'n Node<'_>) -> Step<Option<&'n str>> {
    let node = field(request, "principal")?.ok_or(Refusal::Missing("request.principal"))?;
    if let Value::String(text) = &node.value {
        let text: &str = text;
        return Ok(Some(text).filter(|text| *text != "*"));
    }
    match text(node, "type") {
        Ok(Some(named)) if named.eq_ignore_ascii_case("anonymous") => Ok(None),
        _ => Err(kind(node, "request.principal", "an ARN, the name of a service, or {\"type\": \"Anonymous\"}")),
    }
}

fn context(request: &Node<'_>) -> Step<Context> {
    let mut out = Context::closed();
    let Some(node) = field(request, "context")? else { return Ok(out) };
    let Value::Object(members) = &node.value else { return Err(kind(node, "request.context", "an object")) };
    for member in members {
        let one = |node: &Node<'_>| match &node.value {
            Value::String(text) => Ok(text.to_string()),
            Value::Number(number) => Ok((*number).to_owned()),
            Value::Bool(value) => Ok(value.to_string()),
            Value::Null | Value::List(_) | Value::Object(_) => {
                Err(kind(node, format_args!("request.context.{}", member.key), "a string or a list of strings"))
            }
        };
        let values = match &member.value.value {
            Value::List(list) => list.iter().map(one).collect::<Step<Vec<String>>>()?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![one(&member.value)?],
        };
        out.set(&member.key, values);
    }
    Ok(out)
}

/// One document or a list of them.
fn docs(root: &Node<'_>, key: &str, of_principal: bool) -> Step<Option<Docs>> {
    let docs = field(root, key)?.map(|node| listed(node, key, of_principal)).transpose()?;
    // An empty list of policies is no policy.
    Ok(docs.filter(|docs| !docs.is_empty()))
}

fn listed(node: &Node<'_>, key: &str, of_principal: bool) -> Step<Docs> {
    match &node.value {
        Value::List(list) => {
            list.iter().enumerate().map(|(at, node)| document(node, format!("{key}[{at}]"), of_principal)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Ok(vec![document(node, key.to_owned(), of_principal)?])
        }
    }
}

fn document(node: &Node<'_>, name: String, of_principal: bool) -> Step<(String, Document)> {
    let document = match Document::from_node(node) {
        Ok(document) => document,
        Err(error) => return Err(Refusal::Policy { field: name, error }),
    };
    let odd = document.statements.iter().find(|statement| of_principal && statement.principals != Principals::None);
    match odd {
        Some(statement) => Err(Refusal::Principal { field: name, statement: statement.reference() }),
        None => Ok((name, document)),
    }
}

fn levels(root: &Node<'_>, key: &'static str, of_principal: bool) -> Step<Vec<(String, Docs)>> {
    let Some(node) = field(root, key)? else { return Ok(Vec::new()) };
    let Value::List(list) = &node.value else { return Err(kind(node, key, "a list of levels")) };
    let level = |(at, node): (usize, &Node<'_>)| {
        let name = format!("{key}[{at}]");
        let id = text(node, "id")?.map_or_else(|| name.clone(), str::to_owned);
        let policies =
            field(node, "policies")?.map(|node| listed(node, &format!("{name}.policies"), of_principal)).transpose()?;
        Ok((id, policies.unwrap_or_default()))
    };
    list.iter().enumerate().map(level).collect()
}

#[cfg(test)]
#[path = "simulate_tests.rs"]
mod tests;
