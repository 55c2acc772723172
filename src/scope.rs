//! Which resources a control is about, in three values: in, out, and not knowable.
//!
//! It must never drop a resource because something about it could not be read.

use std::collections::{BTreeMap, BTreeSet};

use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::{FactId, Gap, Kind, Per};
use crate::resources::FactType;
use crate::resources::s3_bucket::tags::Tags;
use crate::snapshot::Snapshot;

/// The scope of a control, resolved against the estate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// A store by name, or [`Scope::EVERY_STORE`].
    pub store: Option<String>,
    /// Store and copy.
    pub copy: Option<(String, String)>,
    pub account: AccountScope,
    /// Globs over names of buckets, users, roles: any must match.
    pub names: Vec<String>,
    /// All must be present with a value that matches the glob.
    pub tags: BTreeMap<String, String>,
    pub except: Except,
}

/// What a scope leaves out. It is always known whether it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Except {
    /// Globs over names.
    pub names: Vec<String>,
    /// Store and copy. A bucket is left out if every copy that it is is left out.
    pub copies: Vec<(String, String)>,
}

impl Except {
    /// Nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.copies.is_empty()
    }
}

/// Which accounts a scope covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccountScope {
    /// Every account of the policy.
    #[default]
    All,
    One(AccountKey),
}

/// A resource's place in a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    In(ResourceId),
    /// It may or may not be in scope.
    Unknown(ResourceId, Box<Gap>),
}

/// Who is in scope, and which lists could not be finished.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    pub members: Vec<Member>,
    pub gaps: Vec<(AccountKey, Gap)>,
}

/// How to look for the members of a scope before anything was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// Exactly these resources; no listing is needed.
    Named(Vec<ResourceId>),
    /// Every resource of the kind in these accounts.
    Listed(Vec<AccountKey>),
}

impl Scope {
    /// Every store that the policy declares, as shipped policies say it. No store can have this name.
    pub const EVERY_STORE: &'static str = "*";

    /// Whether it covers a store. A scope that says nothing about stores covers all of them.
    pub fn names_store(&self, name: &str) -> bool {
        self.store.as_deref().is_none_or(|wanted| wanted == Self::EVERY_STORE || wanted == name)
    }

    /// Whether it leaves a resource out.
    pub fn excepts(&self, estate: &Estate, id: &ResourceId) -> bool {
        if self.except.names.iter().any(|glob| glob_matches(glob, &id.name)) {
            return true;
        }
        if id.kind != Kind::S3Bucket || self.except.copies.is_empty() {
            return false;
        }
        let out = |(store, copy, _): (&str, &str, _)| self.except.copies.iter().any(|(s, c)| s == store && c == copy);
        let mut copies = estate.copies_of(id).peekable();
        copies.peek().is_some() && copies.all(out)
    }

    /// The accounts that the scope reaches.
    pub fn accounts(&self, estate: &Estate) -> Vec<AccountKey> {
        match (&self.copy, &self.store, &self.account) {
            (Some((store, copy)), _, _) => {
                estate.stores.get(store).and_then(|s| s.copies.get(copy)).map(|c| c.account.clone()).into_iter().collect()
            }
            (None, Some(_), _) => {
                let stores = estate.stores.iter().filter(|(name, _)| self.names_store(name));
                let mut accounts: Vec<AccountKey> =
                    stores.flat_map(|(_, s)| s.copies.values().map(|c| c.account.clone())).collect();
                accounts.sort_unstable();
                accounts.dedup();
                accounts
            }
            (None, None, AccountScope::One(account)) => vec![account.clone()],
            (None, None, AccountScope::All) => estate.accounts.keys().cloned().collect(),
        }
    }

    /// How the members of a kind are found.
    pub fn search(&self, estate: &Estate, unit: Kind) -> Search {
        match self.search_all(estate, unit) {
            Search::Named(mut ids) => {
                ids.retain(|id| !self.excepts(estate, id));
                Search::Named(ids)
            }
            listed @ Search::Listed(_) => listed,
        }
    }

    fn search_all(&self, estate: &Estate, unit: Kind) -> Search {
        match unit {
            Kind::Store => Search::Named(
                estate.stores.keys().filter(|name| self.names_store(name)).map(|name| ResourceId::store(name)).collect(),
            ),
            Kind::Policy => Search::Named(Vec::new()),
            Kind::Account => Search::Named(self.accounts(estate).iter().map(ResourceId::account).collect()),
            Kind::S3Bucket => {
                let copies = estate
                    .stores
                    .iter()
                    .flat_map(|(store, declared)| declared.copies.iter().map(move |(name, copy)| (store, name, copy)));
                if let Some((store, copy)) = &self.copy {
                    return Search::Named(
                        copies.filter(|(s, c, _)| *s == store && *c == copy).flat_map(|(_, _, copy)| copy.resources()).collect(),
                    );
                }
                if self.store.is_some() {
                    return Search::Named(
                        copies.filter(|(s, _, _)| self.names_store(s)).flat_map(|(_, _, copy)| copy.resources()).collect(),
                    );
                }
                let exact = !self.names.is_empty() && self.names.iter().all(|name| !name.contains(['*', '?']));
                let accounts = self.accounts(estate);
                match accounts.as_slice() {
                    [account] if exact => {
                        Search::Named(self.names.iter().map(|name| ResourceId::bucket(account, name)).collect())
                    }
                    _ => Search::Listed(accounts),
                }
            }
            Kind::IamUser | Kind::IamGroup | Kind::IamRole | Kind::IamPolicy => Search::Listed(self.accounts(estate)),
            // A key is found where a bucket or a question names it; none is listed.
            Kind::KmsKey => {
                let named = |account: AccountKey| self.names.iter().map(move |name| ResourceId::new(&account, unit, name));
                Search::Named(self.accounts(estate).into_iter().flat_map(named).collect())
            }
        }
    }

    /// Facts of possible members that decide membership.
    pub fn facts(&self) -> Vec<FactId> {
        if self.tags.is_empty() { Vec::new() } else { vec![Tags::SPEC] }
    }

    /// The members, from what was observed.
    pub fn members(&self, estate: &Estate, unit: Kind, facts: &[FactId], snapshot: &Snapshot) -> Members {
        let mut found = Members::default();
        let candidates = match self.search(estate, unit) {
            // Two copies may share a bucket; it is judged once.
            Search::Named(ids) => {
                let mut seen = BTreeSet::new();
                ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
            }
            Search::Listed(accounts) => {
                let operations = list_operations(unit, facts);
                let mut ids = Vec::new();
                for account in accounts {
                    let elsewhere = unit != Kind::S3Bucket && estate.accounts.get(&account).is_some_and(|a| !a.is_aws());
                    if elsewhere {
                        continue;
                    }
                    let listing = snapshot.list(&account, unit, &operations);
                    ids.extend(
                        listing.items.into_iter().filter(|id| self.matches_name(&id.name) && !self.excepts(estate, id)).cloned(),
                    );
                    found.gaps.extend(listing.gaps.into_iter().map(|gap| (account.clone(), gap)));
                }
                ids
            }
        };
        for id in candidates {
            if unit == Kind::S3Bucket && !self.tags.is_empty() {
                match snapshot.read::<Tags>(&id).read() {
                    Ok(tags) => {
                        let has = |key: &String, glob: &String| {
                            tags.and_then(|tags| tags.0.get(key)).is_some_and(|value| glob_matches(glob, value))
                        };
                        if self.tags.iter().all(|(key, glob)| has(key, glob)) {
                            found.members.push(Member::In(id));
                        }
                    }
                    Err(gap) => found.members.push(Member::Unknown(id, Box::new(gap))),
                }
            } else {
                found.members.push(Member::In(id));
            }
        }
        found
    }

    fn matches_name(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|glob| glob_matches(glob, name))
    }
}

/// The operations that list a kind, given which of its facts are wanted.
pub fn list_operations(kind: Kind, facts: &[FactId]) -> Vec<&'static str> {
    if kind == Kind::S3Bucket {
        return vec!["ListBuckets"];
    }
    let mut operations: Vec<&'static str> =
        facts.iter().filter(|fact| fact.kind == kind && fact.per == Per::Account).map(|fact| fact.operation).collect();
    operations.sort_unstable();
    operations.dedup();
    operations
}

/// Whether a glob of `*` and `?` matches the whole of `text`. Linear time.
pub fn glob_matches(glob: &str, text: &str) -> bool {
    // `?` is one character, which in ASCII is one byte.
    if glob.is_ascii() && text.is_ascii() {
        return matches(glob.as_bytes(), text.as_bytes(), b'*', b'?');
    }
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    matches(&glob, &text, '*', '?')
}

fn matches<T: PartialEq>(glob: &[T], text: &[T], many: T, one: T) -> bool {
    let (mut g, mut t, mut star) = (0, 0, None);
    while let Some(c) = text.get(t) {
        match glob.get(g) {
            Some(p) if *p == many => {
                star = Some((g, t));
                g += 1;
            }
            Some(p) if p == c || *p == one => {
                g += 1;
                t += 1;
            }
            Some(_) | None => match star {
                Some((at, from)) => {
                    g = at + 1;
                    t = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    glob.get(g..).is_some_and(|rest| rest.iter().all(|c| *c == many))
}

#[cfg(test)]
mod tests {
    use super::glob_matches;

    #[test]
    fn globs() {
        for (glob, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("prod-*", "prod-documents", true),
            ("prod-*", "test-prod-documents", false),
            ("*-logs", "a-logs", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*a*b", "aaaaaaaab", true),
            ("*a*a*b", "aaaaaaaa", false),
            ("?", "é", true),
        ] {
            assert_eq!(glob_matches(glob, text), expected, "{glob} {text}");
        }
    }
}
