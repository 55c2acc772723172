//! The users, roles and groups of all accounts as the search for ways wants them (`lastcopy_iam::reach`).
//!
//! It must never leave out a principal: one whose policies could not be read is there with what is not known.

use std::collections::HashMap;

use lastcopy_iam::reach::{Group, Member, World};
use lastcopy_iam::{Layer, Level, Named};

use crate::fact::{Fact, Kind};
use crate::principals::{AccountPrincipals, Holder, PolicySet, Principals};
use crate::resources::iam_user::permissions::UserPermissions;
use crate::snapshot::Snapshot;

/// Everybody, with the names that a [`World`] borrows.
#[derive(Debug)]
pub struct Town<'s> {
    snapshot: &'s Snapshot,
    accounts: Vec<&'s AccountPrincipals>,
    /// By account and holder.
    arns: Vec<Vec<String>>,
    /// The twelve digits of each account, as its ARNs have them.
    numbers: Vec<String>,
    /// The ARN of a group, by account and name.
    groups: HashMap<(usize, &'s str), String>,
}

impl<'s> Town<'s> {
    /// From a snapshot and its principals.
    pub fn of(principals: &'s Principals, snapshot: &'s Snapshot) -> Self {
        let accounts: Vec<&AccountPrincipals> =
            snapshot.accounts.keys().filter_map(|account| principals.of_account(account)).collect();
        let arn = |holder: &Holder| holder.arn.clone().unwrap_or_else(|| snapshot.arn(&holder.id));
        let arns = accounts.iter().map(|of| of.holders.iter().map(arn).collect()).collect();
        let number = |of: &AccountPrincipals| {
            let mut known = of.holders.iter().filter_map(|holder| holder.arn.as_deref()?.split(':').nth(4));
            let recorded = || of.holders.first().and_then(|holder| snapshot.accounts.get(&holder.id.account)?.id.clone());
            known.find(|number| !number.is_empty()).map(str::to_owned).or_else(recorded).unwrap_or_default()
        };
        let numbers = accounts.iter().map(|of| number(of)).collect();
        let mut groups = HashMap::new();
        for (at, of) in accounts.iter().enumerate() {
            for holder in of.holders.iter().filter(|holder| holder.id.kind == Kind::IamGroup) {
                groups.insert((at, holder.id.name.as_ref()), arn(holder));
            }
        }
        Self { snapshot, accounts, arns, numbers, groups }
    }

    /// What a report calls each member of the world: `user/alice`, with the account where there are several.
    pub fn labels(&self) -> Vec<String> {
        let several = self.accounts.len() > 1;
        let holders = self.accounts.iter().flat_map(|of| &of.holders).filter(|holder| holder.id.kind != Kind::IamGroup);
        let label = |holder: &Holder| {
            if several { format!("{} ({})", holder.label(), holder.id.account) } else { holder.label() }
        };
        holders.map(label).collect()
    }

    /// For a search. Service control policies that somebody states bind everybody alike, and stand for those that were read.
    pub fn world<'a>(&'a self, stated: Option<&Layer<Vec<Level<'a>>>>) -> World<'a> {
        let mut world = World::default();
        for (at, ((of, arns), account)) in self.accounts.iter().zip(&self.arns).zip(&self.numbers).enumerate() {
            let first = world.sets.len();
            world.sets.extend(of.sets.iter().map(|set| match stated {
                Some(scps) => lastcopy_iam::Policies { scps: scps.clone(), ..set.policies() },
                None => set.policies(),
            }));
            for (holder, arn) in of.holders.iter().zip(arns) {
                let Some(set) = of.set_of(holder) else { continue };
                if holder.id.kind == Kind::IamGroup {
                    world.groups.push(Group { arn, account, policies: set.policies().identity });
                    continue;
                }
                world.members.push(Member {
                    arn,
                    account,
                    set: first + holder.set,
                    trust: trust(holder),
                    groups: self.groups_of(at, holder),
                    attached: attached(set),
                    boundary: set.boundary.as_ref().map(|(name, _)| name.as_str()),
                });
            }
        }
        world
    }

    fn groups_of(&self, at: usize, holder: &Holder) -> Vec<&str> {
        if holder.id.kind != Kind::IamUser {
            return Vec::new();
        }
        let Fact::Known(user) = self.snapshot.read::<UserPermissions>(&holder.id) else { return Vec::new() };
        user.groups.iter().filter_map(|name| self.groups.get(&(at, name.as_str()))).map(String::as_str).collect()
    }
}

/// A role whose facts could not be read has a trust policy that could not be read.
fn trust(holder: &Holder) -> Layer<Vec<Named<'_>>> {
    match &holder.trust {
        Some(Ok(parsed)) => Layer::Docs(vec![Named { name: "the trust policy", document: &parsed.document }]),
        Some(Err(_)) => Layer::Unread(Vec::new()),
        None if holder.id.kind == Kind::IamRole => Layer::Unread(Vec::new()),
        None => Layer::None,
    }
}

/// The customer managed policies.
fn attached(set: &PolicySet) -> Vec<&str> {
    let names = set.held.iter().map(|held| held.name.as_str());
    names.filter(|name| name.starts_with("arn:") && !name.contains(":iam::aws:")).collect()
}
