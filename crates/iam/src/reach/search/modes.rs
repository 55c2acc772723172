//! What members can become: by what they do to themselves, and by what others can do to them.
//!
//! It must never leave out a mode because nobody held what it takes at first: it goes on until nothing new comes about.

use std::collections::{HashMap, VecDeque};

use super::trusts::is_uniform;
use super::*;

/// What was made while modes are found.
struct Made<'a> {
    /// Sets by the plain set, the mode, the groups joined, and the account.
    derived: HashMap<(usize, Mode, Vec<usize>, &'a str), usize>,
    known: HashMap<(usize, Mode), usize>,
    /// The groups that a member has joined, by round.
    joinable: HashMap<(usize, u8), Vec<usize>>,
}

impl<'a> Search<'a, '_> {
    /// What members can make of themselves, and what others can make of them.
    pub(super) fn add_modes(&mut self, actions: &[&'static str]) {
        let mut made = Made { derived: HashMap::new(), known: HashMap::new(), joinable: HashMap::new() };
        let mut queue: VecDeque<usize> = (0..self.actors.len()).collect();
        let (mut raised, mut unbound) = ((false, false), (false, false));
        loop {
            while let Some(from) = queue.pop_front() {
                let Some(actor) = self.actors.get(from).copied() else { continue };
                for (entry, mode, answer) in self.own_steps(from, actor, &mut made) {
                    let (to, new) = self.mode(actor.member, mode, &mut made, actions);
                    self.own.entry(to).or_default().push(Edge { from, to, how: How::Path(entry), answer });
                    if new {
                        queue.push_back(to);
                    }
                }
            }
            // Who has come to hold more can do more to others.
            let held = |list: &Raising, index: &Index| list.iter().any(|(action, _)| index.holds(action));
            let now_raised = (held(&RAISING_A_ROLE, &self.index), held(&RAISING_A_USER, &self.index));
            let now_unbound = (held(&UNBINDING_A_ROLE, &self.index), held(&UNBINDING_A_USER, &self.index));
            if (now_raised, now_unbound) == (raised, unbound) {
                return;
            }
            (raised, unbound) = (now_raised, now_unbound);
            for (at, member) in self.world.members.iter().enumerate() {
                let (raise, unbind) = if member.is_role() { (raised.0, unbound.0) } else { (raised.1, unbound.1) };
                let unbind = unbind && member.boundary.is_some();
                let modes = [
                    raise.then_some(Mode { admin: true, ..Mode::PLAIN }),
                    unbind.then_some(Mode { unbounded: true, ..Mode::PLAIN }),
                ];
                for mode in modes.into_iter().flatten() {
                    let (actor, new) = self.mode(at, mode, &mut made, actions);
                    if new {
                        queue.push_back(actor);
                    }
                }
            }
        }
    }

    /// The actor of a member in a mode, and whether it is new.
    fn mode(&mut self, member: usize, mode: Mode, made: &mut Made<'a>, actions: &[&'static str]) -> (usize, bool) {
        if let Some(actor) = made.known.get(&(member, mode)) {
            return (*actor, false);
        }
        let of = self.world.members.get(member);
        let (plain, account) = of.map_or((0, ""), |member| (member.set, member.account));
        let groups = made.joinable.get(&(member, mode.joined)).cloned().unwrap_or_default();
        // Without a boundary all who may do anything are one set.
        let bounded = self.sets.get(plain).is_some_and(|set| !matches!(set.policies.boundary, Layer::None));
        let base = if mode.admin && (!bounded || mode.unbounded) { usize::MAX } else { plain };
        let groups = if mode.admin { Vec::new() } else { groups };
        let key = (base, Mode { joined: 0, ..mode }, groups, account);
        let joined = key.2.clone();
        let set = match made.derived.get(&key) {
            Some(set) => *set,
            None => {
                let at = self.sets.len();
                if let Some(base) = self.sets.get(plain).map(|set| set.policies.clone()) {
                    let policies = self.derive(base, mode, &key.2);
                    let uniform = is_uniform(&policies);
                    self.sets.push(Set { policies, account, uniform, open: Vec::new(), fresh: Vec::new() });
                }
                made.derived.insert(key, at);
                at
            }
        };
        let actor = self.add(Actor { member, mode, set }, actions);
        self.joined.insert(actor, joined);
        made.known.insert((member, mode), actor);
        (actor, true)
    }

    fn derive(&self, mut policies: Policies<'a>, mode: Mode, groups: &[usize]) -> Policies<'a> {
        if mode.admin {
            let name = "any permission, which it gave itself or was given";
            policies.identity = Layer::Docs(vec![Named { name, document: everything() }]);
        }
        if mode.unbounded {
            policies.boundary = Layer::None;
        }
        policies.lifted = mode.lifted;
        if !mode.admin {
            for group in groups.iter().filter_map(|group| self.world.groups.get(*group)) {
                let more = group.policies.read().cloned().unwrap_or_default();
                let denies = |named: &Named<'_>| named.document.statements.iter().any(|s| s.effect == Effect::Deny);
                // Whoever joins groups joins those that deny him nothing he wants.
                policies.lifted |= more.iter().any(denies);
                let unread = policies.identity.is_unread() || group.policies.is_unread();
                let docs = policies.identity.read().cloned().unwrap_or_default().into_iter().chain(more).collect();
                policies.identity = if unread { Layer::Unread(docs) } else { Layer::Docs(docs) };
            }
        }
        policies
    }

    /// What an actor can make of itself.
    fn own_steps(&mut self, from: usize, actor: Actor, made: &mut Made<'a>) -> Vec<(&'static Escalation, Mode, Answer<'a>)> {
        let mut out = Vec::new();
        let world = self.world;
        let Some(member) = world.members.get(actor.member) else { return out };
        for entry in escalations() {
            let mut mode = actor.mode;
            match entry.becomes {
                // Somebody new has no boundary, unless a condition makes the actor set one.
                Becomes::ItselfAdmin => {
                    mode.admin = true;
                    mode.unbounded |= member.boundary.is_some()
                        && entry.requires.iter().any(|need| need.subject == Subject::New && !need.action.contains("Group"));
                }
                Becomes::Unbounded => mode.unbounded = member.boundary.is_some(),
                Becomes::Lifted => mode.lifted = self.sets.get(actor.set).is_some_and(|set| denies(&set.policies)),
                Becomes::Group => {
                    out.extend(self.joining(from, actor, entry, made));
                    continue;
                }
                Becomes::User | Becomes::UserAdmin | Becomes::Role | Becomes::RoleAdmin => continue,
            }
            if mode.admin {
                (mode.lifted, mode.joined) = (false, 0);
            }
            if mode == actor.mode {
                continue;
            }
            let own = entry.requires.first().is_some_and(|need| need.subject == Subject::Itself);
            if !self.may_hold(from, actor.set, entry, own.then_some(member.arn)) {
                continue;
            }
            if let Some(answer) = self.needs(from, entry, None, &[], None) {
                out.push((entry, mode, answer));
            }
        }
        out
    }

    /// The groups that an actor may join, all at once; a role may have a user join whose credentials it has or makes.
    fn joining(
        &mut self,
        from: usize,
        actor: Actor,
        entry: &'static Escalation,
        made: &mut Made<'a>,
    ) -> Option<(&'static Escalation, Mode, Answer<'a>)> {
        let world = self.world;
        let member = world.members.get(actor.member)?;
        if actor.mode.admin || actor.mode.joined == u8::MAX || !self.may_hold(from, actor.set, entry, None) {
            return None;
        }
        let before = made.joinable.get(&(actor.member, actor.mode.joined)).cloned().unwrap_or_default();
        let mut joined = before.clone();
        let mut whole: Option<Answer<'a>> = None;
        for (at, group) in world.groups.iter().enumerate() {
            let outside = group.account == member.account && !member.groups.contains(&group.arn) && !before.contains(&at);
            if !outside || !self.may_hold(from, actor.set, entry, Some(group.arn)) {
                continue;
            }
            if let Some(answer) = self.needs(from, entry, Some(group.arn), &[], None) {
                joined.push(at);
                // The first names the statement; a group that may be joined under conditions makes the whole conditional.
                whole = Some(match whole {
                    Some(known) if known.strength >= answer.strength => known,
                    Some(_) | None => answer,
                });
            }
        }
        let mut answer = whole?;
        if member.is_role() {
            answer.strength = answer.strength.max(Strength::If);
            answer.conditions.push(Clause::Overlap);
        }
        let mode = Mode { joined: actor.mode.joined + 1, ..actor.mode };
        made.joinable.insert((actor.member, mode.joined), joined);
        Some((entry, mode, answer))
    }
}
