//! The little world in which a check's examples take place.
//!
//! One store `documents` with a primary in account `production` and a mirror in account `vault`; examples add facts to it.
//! It must never set a fact that an example did not ask for.

use jiff::Timestamp;

use super::Check;
use crate::estate::{Account, AccountKey, Copy, Estate, FedBy, KeySpace, ResourceId, Store};
use crate::fact::{Fact, FactId, Gap, Kind, Why};
use crate::judgement::{Judgement, Verdict};
use crate::resources::FactType;
use crate::snapshot::{AccountRecord, Existence, Snapshot};
use crate::view::{Derived, View};

/// The account number of `production`.
pub const PRODUCTION: &str = "111111111111";
/// The account number of `vault`.
pub const VAULT: &str = "222222222222";

/// One case of a check: a world, parameters, and the verdict expected.
#[derive(Clone, Debug)]
pub struct Example {
    pub name: &'static str,
    pub with: serde_json::Value,
    pub unit: ResourceId,
    pub estate: Estate,
    pub snapshot: Snapshot,
    pub expected: Verdict,
    /// The policy alone decides the verdict; losing every fact does not change it.
    pub by_declaration: bool,
}

/// The primary bucket.
pub fn primary() -> ResourceId {
    ResourceId::bucket(&AccountKey::new("production"), "acme-documents")
}

/// The mirror bucket.
pub fn mirror() -> ResourceId {
    ResourceId::bucket(&AccountKey::new("vault"), "acme-documents-mirror")
}

/// The production account.
pub fn production() -> ResourceId {
    ResourceId::account(&AccountKey::new("production"))
}

/// A user of the production account.
pub fn user(name: &str) -> ResourceId {
    ResourceId::new(&AccountKey::new("production"), Kind::IamUser, name)
}

/// The store.
pub fn documents() -> ResourceId {
    ResourceId::store("documents")
}

/// The time of every example.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_795_348_800).unwrap_or_default() // 2026-11-22T12:00:00Z
}

impl Example {
    fn new(name: &'static str, unit: ResourceId, expected: Verdict) -> Self {
        let mut estate = Estate::default();
        let mut snapshot = Snapshot::empty(now());
        for (key, id) in [("production", PRODUCTION), ("vault", VAULT)] {
            estate.accounts.insert(AccountKey::new(key), Account { id: Some(id.to_owned()), ..Account::default() });
            let record = AccountRecord {
                id: Some(id.to_owned()),
                partition: Some("aws".to_owned()),
                pinned: true,
                ..AccountRecord::default()
            };
            snapshot.accounts.insert(AccountKey::new(key), record);
        }
        let copy = |of: &ResourceId, fed_by| Copy {
            account: of.account.clone(),
            buckets: vec![of.name.to_string()],
            keys: KeySpace::default(),
            fed_by,
        };
        let copies =
            [("primary".to_owned(), copy(&primary(), None)), ("mirror".to_owned(), copy(&mirror(), Some(FedBy::Replication)))];
        estate.stores.insert("documents".to_owned(), Store { copies: copies.into() });
        for bucket in [primary(), mirror()] {
            if let Some(bucket) = snapshot.resource_mut(&bucket) {
                bucket.exists = Fact::Known(Existence::Here);
            }
        }
        Self { name, with: serde_json::json!({}), unit, estate, snapshot, expected, by_declaration: false }
    }

    /// A case that passes, judged on `unit`.
    pub fn pass(name: &'static str, unit: ResourceId) -> Self {
        Self::new(name, unit, Verdict::Pass)
    }

    /// A case that fails.
    pub fn fail(name: &'static str, unit: ResourceId) -> Self {
        Self::new(name, unit, Verdict::Fail)
    }

    /// A case that cannot be judged.
    pub fn unknown(name: &'static str, unit: ResourceId) -> Self {
        Self::new(name, unit, Verdict::Unknown)
    }

    /// A case that does not apply.
    pub fn not_applicable(name: &'static str, unit: ResourceId) -> Self {
        Self::new(name, unit, Verdict::NotApplicable)
    }

    /// Parameters.
    #[must_use]
    pub fn with(mut self, with: serde_json::Value) -> Self {
        self.with = with;
        self
    }

    /// A known fact.
    #[must_use]
    pub fn known<T: FactType>(mut self, on: &ResourceId, value: T) -> Self {
        self.snapshot.put(on, Fact::Known(value), now());
        self
    }

    /// A fact that the provider says is not configured.
    #[must_use]
    pub fn absent<T: FactType>(mut self, on: &ResourceId) -> Self {
        self.snapshot.put::<T>(on, Fact::Absent, now());
        self
    }

    /// A fact whose operation was denied.
    #[must_use]
    pub fn denied<T: FactType>(mut self, on: &ResourceId) -> Self {
        self.snapshot.put::<T>(on, Fact::Unreadable(Box::new(denial(T::SPEC))), now());
        self
    }

    /// An account-wide listing that finished.
    #[must_use]
    pub fn listed(mut self, account: &str, operation: &str) -> Self {
        self.snapshot.put_listing(&AccountKey::new(account), operation, Fact::Known(0));
        self
    }

    /// Changes the estate.
    #[must_use]
    pub fn estate(mut self, change: impl FnOnce(&mut Estate)) -> Self {
        change(&mut self.estate);
        self
    }

    /// The verdict follows from the policy alone.
    #[must_use]
    pub fn by_declaration(mut self) -> Self {
        self.by_declaration = true;
        self
    }

    /// What a check says of this case.
    pub fn judge(&self, check: &dyn Check) -> Judgement {
        let derived = Derived::default();
        check.judge(&self.unit, &View::new(&self.snapshot, &self.estate, now(), &derived))
    }
}

/// The gap that a denied operation leaves.
pub fn denial(spec: FactId) -> Gap {
    let mut gap = Gap::new(Why::Denied, spec.operation).with_action(spec.actions.first().copied());
    gap.code = Some("AccessDenied".to_owned());
    gap
}
