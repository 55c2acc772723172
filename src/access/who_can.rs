//! The answers about everybody, and equal ones together.
//!
//! It must never count a principal among those who cannot while a layer that may grant it was not read.

use std::collections::BTreeMap;

use lastcopy_iam::{Context, Deciding, Guards, LayerName, May, Question, Way, WhyNot, may};

use super::cast::{self, Cast, Sort, Who};
use super::{Asked, Guarded, Material, phrase};
use crate::fact::Gap;

/// The answer in one word, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// In every case.
    Always,
    /// Under conditions.
    OnlyIf,
    /// What could grant it was not read.
    Unknown,
    /// In no case.
    Never,
}

impl Verdict {
    /// The word in answers for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::OnlyIf => "only-if",
            Self::Unknown => "unknown",
            Self::Never => "never",
        }
    }
}

/// One answer about one of the cast and one action.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The place in [`Cast::who`].
    pub who: usize,
    /// The place in the list of questions.
    pub asked: usize,
    pub may: May<'a>,
}

/// Asks every question about everybody.
pub fn ask<'a>(
    asked: &[Asked],
    cast: &Cast<'a>,
    guarded: &'a Guarded,
    material: &'a Material<'_>,
    context: &Context,
) -> Vec<Answer<'a>> {
    let guards: Vec<Guards<'a>> = asked.iter().map(|asked| guarded.guards(&asked.action, material)).collect();
    let mut out = Vec::with_capacity(cast.who.len() * asked.len());
    for (who, (_, caller, policies)) in cast.each().enumerate() {
        for (at, (asked, guards)) in asked.iter().zip(&guards).enumerate() {
            let question = Question {
                caller,
                action: &asked.action,
                target: &asked.target,
                resource_account: guarded.account.as_deref(),
                context,
            };
            out.push(Answer { who, asked: at, may: may(&question, policies, guards) });
        }
    }
    out
}

/// An answer in words. Equal ones are grouped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    pub verdict: Verdict,
    /// Alternatives; of each what grants it and what must hold besides.
    pub ways: Vec<ToldWay>,
    /// Of an unknown or a no, why.
    pub why: Vec<String>,
}

/// One way in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToldWay {
    pub by: Vec<String>,
    pub conditions: Vec<String>,
    pub unless: Vec<LayerName>,
}

/// The verdict on one of the cast. What an account outside may still withhold is a condition.
pub fn verdict(who: &Who<'_>, may: &May<'_>) -> Verdict {
    match may {
        May::Yes(_) if who.left_to.is_some() => Verdict::OnlyIf,
        May::Yes(_) => Verdict::Always,
        May::OnlyIf(_) => Verdict::OnlyIf,
        May::Unknown(_) => Verdict::Unknown,
        May::No(_) => Verdict::Never,
    }
}

/// Puts an answer in words.
pub fn tell(who: &Who<'_>, may: &May<'_>, guarded: &Guarded) -> Told {
    let (ways, why) = match may {
        May::Yes(way) => (vec![tell_way(who, way)], Vec::new()),
        May::OnlyIf(ways) => (ways.iter().map(|way| tell_way(who, way)).collect(), Vec::new()),
        May::Unknown(layers) => (Vec::new(), layers.iter().flat_map(|layer| unread(who, *layer, guarded)).collect()),
        May::No(WhyNot::Denied(statements)) => (Vec::new(), statements.iter().map(|by| format!("{by} denies it")).collect()),
        May::No(WhyNot::NotAllowed(layers)) => (Vec::new(), vec![phrase::lacking(layers)]),
    };
    Told { verdict: verdict(who, may), ways, why }
}

/// A deciding statement, with the group that gives its policy.
pub fn deciding(who: &Who<'_>, of: &Deciding<'_>) -> String {
    let text = phrase::deciding(of);
    match who.group_of(of.policy) {
        Some(group) => format!("{text}, by group {group}"),
        None => text,
    }
}

fn tell_way(who: &Who<'_>, way: &Way<'_>) -> ToldWay {
    let by = way.grants.iter().filter(|of| !cast::is_assumed(of)).map(|of| deciding(who, of)).collect();
    let mut conditions: Vec<String> = way.conditions.iter().map(phrase::clause).collect();
    if let Some(account) = &who.left_to {
        conditions.push(if super::is_account(account) {
            format!("account {account} allows it to")
        } else {
            format!("{account} allows it to")
        });
    }
    ToldWay { by, conditions, unless: way.unless.clone() }
}

/// What could not be read of a layer that may grant.
fn unread(who: &Who<'_>, layer: LayerName, guarded: &Guarded) -> Vec<String> {
    let say = |what: &str, gap: Option<&Gap>| {
        let why = gap.map_or_else(|| "it could not be read".to_owned(), ToString::to_string);
        vec![format!("{what} may allow it: {why}")]
    };
    match layer {
        LayerName::Identity => match who.held.map(|held| held.gaps.as_slice()).unwrap_or_default() {
            [] => vec!["its policies may allow it: they could not be read".to_owned()],
            gaps => gaps.iter().flat_map(|gap| say("a policy of it", Some(gap))).collect(),
        },
        LayerName::Resource => say(&format!("the {}", guarded.name), guarded.policy_gap.as_ref()),
        LayerName::Acl => match &guarded.acl_gap {
            Some(gap) => say("an ACL", Some(gap)),
            None => vec!["an ACL may allow it: ACLs are on, and they are not read".to_owned()],
        },
        LayerName::KeyGrant => vec!["a grant of the key may allow it: grants were not read".to_owned()],
        LayerName::Rcp
        | LayerName::Scp
        | LayerName::PublicAccessBlock
        | LayerName::Boundary
        | LayerName::Session
        | LayerName::Endpoint
        | LayerName::Protected => vec![format!("{layer} could not be read")],
    }
}

/// How many have which verdict, each by the gravest of its answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub always: usize,
    pub only_if: usize,
    pub unknown: usize,
    pub never: usize,
}

impl Count {
    fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Always => &mut self.always,
            Verdict::OnlyIf => &mut self.only_if,
            Verdict::Unknown => &mut self.unknown,
            Verdict::Never => &mut self.never,
        } += 1;
    }

    /// Everybody counted.
    pub fn all(&self) -> usize {
        self.can() + self.unknown + self.never
    }

    /// Those who can, always or under conditions.
    pub fn can(&self) -> usize {
        self.always + self.only_if
    }
}

/// Equal answers.
#[derive(Debug)]
pub struct Group {
    pub told: Told,
    /// Places in the list of questions.
    pub asked: Vec<usize>,
    /// Places in [`Cast::who`].
    pub who: Vec<usize>,
}

/// All answers, told.
#[derive(Debug)]
pub struct Report {
    /// Users and roles.
    pub principals: Count,
    /// Whom the resource's policy names.
    pub outsiders: Count,
    /// Users, roles and outsiders; the gravest first, in the order of the cast.
    pub groups: Vec<Group>,
    /// The root users.
    pub roots: Vec<Group>,
    /// Layers that might take away every permission told; each told way may name more.
    pub unless: Vec<LayerName>,
    /// Something that could grant it was not read.
    pub unknown: bool,
}

/// Groups the answers. Those of `never` are told only if `all`.
pub fn report(answers: &[Answer<'_>], cast: &Cast<'_>, guarded: &Guarded, all: bool) -> Report {
    let mut best: Vec<Option<Verdict>> = vec![None; cast.who.len()];
    let mut by_who: BTreeMap<usize, BTreeMap<Told, Vec<usize>>> = BTreeMap::new();
    let mut unknown = false;
    let mut unless: Option<Vec<LayerName>> = None;
    let insiders = cast.who.iter().any(|who| who.sort != Sort::Outsider);
    for answer in answers {
        let Some(who) = cast.who.get(answer.who) else { continue };
        let verdict = verdict(who, &answer.may);
        unknown |= verdict == Verdict::Unknown;
        if let Some(best) = best.get_mut(answer.who) {
            *best = Some(best.map_or(verdict, |before| before.min(verdict)));
        }
        if verdict != Verdict::Never || all {
            let told = tell(who, &answer.may, guarded);
            // Fewer layers bind outsiders; to say too many of them of a service does no harm.
            for way in told.ways.iter().filter(|_| !insiders || who.sort != Sort::Outsider) {
                let kept: Vec<LayerName> = match &unless {
                    None => way.unless.clone(),
                    Some(before) => before.iter().filter(|layer| way.unless.contains(layer)).copied().collect(),
                };
                unless = Some(kept);
            }
            by_who.entry(answer.who).or_default().entry(told).or_default().push(answer.asked);
        }
    }
    let (mut principals, mut outsiders) = (Count::default(), Count::default());
    for (who, best) in cast.who.iter().zip(&best) {
        let Some(best) = *best else { continue };
        match who.sort {
            Sort::User | Sort::Role => principals.add(best),
            Sort::Outsider => outsiders.add(best),
            Sort::Root => {}
        }
    }
    let unless = unless.unwrap_or_default();
    let mut groups: BTreeMap<(Told, Vec<usize>, bool), Vec<usize>> = BTreeMap::new();
    for (who, told) in by_who {
        let root = cast.who.get(who).is_some_and(|who| who.sort == Sort::Root);
        for (mut told, asked) in told {
            // What holds of every way is said once.
            told.ways.iter_mut().for_each(|way| way.unless.retain(|layer| !unless.contains(layer)));
            groups.entry((told, asked, root)).or_default().push(who);
        }
    }
    let (mut others, mut roots) = (Vec::new(), Vec::new());
    for ((told, asked, root), who) in groups {
        if root { &mut roots } else { &mut others }.push(Group { told, asked, who });
    }
    others.sort_by_key(|group| (group.told.verdict, group.who.first().copied()));
    Report { principals, outsiders, groups: others, roots, unless, unknown }
}
