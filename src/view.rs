//! What a check may look at: the snapshot, the estate, the time, and what is derived from them once for all checks.
//!
//! It must never read a clock: `now` is passed in.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::{Fact, Gap, Why};
use crate::judgement::Tally;
use crate::keys::{self, KeyArn};
use crate::principals::Principals;
use crate::resources::FactType;
use crate::resources::kms_key::state::KeyState;
use crate::snapshot::{Existence, Resource, Snapshot};

/// The input of a judgement.
#[derive(Debug)]
pub struct View<'a> {
    pub snapshot: &'a Snapshot,
    pub estate: &'a Estate,
    pub now: Timestamp,
    derived: &'a Derived,
    /// The resource looked up last: a check reads several facts of one.
    last: RefCell<Option<(ResourceId, Option<&'a Resource>)>>,
}

/// Built once, only if asked for, over all accounts.
#[derive(Debug, Default)]
pub struct Derived {
    principals: OnceLock<Principals>,
}

impl<'a> View<'a> {
    /// A view at a time.
    pub fn new(snapshot: &'a Snapshot, estate: &'a Estate, now: Timestamp, derived: &'a Derived) -> Self {
        Self { snapshot, estate, now, derived, last: RefCell::default() }
    }

    /// A fact of a resource.
    pub fn read<T: FactType>(&self, id: &ResourceId) -> Fact<&'a T> {
        self.snapshot.read_of::<T>(id, self.resource(id))
    }

    /// A resource of the snapshot.
    fn resource(&self, id: &ResourceId) -> Option<&'a Resource> {
        if let Some((last, found)) = &*self.last.borrow()
            && is_same(last, id)
        {
            return *found;
        }
        let found = self.snapshot.resource(id);
        self.looked_up(id, found);
        found
    }

    /// Notes what somebody else looked up; checks will ask for it.
    pub(crate) fn looked_up(&self, id: &ResourceId, found: Option<&'a Resource>) {
        self.last.replace(Some((id.clone(), found)));
    }

    /// False when a bucket is known to be missing or to belong to another account, which is noted as a violation. When
    /// existence itself is not known nothing is noted: the facts that the check reads will be gaps.
    pub fn is_there(&self, bucket: &ResourceId, tally: &mut Tally) -> bool {
        if self.resource(bucket).is_some_and(|found| found.exists == Fact::Known(Existence::Here)) {
            return true;
        }
        match self.snapshot.exists(bucket) {
            Fact::Known(Existence::Here) | Fact::Unreadable(_) => true,
            Fact::Known(Existence::Foreign) => {
                let says = format!("bucket {} belongs to another account than the policy says", bucket.name);
                let _ = tally
                    .fail_existence(bucket, says, "owned by another account", format!("owned by {}", bucket.account))
                    .fix("correct the bucket or the account in the policy; if somebody took over the name, stop writing to it");
                false
            }
            Fact::Absent => {
                let _ = tally
                    .fail_existence(
                        bucket,
                        format!("bucket {} does not exist", bucket.name),
                        "does not exist",
                        "exists".to_owned(),
                    )
                    .fix("create the bucket, or correct its name in the policy");
                false
            }
        }
    }

    /// The key behind an ARN, through its alias if it is one, with its state. `None`: a gap was noted, or that the key does not
    /// exist.
    pub fn key(&self, arn: &KeyArn, tally: &mut Tally) -> Option<(ResourceId, &'a KeyState)> {
        let missing = || {
            let gap = Gap::new(Why::Vanished, KeyState::SPEC.operation);
            gap.with_detail(format!("KMS knows no key {}; `s3-bucket-key-usable` judges that", arn.text))
        };
        let key = match keys::key(self.estate, self.snapshot, arn) {
            Ok(Some(key)) => key,
            Ok(None) => {
                tally.gap(missing());
                return None;
            }
            Err(gap) => {
                tally.gap(gap);
                return None;
            }
        };
        let state = tally.read(self.read::<KeyState>(&key))?;
        if state.is_none() {
            tally.gap(missing());
        }
        state.map(|state| (key, state))
    }

    /// The ARN of a bucket as IAM policy documents name it. Off AWS too, where the partition is `aws`.
    pub fn bucket_arn(&self, id: &ResourceId) -> String {
        let partition = self.snapshot.accounts.get(&id.account).and_then(|record| record.partition.as_deref());
        format!("arn:{}:s3:::{}", partition.unwrap_or("aws"), id.name)
    }

    /// The twelve digits of an account: as the policy says, else as STS said.
    pub fn account_number(&self, account: &AccountKey) -> Option<&'a str> {
        let declared = self.estate.accounts.get(account).and_then(|account| account.id.as_deref());
        declared.or_else(|| self.snapshot.accounts.get(account).and_then(|record| record.id.as_deref()))
    }

    /// The principals of every account with their policies, parsed.
    pub fn principals(&self) -> &'a Principals {
        self.derived.principals.get_or_init(|| Principals::of(self.snapshot, self.estate))
    }
}

/// Whether two ids are one and the same value, told without comparing names.
pub(crate) fn is_same(one: &ResourceId, other: &ResourceId) -> bool {
    one.kind == other.kind && Arc::ptr_eq(&one.name, &other.name) && Arc::ptr_eq(&one.account.0, &other.account.0)
}
