//! The answer about one principal, with every statement of every layer.
//!
//! It must never take one principal for another: a name that fits several, or nobody, is an error that says so.

use lastcopy_iam::{
    Actions, Bearing, Context, Deciding, Effect, Guards, Layer, Miss, Named, Pattern, Policies, Request, Resources, explain,
};

use super::cast::{Cast, Sort, Who};
use super::{Asked, Guarded, Material, phrase};

/// Nobody, or several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// Nobody, with the name that is probably meant.
    #[error("there is no principal {given}{}", near.as_ref().map(|near| format!(" (did you mean {near}?)")).unwrap_or_default())]
    Nobody {
        /// What was asked for.
        given: String,
        /// What is probably meant.
        near: Option<String>,
    },
    /// Several; their ARNs.
    #[error("{given} may be {}: give the ARN", all.join(" or "))]
    Several {
        /// What was asked for.
        given: String,
        /// All of them.
        all: Vec<String>,
    },
}

/// Finds a principal by ARN, by `user/NAME`, `role/NAME` or `root`; or adds whom no list holds: a service, an account, `anonymous`.
pub fn find<'a>(cast: &mut Cast<'a>, material: &'a Material<'_>, given: &str) -> Result<usize, FindError> {
    let is = |who: &Who<'_>| match who.sort {
        Sort::User | Sort::Role => {
            who.name == given || who.short == given || who.label == given || path_of(&who.name) == Some(given)
        }
        Sort::Root => who.name == given || given == "root" || given == who.account,
        Sort::Outsider => who.name == given && given != "*",
    };
    let found: Vec<usize> = cast.who.iter().enumerate().filter(|(_, who)| is(who)).map(|(at, _)| at).collect();
    match found.as_slice() {
        [one] => return Ok(*one),
        [] => {}
        several => {
            let all = several.iter().filter_map(|at| cast.who.get(*at)).map(|who| who.name.clone()).collect();
            return Err(FindError::Several { given: given.to_owned(), all });
        }
    }
    // A principal of an account that was read whole would be in the list.
    let of_iam = given.split(':').nth(2) == Some("iam") && !given.ends_with(":root");
    let own = super::asked::account_in(given).is_some_and(|number| material.account(number).is_some());
    if !(of_iam && own)
        && let Some(at) = cast.add_named(material, given)
    {
        return Ok(at);
    }
    let principals = cast.who.iter().filter(|who| matches!(who.sort, Sort::User | Sort::Role));
    let arn = given.starts_with("arn:");
    let near = principals
        .map(|who| if arn { who.name.as_str() } else { who.short.as_str() })
        .map(|name| (strsim::jaro_winkler(name, given).max(strsim::jaro_winkler(last(name), given)), name))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name.to_owned());
    Err(FindError::Nobody { given: given.to_owned(), near })
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// `role/path/ops` of an ARN.
fn path_of(arn: &str) -> Option<&str> {
    arn.splitn(6, ':').nth(5)
}

/// A statement and how it bears on the question.
#[derive(Debug)]
pub struct Line<'a> {
    pub deciding: Deciding<'a>,
    pub effect: Effect,
    pub bears: Bearing<'a>,
    /// The target is many resources, and it bears so on some of them only.
    pub some: bool,
}

/// Every statement of every layer. Of a target that is many resources, those that the policies suggest are tried, and of each
/// statement the strongest bearing is told.
pub fn lines<'a>(
    asked: &Asked,
    who: &Who<'a>,
    policies: &Policies<'a>,
    guards: &Guards<'a>,
    guarded: &Guarded,
    context: &Context,
) -> Vec<Line<'a>> {
    let mut out: Vec<Line<'a>> = Vec::new();
    for (round, resource) in resources(asked, policies, guards).iter().enumerate() {
        let request = Request {
            caller: who.caller(),
            action: &asked.action,
            resource,
            resource_account: guarded.account.as_deref(),
            context,
        };
        for (at, line) in explain(&request, policies, guards).into_iter().enumerate() {
            match out.get_mut(at) {
                None if round == 0 => {
                    out.push(Line { deciding: line.deciding, effect: line.effect, bears: line.bears, some: false });
                }
                Some(before) if strength(&before.bears) != strength(&line.bears) => {
                    // Only what it applies to is worth telling apart.
                    before.some |= strength(&before.bears).max(strength(&line.bears)) >= APPLIES_IF;
                    if strength(&line.bears) > strength(&before.bears) {
                        before.bears = line.bears;
                    }
                }
                None | Some(_) => {}
            }
        }
    }
    out.retain(|line| !super::cast::is_assumed(&line.deciding));
    out
}

const APPLIES_IF: u8 = 5;

fn strength(bears: &Bearing<'_>) -> u8 {
    match bears {
        Bearing::Applies => 6,
        Bearing::AppliesIf(_) => APPLIES_IF,
        Bearing::Not(Miss::Condition(_)) => 4,
        Bearing::Not(Miss::Principal) => 3,
        Bearing::Not(Miss::Form) => 2,
        Bearing::Not(Miss::Resource) => 1,
        Bearing::Not(Miss::Action) => 0,
    }
}

/// So many resources are tried.
const MOST: usize = 16;

fn resources(asked: &Asked, policies: &Policies<'_>, guards: &Guards<'_>) -> Vec<String> {
    if asked.target.is_exact() {
        return vec![asked.target.as_str().to_owned()];
    }
    let mut out: Vec<String> = asked.target.meet(&asked.target).into_iter().collect();
    let plain = [&guards.resource, &policies.identity, &policies.boundary, &policies.session, &guards.endpoint];
    let docs = plain.into_iter().filter_map(Layer::read).flatten();
    let levels = [&guards.rcps, &policies.scps].into_iter().filter_map(Layer::read).flatten().flat_map(|level| &level.policies);
    for Named { document, .. } in docs.chain(levels) {
        for statement in &document.statements {
            let about = match &statement.actions {
                Actions::In(list) => list.iter().any(|pattern| pattern.matches(&asked.action)),
                Actions::NotIn(list) => !list.iter().any(|pattern| pattern.matches(&asked.action)),
            };
            let (Resources::In(list) | Resources::NotIn(list)) = &statement.resources else { continue };
            for met in list.iter().filter(|_| about).filter_map(|pattern: &Pattern| pattern.meet(&asked.target)) {
                if out.len() < MOST && !out.contains(&met) {
                    out.push(met);
                }
            }
        }
    }
    out
}

/// How a statement bears, in words: `allows`, `denies, not here: another principal`.
pub fn bearing(line: &Line<'_>) -> String {
    let verb = match line.effect {
        Effect::Allow => "allows",
        Effect::Deny => "denies",
    };
    let some = if line.some { " some of them" } else { "" };
    match &line.bears {
        Bearing::Applies => format!("{verb}{some}"),
        Bearing::AppliesIf(clauses) => {
            let list: Vec<String> = clauses.iter().map(phrase::clause).collect();
            format!("{verb}{some} if {}", list.join(" and "))
        }
        Bearing::Not(Miss::Condition(condition)) => {
            format!("{verb}, not here: its condition is not met: {}", phrase::condition(condition))
        }
        Bearing::Not(miss) => format!("{verb}, not here: {miss}"),
    }
}
