//! The public access block in effect on a bucket: the stricter of the bucket's and its account's, setting by setting.
//!
//! It must never take a level that could not be read for one that is off.

use crate::demand::Demand;
use crate::estate::{Account, Estate, ResourceId};
use crate::fact::Gap;
use crate::judgement::Tally;
use crate::resources::FactType;
use crate::resources::account::public_access_block::AccountPublicAccessBlock;
use crate::resources::s3_bucket::public_access_block::PublicAccessBlock;
use crate::view::View;

/// A setting as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    On,
    Off,
    /// One level could not be read, and the other is off.
    Unknown,
}

/// What is known of both levels.
#[derive(Debug)]
pub(super) struct Blocks {
    /// On at a level that was read.
    pub(super) known: PublicAccessBlock,
    pub(super) gaps: Vec<Gap>,
}

impl Blocks {
    /// The facts that it reads.
    pub(super) fn demands(estate: &Estate) -> Vec<Demand> {
        let mut demands = vec![Demand::unit(&[PublicAccessBlock::SPEC])];
        if estate.accounts.values().any(Account::is_aws) {
            demands.push(Demand::account(&[AccountPublicAccessBlock::SPEC]));
        }
        demands
    }

    /// Of a bucket. Off AWS there is no account level.
    pub(super) fn of(bucket: &ResourceId, view: &View<'_>) -> Self {
        let mut levels = vec![view.read::<PublicAccessBlock>(bucket).read().map(|block| block.copied())];
        if view.estate.accounts.get(&bucket.account).is_none_or(Account::is_aws) {
            let account = ResourceId::account(&bucket.account);
            levels.push(view.read::<AccountPublicAccessBlock>(&account).read().map(|block| block.map(|block| block.0)));
        }
        let mut blocks = Self { known: PublicAccessBlock::default(), gaps: Vec::new() };
        for level in levels {
            match level {
                Ok(block) => blocks.known = blocks.known.or(block.unwrap_or_default()),
                Err(gap) => blocks.gaps.push(gap),
            }
        }
        blocks
    }

    fn switch(&self, on: bool) -> Switch {
        match (on, self.gaps.is_empty()) {
            (true, _) => Switch::On,
            (false, true) => Switch::Off,
            (false, false) => Switch::Unknown,
        }
    }

    /// `RestrictPublicBuckets`: a public policy lets in nobody but the bucket's account and AWS services.
    pub(super) fn restrict(&self) -> Switch {
        self.switch(self.known.restrict_public_buckets)
    }

    /// `IgnorePublicAcls`: public grants of ACLs have no effect.
    pub(super) fn ignore_acls(&self) -> Switch {
        self.switch(self.known.ignore_public_acls)
    }

    /// Notes what could not be read.
    pub(super) fn note_gaps(&self, tally: &mut Tally) {
        self.gaps.iter().for_each(|gap| tally.gap(gap.clone()));
    }
}
