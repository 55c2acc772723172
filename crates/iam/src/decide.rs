//! The decision on one request: allow, explicit deny or implicit deny, as AWS would take it.
//!
//! It must never be asked with an open context: a request that is not wholly known is a question for [`crate::may`].
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.

use crate::evaluate::{Outcome, Request, weigh};
use crate::layer::{Deciding, Guards, LayerName, Policies};
use crate::statement::Asked;

/// What AWS answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It passes.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// Nothing allows it.
    ImplicitDeny,
}

impl Effect {
    /// The word in answers for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ExplicitDeny => "explicit_deny",
            Self::ImplicitDeny => "implicit_deny",
        }
    }
}

/// A decision with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The answer.
    pub effect: Effect,
    /// What allows it (of the principal's policies, of the resource's, or both), or the statements that deny it.
    pub by: Vec<Deciding<'a>>,
    /// Of a denial, the layers that deny it or lack an Allow.
    pub blocked_by: Vec<LayerName>,
    /// Of an allow, the layers that could not be read and might deny it; of an implicit deny, those that might allow it.
    pub unread: Vec<LayerName>,
}

/// Decides one request.
#[must_use]
pub fn decide<'a>(request: &Request<'_>, policies: &Policies<'a>, guards: &Guards<'a>) -> Decision<'a> {
    match weigh(request, Asked::One(request.resource), policies, guards) {
        Outcome::Passes(ways) => {
            let sure = ways.iter().find(|way| way.conditions.is_empty());
            let unread = ways
                .iter()
                .flat_map(|way| &way.conditions)
                .filter_map(|clause| if let crate::Clause::Unread(layer) = clause { Some(*layer) } else { None });
            match sure {
                Some(way) => {
                    Decision { effect: Effect::Allow, by: way.grants.clone(), blocked_by: Vec::new(), unread: way.unless.clone() }
                }
                None => {
                    let mut unread: Vec<LayerName> = unread.collect();
                    unread.sort_unstable();
                    unread.dedup();
                    Decision { effect: Effect::ImplicitDeny, by: Vec::new(), blocked_by: unread.clone(), unread }
                }
            }
        }
        Outcome::Refused(by) => {
            let mut blocked_by: Vec<LayerName> = by.iter().map(|deciding| deciding.layer).collect();
            blocked_by.dedup();
            Decision { effect: Effect::ExplicitDeny, by, blocked_by, unread: Vec::new() }
        }
        Outcome::Lacking(blocked_by) => Decision { effect: Effect::ImplicitDeny, by: Vec::new(), blocked_by, unread: Vec::new() },
    }
}
