//! Reads the text of an IAM policy document into the model.
//!
//! It must never skip anything: an element it does not know is an error, because AWS may know it. A document that cannot be
//! read is "unread", which no caller may take for "empty".
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

use std::fmt;

use crate::json::{self, Member, Node, Position, Syntax, Value};
use crate::json_reader::{Segment, join};
use crate::model::{Actions, Condition, ConditionOperator, Document, Effect, Resources, Scalar, Statement, Version};
use crate::pattern::{Case, Pattern};
use crate::principal::{Principal, Principals};

/// Why a text is not an IAM policy document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// `Statement[2].Action`, counted from 0; empty at the top.
    pub path: String,
    /// What is wrong.
    pub kind: ParseErrorKind,
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        self.kind.fmt(f)
    }
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// Not JSON.
    #[error("{0}")]
    Syntax(Syntax),
    /// A value of another kind is needed.
    #[error("expected {expected}, found {found}")]
    Kind {
        /// What may stand here.
        expected: &'static str,
        /// What stands here.
        found: &'static str,
    },
    /// An element that the grammar does not know.
    #[error("unknown element {0:?}")]
    UnknownElement(String),
    /// An element is absent.
    #[error("missing {0}")]
    Missing(&'static str),
    /// An element and its negation in one statement.
    #[error("both {0} and {1}")]
    Both(&'static str, &'static str),
    /// A language other than the two that exist.
    #[error("unknown version {0:?}, expected 2008-10-17 or 2012-10-17")]
    UnknownVersion(String),
    /// Neither Allow nor Deny.
    #[error("unknown effect {0:?}, expected Allow or Deny")]
    UnknownEffect(String),
    /// A key of Principal other than AWS, Service, Federated and CanonicalUser.
    #[error("unknown kind of principal {0:?}")]
    UnknownPrincipal(String),
    /// An operator without a key: AWS does not document whether it always or never holds.
    #[error("operator {0:?} has no condition key")]
    EmptyOperator(String),
}

type Step<T> = Result<T, ParseError>;

/// A value together with the way that leads to it. Only an error writes the way down, so it costs nothing until then.
struct Spot<'a> {
    node: &'a Node<'a>,
    from: Option<(&'a Spot<'a>, Segment<&'a str>)>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// The first thing that is not in the grammar, with line, column and path.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let root = json::parse(text).map_err(|e| fault(e.at, e.path, ParseErrorKind::Syntax(e.kind)))?;
        Self::from_node(&root)
    }

    /// Reads a document that is a value inside a longer text, which need not be parsed twice.
    ///
    /// # Errors
    /// The first thing that is not in the grammar, with the path inside the document, and line and column in the whole text.
    pub fn from_node(node: &Node<'_>) -> Result<Self, ParseError> {
        let spot = Spot { node, from: None };
        let members = spot.object(&["Version", "Id", "Statement"])?;
        let version = match find(members, "Version") {
            None => Version::V2008,
            Some(member) => {
                let spot = spot.under(member);
                match spot.text()? {
                    "2008-10-17" => Version::V2008,
                    "2012-10-17" => Version::V2012,
                    other => return Err(spot.fault(ParseErrorKind::UnknownVersion(other.to_owned()))),
                }
            }
        };
        let id = find(members, "Id").map(|member| spot.under(member).text().map(str::to_owned)).transpose()?;
        let listed = spot.under(find(members, "Statement").ok_or_else(|| spot.fault(ParseErrorKind::Missing("Statement")))?);
        let statements = listed.each(|index, spot| statement(index, version, spot))?;
        Ok(Self { version, id, statements })
    }
}

fn statement(index: usize, version: Version, spot: &Spot<'_>) -> Step<Statement> {
    const ELEMENTS: [&str; 9] =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    let members = spot.object(&ELEMENTS)?;
    let of = |name| find(members, name).map(|member| spot.under(member));
    let sid = of("Sid").map(|sid| sid.text().map(str::to_owned)).transpose()?.filter(|sid| !sid.is_empty());
    let effect = of("Effect").ok_or_else(|| spot.fault(ParseErrorKind::Missing("Effect")))?;
    let effect = match effect.text()? {
        "Allow" => Effect::Allow,
        "Deny" => Effect::Deny,
        other => return Err(effect.fault(ParseErrorKind::UnknownEffect(other.to_owned()))),
    };
    let both = |a, b| spot.fault(ParseErrorKind::Both(a, b));
    let principals = match (of("Principal"), of("NotPrincipal")) {
        (Some(_), Some(_)) => return Err(both("Principal", "NotPrincipal")),
        (Some(some), None) => Principals::Any(principals(&some)?),
        (None, Some(none)) => Principals::Not(principals(&none)?),
        (None, None) => Principals::None,
    };
    let action = |text: &str| Pattern::new(text, Case::Insensitive);
    let actions = match (of("Action"), of("NotAction")) {
        (Some(_), Some(_)) => return Err(both("Action", "NotAction")),
        (Some(some), None) => Actions::In(some.texts(action)?),
        (None, Some(none)) => Actions::NotIn(none.texts(action)?),
        (None, None) => return Err(spot.fault(ParseErrorKind::Missing("Action or NotAction"))),
    };
    let resource = |text: &str| match version {
        Version::V2008 => Pattern::new(text, Case::Sensitive),
        Version::V2012 => Pattern::resource(text),
    };
    let resources = match (of("Resource"), of("NotResource")) {
        (Some(_), Some(_)) => return Err(both("Resource", "NotResource")),
        (Some(some), None) => Resources::In(some.texts(resource)?),
        (None, Some(none)) => Resources::NotIn(none.texts(resource)?),
        (None, None) => Resources::None,
    };
    let conditions = of("Condition").map_or(Ok(Vec::new()), |block| conditions(&block))?;
    Ok(Statement { index, sid, effect, principals, actions, resources, conditions, position: spot.node.at })
}

fn principals(spot: &Spot<'_>) -> Step<Vec<Principal>> {
    let members = match &spot.node.value {
        Value::String(text) if text == "*" => return Ok(vec![Principal::Everyone]),
        Value::Object(members) => members,
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::List(_)) => {
            return Err(spot.kind("\"*\" or an object", other));
        }
    };
    let mut out = Vec::new();
    for member in members {
        let read: fn(&str) -> Principal = match &*member.key {
            "AWS" => Principal::aws,
            "Service" => |text| Principal::Service(text.to_owned()),
            "Federated" => |text| Principal::Federated(text.to_owned()),
            "CanonicalUser" => |text| Principal::CanonicalUser(text.to_owned()),
            other => return Err(spot.fault_at(member.at, ParseErrorKind::UnknownPrincipal(other.to_owned()))),
        };
        out.extend(spot.under(member).texts(read)?);
    }
    Ok(out)
}

fn conditions(spot: &Spot<'_>) -> Step<Vec<Condition>> {
    let mut out = Vec::new();
    for block in spot.members()? {
        let operator = ConditionOperator::parse(&block.key);
        let spot = spot.under(block);
        let keys = spot.members()?;
        if keys.is_empty() {
            return Err(spot.fault_at(block.at, ParseErrorKind::EmptyOperator(block.key.to_string())));
        }
        for key in keys {
            let values = spot.under(key).each(|_, value| scalar(value))?;
            out.push(Condition { operator: operator.clone(), key: key.key.to_lowercase(), values });
        }
    }
    Ok(out)
}

fn scalar(spot: &Spot<'_>) -> Step<Scalar> {
    match &spot.node.value {
        Value::String(text) => Ok(Scalar::String(text.to_string())),
        Value::Number(text) => Ok(Scalar::Number((*text).to_owned())),
        Value::Bool(value) => Ok(Scalar::Bool(*value)),
        other @ (Value::Null | Value::List(_) | Value::Object(_)) => Err(spot.kind("a string, a number or a boolean", other)),
    }
}

fn find<'a>(members: &'a [Member<'a>], name: &str) -> Option<&'a Member<'a>> {
    members.iter().find(|member| member.key == name)
}

fn fault(at: Position, path: String, kind: ParseErrorKind) -> ParseError {
    ParseError { line: at.line, column: at.column, path, kind }
}

impl<'a> Spot<'a> {
    fn fault(&self, kind: ParseErrorKind) -> ParseError {
        self.fault_at(self.node.at, kind)
    }

    /// An error at a key of this value.
    fn fault_at(&self, at: Position, kind: ParseErrorKind) -> ParseError {
        let way = std::iter::successors(self.from, |(parent, _)| parent.from);
        fault(at, join(&way.map(|(_, segment)| segment).collect::<Vec<_>>()), kind)
    }

    fn kind(&self, expected: &'static str, found: &Value<'_>) -> ParseError {
        self.fault(ParseErrorKind::Kind { expected, found: found.kind() })
    }

    fn under(&'a self, member: &'a Member<'a>) -> Spot<'a> {
        Spot { node: &member.value, from: Some((self, Segment::Key(&member.key))) }
    }

    fn members(&self) -> Step<&'a [Member<'a>]> {
        match &self.node.value {
            Value::Object(members) => Ok(members),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::List(_)) => {
                Err(self.kind("an object", other))
            }
        }
    }

    /// The members of an object that may hold nothing but these.
    fn object(&self, allowed: &[&str]) -> Step<&'a [Member<'a>]> {
        let members = self.members()?;
        match members.iter().find(|member| !allowed.contains(&&*member.key)) {
            None => Ok(members),
            Some(odd) => Err(self.fault_at(odd.at, ParseErrorKind::UnknownElement(odd.key.to_string()))),
        }
    }

    /// The grammar allows a single value wherever a list may stand.
    fn each<T>(&self, read: impl Fn(usize, &Spot<'_>) -> Step<T>) -> Step<Vec<T>> {
        let Value::List(items) = &self.node.value else { return Ok(vec![read(0, self)?]) };
        let mut out = Vec::with_capacity(items.len());
        for (index, node) in items.iter().enumerate() {
            out.push(read(index, &Spot { node, from: Some((self, Segment::Index(index))) })?);
        }
        Ok(out)
    }

    fn text_or(&self, expected: &'static str) -> Step<&'a str> {
        match &self.node.value {
            Value::String(text) => Ok(text),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_)) => {
                Err(self.kind(expected, other))
            }
        }
    }

    fn text(&self) -> Step<&'a str> {
        self.text_or("a string")
    }

    fn texts<T>(&self, read: impl Fn(&str) -> T) -> Step<Vec<T>> {
        self.each(|_, entry| entry.text_or("a string or a list of strings").map(&read))
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
