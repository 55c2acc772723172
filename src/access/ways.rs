//! Who can come to do it by way of others, in words: role chains, groups and escalation, a row of steps for each.
//!
//! It must never tell a way as sure that holds only under conditions, nor leave out one that hangs on what was not read.

use lastcopy_iam::reach::{Hop, Mode, Reach, Strength, Ways, World};
use lastcopy_iam::{Caller, Context, Deciding, May, Policies, Question, Target, may};

use super::{Asked, Guarded, Material, levels, phrase};
use crate::world::Town;

/// One who can come to do it, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldReach {
    /// Who.
    pub name: String,
    pub arn: String,
    pub strength: Strength,
    pub steps: Vec<Step>,
    /// What the last of them does then.
    pub last: Step,
}

/// One step in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub from: String,
    pub to: String,
    /// `iam:PassRole + lambda:CreateFunction`.
    pub how: String,
    /// The id in the catalogue of escalations; empty for what is no escalation of IAM.
    pub id: &'static str,
    pub by: Vec<String>,
    /// What must hold; a note about what no policy shows comes last.
    pub conditions: Vec<String>,
}

/// Somebody whom a role on the way trusts and who is not among the principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldSource {
    pub name: String,
    pub role: String,
    pub strength: Strength,
    pub by: String,
    pub conditions: Vec<String>,
}

/// Both in words, the surest first, then in the order of the members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToldWays {
    /// Those who cannot by their own policies.
    pub through: Vec<ToldReach>,
    pub sources: Vec<ToldSource>,
}

/// Searches all ways to do one of the things asked, also by rewriting the policy of the resource: whoever may do that can give
/// the permission to anybody.
pub fn search(town: &Town<'_>, asked: &[Asked], guarded: &Guarded, material: &Material<'_>, context: &Context) -> ToldWays {
    let world = town.world(material.scps.as_ref().map(levels).as_ref());
    let ways = Ways::new(&world);
    let told = Telling { world: &world, labels: town.labels() };
    let mut out = told.tell(&ways.to(goal(asked, guarded, material, context)), &what(asked));
    let rewriting = rewriting(asked);
    if !rewriting.is_empty() {
        let what = format!("{}, then {}", rewriting.first().map_or("", |asked| &asked.action), what(asked));
        let found = ways.to(goal(&rewriting, guarded, material, context));
        out.add(told.tell_all(&found, &what, true));
    }
    let direct = ways.to(goal(asked, guarded, material, context));
    // Who always can by its own policies needs no way.
    let own = |arn: &str| {
        let can = direct.members.iter().filter(|reached| reached.path.is_empty() && matches!(reached.can, May::Yes(_)));
        can.into_iter().any(|reached| world.members.get(reached.member).is_some_and(|member| member.arn == arn))
    };
    out.through.retain(|told| !own(&told.arn));
    out.through.sort_by_key(|told| (told.strength, told.steps.len()));
    out
}

fn what(asked: &[Asked]) -> String {
    match asked {
        [one] => one.action.clone(),
        several => format!("one of {} actions", several.len()),
    }
}

fn goal<'a>(
    asked: &[Asked],
    guarded: &'a Guarded,
    material: &'a Material<'_>,
    context: &Context,
) -> impl FnMut(&Caller<'a>, &Policies<'a>) -> May<'a> {
    let guards: Vec<_> = asked.iter().map(|asked| guarded.guards(&asked.action, material)).collect();
    move |caller, policies| {
        let answers = asked.iter().zip(&guards).map(|(asked, guards)| {
            let question = Question {
                caller: *caller,
                action: &asked.action,
                target: &asked.target,
                resource_account: guarded.account.as_deref(),
                context,
            };
            may(&question, policies, guards)
        });
        best(answers)
    }
}

/// The action that rewrites the policy of what is asked about.
fn rewriting(asked: &[Asked]) -> Vec<Asked> {
    let Some(first) = asked.first() else { return Vec::new() };
    let on = first.target.as_str();
    let (action, target) = match on.split(':').nth(2) {
        Some("s3") => {
            let bucket = on.split('/').next().unwrap_or(on).trim_end_matches('*');
            ("s3:PutBucketPolicy", bucket.to_owned())
        }
        Some("kms") if on.contains(":key/") => ("kms:PutKeyPolicy", on.to_owned()),
        _other => return Vec::new(),
    };
    if asked.iter().any(|asked| asked.action.eq_ignore_ascii_case(action)) || target.ends_with(':') {
        return Vec::new();
    }
    vec![Asked { action: action.to_owned(), target: Target::One(&target).pattern(), ..first.clone() }]
}

/// The gravest answer.
pub fn best<'a>(answers: impl Iterator<Item = May<'a>>) -> May<'a> {
    let mut best: Option<May<'a>> = None;
    for answer in answers {
        let grave = |may: &May<'_>| match may {
            May::Yes(_) => 0,
            May::OnlyIf(_) => 1,
            May::Unknown(_) => 2,
            May::No(_) => 3,
        };
        let done = grave(&answer) == 0;
        if best.as_ref().is_none_or(|known| grave(known) > grave(&answer)) {
            best = Some(answer);
        }
        if done {
            break;
        }
    }
    best.unwrap_or(May::Unknown(Vec::new()))
}

impl ToldWays {
    /// Adds ways of those who have none as sure.
    fn add(&mut self, more: Self) {
        for told in more.through {
            match self.through.iter_mut().find(|known| known.arn == told.arn) {
                Some(known) if known.strength > told.strength => *known = told,
                Some(_) => {}
                None => self.through.push(told),
            }
        }
        for told in more.sources {
            if !self.sources.iter().any(|known| known.name == told.name && known.role == told.role) {
                self.sources.push(told);
            }
        }
    }
}

/// Puts what was found in words.
struct Telling<'w, 'a> {
    world: &'w World<'a>,
    labels: Vec<String>,
}

impl Telling<'_, '_> {
    fn tell(&self, reach: &Reach<'_>, what: &str) -> ToldWays {
        self.tell_all(reach, what, false)
    }

    /// With `direct` also those who need no other.
    fn tell_all(&self, reach: &Reach<'_>, what: &str, direct: bool) -> ToldWays {
        let mut out = ToldWays::default();
        for reached in reach.members.iter().filter(|reached| direct || !reached.path.is_empty()) {
            let actor = reached.path.last().map_or((reached.member, Mode::PLAIN), |hop| hop.to);
            out.through.push(ToldReach {
                name: self.label((reached.member, Mode::PLAIN)),
                arn: self.world.members.get(reached.member).map_or("", |member| member.arn).to_owned(),
                strength: reached.strength,
                steps: reached.path.iter().map(|hop| self.step(hop)).collect(),
                last: self.last(actor, &reached.can, what),
            });
        }
        for source in reach.sources.iter().filter(|source| source.external) {
            out.sources.push(ToldSource {
                name: source.principal.to_string(),
                role: self.label((source.role, Mode::PLAIN)),
                strength: source.strength,
                by: format!("{} of its trust policy", source.statement),
                conditions: source.conditions.clone(),
            });
        }
        out.sources.sort_by_key(|told| told.strength);
        out
    }

    fn label(&self, (member, mode): (usize, Mode)) -> String {
        format!("{}{}", self.labels.get(member).map_or("", String::as_str), self.world.become_of(mode))
    }

    fn step(&self, hop: &Hop<'_>) -> Step {
        let mut conditions: Vec<String> = hop.conditions.iter().map(phrase::clause).collect();
        conditions.extend(hop.note.map(|note| note.trim_start_matches("if ").to_owned()));
        Step {
            from: self.label(hop.from),
            to: self.label(hop.to),
            how: hop.how.to_string(),
            id: hop.how.id(),
            by: statements(&hop.grants),
            conditions,
        }
    }

    fn last(&self, actor: (usize, Mode), can: &May<'_>, what: &str) -> Step {
        let (by, conditions) = match can {
            May::Yes(way) => (statements(&way.grants), Vec::new()),
            May::OnlyIf(ways) => ways.first().map_or_else(Default::default, |way| {
                (statements(&way.grants), way.conditions.iter().map(phrase::clause).collect())
            }),
            May::Unknown(layers) => {
                (Vec::new(), layers.iter().map(|layer| format!("{layer}, which could not be read, allow it")).collect())
            }
            May::No(_) => Default::default(),
        };
        Step { from: self.label(actor), to: self.label(actor), how: what.to_owned(), id: "", by, conditions }
    }
}

fn statements(grants: &[Deciding<'_>]) -> Vec<String> {
    let mut by: Vec<String> = grants.iter().filter(|of| of.statement.is_some()).map(phrase::deciding).collect();
    by.dedup();
    by
}

/// The word in answers for programs.
pub fn word(strength: Strength) -> &'static str {
    match strength {
        Strength::Sure => "always",
        Strength::If => "only-if",
        Strength::Unknown => "unknown",
    }
}
