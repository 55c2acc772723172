//! What an IAM policy document says, with nothing left out.
//!
//! It must never drop an element it cannot judge: an unknown condition operator stays in the model as unknown, and a principal
//! of an unexpected form as unrecognised. Reading the text is the business of `document.rs`, judging it of the other modules.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>.

use std::fmt;

use crate::json::Position;
use crate::pattern::Pattern;
use crate::principal::Principals;

/// The policy language of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `2008-10-17`, also when the element is absent. Policy variables are literal text.
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// One IAM policy document: identity policy, boundary, bucket policy, trust policy or key policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The language.
    pub version: Version,
    /// The `Id` element.
    pub id: Option<String>,
    /// The statements in the order of the text.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Place in the document, from 0. Sentences count from 1, see [`StatementRef`].
    pub index: usize,
    /// The `Sid`; an empty one is none.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// Principal or NotPrincipal.
    pub principals: Principals,
    /// Action or NotAction.
    pub actions: Actions,
    /// Resource or NotResource.
    pub resources: Resources,
    /// All of them must hold for the statement to apply.
    pub conditions: Vec<Condition>,
    /// Where the statement starts.
    pub position: Position,
}

impl Statement {
    /// A name for this statement that can outlive it.
    #[must_use]
    pub fn reference(&self) -> StatementRef {
        StatementRef { index: self.index, sid: self.sid.clone() }
    }
}

/// Names a statement: index from 0 for programs, `statement 2 (Sid x)` counted from 1 for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementRef {
    /// Place in the document, from 0.
    pub index: usize,
    /// The `Sid`, if it has one.
    pub sid: Option<String>,
}

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.index + 1)?;
        self.sid.as_ref().map_or(Ok(()), |sid| write!(f, " (Sid {sid})"))
    }
}

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    Deny,
}

/// The actions of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actions {
    /// `Action`: these.
    In(Vec<Pattern>),
    /// `NotAction`: all of AWS except these.
    NotIn(Vec<Pattern>),
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(list) => f.write_str(&listed(list)),
            Self::NotIn(list) => write!(f, "everything except {}", listed(list)),
        }
    }
}

/// The resources of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resources {
    /// Neither element: a trust policy, where the role itself is the resource.
    None,
    /// `Resource`: these.
    In(Vec<Pattern>),
    /// `NotResource`: everything except these.
    NotIn(Vec<Pattern>),
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no resource"),
            Self::In(list) => f.write_str(&listed(list)),
            Self::NotIn(list) => write!(f, "everything except {}", listed(list)),
        }
    }
}

fn listed(patterns: &[Pattern]) -> String {
    if patterns.is_empty() {
        return "nothing".to_owned();
    }
    patterns.iter().map(Pattern::as_str).collect::<Vec<_>>().join(", ")
}

/// One key of one operator of a `Condition` block; the values are alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// How the values are compared.
    pub operator: ConditionOperator,
    /// The condition key in lower case; keys are case-insensitive.
    pub key: String,
    /// The values.
    pub values: Vec<Scalar>,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<&str> = self.values.iter().map(Scalar::as_str).collect();
        write!(f, "{} {} {}", self.operator, self.key, values.join(", "))
    }
}

/// A value of a condition, in its own spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A string.
    String(String),
    /// A number as written.
    Number(String),
    /// A boolean.
    Bool(bool),
}

impl Scalar {
    /// The value as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::String(text) | Self::Number(text) => text,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
        }
    }
}

/// An operator with its quantifier and suffix: `ForAllValues:StringLikeIfExists`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionOperator {
    /// The comparison.
    pub name: Operator,
    /// The prefix for keys with several values.
    pub quantifier: Option<Quantifier>,
    /// The suffix `IfExists`: true when the request has no such key.
    pub if_exists: bool,
}

impl ConditionOperator {
    /// Reads the key of a `Condition` block. It cannot fail: what AWS does not document is [`Operator::Unknown`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (quantifier, rest) = match text.split_once(':') {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("ForAllValues") => (Some(Quantifier::ForAllValues), rest),
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("ForAnyValue") => (Some(Quantifier::ForAnyValue), rest),
            Some(_) | None => (None, text),
        };
        let at = rest.len().saturating_sub("IfExists".len());
        let (base, if_exists) = match (rest.get(..at), rest.get(at..)) {
            (Some(base), Some(suffix)) if suffix.eq_ignore_ascii_case("IfExists") => (base, true),
            _whole => (rest, false),
        };
        match Operator::known(base) {
            Some(Operator::Null) if if_exists => Self { name: Operator::Unknown(rest.to_owned()), quantifier, if_exists: false },
            Some(name) => Self { name, quantifier, if_exists },
            None => Self { name: Operator::Unknown(rest.to_owned()), quantifier, if_exists: false },
        }
    }
}

impl fmt::Display for ConditionOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quantifier {
            Some(Quantifier::ForAllValues) => f.write_str("ForAllValues:")?,
            Some(Quantifier::ForAnyValue) => f.write_str("ForAnyValue:")?,
            None => {}
        }
        f.write_str(self.name.as_str())?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

/// The prefix of an operator on a key with several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantifier {
    /// Every value of the request must match; true when there is none.
    ForAllValues,
    /// At least one value of the request must match.
    ForAnyValue,
}

macro_rules! operators {
    ($($name:ident)*) => {
        /// A comparison of a `Condition` block.
        /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Operator {
            $(#[doc = concat!("`", stringify!($name), "`")] $name,)*
            /// One that AWS does not document, in its own spelling: nothing may be concluded from it.
            Unknown(String),
        }

        impl Operator {
            fn known(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case(stringify!($name)) { return Some(Self::$name); })*
                None
            }

            /// The operator as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::Unknown(name) => name,
                }
            }
        }
    };
}

operators! {
    StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike
    NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals
    DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals
    Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnLike ArnNotEquals ArnNotLike Null
}
