//! Everything that was observed in one run, in memory.
//!
//! It must never hide a gap: a fact that nobody stored is unreadable, and a listing that was not finished says so.
//! The file form is in `snapshot/file.rs`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::estate::{AccountKey, ResourceId};
use crate::fact::{Fact, FactId, Gap, Kind, Why};
use crate::resources::{FactType, Facts};

pub mod file;

/// The schema number that this version writes.
pub const SCHEMA: u32 = 1;

/// What was observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// When collection began; judged at this time unless told otherwise.
    pub taken: Timestamp,
    /// The version of lastcopy that collected it.
    pub tool: String,
    /// SHA-256 of the policy files that decided what was fetched.
    pub policy_digest: Option<String>,
    /// False: the file ended before its trailer, or collection was interrupted.
    pub complete: bool,
    pub accounts: BTreeMap<AccountKey, AccountRecord>,
    /// Requests sent, retries included, by `service:Operation`.
    pub calls: BTreeMap<String, u64>,
    resources: BTreeMap<ResourceId, Resource>,
    listings: BTreeMap<(AccountKey, String), Fact<usize>>,
    /// Why nothing that was observed counts any more.
    forgotten: Option<Gap>,
}

/// What is known of an account before any of its facts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AccountRecord {
    /// The account of the credentials, as STS said.
    pub id: Option<String>,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: Option<String>,
    pub endpoint: Option<String>,
    pub provider: Option<String>,
    /// Whether the policy pins the id.
    pub pinned: bool,
    /// Why nothing of the account could be read.
    pub gap: Option<Gap>,
}

/// Whether a resource is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Existence {
    /// It exists in the account.
    Here,
    /// It exists, and belongs to another account than the policy says.
    Foreign,
}

/// One resource and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// `Absent`: the provider says that it does not exist.
    pub exists: Fact<Existence>,
    /// It came from a listing of the account, not from its name in a policy.
    pub listed: bool,
    pub facts: Facts,
    /// When each fact was read.
    pub times: Vec<(FactId, Timestamp)>,
}

/// The resources of one kind in one account, and what keeps the list from being whole.
#[derive(Debug)]
pub struct Listing<'a> {
    pub items: Vec<&'a ResourceId>,
    pub gaps: Vec<Gap>,
}

impl Snapshot {
    /// Nothing observed yet.
    pub fn empty(taken: Timestamp) -> Self {
        Self {
            taken,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            policy_digest: None,
            complete: true,
            accounts: BTreeMap::new(),
            calls: BTreeMap::new(),
            resources: BTreeMap::new(),
            listings: BTreeMap::new(),
            forgotten: None,
        }
    }

    /// A resource: absent when the provider says that it does not exist.
    pub fn get(&self, id: &ResourceId) -> Fact<&Resource> {
        match self.resources.get(id) {
            Some(resource) => match &resource.exists {
                Fact::Known(_) => Fact::Known(resource),
                Fact::Absent => Fact::Absent,
                Fact::Unreadable(gap) => Fact::Unreadable(gap.clone()),
            },
            None => Fact::Unreadable(Box::new(
                self.account_gap(&id.account).unwrap_or_else(|| Gap::new(Why::NotCollected, "collect")),
            )),
        }
    }

    /// What is known of a resource, whether or not it is known to exist.
    pub fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.get(id)
    }

    /// Whether the resource is there.
    pub fn exists(&self, id: &ResourceId) -> Fact<Existence> {
        match self.resources.get(id) {
            Some(resource) => resource.exists.clone(),
            None => self.get(id).map(|_| Existence::Here),
        }
    }

    /// A fact of a resource.
    pub fn read<T: FactType>(&self, id: &ResourceId) -> Fact<&T> {
        self.read_of(id, self.resources.get(id))
    }

    /// The same for who has looked the resource up already.
    pub fn read_of<'s, T: FactType>(&'s self, id: &ResourceId, resource: Option<&'s Resource>) -> Fact<&'s T> {
        match resource.and_then(|resource| T::stored(&resource.facts)) {
            Some(fact) => fact.as_ref(),
            None => Fact::Unreadable(Box::new(self.unread(id, T::SPEC))),
        }
    }

    /// A fact of a resource in its JSON form.
    pub fn read_json(&self, id: &ResourceId, fact: FactId) -> Fact<serde_json::Value> {
        match self.resources.get(id).and_then(|resource| resource.facts.json(fact)) {
            Some(fact) => fact,
            None => Fact::Unreadable(Box::new(self.unread(id, fact))),
        }
    }

    /// Why a fact is not there.
    fn unread(&self, id: &ResourceId, fact: FactId) -> Gap {
        if let Some(gap) = self.account_gap(&id.account) {
            return gap;
        }
        match self.listings.get(&(id.account.clone(), fact.operation.to_owned())) {
            Some(Fact::Unreadable(gap)) => (**gap).clone(),
            Some(Fact::Known(_) | Fact::Absent) | None => Gap::not_collected(fact),
        }
    }

    /// The resources of a kind, with the gaps of the operations that list them.
    pub fn list(&self, account: &AccountKey, kind: Kind, operations: &[&str]) -> Listing<'_> {
        let from = ResourceId::new(account, kind, "");
        // Buckets that another control names are not in a listing, unless there is none to go by.
        let only_listed = kind == Kind::S3Bucket
            && operations
                .iter()
                .all(|operation| matches!(self.listings.get(&(account.clone(), (*operation).to_owned())), Some(Fact::Known(_))));
        let items = self
            .resources
            .range(from..)
            .take_while(|(id, _)| id.account == *account && id.kind == kind)
            .filter(|(_, found)| !matches!(found.exists, Fact::Absent) && (found.listed || !only_listed))
            .map(|(id, _)| id)
            .collect();
        let account_gap = self.account_gap(account);
        let gaps = operations
            .iter()
            .filter_map(|operation| match self.listings.get(&(account.clone(), (*operation).to_owned())) {
                Some(Fact::Known(_) | Fact::Absent) => None,
                Some(Fact::Unreadable(gap)) => Some((**gap).clone()),
                None => Some(account_gap.clone().unwrap_or_else(|| Gap::new(Why::NotCollected, (*operation).to_owned()))),
            })
            .collect();
        Listing { items, gaps }
    }

    /// Why nothing of an account could be read, if that is so.
    pub fn account_gap(&self, account: &AccountKey) -> Option<Gap> {
        self.forgotten.clone().or_else(|| self.accounts.get(account).and_then(|record| record.gap.clone()))
    }

    /// The resource to write facts into; it is there from now on. `None` for kinds that are not observed.
    pub fn resource_mut(&mut self, id: &ResourceId) -> Option<&mut Resource> {
        match self.resources.entry(id.clone()) {
            Entry::Occupied(found) => Some(found.into_mut()),
            Entry::Vacant(place) => {
                let facts = Facts::empty(id.kind)?;
                // A bucket that a policy names exists only once the provider says so.
                let exists = if id.kind == Kind::S3Bucket {
                    Fact::Unreadable(Box::new(Gap::new(Why::NotCollected, "collect")))
                } else {
                    Fact::Known(Existence::Here)
                };
                Some(place.insert(Resource { exists, listed: false, facts, times: Vec::new() }))
            }
        }
    }

    /// Stores a fact.
    pub fn put<T: FactType>(&mut self, id: &ResourceId, fact: Fact<T>, at: Timestamp) {
        if let Some(resource) = self.resource_mut(id) {
            T::store(&mut resource.facts, fact);
            resource.stamp(T::SPEC, at);
        }
    }

    /// Stores that a listing finished with so many items, or why it did not.
    pub fn put_listing(&mut self, account: &AccountKey, operation: &str, state: Fact<usize>) {
        self.listings.insert((account.clone(), operation.to_owned()), state);
    }

    /// All resources.
    pub fn resources(&self) -> impl Iterator<Item = (&ResourceId, &Resource)> {
        self.resources.iter()
    }

    /// All listings: account, operation, state.
    pub fn listings(&self) -> impl Iterator<Item = (&AccountKey, &str, &Fact<usize>)> {
        self.listings.iter().map(|((account, operation), state)| (account, operation.as_str(), state))
    }

    /// Forgets everything that was observed, for a reason that every fact will give.
    pub fn forget(&mut self, why: &Gap) {
        self.resources.clear();
        self.listings.clear();
        self.forgotten = Some(why.clone());
    }

    /// Forgets everything that was observed of one account.
    pub fn forget_account(&mut self, account: &AccountKey, why: Gap) {
        self.resources.retain(|id, _| id.account != *account);
        self.listings.retain(|(of, _), _| of != account);
        self.accounts.entry(account.clone()).or_default().gap = Some(why);
    }

    /// Forgets one fact, as if it had not been collected. For what-if and for laws in tests.
    pub fn lose(&mut self, id: &ResourceId, fact: FactId) {
        if let Some(resource) = self.resources.get_mut(id) {
            resource.facts.take(fact);
        }
    }

    /// The ARN of a resource, for display only. Off AWS: `s3://<account>/<bucket>`.
    pub fn arn(&self, id: &ResourceId) -> String {
        let record = self.accounts.get(&id.account);
        let partition = record.and_then(|r| r.partition.as_deref());
        let number = record.and_then(|r| r.id.as_deref()).unwrap_or("");
        match (id.kind, partition) {
            (Kind::S3Bucket, Some(partition)) => format!("arn:{partition}:s3:::{}", id.name),
            (Kind::S3Bucket, None) => format!("s3://{}/{}", id.account, id.name),
            (Kind::Account, Some(partition)) if !number.is_empty() => format!("arn:{partition}:iam::{number}:root"),
            (Kind::IamUser, Some(partition)) => format!("arn:{partition}:iam::{number}:user/{}", id.name),
            (Kind::IamGroup, Some(partition)) => format!("arn:{partition}:iam::{number}:group/{}", id.name),
            (Kind::IamRole, Some(partition)) => format!("arn:{partition}:iam::{number}:role/{}", id.name),
            (Kind::IamPolicy | Kind::KmsKey, _) => id.name.to_string(),
            (Kind::Store, _) => format!("store/{}", id.name),
            (Kind::Policy, _) => format!("policy/{}", id.name),
            (Kind::Account, _) => format!("account/{}", id.account),
            (Kind::IamUser | Kind::IamGroup | Kind::IamRole, None) => format!("{}/{}/{}", id.account, id.kind, id.name),
        }
    }
}

impl Resource {
    /// Notes when a fact was read.
    pub fn stamp(&mut self, fact: FactId, at: Timestamp) {
        match self.times.iter_mut().find(|(known, _)| *known == fact) {
            Some((_, time)) => *time = at,
            // In one order, whichever was read first.
            None => {
                let place = self.times.partition_point(|(known, _)| known.id < fact.id);
                self.times.insert(place, (fact, at));
            }
        }
    }
}
