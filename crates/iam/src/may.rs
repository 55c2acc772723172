//! May a principal do this to some such resource, in some reachable request?
//!
//! It must never say "no" where a request exists that AWS would allow, nor over a granting layer that was not read. It tries
//! resources that the policies themselves suggest, one by one and exactly; only where none of them passes does it ask the
//! coarse question over all of them at once, which errs towards "perhaps".
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.

use crate::condition::{self, Truth};
use crate::context::{Context, Keys};
use crate::evaluate::{Outcome, Request, Way, owner, weigh};
use crate::layer::{Guards, Layer, LayerName, Named, Policies};
use crate::model::{Effect, Resources, Version};
use crate::pattern::{Case, Pattern};
use crate::principal::{Caller, Form};
use crate::statement::{Asked, Clause};

/// What the action is done to. The question is about some resource of the target, not about each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// The resource with this ARN, wildcards taken literally.
    One(&'a str),
    /// An object of the bucket with this ARN.
    ObjectsOf(&'a str),
    /// A resource that matches.
    Matching(&'a str),
    /// Some resource, whichever.
    Any,
}

impl Target<'_> {
    /// As a pattern.
    #[must_use]
    pub fn pattern(self) -> Pattern {
        match self {
            Self::One(arn) => Pattern::literal(arn, Case::Sensitive),
            Self::ObjectsOf(arn) => Pattern::starting_with(&format!("{arn}/"), Case::Sensitive),
            Self::Matching(text) => Pattern::new(text, Case::Sensitive),
            Self::Any => Pattern::new("*", Case::Sensitive),
        }
    }
}

/// A question about many requests.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who.
    pub caller: Caller<'a>,
    /// The IAM action, any case, without wildcards.
    pub action: &'a str,
    /// On what.
    pub target: &'a Pattern,
    /// The account that owns it. `None`: as its ARN says, or else the caller's.
    pub resource_account: Option<&'a str>,
    /// What is known of the request; open, as a rule.
    pub context: &'a Context,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum May<'a> {
    /// In no request.
    No(WhyNot),
    /// In this way, unless a layer that could not be read takes it away.
    Yes(Way<'a>),
    /// Only in these ways, each under its conditions; the one that asks for least first.
    OnlyIf(Vec<Way<'a>>),
    /// Nothing that was read grants it, and these layers could not be read.
    Unknown(Vec<LayerName>),
}

/// Why the answer is no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNot {
    /// A statement denies it.
    Denied(Vec<String>),
    /// These layers lack an Allow.
    NotAllowed(Vec<LayerName>),
}

/// Answers a question.
#[must_use]
pub fn may<'a>(question: &Question<'_>, policies: &Policies<'a>, guards: &Guards<'a>) -> May<'a> {
    let request = Request {
        caller: question.caller,
        action: question.action,
        resource: question.target.as_str(),
        resource_account: question.resource_account,
        context: question.context,
    };
    if question.target.is_exact() {
        return answer(weigh(&request, Asked::One(question.target.as_str()), policies, guards));
    }
    let over = |part| weigh(&request, Asked::Some(part, question.target), policies, guards);
    // Most principals are told no at once: nothing they hold touches the target.
    let coarse = over(question.target);
    if !matches!(coarse, Outcome::Passes(_)) {
        return answer(coarse);
    }
    let (suggested, parts) = suggestions(&request, question.target, policies, guards);
    let mut best: Vec<Way<'a>> = Vec::new();
    let mut refusal = None;
    for resource in [question.target].into_iter().chain(&suggested).filter_map(|pattern| pattern.meet(question.target)) {
        match weigh(&request, Asked::One(&resource), policies, guards) {
            Outcome::Passes(ways) => {
                if ways.first().is_some_and(|way| way.conditions.is_empty()) {
                    return answer(Outcome::Passes(ways));
                }
                add(&mut best, ways);
            }
            other @ (Outcome::Refused(_) | Outcome::Lacking(_)) => refusal = refusal.or(Some(other)),
        }
    }
    if !best.is_empty() {
        // Another resource may pass under less: then that is told too, if not under what.
        for part in &parts {
            let Outcome::Passes(ways) = over(part) else { continue };
            for mut way in ways.into_iter().filter(|way| !way.hangs_on_unread()) {
                let told = |known: &Way<'_>| {
                    known
                        .conditions
                        .iter()
                        .all(|clause| matches!(clause, Clause::Variable(..)) || way.conditions.contains(clause))
                };
                if !best.iter().any(told) {
                    way.conditions.push(Clause::Overlap);
                    add(&mut best, vec![way]);
                }
            }
        }
        return answer(Outcome::Passes(best));
    }
    // None of the resources passes: is that so for all of them? What is granted lies within a pattern that grants it.
    let mut part_refused = None;
    for part in &parts {
        match over(part) {
            Outcome::Passes(ways) => add(&mut best, ways),
            other @ (Outcome::Refused(_) | Outcome::Lacking(_)) => part_refused = part_refused.or(Some(other)),
        }
    }
    match part_refused.or(refusal) {
        Some(refusal) if best.is_empty() => answer(refusal),
        _ => {
            best.iter_mut().for_each(|way| way.conditions.push(Clause::Overlap));
            answer(Outcome::Passes(if best.is_empty() { passes(coarse) } else { best }))
        }
    }
}

fn passes(outcome: Outcome<'_>) -> Vec<Way<'_>> {
    match outcome {
        Outcome::Passes(mut ways) => {
            ways.iter_mut().for_each(|way| way.conditions.push(Clause::Overlap));
            ways
        }
        Outcome::Refused(_) | Outcome::Lacking(_) => Vec::new(),
    }
}

/// So many alternatives are kept.
const MOST_ALTERNATIVES: usize = 8;

/// So many resources are tried.
const MOST_TRIES: usize = 64;

fn add<'a>(best: &mut Vec<Way<'a>>, ways: Vec<Way<'a>>) {
    for way in ways {
        if !best.contains(&way) {
            best.push(way);
        }
    }
    best.sort_by_key(|way| (way.hangs_on_unread(), way.conditions.len()));
    // More than are kept become one of which nothing can be told.
    if best.len() > MOST_ALTERNATIVES {
        best.truncate(MOST_ALTERNATIVES);
        if let Some(last) = best.last_mut() {
            last.conditions = vec![Clause::Overlap];
        }
    }
}

fn answer(outcome: Outcome<'_>) -> May<'_> {
    match outcome {
        Outcome::Refused(by) => May::No(WhyNot::Denied(by.iter().map(ToString::to_string).collect())),
        Outcome::Lacking(layers) => May::No(WhyNot::NotAllowed(layers)),
        Outcome::Passes(mut ways) => {
            if ways.first().is_some_and(|way| way.conditions.is_empty()) {
                return May::Yes(ways.swap_remove(0));
            }
            let readable: Vec<Way<'_>> = ways.iter().filter(|way| !way.hangs_on_unread()).cloned().collect();
            if readable.is_empty() {
                let mut layers: Vec<LayerName> = ways
                    .iter()
                    .flat_map(|way| &way.conditions)
                    .filter_map(|clause| if let Clause::Unread(layer) = clause { Some(*layer) } else { None })
                    .collect();
                layers.sort_unstable();
                layers.dedup();
                return May::Unknown(layers);
            }
            let mut kept = Vec::new();
            add(&mut kept, readable);
            May::OnlyIf(kept)
        }
    }
}

/// The resource patterns of every Allow that touches the question, variables replaced where known: first all of them; then those
/// within which lies whatever is granted, of the layers that grant, or the target itself where they do not say.
fn suggestions(
    request: &Request<'_>,
    target: &Pattern,
    policies: &Policies<'_>,
    guards: &Guards<'_>,
) -> (Vec<Pattern>, Vec<Pattern>) {
    let keys = Keys { context: request.context, caller: request.caller, resource_account: owner(request) };
    let mut all = Suggested::default();
    for docs in [&guards.resource, &policies.identity] {
        all.add(docs.read().into_iter().flatten(), request.action, target, &keys);
    }
    let said = !all.more
        && request.caller.form() != Form::Root
        && !policies.identity.is_unread()
        && !guards.resource.is_unread()
        && is_empty(&guards.bucket.acl)
        && is_empty(&guards.key_grants);
    let parts = if said { all.patterns.clone() } else { vec![target.clone()] };
    all.exceptions = true;
    for docs in [&guards.resource, &policies.identity, &policies.boundary, &policies.session, &guards.endpoint] {
        all.add(docs.read().into_iter().flatten(), request.action, target, &keys);
    }
    let levels = policies.scps.read().into_iter().flatten().flat_map(|level| &level.policies);
    all.add(levels, request.action, target, &keys);
    (all.patterns, parts)
}

#[derive(Default)]
struct Suggested {
    patterns: Vec<Pattern>,
    /// There was another pattern, or an Allow without one.
    more: bool,
    /// Patterns that a Deny excepts are wanted, too.
    exceptions: bool,
}

impl Suggested {
    fn add<'n>(&mut self, docs: impl Iterator<Item = &'n Named<'n>>, action: &str, target: &Pattern, keys: &Keys<'_>) {
        for Named { document, .. } in docs {
            for statement in document.statements.iter().filter(|s| crate::fit::actions_match(&s.actions, action)) {
                let list = match (&statement.resources, statement.effect) {
                    (Resources::In(list), Effect::Allow) => list,
                    // What a Deny excepts may pass under less.
                    (Resources::NotIn(list), Effect::Deny) if self.exceptions => list,
                    (Resources::None | Resources::NotIn(_), Effect::Allow) => {
                        self.more = true;
                        continue;
                    }
                    (_, Effect::Deny) => continue,
                };
                for pattern in list.iter().filter(|pattern| pattern.intersects(target)) {
                    let varies = document.version == Version::V2012 && pattern.has_variable();
                    if varies && condition::resolve(pattern, keys, |pattern| pattern.intersects(target)) == Truth::No {
                        continue;
                    }
                    let known = if varies { condition::known(pattern, keys) } else { None };
                    let pattern = known.unwrap_or_else(|| pattern.clone());
                    if self.patterns.contains(&pattern) {
                        continue;
                    }
                    if self.patterns.len() < MOST_TRIES {
                        self.patterns.push(pattern);
                    } else {
                        self.more = true;
                    }
                }
            }
        }
    }
}

fn is_empty<T>(layer: &Layer<Vec<T>>) -> bool {
    !layer.is_unread() && layer.read().is_none_or(Vec::is_empty)
}

#[cfg(test)]
#[path = "may_tests.rs"]
mod tests;
