//! May a principal do this, as far as its own policies tell?
//!
//! It must never say "no" while a layer that could grant is unread, and never say "yes" while a statement that was read could
//! refuse. Conditions, variables and exclusions are not evaluated: where they could matter the answer is "unknown" with reasons.
//! A layer that can only take away and could not be read is assumed to take nothing away. Service control policies, session
//! policies and resource policies are not part of the question; [`bucket_policy_may`] reads the last.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.

use std::fmt;

use crate::fit::{actions_cover, actions_touch, resources_cover, resources_touch};
use crate::model::{Actions, Document, Effect, Resources, Statement, StatementRef};
use crate::pattern::{Case, Pattern};
use crate::principal::Principals;

/// One kind of policy as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer<T> {
    /// Surely none.
    None,
    /// These.
    Docs(T),
    /// Could not be read, wholly or in part.
    Unread,
}

/// How a policy is called: its ARN, or the name of an inline policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName(pub String);

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The policies of one user or role: its own, those of its groups, and its boundary.
#[derive(Debug, Clone)]
pub struct PrincipalPolicies<'a> {
    /// Inline and attached, groups included. `Unread` if any of them could not be read.
    pub identity: Layer<Vec<(PolicyName, &'a Document)>>,
    /// The permissions boundary: it grants nothing, it only limits.
    pub boundary: Layer<(PolicyName, &'a Document)>,
}

/// What the action is done to. The question is about some resource of the target, not about each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// The bucket with this ARN, or any other single resource.
    Bucket(&'a str),
    /// An object of the bucket with this ARN.
    ObjectsOf(&'a str),
    /// Some resource, whichever.
    Any,
}

impl Target<'_> {
    fn pattern(self) -> Pattern {
        match self {
            Self::Bucket(arn) => Pattern::literal(arn, Case::Sensitive),
            Self::ObjectsOf(arn) => Pattern::starting_with(&format!("{arn}/"), Case::Sensitive),
            Self::Any => Pattern::new("*", Case::Sensitive),
        }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum May {
    /// No policy of the principal gives it.
    No,
    /// This statement gives it.
    Yes(Because),
    /// Cannot be told without evaluating conditions, or without what could not be read.
    Unknown(Vec<Reason>),
}

/// What gives a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// The policy.
    pub policy: PolicyName,
    /// The statement, with index and Sid.
    pub statement: StatementRef,
    /// What could still take it away and was not read.
    pub unless: Vec<String>,
}

/// Why the answer is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The identity policies could not be read.
    UnreadIdentity,
    /// This Allow could give it.
    Allow(PolicyName, StatementRef, Doubt),
    /// This Deny could take it away.
    Deny(PolicyName, StatementRef, Doubt),
    /// The boundary does not plainly allow it, nor plainly leave it out.
    Boundary(PolicyName),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnreadIdentity => f.write_str("the policies of the principal could not be read"),
            Self::Allow(policy, statement, doubt) => write!(f, "{statement} of {policy} may allow it: {doubt}"),
            Self::Deny(policy, statement, doubt) => write!(f, "{statement} of {policy} may deny it: {doubt}"),
            Self::Boundary(policy) => write!(f, "the boundary {policy} may leave it out"),
        }
    }
}

/// What makes a statement doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// It has conditions.
    Conditions,
    /// It is written with NotAction or NotResource.
    Exclusion,
    /// Its resource holds a policy variable.
    Variable,
    /// It covers part of what is asked.
    Part,
    /// It has a Principal where none belongs, or no resource where one does.
    Form,
    /// It binds some principals, perhaps not the ones in question.
    Principals,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conditions => "it has conditions",
            Self::Exclusion => "it is written by exclusion",
            Self::Variable => "its resource holds a policy variable",
            Self::Part => "it covers part of what is asked",
            Self::Form => "it has a principal, or no resource, unlike a policy of its kind",
            Self::Principals => "it binds only some principals",
        })
    }
}

/// May the principal do the action on some resource of the target? The action may hold wildcards: then "some such action".
#[must_use]
pub fn may(principal: &PrincipalPolicies<'_>, action: &str, resource: Target<'_>) -> May {
    let identity = match &principal.identity {
        Layer::None => return May::No,
        Layer::Unread => return May::Unknown(vec![Reason::UnreadIdentity]),
        Layer::Docs(docs) => docs,
    };
    let (boundary, unless) = match &principal.boundary {
        Layer::None => (None, Vec::new()),
        Layer::Docs(boundary) => (Some(boundary), Vec::new()),
        Layer::Unread => (None, vec!["the permissions boundary, which could not be read, takes it away".to_owned()]),
    };
    let statements: Vec<Named<'_>> = identity.iter().flat_map(|(name, doc)| named(name, doc)).collect();
    let limits: Vec<Named<'_>> = boundary.iter().flat_map(|(name, doc)| named(name, doc)).collect();
    let denies: Vec<Named<'_>> = statements.iter().chain(&limits).filter(|(_, s)| s.effect == Effect::Deny).copied().collect();
    let question = Question { action: Pattern::new(action, Case::Insensitive), target: resource.pattern(), kind: Kind::Identity };
    let mut reasons = Vec::new();
    for (policy, allow) in statements.iter().filter(|(_, s)| s.effect == Effect::Allow) {
        for part in question.parts(allow) {
            let Some(mut doubts) = question.weigh(&denies, part) else { continue };
            if let Some((name, _)) = boundary {
                match question.within(&limits, part) {
                    Some(true) => {}
                    Some(false) => doubts.push(Reason::Boundary(name.clone())),
                    None => continue,
                }
            }
            doubts.extend(
                doubt_in_allow(allow, part, Kind::Identity).map(|d| Reason::Allow((*policy).clone(), allow.reference(), d)),
            );
            if doubts.is_empty() {
                return May::Yes(Because { policy: (*policy).clone(), statement: allow.reference(), unless });
            }
            add(&mut reasons, doubts);
        }
    }
    if reasons.is_empty() { May::No } else { May::Unknown(reasons) }
}

/// An Allow of a bucket policy that touches the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceGrant<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// Whom it names. An account named here must still grant it to its principals.
    pub to: &'a Principals,
    /// It holds only under its conditions.
    pub conditional: bool,
    /// What may make it ineffective, conditions of its own aside.
    pub doubts: Vec<Reason>,
}

/// The Allows of a bucket policy that touch the action on some resource of the target. Left out is only what an unconditional
/// Deny for everybody wholly covers.
#[must_use]
pub fn bucket_policy_may<'a>(doc: &'a Document, action: &str, target: Target<'_>) -> Vec<ResourceGrant<'a>> {
    let name = PolicyName("the bucket policy".to_owned());
    let statements: Vec<Named<'_>> = named(&name, doc).filter(|(_, s)| s.principals != Principals::None).collect();
    let denies: Vec<Named<'_>> = statements.iter().filter(|(_, s)| s.effect == Effect::Deny).copied().collect();
    let question = Question { action: Pattern::new(action, Case::Insensitive), target: target.pattern(), kind: Kind::Resource };
    let mut out = Vec::new();
    for statement in doc.statements.iter().filter(|s| s.effect == Effect::Allow && s.principals != Principals::None) {
        let (mut alive, mut doubts) = (false, Vec::new());
        for part in question.parts(statement) {
            let Some(mut found) = question.weigh(&denies, part) else { continue };
            let own = doubt_in_allow(statement, part, Kind::Resource).filter(|doubt| *doubt != Doubt::Conditions);
            found.extend(own.map(|doubt| Reason::Allow(name.clone(), statement.reference(), doubt)));
            alive = true;
            add(&mut doubts, found);
        }
        if alive {
            let conditional = !statement.conditions.is_empty();
            out.push(ResourceGrant { statement, to: &statement.principals, conditional, doubts });
        }
    }
    out
}

type Named<'a> = (&'a PolicyName, &'a Statement);

fn named<'a>(name: &'a PolicyName, doc: &'a Document) -> impl Iterator<Item = Named<'a>> {
    doc.statements.iter().map(move |statement| (name, statement))
}

fn add(reasons: &mut Vec<Reason>, more: Vec<Reason>) {
    for reason in more {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
}

/// Whose policies are asked: those of a principal name no principal, those of a resource must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Identity,
    Resource,
}

struct Question {
    action: Pattern,
    target: Pattern,
    kind: Kind,
}

impl Question {
    /// The parts of the target an Allow may give, each as a pattern that holds it: its own resource patterns, or the target.
    fn parts<'a>(&'a self, allow: &'a Statement) -> Vec<&'a Pattern> {
        if !actions_touch(&allow.actions, &self.action) || !resources_touch(&allow.resources, &self.target) {
            return Vec::new();
        }
        match &allow.resources {
            Resources::In(list) => list.iter().filter(|p| p.intersects(&self.target)).collect(),
            Resources::None | Resources::NotIn(_) => vec![&self.target],
        }
    }

    fn touched(&self, statement: &Statement, part: &Pattern) -> bool {
        let on = |pattern| resources_touch(&statement.resources, pattern);
        actions_touch(&statement.actions, &self.action) && on(part) && on(&self.target)
    }

    /// Does it surely apply to the action on all that lies in both the part and the target?
    fn covered(&self, statement: &Statement, part: &Pattern) -> bool {
        let on = |pattern| resources_cover(&statement.resources, pattern);
        let bound = match self.kind {
            Kind::Identity => statement.principals == Principals::None,
            Kind::Resource => statement.principals.is_everyone(),
        };
        bound
            && statement.conditions.is_empty()
            && actions_cover(&statement.actions, &self.action)
            && (on(part) || on(&self.target))
    }

    /// `None`: surely denied. Otherwise the Deny statements that may matter.
    fn weigh(&self, denies: &[Named<'_>], part: &Pattern) -> Option<Vec<Reason>> {
        let mut doubts = Vec::new();
        for (policy, deny) in denies.iter().filter(|(_, deny)| self.touched(deny, part)) {
            if self.covered(deny, part) {
                return None;
            }
            doubts.push(Reason::Deny((*policy).clone(), deny.reference(), self.doubt_in_deny(deny)));
        }
        Some(doubts)
    }

    /// Does the boundary allow the part: surely, perhaps, or surely not (`None`)?
    fn within(&self, limits: &[Named<'_>], part: &Pattern) -> Option<bool> {
        let allows = limits.iter().filter(|(_, s)| s.effect == Effect::Allow && self.touched(s, part));
        allows.map(|(_, s)| self.covered(s, part)).max()
    }

    fn doubt_in_deny(&self, deny: &Statement) -> Doubt {
        let everyone = self.kind == Kind::Identity || deny.principals.is_everyone();
        if !everyone { Doubt::Principals } else { doubt_in(deny, self.kind).unwrap_or(Doubt::Part) }
    }
}

fn doubt_in_allow(allow: &Statement, part: &Pattern, kind: Kind) -> Option<Doubt> {
    doubt_in(allow, kind).or_else(|| part.has_variable().then_some(Doubt::Variable))
}

fn doubt_in(statement: &Statement, kind: Kind) -> Option<Doubt> {
    let misplaced = kind == Kind::Identity && statement.principals != Principals::None;
    if !statement.conditions.is_empty() {
        Some(Doubt::Conditions)
    } else if misplaced || statement.resources == Resources::None {
        Some(Doubt::Form)
    } else if matches!(statement.actions, Actions::NotIn(_)) || matches!(statement.resources, Resources::NotIn(_)) {
        Some(Doubt::Exclusion)
    } else {
        None
    }
}

#[cfg(test)]
#[path = "may_tests.rs"]
mod tests;
