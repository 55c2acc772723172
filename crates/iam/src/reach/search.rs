//! The search behind `reach`: breadth first, backwards, the sure ways before the conditional, those before the unknown.
//!
//! It must never judge a step itself: every step is a question to [`crate::may`]. What members become is found in `modes`, whom
//! trust policies admit in `trusts`; the rest is one search over one state, and stays in one file.

mod modes;
mod trusts;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::OnceLock;

use super::index::{Asked, Index};
use super::{Group, Hop, How, Member, Mode, Reach, Reached, Source, Strength, World};
use crate::context::Context;
use crate::escalation::{Becomes, Escalation, Need, Subject, escalations};
use crate::layer::{Deciding, Guards, Layer, LayerName, Named, Policies};
use crate::limits::{Limit, limit};
use crate::may::{May, Question, may};
use crate::model::{Document, Effect, StatementRef};
use crate::pattern::{Case, Pattern};
use crate::principal::{Caller, Principal, Principals};
use crate::statement::{Clause, Topic};
use crate::trust::ASSUMING;

use trusts::{Trusts, is_uniform, named_by, trusted_services};

/// A member as something.
#[derive(Debug, Clone, Copy)]
struct Actor {
    member: usize,
    mode: Mode,
    set: usize,
}

#[derive(Debug, Clone)]
struct Set<'a> {
    policies: Policies<'a>,
    /// Of all who hold it.
    account: &'a str,
    /// No statement asks who the caller is: one answer for all who hold it.
    uniform: bool,
    /// Actors that are not reached yet, and some that are.
    open: Vec<usize>,
    /// Those of them for whom no weaker way waits, and some for whom one does.
    fresh: Vec<usize>,
}

/// What one step needs, answered.
#[derive(Debug, Clone)]
struct Answer<'a> {
    strength: Strength,
    grants: Vec<Deciding<'a>>,
    conditions: Vec<Clause<'a>>,
    unless: Vec<LayerName>,
}

impl<'a> Answer<'a> {
    fn empty() -> Self {
        Self { strength: Strength::Sure, grants: Vec::new(), conditions: Vec::new(), unless: Vec::new() }
    }

    fn and(mut self, other: Self) -> Self {
        self.strength = self.strength.max(other.strength);
        self.grants.extend(other.grants);
        self.conditions.extend(other.conditions);
        for layer in other.unless {
            if !self.unless.contains(&layer) {
                self.unless.push(layer);
            }
        }
        self
    }
}

/// `None`: no, or only under conditions that are accepted as a limit.
fn answered<'a>(may: May<'a>, accepted: &[Topic]) -> Option<Answer<'a>> {
    let (way, strength) = match may {
        May::No(_) => return None,
        May::Yes(way) => (way, Strength::Sure),
        May::OnlyIf(ways) => {
            // One that the actor can surely bring about, before one of which that cannot be told.
            let open = ways.into_iter().filter(|way| limit(way, accepted) != Limit::Accepted);
            (open.min_by_key(|way| limit(way, accepted) == Limit::Unclear)?, Strength::If)
        }
        May::Unknown(layers) => {
            let conditions = layers.into_iter().map(Clause::Unread).collect();
            return Some(Answer { strength: Strength::Unknown, grants: Vec::new(), conditions, unless: Vec::new() });
        }
    };
    Some(Answer { strength, grants: way.grants, conditions: way.conditions, unless: way.unless })
}

/// An edge towards one who is reached.
#[derive(Debug, Clone)]
struct Edge<'a> {
    from: usize,
    to: usize,
    how: How,
    answer: Answer<'a>,
}

impl Edge<'_> {
    fn strength(&self) -> Strength {
        let noted = self.how.note().map_or(Strength::Sure, |_| Strength::If);
        self.answer.strength.max(noted)
    }
}

impl How {
    fn note(&self) -> Option<&'static str> {
        match self {
            Self::Raise("iam:SetDefaultPolicyVersion", _) => Some("if an older version of the policy allows more"),
            Self::Path(entry) | Self::Raise(_, entry) => entry.note,
            Self::Give(_) => giving().note,
        }
    }
}

#[derive(Debug, Clone)]
struct Found<'a> {
    strength: Strength,
    next: Option<Edge<'a>>,
    can: Option<May<'a>>,
}

#[derive(Debug, Clone)]
pub(super) struct Search<'a, 'w> {
    world: &'w World<'a>,
    actors: Vec<Actor>,
    sets: Vec<Set<'a>>,
    index: Index,
    /// By actor: how it comes about from the member's other modes.
    own: HashMap<usize, Vec<Edge<'a>>>,
    /// Every mode of a member, by its ARN.
    by_arn: HashMap<&'a str, Vec<usize>>,
    /// Plain actors by account.
    accounts: HashMap<&'a str, Vec<usize>>,
    found: Vec<Option<Found<'a>>>,
    /// Whether an actor may do an action on some resource.
    anywhere: HashMap<(usize, &'static str), Option<Answer<'a>>>,
    open: Context,
    /// A step that holds only under conditions of these topics is none.
    pub(super) accepted: Vec<Topic>,
    /// The groups that an actor has joined: places in [`World::groups`].
    joined: HashMap<usize, Vec<usize>>,
    /// Roles by account and name: what the ARN of a session shows.
    roles: HashMap<(&'a str, &'a str), &'a str>,
    /// Candidates by entry, action, phase, and how the targets' ARNs begin.
    lists: HashMap<(&'static str, &'static str, Strength, Option<&'a str>), Vec<Asked>>,
    /// Try everybody at every step.
    #[cfg(test)]
    pub(super) exhaustive: bool,
}

/// What others do to a member so that it has any permission: the actions, and on what of the member.
type Raising = [(&'static str, Subject)];

static RAISING_A_ROLE: [(&str, Subject); 4] = [
    ("iam:AttachRolePolicy", Subject::Target),
    ("iam:PutRolePolicy", Subject::Target),
    ("iam:CreatePolicyVersion", Subject::TargetPolicy),
    ("iam:SetDefaultPolicyVersion", Subject::TargetPolicy),
];
static RAISING_A_USER: [(&str, Subject); 6] = [
    ("iam:AttachUserPolicy", Subject::Target),
    ("iam:PutUserPolicy", Subject::Target),
    ("iam:CreatePolicyVersion", Subject::TargetPolicy),
    ("iam:SetDefaultPolicyVersion", Subject::TargetPolicy),
    ("iam:AttachGroupPolicy", Subject::OwnGroup),
    ("iam:PutGroupPolicy", Subject::OwnGroup),
];
/// What others do to rid a member of its boundary.
static UNBINDING_A_ROLE: [(&str, Subject); 4] = [
    ("iam:DeleteRolePermissionsBoundary", Subject::Target),
    ("iam:PutRolePermissionsBoundary", Subject::Target),
    ("iam:CreatePolicyVersion", Subject::OwnBoundary),
    ("iam:SetDefaultPolicyVersion", Subject::OwnBoundary),
];
static UNBINDING_A_USER: [(&str, Subject); 4] = [
    ("iam:DeleteUserPermissionsBoundary", Subject::Target),
    ("iam:PutUserPermissionsBoundary", Subject::Target),
    ("iam:CreatePolicyVersion", Subject::OwnBoundary),
    ("iam:SetDefaultPolicyVersion", Subject::OwnBoundary),
];

/// The ARNs that an action of a raising is done to.
fn raised_on<'a>(member: &Member<'a>, subject: Subject) -> Vec<&'a str> {
    match subject {
        Subject::Target => vec![member.arn],
        Subject::TargetPolicy => member.attached.clone(),
        Subject::OwnGroup => member.groups.clone(),
        Subject::OwnBoundary => member.boundary.into_iter().filter(|arn| !arn.contains(":iam::aws:")).collect(),
        Subject::Itself | Subject::OwnPolicy | Subject::New | Subject::Any => Vec::new(),
    }
}

/// To give another more, where nothing shows that the actor can act as the other.
fn giving() -> &'static Escalation {
    static GIVING: OnceLock<Escalation> = OnceLock::new();
    GIVING.get_or_init(|| Escalation {
        id: "",
        becomes: Becomes::ItselfAdmin,
        via: Vec::new(),
        requires: Vec::new(),
        note: Some("if whoever does it can act as the other, too"),
    })
}

/// Do its own policies deny anything?
fn denies(policies: &Policies<'_>) -> bool {
    let docs = policies.identity.read().into_iter().flatten();
    docs.flat_map(|named| &named.document.statements).any(|statement| statement.effect == Effect::Deny)
}

/// Any permission.
fn everything() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        Document::parse(text).unwrap_or(Document { version: crate::model::Version::V2012, id: None, statements: Vec::new() })
    })
}

impl<'a, 'w> Search<'a, 'w> {
    pub(super) fn new(world: &'w World<'a>) -> Self {
        let sets = world.sets.iter().map(|policies| Set {
            policies: policies.clone(),
            account: "",
            uniform: is_uniform(policies),
            open: Vec::new(),
            fresh: Vec::new(),
        });
        let mut out = Self {
            world,
            actors: Vec::new(),
            sets: sets.collect(),
            index: Index::default(),
            own: HashMap::new(),
            by_arn: HashMap::new(),
            accounts: HashMap::new(),
            found: Vec::new(),
            anywhere: HashMap::new(),
            open: Context::open(),
            accepted: Vec::new(),
            joined: HashMap::new(),
            roles: HashMap::new(),
            lists: HashMap::new(),
            #[cfg(test)]
            exhaustive: false,
        };
        let actions = asked_actions();
        for (at, member) in world.members.iter().enumerate() {
            if let Some(name) = member.arn.split_once(":role/").and_then(|(_, path)| path.rsplit('/').next()) {
                out.roles.insert((member.account, name), member.arn);
            }
            let actor = out.add(Actor { member: at, mode: Mode::PLAIN, set: member.set }, &actions);
            out.accounts.entry(member.account).or_default().push(actor);
        }
        out.add_modes(&actions);
        out
    }

    fn add(&mut self, actor: Actor, actions: &[&'static str]) -> usize {
        let at = self.actors.len();
        let world = self.world;
        self.actors.push(actor);
        self.found.push(None);
        let Some((member, set)) = world.members.get(actor.member).zip(self.sets.get_mut(actor.set)) else { return at };
        // A set is filed with its first holder; where it matters who asks, every holder is.
        let first = set.open.is_empty();
        set.open.push(at);
        set.fresh.push(at);
        set.account = member.account;
        if !set.uniform {
            self.index.add(Asked::One(at), &set.policies, actions, Some(&member.caller()), member.account);
        } else if first {
            self.index.add(Asked::All(actor.set), &set.policies, actions, None, member.account);
        }
        self.by_arn.entry(member.arn).or_default().push(at);
        at
    }

    /// A quick no: the set holds the first action nowhere near.
    fn may_hold(&self, from: usize, set: usize, entry: &Escalation, arn: Option<&str>) -> bool {
        entry.requires.first().is_some_and(|need| self.index.has(need.action, arn, &[Asked::All(set), Asked::One(from)]))
    }

    /// Everything that an entry requires of an actor.
    fn needs(
        &mut self,
        from: usize,
        entry: &'static Escalation,
        target: Option<&str>,
        policies: &[&str],
        trust: Option<&Layer<Vec<Named<'a>>>>,
    ) -> Option<Answer<'a>> {
        let mut out = Answer::empty();
        // What is asked of some resource is known soonest.
        let (anywhere, exact): (Vec<&Need>, Vec<&Need>) = entry.requires.iter().partition(|need| need.subject == Subject::Any);
        for need in anywhere {
            out = out.and(self.anywhere(from, need.action)?);
        }
        for need in exact {
            out = out.and(self.need(from, need.action, need.subject, target, policies, trust, &entry.via)?);
        }
        Some(out)
    }

    fn anywhere(&mut self, from: usize, action: &'static str) -> Option<Answer<'a>> {
        let actor = *self.actors.get(from)?;
        let uniform = self.sets.get(actor.set)?.uniform;
        // One who stands for all of its set.
        let key = (if uniform { actor.set } else { usize::MAX - from }, action);
        if let Some(known) = self.anywhere.get(&key) {
            return known.clone();
        }
        let answer = self.ask(from, action, &Pattern::new("*", Case::Sensitive), &Layer::None, None);
        self.anywhere.insert(key, answer.clone());
        answer
    }

    #[expect(clippy::too_many_arguments, reason = "one requirement has that many sides")]
    fn need(
        &self,
        from: usize,
        action: &'static str,
        subject: Subject,
        target: Option<&str>,
        policies: &[&str],
        trust: Option<&Layer<Vec<Named<'a>>>>,
        via: &[&'static str],
    ) -> Option<Answer<'a>> {
        let actor = self.actors.get(from)?;
        let member = self.world.members.get(actor.member)?;
        let exact = |arn: &str| Pattern::literal(arn, Case::Sensitive);
        let first = |arns: &[&str]| {
            let answers = arns.iter().filter_map(|arn| self.ask(from, action, &exact(arn), &Layer::None, None));
            answers.min_by_key(|answer| answer.strength)
        };
        match subject {
            Subject::Target if ASSUMING.contains(&action) => self.ask(from, action, &exact(target?), trust?, None),
            Subject::Target if action == "iam:PassRole" => {
                // As the role's trust policy names them: their names differ between partitions.
                let named = trusted_services(trust?).into_iter();
                let services = named.filter(|service| via.iter().any(|via| is_service(via, service)));
                let answers = services.filter_map(|service| self.ask(from, action, &exact(target?), &Layer::None, Some(service)));
                answers.min_by_key(|answer| answer.strength)
            }
            Subject::Target => first(&[target?]),
            Subject::TargetPolicy => first(policies),
            Subject::Itself => {
                // Many of these actions are of one kind of principal.
                let kind = if member.is_role() { "Role" } else { "User" };
                first(&[action.contains(kind).then_some(member.arn)?])
            }
            Subject::OwnGroup => {
                let joined = self.joined_by(from).map(|group| group.arn);
                first(&member.groups.iter().copied().chain(joined).collect::<Vec<_>>())
            }
            Subject::OwnPolicy => {
                let docs = self.joined_by(from).filter_map(|group| group.policies.read()).flatten();
                let managed =
                    docs.map(|named| named.name).filter(|name| name.starts_with("arn:") && !name.contains(":iam::aws:"));
                first(&member.attached.iter().copied().chain(managed).collect::<Vec<_>>())
            }
            Subject::OwnBoundary => first(&[member.boundary.filter(|arn| !arn.contains(":iam::aws:"))?]),
            Subject::New => {
                let partition = member.arn.split(':').nth(1).unwrap_or("aws");
                let kind = match action {
                    _ if action.contains("Group") && member.is_role() => return None,
                    _ if action.contains("Group") => "group",
                    _ if action.contains("Role") => "role",
                    _user => "user",
                };
                let pattern = Pattern::new(&format!("arn:{partition}:iam::{}:{kind}/*", member.account), Case::Sensitive);
                self.ask(from, action, &pattern, &Layer::None, None)
            }
            Subject::Any => self.ask(from, action, &Pattern::new("*", Case::Sensitive), &Layer::None, None),
        }
    }

    fn joined_by(&self, actor: usize) -> impl Iterator<Item = &'w Group<'a>> {
        let world = self.world;
        self.joined.get(&actor).into_iter().flatten().filter_map(move |group| world.groups.get(*group))
    }

    fn ask(
        &self,
        from: usize,
        action: &'static str,
        target: &Pattern,
        resource: &Layer<Vec<Named<'a>>>,
        passed_to: Option<&str>,
    ) -> Option<Answer<'a>> {
        let actor = self.actors.get(from)?;
        let member = self.world.members.get(actor.member)?;
        let set = self.sets.get(actor.set)?;
        let told;
        let context = match passed_to {
            None => &self.open,
            Some(service) => {
                told = Context::open().with("iam:PassedToService", [service]);
                &told
            }
        };
        let guards = Guards { resource: resource.clone(), rcps: Layer::Unread(Vec::new()), ..Guards::default() };
        let question = Question { caller: member.caller(), action, target, resource_account: None, context };
        answered(may(&question, &set.policies, &guards), &self.accepted)
    }

    pub(super) fn run(mut self, mut goal: impl FnMut(&Caller<'a>, &Policies<'a>) -> May<'a>) -> Reach<'a> {
        let mut queue: VecDeque<usize> = VecDeque::new();
        let mut pending: [VecDeque<Found<'a>>; 2] = Default::default();
        let mut waiting: Vec<Option<Strength>> = vec![None; self.actors.len()];
        let mut starts: [Vec<(usize, May<'a>)>; 3] = Default::default();
        for at in 0..self.actors.len() {
            let Some((member, set)) =
                self.actors.get(at).and_then(|actor| Some((self.world.members.get(actor.member)?, self.sets.get(actor.set)?)))
            else {
                continue;
            };
            let can = goal(&member.caller(), &set.policies);
            let strength = match can {
                May::No(_) => continue,
                May::Yes(_) => Strength::Sure,
                May::OnlyIf(_) => Strength::If,
                May::Unknown(_) => Strength::Unknown,
            };
            if let Some(list) = starts.get_mut(strength as usize) {
                list.push((at, can));
            }
        }
        for (phase, start) in [Strength::Sure, Strength::If, Strength::Unknown].into_iter().zip(starts) {
            // Who can by its own policies needs no way.
            for (at, can) in start {
                self.mark(at, Found { strength: phase, next: None, can: Some(can) }, &mut queue);
            }
            let waited = match phase {
                Strength::Sure => VecDeque::new(),
                Strength::If => std::mem::take(&mut pending[0]),
                Strength::Unknown => std::mem::take(&mut pending[1]),
            };
            for found in waited {
                if let Some(from) = found.next.as_ref().map(|edge| edge.from) {
                    self.mark(from, found, &mut queue);
                }
            }
            while let Some(to) = queue.pop_front() {
                for edge in self.expand(to, phase, &waiting) {
                    let strength = edge.strength().max(phase);
                    let from = edge.from;
                    let found = Found { strength, next: Some(edge), can: None };
                    if strength == phase {
                        self.mark(from, found, &mut queue);
                        continue;
                    }
                    if let Some(slot) = waiting.get_mut(from)
                        && slot.is_none_or(|known| known > strength)
                    {
                        *slot = Some(strength);
                        pending[usize::from(strength == Strength::Unknown)].push_back(found);
                    }
                }
            }
        }
        self.result()
    }

    fn mark(&mut self, at: usize, found: Found<'a>, queue: &mut VecDeque<usize>) {
        if let Some(slot @ None) = self.found.get_mut(at) {
            *slot = Some(found);
            queue.push_back(at);
        }
    }

    /// All edges towards an actor from actors that are not reached yet.
    fn expand(&mut self, to: usize, phase: Strength, waiting: &[Option<Strength>]) -> Vec<Edge<'a>> {
        let mut out: Vec<Edge<'a>> = self.own.get(&to).cloned().unwrap_or_default();
        out.retain(|edge| matches!(self.found.get(edge.from), Some(None)));
        let Some(actor) = self.actors.get(to).copied() else { return out };
        let world = self.world;
        let Some(target) = world.members.get(actor.member) else { return out };
        let raising: Option<&'static Raising> = match (actor.mode, target.is_role()) {
            (Mode::PLAIN, _) => None,
            (Mode { admin: true, unbounded: false, lifted: false, joined: 0 }, true) => Some(&RAISING_A_ROLE),
            (Mode { admin: true, unbounded: false, lifted: false, joined: 0 }, false) => Some(&RAISING_A_USER),
            (Mode { admin: false, unbounded: true, lifted: false, joined: 0 }, true) => Some(&UNBINDING_A_ROLE),
            (Mode { admin: false, unbounded: true, lifted: false, joined: 0 }, false) => Some(&UNBINDING_A_USER),
            // They come about from its other modes.
            _more => return out,
        };
        let services = trusted_services(&target.trust);
        let becomes = if target.is_role() { Becomes::Role } else { Becomes::User };
        for entry in escalations().iter().filter(|entry| entry.becomes == becomes) {
            let open =
                entry.via.is_empty() || entry.via.iter().any(|via| services.iter().any(|service| is_service(via, service)));
            if !open {
                continue;
            }
            for asked in self.candidates(entry, target, raising, phase, waiting) {
                self.take(to, entry, raising, asked, phase, waiting, &mut out);
            }
        }
        if let Some(list) = raising {
            self.given(to, target, list, phase, waiting, &mut out);
        }
        out
    }

    /// Edges from those who can give the target more, whether or not they can act as it: others, or they themselves by another
    /// way, may.
    fn given(
        &mut self,
        to: usize,
        target: &Member<'a>,
        raising: &'static Raising,
        phase: Strength,
        waiting: &[Option<Strength>],
        out: &mut Vec<Edge<'a>>,
    ) {
        for (action, subject) in raising {
            for arn in raised_on(target, *subject) {
                let pattern = Pattern::literal(arn, Case::Sensitive);
                for asked in self.holders(giving(), action, Some(arn), phase, waiting) {
                    let first = match asked {
                        Asked::One(at) => Some(at).filter(|at| matches!(self.found.get(*at), Some(None))),
                        Asked::All(set) => self.first_open(set),
                    };
                    let Some(first) = first.filter(|_| self.account(asked) == target.account) else { continue };
                    let Some(answer) = self.ask(first, action, &pattern, &Layer::None, None) else { continue };
                    let edge = Edge { from: first, to, how: How::Give(action), answer };
                    let strength = edge.strength().max(phase);
                    let takers = self.takers(asked, strength, phase, waiting);
                    out.extend(takers.into_iter().map(|from| Edge { from, ..edge.clone() }));
                }
            }
        }
    }

    /// Those of whom a step is of use: not reached, and for whom nothing as sure waits.
    fn takers(&self, asked: Asked, strength: Strength, phase: Strength, waiting: &[Option<Strength>]) -> Vec<usize> {
        let waits = |at: &usize| matches!(waiting.get(*at), Some(Some(known)) if *known <= strength);
        let open = |at: &usize| matches!(self.found.get(*at), Some(None)) && !(strength > phase && waits(at));
        match asked {
            Asked::One(at) => Some(at).filter(open).into_iter().collect(),
            Asked::All(set) => {
                let Some(set) = self.sets.get(set) else { return Vec::new() };
                let list = if strength > phase && strength == Strength::If { &set.fresh } else { &set.open };
                list.iter().copied().filter(|at| open(at)).collect()
            }
        }
    }

    /// Those who may be able to take an entry towards a target.
    fn candidates(
        &mut self,
        entry: &'static Escalation,
        target: &Member<'a>,
        raising: Option<&'static Raising>,
        phase: Strength,
        waiting: &[Option<Strength>],
    ) -> Vec<Asked> {
        #[cfg(test)]
        if self.exhaustive {
            let world = self.world;
            let own = |at: &usize| {
                self.actors.get(*at).is_some_and(|actor| {
                    world.members.get(actor.member).is_some_and(|m| entry.needs_trust() || m.account == target.account)
                })
            };
            return (0..self.actors.len()).filter(own).map(Asked::One).collect();
        }
        let Some(need) = entry.requires.first() else { return Vec::new() };
        let assumes = entry.needs_trust();
        let named = if assumes { named_by(&target.trust) } else { Trusts::default() };
        let by_name = named
            .arns
            .iter()
            .filter_map(|(arn, account)| self.by_arn.get(self.role_of(arn, account)))
            .flatten()
            .map(|actor| Asked::One(*actor));
        let mut out: Vec<Asked> = by_name.collect();
        if assumes && named.nobody_else {
            return out;
        }
        // Whoever a trust policy admits by a word for everybody needs no permission of its own.
        if assumes && named.anyone {
            out.extend((0..self.actors.len()).filter(|at| matches!(self.found.get(*at), Some(None))).map(Asked::One));
            return out;
        }
        let list = self.holders(entry, need.action, (need.subject != Subject::Any).then_some(target.arn), phase, waiting);
        let list = match raising {
            None => list,
            Some(list_of) => self.raisers(list, entry, target, list_of, phase, waiting),
        };
        let list: Vec<Asked> = list.into_iter().filter(|asked| assumes || self.account(*asked) == target.account).collect();
        let own = entry.requires.iter().any(|need| !matches!(need.subject, Subject::Target | Subject::Any));
        for asked in list.iter().filter(|asked| !assumes || named.admits(self.account(**asked))) {
            match asked {
                // A trust policy, or a subject of one's own, tells apart who else would get one answer.
                Asked::All(set) if own || (assumes && !named.uniform) => {
                    let open = self.sets.get(*set).map_or(&[][..], |set| &set.open);
                    out.extend(open.iter().filter(|at| matches!(self.found.get(**at), Some(None))).map(|at| Asked::One(*at)));
                }
                Asked::All(_) | Asked::One(_) => out.push(*asked),
            }
        }
        out
    }

    /// Those of the holders who may raise the target, too.
    fn raisers(
        &mut self,
        holders: Vec<Asked>,
        entry: &'static Escalation,
        target: &Member<'a>,
        raising: &'static Raising,
        phase: Strength,
        waiting: &[Option<Strength>],
    ) -> Vec<Asked> {
        let pairs: Vec<(&'static str, &'a str)> = raising
            .iter()
            .flat_map(|(action, subject)| raised_on(target, *subject).into_iter().map(|arn| (*action, arn)))
            .collect();
        if holders.is_empty() {
            return holders;
        }
        let mut raisers: Vec<Asked> = Vec::new();
        for (action, arn) in &pairs {
            raisers.extend(self.holders(entry, action, Some(arn), phase, waiting));
        }
        raisers.sort_unstable();
        raisers.dedup();
        // Whichever are fewer are looked up among the others.
        if raisers.len() < holders.len() {
            let holders: HashSet<Asked> = holders.into_iter().collect();
            return raisers.into_iter().filter(|asked| holders.contains(asked)).collect();
        }
        holders.into_iter().filter(|asked| raisers.binary_search(asked).is_ok()).collect()
    }

    /// Those who may allow an action on an ARN, without those whom the entry can no longer bring nearer in this phase.
    fn holders(
        &mut self,
        entry: &'static Escalation,
        action: &'static str,
        arn: Option<&'a str>,
        phase: Strength,
        waiting: &[Option<Strength>],
    ) -> Vec<Asked> {
        let stems: Vec<Option<&'a str>> = match arn {
            None => vec![None],
            Some(arn) => self.index.stems(action, arn).into_iter().map(Some).collect(),
        };
        let mut out = Vec::new();
        for stem in stems {
            let key = (entry.id, action, phase, stem);
            let mut list = self.lists.remove(&key).unwrap_or_else(|| self.index.asked(action, stem));
            list.retain(|asked| self.may_gain(*asked, entry, phase, waiting));
            out.extend_from_slice(&list);
            self.lists.insert(key, list);
        }
        out
    }

    /// Of a session, its role; of others, themselves.
    fn role_of(&self, arn: &'a str, account: &'a str) -> &'a str {
        let name = arn.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next());
        name.and_then(|name| self.roles.get(&(account, name)).copied()).unwrap_or(arn)
    }

    fn account(&self, asked: Asked) -> &'a str {
        let set = match asked {
            Asked::One(at) => self.actors.get(at).map(|actor| actor.set),
            Asked::All(set) => Some(set),
        };
        set.and_then(|set| self.sets.get(set)).map_or("", |set| set.account)
    }

    /// Whether an entry can still bring somebody nearer in this phase than what waits for them.
    fn may_gain(&mut self, asked: Asked, entry: &'static Escalation, phase: Strength, waiting: &[Option<Strength>]) -> bool {
        let first = match asked {
            Asked::One(at) => Some(at).filter(|at| matches!(self.found.get(*at), Some(None))),
            Asked::All(set) => self.first_open(set),
        };
        let Some(first) = first else { return false };
        let mut best = entry.note.map_or(Strength::Sure, |_| Strength::If);
        for need in entry.requires.iter().filter(|need| matches!(need.subject, Subject::Target | Subject::Any)) {
            // Over all resources it is at least as likely as over one.
            match self.anywhere(first, need.action) {
                // Of a pass of a role it is not known yet to which service, and of many resources not which.
                Some(answer) if need.action == "iam:PassRole" || answer.conditions.contains(&Clause::Overlap) => {}
                Some(answer) => best = best.max(answer.strength),
                // A role may be assumed by one whom its trust policy names, without a permission.
                None if ASSUMING.contains(&need.action) => {}
                None => return false,
            }
        }
        let waits = |at: &usize| matches!(waiting.get(*at), Some(Some(known)) if *known <= best);
        if best <= phase {
            return true;
        }
        match asked {
            Asked::One(at) => !waits(&at),
            Asked::All(set) => {
                let found = &self.found;
                self.sets.get_mut(set).is_some_and(|set| {
                    let settled = |at: &usize| matches!(waiting.get(*at), Some(Some(Strength::Sure | Strength::If)));
                    while set.fresh.last().is_some_and(|at| !matches!(found.get(*at), Some(None)) || settled(at)) {
                        set.fresh.pop();
                    }
                    set.fresh.iter().any(|at| !waits(at))
                })
            }
        }
    }

    /// One of those who hold a set and are not reached.
    fn first_open(&mut self, set: usize) -> Option<usize> {
        let found = &self.found;
        let set = self.sets.get_mut(set)?;
        while set.open.last().is_some_and(|at| !matches!(found.get(*at), Some(None))) {
            set.open.pop();
        }
        set.open.last().copied()
    }

    #[expect(clippy::too_many_arguments, reason = "a step has that many sides")]
    fn take(
        &mut self,
        to: usize,
        entry: &'static Escalation,
        raising: Option<&'static Raising>,
        asked: Asked,
        phase: Strength,
        waiting: &[Option<Strength>],
        out: &mut Vec<Edge<'a>>,
    ) {
        let world = self.world;
        let open = |at: &usize, found: &[Option<Found<'a>>]| matches!(found.get(*at), Some(None));
        let first = match asked {
            Asked::One(at) => Some(at).filter(|at| open(at, &self.found)),
            Asked::All(set) => self.first_open(set),
        };
        let Some((first, target)) = first.zip(self.actors.get(to).and_then(|actor| world.members.get(actor.member))) else {
            return;
        };
        let Some(answer) = self.needs(first, entry, Some(target.arn), &target.attached, Some(&target.trust)) else { return };
        let (how, answer) = match raising {
            None => (How::Path(entry), answer),
            Some(list) => {
                let ways =
                    list.iter().flat_map(|(action, subject)| raised_on(target, *subject).into_iter().map(|arn| (*action, arn)));
                let ways = ways.filter_map(|(action, arn)| {
                    let raise = self.ask(first, action, &Pattern::literal(arn, Case::Sensitive), &Layer::None, None)?;
                    Some((action, raise))
                });
                let Some((action, raise)) = ways.min_by_key(|(_, raise)| raise.strength) else { return };
                (How::Raise(action, entry), raise.and(answer))
            }
        };
        let edge = Edge { from: first, to, how, answer };
        let strength = edge.strength().max(phase);
        let takers = self.takers(asked, strength, phase, waiting);
        out.extend(takers.into_iter().map(|from| Edge { from, ..edge.clone() }));
    }

    fn result(self) -> Reach<'a> {
        let mut members = Vec::new();
        let mut sources = Vec::new();
        for (at, member) in self.world.members.iter().enumerate() {
            let Some(Some(found)) = self.found.get(at) else { continue };
            let (path, can) = self.path(at);
            let Some(can) = can else { continue };
            members.push(Reached { member: at, strength: found.strength, path, can });
            sources.extend(self.sources(at, &member.trust, found.strength));
        }
        Reach { members, sources }
    }

    fn path(&self, start: usize) -> (Vec<Hop<'a>>, Option<May<'a>>) {
        let (mut at, mut path) = (start, Vec::new());
        // Each step was found after the one it leads to: the row ends.
        while let Some(Some(found)) = self.found.get(at) {
            let Some(edge) = &found.next else { return (path, found.can.clone()) };
            let name = |at: usize| self.actors.get(at).map_or((0, Mode::PLAIN), |actor| (actor.member, actor.mode));
            path.push(Hop {
                from: name(edge.from),
                to: name(edge.to),
                how: edge.how.clone(),
                grants: edge.answer.grants.clone(),
                conditions: edge.answer.conditions.clone(),
                note: edge.how.note(),
                unless: edge.answer.unless.clone(),
            });
            at = edge.to;
        }
        (path, None)
    }

    /// Whom the trust policy of a role names who is no member.
    fn sources(&self, role: usize, trust: &Layer<Vec<Named<'a>>>, strength: Strength) -> Vec<Source<'a>> {
        static EVERYONE: Principal = Principal::Everyone;
        let mut out = Vec::new();
        if trust.is_unread() {
            let statement = StatementRef { index: 0, sid: None };
            let conditions = vec!["its trust policy, which could not be read, names them".to_owned()];
            out.push(Source { principal: &EVERYONE, external: true, role, strength: Strength::Unknown, statement, conditions });
        }
        for named in trust.read().into_iter().flatten() {
            let document: &'a Document = named.document;
            for statement in document.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
                if !ASSUMING.iter().any(|action| crate::fit::actions_match(&statement.actions, action)) {
                    continue;
                }
                let list: &'a [Principal] = match &statement.principals {
                    Principals::None => &[],
                    Principals::Any(list) => list,
                    Principals::Not(_) => std::slice::from_ref(&EVERYONE),
                };
                for principal in list.iter().filter(|principal| !self.is_known(principal)) {
                    let conditions = statement.conditions.iter().map(ToString::to_string).collect::<Vec<_>>();
                    let external = !matches!(principal, Principal::Service(_));
                    let strength = if conditions.is_empty() { strength } else { strength.max(Strength::If) };
                    out.push(Source { principal, external, role, strength, statement: statement.reference(), conditions });
                }
            }
        }
        out
    }

    /// Is it a member, or nobody any more?
    fn is_known(&self, principal: &Principal) -> bool {
        match principal {
            Principal::Account(account) => self.accounts.contains_key(account.as_str()),
            Principal::Arn { account, .. } => self.accounts.contains_key(account.as_str()),
            Principal::UniqueId(_) => true,
            Principal::Everyone
            | Principal::AwsEveryone
            | Principal::Service(_)
            | Principal::Federated(_)
            | Principal::CanonicalUser(_)
            | Principal::Unrecognised(_) => false,
        }
    }
}

/// Is it the service of an entry? In China its name may end in `.cn`; `*` is any.
fn is_service(via: &str, service: &str) -> bool {
    via == "*" || via == service.strip_suffix(".cn").unwrap_or(service)
}

/// Every action that the catalogue asks for.
fn asked_actions() -> Vec<&'static str> {
    let mut out: Vec<&'static str> = escalations().iter().flat_map(|entry| &entry.requires).map(|need| need.action).collect();
    for list in [&RAISING_A_ROLE[..], &RAISING_A_USER, &UNBINDING_A_ROLE, &UNBINDING_A_USER] {
        out.extend(list.iter().map(|(action, _)| *action));
    }
    out.sort_unstable();
    out.dedup();
    out
}
