//! Which facts a control needs, said relative to the resource that it judges.
//!
//! A demand is the only reason to call a provider. It must never depend on an answer.

use crate::fact::FactId;

/// Facts of some resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    pub on: On,
    pub facts: Vec<FactId>,
}

/// Where the facts lie, seen from the resource that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum On {
    /// The resource itself.
    Unit,
    /// The account that it lies in.
    Account,
    /// The accounts of the policy that manage an organization.
    Managers,
    /// Every bucket of every copy of the store that it is.
    Copies,
    /// Every bucket of its copies that are fed by nothing: where documents are written.
    Origins,
    /// Every bucket of its copies that S3 replication feeds.
    Replicas,
    /// The buckets that its replication rules name, where the policy declares their accounts.
    Destinations,
    /// The bucket that its access logs are written to.
    LogTarget,
    /// Every user and role of the account that it lies in, once they are listed; roles that AWS made for its services aside.
    Principals,
    /// Every KMS key that its settings name: of a bucket, default encryption and replication rules; of a store, the same of
    /// every bucket of its copies. Known only from their facts: see [`crate::keys`].
    Keys,
    /// The accounts that those keys lie in.
    KeyAccounts,
}

impl On {
    /// What it is about is known only when facts of a bucket are.
    pub fn is_of_keys(self) -> bool {
        matches!(self, Self::Keys | Self::KeyAccounts)
    }
}

impl Demand {
    /// Facts of the judged resource.
    pub fn unit(facts: &[FactId]) -> Self {
        Self { on: On::Unit, facts: facts.to_vec() }
    }

    /// Facts of its account.
    pub fn account(facts: &[FactId]) -> Self {
        Self { on: On::Account, facts: facts.to_vec() }
    }

    /// Facts of buckets of the store.
    pub fn of(on: On, facts: &[FactId]) -> Self {
        Self { on, facts: facts.to_vec() }
    }
}

/// One control as the collector sees it: whom it is about, and what it needs to know.
#[derive(Clone, Debug)]
pub struct Want {
    pub scope: crate::scope::Scope,
    pub unit: crate::fact::Kind,
    pub demands: Vec<Demand>,
}

impl Want {
    /// The facts of the judged resource itself.
    pub fn unit_facts(&self) -> Vec<FactId> {
        self.demands.iter().filter(|demand| demand.on == On::Unit).flat_map(|demand| demand.facts.iter().copied()).collect()
    }
}
