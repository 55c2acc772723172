//! Statements of an identity policy, or parts of them, that can never apply.
//!
//! It must never call dead what some request can bring to life: services that are not held, variables and unusual operators are
//! taken to be alive. What it finds grants nothing, so it is a mistake and no danger, unless it is a Deny.
//!
//! ```
//! use lastcopy_iam::{Document, lint};
//!
//! let policy = Document::parse(r#"{"Version": "2012-10-17", "Statement": [{
//!     "Effect": "Deny", "Action": "s3:DeleteObjectVersions", "Resource": "*"
//! }]}"#)?;
//! let found = lint::findings(&policy);
//! assert_eq!(
//!     found[0].to_string(),
//!     "statement 1: s3:DeleteObjectVersions is no action of s3; did you mean s3:DeleteObjectVersion?"
//! );
//! # Ok::<(), lastcopy_iam::ParseError>(())
//! ```
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html>.

use std::fmt;

use crate::actions::{self, Action, Problem};
use crate::fit::{actions_cover, resources_cover};
use crate::model::{Actions, Condition, Document, Effect, Operator, Quantifier, Resources, Statement, StatementRef};
use crate::pattern::{Case, Pattern};
use crate::principal::Principals;

/// Something dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub statement: StatementRef,
    /// Of which effect the statement is: a dead Deny protects nothing.
    pub effect: Effect,
    /// What.
    pub kind: FindingKind,
}

/// Why it is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingKind {
    /// An entry of Action or NotAction that is no action.
    NoAction(Problem),
    /// An entry of Action that acts on none of the statement's resources.
    ActsOnNothing(String),
    /// A resource on which no action of the statement acts.
    ReachesNothing(String),
    /// Two conditions that no request meets both.
    Contradiction(String, String),
    /// A condition that compares with nothing.
    NoValue(String),
    /// An unconditional Deny of the document takes away all that the Allow gives.
    Denied(StatementRef),
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAction(problem) => problem.fmt(f),
            Self::ActsOnNothing(action) => write!(f, "{action} acts on none of its resources"),
            Self::ReachesNothing(resource) => write!(f, "none of its actions acts on {resource}"),
            Self::Contradiction(a, b) => write!(f, "no request meets both {a} and {b}"),
            Self::NoValue(condition) => write!(f, "its condition {condition} compares with nothing and is never met"),
            Self::Denied(by) => write!(f, "{by} denies all that it allows"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.statement, self.kind)
    }
}

/// What is dead in the document, statement by statement.
#[must_use]
pub fn findings(document: &Document) -> Vec<Finding> {
    let mut out = Vec::new();
    for statement in &document.statements {
        let mut add = |kind| out.push(Finding { statement: statement.reference(), effect: statement.effect, kind });
        entries(&statement.actions)
            .iter()
            .filter_map(|p| actions::problem(p.as_str()))
            .for_each(|p| add(FindingKind::NoAction(p)));
        unfit(statement).into_iter().for_each(&mut add);
        contradictions(&statement.conditions).into_iter().for_each(&mut add);
        if let Some(by) = denied_by(statement, document) {
            add(FindingKind::Denied(by));
        }
    }
    out
}

fn entries(actions: &Actions) -> &[Pattern] {
    let (Actions::In(list) | Actions::NotIn(list)) = actions;
    list
}

/// Actions and resources of one statement that do not go together.
fn unfit(statement: &Statement) -> Vec<FindingKind> {
    let (Actions::In(entries), Resources::In(resources)) = (&statement.actions, &statement.resources) else { return Vec::new() };
    let known: Vec<(&Pattern, Vec<&Action>)> = entries.iter().filter_map(|entry| Some((entry, known(entry)?))).collect();
    let mut out = Vec::new();
    let acts = |actions: &[&Action], resource: &Pattern| actions.iter().any(|action| action.acts_on(resource));
    let (alive, dead): (Vec<_>, Vec<_>) =
        known.iter().partition(|(_, actions)| resources.iter().any(|resource| acts(actions, resource)));
    if !resources.is_empty() {
        out.extend(dead.iter().map(|(entry, _)| FindingKind::ActsOnNothing(entry.as_str().to_owned())));
    }
    // An entry that is not known may act on anything; where all are dead, that says enough.
    if known.len() == entries.len() && !alive.is_empty() {
        let unreached = resources.iter().filter(|resource| !alive.iter().any(|(_, actions)| acts(actions, resource)));
        out.extend(unreached.map(|resource| FindingKind::ReachesNothing(resource.as_str().to_owned())));
    }
    out
}

/// The actions of an entry. `None`: it may stand for some that are not held, or for none.
fn known(entry: &Pattern) -> Option<Vec<&'static Action>> {
    let (service, _) = entry.as_str().split_once(':')?;
    let all: Vec<&Action> = if actions::knows_service(service) { actions::matching(entry).collect() } else { Vec::new() };
    (!all.is_empty()).then_some(all)
}

fn contradictions(conditions: &[Condition]) -> Vec<FindingKind> {
    let mut out: Vec<FindingKind> = conditions
        .iter()
        .filter(|condition| condition.values.is_empty() && needs_key(condition) && condition.operator.name != Operator::Null)
        .map(|condition| FindingKind::NoValue(condition.to_string()))
        .collect();
    for (at, first) in conditions.iter().enumerate() {
        for second in conditions.iter().skip(at + 1).filter(|second| second.key == first.key) {
            if contradict(first, second) || contradict(second, first) {
                out.push(FindingKind::Contradiction(first.to_string(), second.to_string()));
            }
        }
    }
    out
}

/// Is it met only by requests that have the key?
fn needs_key(condition: &Condition) -> bool {
    !condition.operator.if_exists
        && condition.operator.quantifier != Some(Quantifier::ForAllValues)
        && !matches!(condition.operator.name, Operator::Null | Operator::Unknown(_))
        && !crate::condition::is_negated(&condition.operator.name)
}

/// Surely no request meets both: asked both ways around.
fn contradict(a: &Condition, b: &Condition) -> bool {
    let literal = |c: &Condition| c.values.iter().all(|value| !value.as_str().contains("${"));
    if a.values.is_empty() || b.values.is_empty() || !literal(a) || !literal(b) {
        return false;
    }
    let has = |c: &Condition, text: &str| c.values.iter().any(|value| value.as_str() == text);
    let same = |x: &str, y: &str| if a.operator.name == Operator::Bool { x.eq_ignore_ascii_case(y) } else { x == y };
    let only = |c: &Condition, text: &str| c.values.iter().all(|value| value.as_str().eq_ignore_ascii_case(text));
    let single = a.operator.quantifier.is_none() && b.operator.quantifier.is_none();
    match (&a.operator.name, &b.operator.name) {
        (Operator::Null, _) => (only(a, "true") && needs_key(b)) || (b.operator.name == Operator::Null && false_then_true(a, b)),
        (Operator::StringEquals, Operator::StringNotEquals) => {
            single && needs_key(a) && a.values.iter().all(|value| has(b, value.as_str()))
        }
        // The key must be there for one of them; then it has one value.
        (Operator::StringEquals, Operator::StringEquals) | (Operator::Bool, Operator::Bool) => {
            single
                && (needs_key(a) || needs_key(b))
                && !a.values.iter().any(|x| b.values.iter().any(|y| same(x.as_str(), y.as_str())))
        }
        _other => false,
    }
}

fn false_then_true(a: &Condition, b: &Condition) -> bool {
    let only = |c: &Condition, text: &str| c.values.iter().all(|value| value.as_str().eq_ignore_ascii_case(text));
    only(a, "false") && only(b, "true")
}

/// The unconditional Deny that covers all of an Allow.
fn denied_by(allow: &Statement, document: &Document) -> Option<StatementRef> {
    if allow.effect != Effect::Allow {
        return None;
    }
    let covers = |deny: &Statement| {
        let whom = match (&allow.principals, &deny.principals) {
            (Principals::None, Principals::None) => true,
            (_, principals) => principals.is_everyone(),
        };
        let actions = match &allow.actions {
            Actions::In(list) => list.iter().all(|action| actions_cover(&deny.actions, action)),
            Actions::NotIn(_) => actions_cover(&deny.actions, &Pattern::new("*", Case::Insensitive)),
        };
        let resources = match &allow.resources {
            Resources::In(list) => list.iter().all(|resource| resources_cover(&deny.resources, resource)),
            Resources::NotIn(_) => resources_cover(&deny.resources, &Pattern::new("*", Case::Sensitive)),
            Resources::None => false,
        };
        whom && actions && resources
    };
    let denies = document.statements.iter().filter(|s| s.effect == Effect::Deny && s.conditions.is_empty());
    denies.into_iter().find(|deny| covers(deny)).map(Statement::reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lint(statements: &str) -> Vec<String> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        findings(&Document::parse(&text).expect("valid")).iter().map(ToString::to_string).collect()
    }

    fn allow(rest: &str) -> Vec<String> {
        lint(&format!(r#"{{"Effect":"Allow",{rest}}}"#))
    }

    #[test]
    fn actions_and_resources_that_do_not_go_together() {
        let cases: [(&str, &[&str]); 9] = [
            (r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::docs/*""#, &[]),
            (r#""Action":"s3:*","Resource":"arn:aws:s3:::docs""#, &[]),
            (r#""Action":["s3:ListBucket","s3:GetObject"],"Resource":["arn:aws:s3:::docs","arn:aws:s3:::docs/*"]"#, &[]),
            (
                r#""Action":"s3:ListBucket","Resource":"arn:aws:s3:::docs/*""#,
                &["statement 1: s3:ListBucket acts on none of its resources"],
            ),
            (
                r#""Action":"s3:GetObject","Resource":["arn:aws:s3:::docs","arn:aws:s3:::docs/*"]"#,
                &["statement 1: none of its actions acts on arn:aws:s3:::docs"],
            ),
            (r#""Action":["s3:GetObject","nosuch:Thing"],"Resource":["arn:aws:s3:::docs","arn:aws:s3:::docs/*"]"#, &[]),
            (
                r#""Action":"s3:DeleteObjects","Resource":"*""#,
                &["statement 1: s3:DeleteObjects is the name of an API call; the action is s3:DeleteObject"],
            ),
            (
                r#""NotAction":"s3:GetObjekt","Resource":"*""#,
                &["statement 1: s3:GetObjekt is no action of s3; did you mean s3:GetObject?"],
            ),
            (r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::${aws:username}""#, &[]),
        ];
        for (elements, expected) in cases {
            assert_eq!(allow(elements), expected, "{elements}");
        }
    }

    #[test]
    fn conditions_that_contradict() {
        let with = |condition: &str| !allow(&format!(r#""Action":"*","Resource":"*","Condition":{condition}"#)).is_empty();
        for condition in [
            r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"},"StringNotEquals":{"aws:PrincipalOrgID":["o-1","o-2"]}}"#,
            r#"{"Bool":{"aws:SecureTransport":"true"},"BoolIfExists":{"aws:SecureTransport":"false"}}"#,
            r#"{"Null":{"aws:SourceVpc":"true"},"StringLike":{"aws:SourceVpc":"vpc-*"}}"#,
            r#"{"StringEquals":{"aws:SourceVpc":[]}}"#,
        ] {
            assert!(with(condition), "{condition}");
        }
        for condition in [
            r#"{"StringEquals":{"aws:PrincipalOrgID":["o-1","o-3"]},"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}"#,
            r#"{"StringEqualsIfExists":{"aws:SourceVpc":"a"},"StringNotEquals":{"aws:SourceVpc":"a"}}"#,
            r#"{"Null":{"aws:SourceVpc":"true"},"StringLikeIfExists":{"aws:SourceVpc":"vpc-*"}}"#,
            r#"{"Null":{"aws:SourceVpc":"false"},"StringLike":{"aws:SourceVpc":"vpc-*"}}"#,
            r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"a"},"ForAllValues:StringEquals":{"aws:TagKeys":"b"}}"#,
            r#"{"StringEquals":{"aws:SourceVpc":"a"},"StringLike":{"aws:SourceVpc":"a*"}}"#,
        ] {
            assert!(!with(condition), "{condition}");
        }
    }

    #[test]
    fn denied_as_a_whole() {
        let given = r#"{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::docs/*"}"#;
        let deny = |rest: &str| lint(&format!(r#"{given},{{"Sid":"No","Effect":"Deny",{rest}}}"#));
        assert_eq!(deny(r#""Action":"s3:*","Resource":"*""#), ["statement 1: statement 2 (Sid No) denies all that it allows"]);
        assert!(deny(r#""Action":"s3:Get*","Resource":"*""#).is_empty());
        assert!(deny(r#""Action":"s3:*","Resource":"arn:aws:s3:::docs/a/*""#).is_empty());
        assert!(deny(r#""Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#).is_empty());
    }
}
