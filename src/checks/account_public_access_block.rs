use serde::Deserialize;

use super::example::{Example, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::public_access_block::AccountPublicAccessBlock;
use crate::resources::s3_bucket::public_access_block::PublicAccessBlock;
use crate::view::View;

/// The account blocks public access for all of its buckets, those of tomorrow too.
///
/// # Why
/// The block of a single bucket is as safe as everybody who may change that bucket. The account's holds for every bucket and
/// access point, also for one that somebody makes in a hurry, for example to restore documents.
///
/// # Fails when
/// One of BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy and RestrictPublicBuckets is off for the account; absent means that
/// all four are off. Blocks of single buckets do not count here: `s3-bucket-public-access-block` judges both together. A block that
/// is set for the whole organization is not seen.
///
/// # Fix
/// PutPublicAccessBlock of S3 Control with all four settings on. First make sure that no bucket of the account is public on
/// purpose: turning on the last two takes effect at once.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountPublicAccessBlockOn {}

impl CheckType for AccountPublicAccessBlockOn {
    const META: &'static Meta = &Meta {
        id: "account-public-access-block",
        unit: Kind::Account,
        severity: Severity::High,
        title: "The account blocks public access to all buckets",
        fix: "turn on all four public access block settings of the account (S3 Control PutPublicAccessBlock)",
        references: &[
            "CIS-AWS-3.0:2.1.4",
            "CIS-AWS-5.0:2.1.4",
            "SecurityHub:S3.1",
            "Prowler:s3_account_level_public_access_blocks",
            "NIST-800-53:AC-3",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let half = PublicAccessBlock { restrict_public_buckets: false, ..PublicAccessBlock::full() };
        vec![
            Example::pass("all four", on.clone()).known(&on, AccountPublicAccessBlock(PublicAccessBlock::full())),
            Example::fail("one is off", on.clone()).known(&on, AccountPublicAccessBlock(half)),
            Example::fail("not configured", on.clone()).absent::<AccountPublicAccessBlock>(&on),
            Example::unknown("denied", on.clone()).denied::<AccountPublicAccessBlock>(&on),
        ]
    }
}

impl Check for AccountPublicAccessBlockOn {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[AccountPublicAccessBlock::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        if let Some(block) = tally.read(view.read::<AccountPublicAccessBlock>(unit)) {
            let off = block.map(|block| block.0).unwrap_or_default().off();
            if off.is_empty() {
                tally.pass::<AccountPublicAccessBlock>(unit, "all four on", "all four settings on");
            }
            for setting in off {
                let says = format!("{setting} is off for the account");
                let _ = tally
                    .fail::<AccountPublicAccessBlock>(unit, says, format!("{setting} off"), "all four settings on")
                    .subject(setting);
            }
        }
        tally.finish()
    }
}
