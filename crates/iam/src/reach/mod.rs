//! Who can come to do something: through roles that they may assume, groups they may join, and every known escalation.
//!
//! It must never end a search early for size, and never leave out a way because something on it could not be read: such a way
//! is kept as unknown. It walks backwards from those who can do the thing, so that only what leads there is looked at, and
//! finds each candidate by the trust policy that names it or by the permission it holds, not by trying all pairs.
//!
//! Where it errs: one who gains any permission is taken to shed its own Denies, and what no policy shows (that a function
//! exists which runs as a role) is kept as a condition of the way.

mod index;
mod search;

use std::fmt;

use crate::escalation::Escalation;
use crate::layer::{Deciding, Layer, LayerName, Named, Policies};
use crate::may::May;
use crate::model::StatementRef;
use crate::principal::{Caller, Principal};
use crate::statement::{Clause, Topic};

/// A user or role.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// Its ARN.
    pub arn: &'a str,
    /// Its account.
    pub account: &'a str,
    /// Its place in [`World::sets`].
    pub set: usize,
    /// Of a role, its trust policy.
    pub trust: Layer<Vec<Named<'a>>>,
    /// Of a user, the ARNs of its groups.
    pub groups: Vec<&'a str>,
    /// The ARNs of the customer managed policies attached to it or to its groups.
    pub attached: Vec<&'a str>,
    /// The ARN of its permissions boundary.
    pub boundary: Option<&'a str>,
}

impl<'a> Member<'a> {
    /// As one who asks.
    #[must_use]
    pub fn caller(&self) -> Caller<'a> {
        Caller::Aws { arn: self.arn, account: self.account }
    }

    fn is_role(&self) -> bool {
        self.arn.contains(":role/")
    }
}

/// A group with its policies.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// Its ARN.
    pub arn: &'a str,
    /// Its account.
    pub account: &'a str,
    /// Its policies, inline and attached.
    pub policies: Layer<Vec<Named<'a>>>,
}

/// Everybody who is known. Members that hold the same policies share a set.
#[derive(Debug, Clone, Default)]
pub struct World<'a> {
    /// The users and roles.
    pub members: Vec<Member<'a>>,
    /// The policies they hold.
    pub sets: Vec<Policies<'a>>,
    /// The groups of users.
    pub groups: Vec<Group<'a>>,
}

impl World<'_> {
    /// `role/ops`, with what it has become.
    #[must_use]
    pub fn label(&self, (member, mode): (usize, Mode)) -> String {
        let name = self.members.get(member).map(|of| short(of.arn)).unwrap_or_default();
        format!("{name}{}", self.become_of(mode))
    }

    /// ` with any permission`; nothing for one who is what it was.
    #[must_use]
    pub fn become_of(&self, mode: Mode) -> String {
        let parts = [
            (mode.admin, "with any permission"),
            (mode.joined > 0 && !mode.admin, "in the groups it may join"),
            (mode.lifted && !mode.admin, "without the denials of its policies"),
            (mode.unbounded, "without its boundary"),
        ];
        let parts: Vec<&str> = parts.into_iter().filter_map(|(is, text)| is.then_some(text)).collect();
        if parts.is_empty() { String::new() } else { format!(" {}", parts.join(" and ")) }
    }
}

/// `role/ops` of an ARN, without the path.
fn short(arn: &str) -> String {
    let rest = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    match rest.split_once('/') {
        Some((kind, name)) => format!("{kind}/{}", name.rsplit('/').next().unwrap_or(name)),
        None => rest.to_owned(),
    }
}

/// What a member has become on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mode {
    /// It has any permission that its boundary leaves.
    pub admin: bool,
    /// It is rid of its boundary.
    pub unbounded: bool,
    /// It is rid of the Deny statements of its own policies.
    pub lifted: bool,
    /// It has joined groups: so many rounds of joining whatever can be joined.
    pub joined: u8,
}

impl Mode {
    /// Itself, with what its policies give.
    pub const PLAIN: Self = Self { admin: false, unbounded: false, lifted: false, joined: 0 };
}

/// How sure a way is. The order is from sure to unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Policies that were read allow every step.
    Sure,
    /// Some step holds only under conditions.
    If,
    /// Some step hangs on what could not be read.
    Unknown,
}

/// How one becomes another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// By an entry of the catalogue.
    Path(&'static Escalation),
    /// By giving the other more with this action (any permission, or no boundary), and by an entry of the catalogue.
    Raise(&'static str, &'static Escalation),
    /// By giving the other more with this action, where nothing shows that the actor can act as the other.
    Give(&'static str),
}

impl How {
    /// The id in the catalogue.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Path(entry) | Self::Raise(_, entry) => entry.id,
            Self::Give(_) => "",
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = match self {
            Self::Give(action) => return f.write_str(action),
            Self::Raise(action, entry) => {
                write!(f, "{action} + ")?;
                entry
            }
            Self::Path(entry) => entry,
        };
        let actions: Vec<&str> = entry.requires.iter().map(|need| need.action).collect();
        f.write_str(&actions.join(" + "))
    }
}

/// One step of a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop<'a> {
    /// Who takes it: its place in [`World::members`], and what it is by then.
    pub from: (usize, Mode),
    /// Whom or what it becomes.
    pub to: (usize, Mode),
    /// By what.
    pub how: How,
    /// The statements that permit it.
    pub grants: Vec<Deciding<'a>>,
    /// What must hold besides.
    pub conditions: Vec<Clause<'a>>,
    /// What must hold and no policy shows.
    pub note: Option<&'static str>,
    /// Layers that could not be read and might forbid it.
    pub unless: Vec<LayerName>,
}

/// One who can come to do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached<'a> {
    /// Its place in [`World::members`].
    pub member: usize,
    /// How sure the way is.
    pub strength: Strength,
    /// The steps, a shortest row of them among the surest; none: it can by its own policies.
    pub path: Vec<Hop<'a>>,
    /// What the last one of the path can.
    pub can: May<'a>,
}

/// Somebody who is not a member and whom a role on the way trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<'a> {
    /// Whom the trust policy names.
    pub principal: &'a Principal,
    /// Not AWS's own service, nor of an account among the members.
    pub external: bool,
    /// The role: its place in [`World::members`].
    pub role: usize,
    /// How sure the way on from the role is.
    pub strength: Strength,
    /// The statement of the trust policy.
    pub statement: StatementRef,
    /// Its conditions.
    pub conditions: Vec<String>,
}

/// All who can come to do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach<'a> {
    /// Members, in their order.
    pub members: Vec<Reached<'a>>,
    /// Others, by the roles that trust them, in the order of the members.
    pub sources: Vec<Source<'a>>,
}

/// Finds all who can come to do what `goal` answers for.
pub fn reach<'a>(world: &World<'a>, goal: impl FnMut(&Caller<'a>, &Policies<'a>) -> May<'a>) -> Reach<'a> {
    search::Search::new(world).run(goal)
}

/// A world made ready for several searches.
#[derive(Debug, Clone)]
pub struct Ways<'a, 'w>(search::Search<'a, 'w>);

impl<'a, 'w> Ways<'a, 'w> {
    /// Finds out what everybody holds and what they can make of themselves.
    #[must_use]
    pub fn new(world: &'w World<'a>) -> Self {
        Self(search::Search::new(world))
    }

    /// Steps that hold only under conditions of these topics are none.
    #[must_use]
    pub fn accepting(mut self, topics: &[Topic]) -> Self {
        self.0.accepted = topics.to_vec();
        self
    }

    /// As [`reach`].
    pub fn to(&self, goal: impl FnMut(&Caller<'a>, &Policies<'a>) -> May<'a>) -> Reach<'a> {
        self.0.clone().run(goal)
    }
}

#[cfg(test)]
mod tests;
