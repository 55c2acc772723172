//! Does a bucket policy refuse requests that do not come over TLS, and below which TLS version does it refuse them?
//!
//! It must never take the presence of a condition for protection: only a Deny for everybody, of every S3 action, on the whole
//! target, under exactly the condition that means "not TLS", counts as whole. Everything narrower says what it leaves open.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>.

use std::fmt;

use crate::fit::{actions_cover, resources_cover, resources_touch};
use crate::model::{Condition, Document, Effect, Operator, Scalar, Statement, StatementRef};
use crate::pattern::{Case, Pattern};
use crate::principal::Principals;

const TRANSPORT: &str = "aws:securetransport";
const VERSION: &str = "s3:tlsversion";

/// What the policy refuses. The bucket itself and its objects are different resources, hence two answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Plaintext requests on the bucket.
    pub bucket: Cover,
    /// Plaintext requests on its objects.
    pub objects: Cover,
    /// The lowest TLS version that is still accepted on bucket and objects, if a statement wholly enforces one on each.
    pub min_version: Option<TlsVersion>,
    /// Statements about the TLS version that cover too little to count.
    pub min_version_gaps: Vec<Gap>,
}

/// How much of a target is covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cover {
    /// One statement covers all of it.
    Whole,
    /// Statements exist, each with something it leaves open.
    Part {
        /// What they leave open.
        why: Vec<Gap>,
    },
    /// No statement is about it.
    Nothing,
}

/// TLS versions in order of age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// 1.0
    V1_0,
    /// 1.1
    V1_1,
    /// 1.2
    V1_2,
    /// 1.3
    V1_3,
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
        })
    }
}

/// Something a statement leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The statement.
    pub statement: StatementRef,
    /// What it leaves open.
    pub reason: GapReason,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.statement, self.reason)
    }
}

/// Why a statement covers only part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapReason {
    /// It binds only these principals.
    Principals(String),
    /// It covers only these actions.
    Actions(String),
    /// It covers only these resources.
    Resources(String),
    /// It applies only under this condition, which is not surely met by a plaintext request (or an old TLS version).
    Condition(String),
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principals(who) => write!(f, "binds only {who}"),
            Self::Actions(what) => write!(f, "covers only {what}"),
            Self::Resources(what) => write!(f, "covers only {what}"),
            Self::Condition(condition) => write!(f, "applies only under the condition {condition}"),
        }
    }
}

/// Judges a bucket policy. The ARN is the bucket's, in its own partition.
#[must_use]
pub fn refuses_plaintext(doc: &Document, bucket_arn: &str) -> Tls {
    let bucket = Pattern::literal(bucket_arn, Case::Sensitive);
    let objects = Pattern::starting_with(&format!("{bucket_arn}/"), Case::Sensitive);
    let version = |target| minimum(doc, target);
    let ((on_bucket, mut gaps), (on_objects, more)) = (version(&bucket), version(&objects));
    gaps.extend(more);
    let mut min_version_gaps: Vec<Gap> = Vec::new();
    for gap in gaps {
        if !min_version_gaps.contains(&gap) {
            min_version_gaps.push(gap);
        }
    }
    Tls {
        bucket: plaintext(doc, &bucket),
        objects: plaintext(doc, &objects),
        min_version: on_bucket.zip(on_objects).map(|(a, b)| a.min(b)),
        min_version_gaps,
    }
}

fn plaintext(doc: &Document, target: &Pattern) -> Cover {
    let mut why = Vec::new();
    for statement in denies(doc, target) {
        let mut open = scope(statement, target);
        if statement.conditions.is_empty() {
            // A Deny of everything refuses plaintext too; a narrower one without a condition is about something else.
            if open.is_empty() {
                return Cover::Whole;
            }
            continue;
        }
        if !statement.conditions.iter().any(|c| c.key == TRANSPORT && !wants_tls(c)) {
            continue;
        }
        open.extend(narrowing(statement, is_plaintext));
        if open.is_empty() {
            return Cover::Whole;
        }
        why.extend(open);
    }
    if why.is_empty() { Cover::Nothing } else { Cover::Part { why } }
}

fn minimum(doc: &Document, target: &Pattern) -> (Option<TlsVersion>, Vec<Gap>) {
    let (mut best, mut gaps) = (None, Vec::new());
    for statement in denies(doc, target) {
        if !statement.conditions.iter().any(|c| c.key == VERSION) {
            continue;
        }
        let mut open = scope(statement, target);
        open.extend(narrowing(statement, |c| lowest_accepted(c).is_some()));
        if open.is_empty() {
            best = best.max(statement.conditions.iter().filter_map(lowest_accepted).max());
        }
        gaps.extend(open);
    }
    (best, gaps)
}

/// The Deny statements that can apply to the target at all.
fn denies<'a>(doc: &'a Document, target: &'a Pattern) -> impl Iterator<Item = &'a Statement> {
    doc.statements
        .iter()
        .filter(|s| s.effect == Effect::Deny && s.principals != Principals::None && resources_touch(&s.resources, target))
}

/// What a statement leaves open besides its conditions.
fn scope(statement: &Statement, target: &Pattern) -> Vec<Gap> {
    let every_action = Pattern::new("s3:*", Case::Insensitive);
    let mut open = Vec::new();
    if !statement.principals.is_everyone() {
        open.push(GapReason::Principals(statement.principals.to_string()));
    }
    if !actions_cover(&statement.actions, &every_action) {
        open.push(GapReason::Actions(statement.actions.to_string()));
    }
    if !resources_cover(&statement.resources, target) {
        open.push(GapReason::Resources(statement.resources.to_string()));
    }
    open.into_iter().map(|reason| Gap { statement: statement.reference(), reason }).collect()
}

/// The conditions other than one wanted condition: a second condition narrows, also a second one of the wanted kind.
fn narrowing(statement: &Statement, wanted: impl Fn(&Condition) -> bool) -> Vec<Gap> {
    let first = statement.conditions.iter().position(wanted);
    let others = statement.conditions.iter().enumerate().filter(|(i, _)| Some(*i) != first);
    others.map(|(_, c)| Gap { statement: statement.reference(), reason: GapReason::Condition(c.to_string()) }).collect()
}

/// Exactly `Bool` or `BoolIfExists` on the key with false among the values. The key is in every request, so the suffix changes
/// nothing; "true" as a further alternative only denies more. String operators on a boolean key are not documented.
fn is_plaintext(condition: &Condition) -> bool {
    condition.key == TRANSPORT
        && condition.operator.name == Operator::Bool
        && condition.operator.quantifier.is_none()
        && condition.values.iter().any(|value| value.as_str() == "false")
}

/// A Deny of TLS requests: not about refusing plaintext.
fn wants_tls(condition: &Condition) -> bool {
    condition.operator.name == Operator::Bool && condition.values.iter().all(|value| value.as_str() == "true")
}

/// `NumericLessThan` on the key: the first version that escapes the Deny. Alternatives deny up to the highest value.
fn lowest_accepted(condition: &Condition) -> Option<TlsVersion> {
    let op = &condition.operator;
    if condition.key != VERSION || op.name != Operator::NumericLessThan || op.quantifier.is_some() {
        return None;
    }
    let below = condition.values.iter().filter_map(number).fold(f64::NEG_INFINITY, f64::max);
    let versions = [(1.0, TlsVersion::V1_0), (1.1, TlsVersion::V1_1), (1.2, TlsVersion::V1_2), (1.3, TlsVersion::V1_3)];
    // Below 1.0 nothing is denied; above 1.3 everything is.
    if below < 1.0 { None } else { Some(versions.iter().find(|(v, _)| *v >= below).map_or(TlsVersion::V1_3, |(_, v)| *v)) }
}

fn number(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::String(text) | Scalar::Number(text) => text.parse().ok().filter(|n: &f64| n.is_finite()),
        Scalar::Bool(_) => None,
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
