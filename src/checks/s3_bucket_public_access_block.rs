use serde::Deserialize;

use super::example::{Example, primary, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Account, Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::public_access_block::AccountPublicAccessBlock;
use crate::resources::s3_bucket::public_access_block::PublicAccessBlock;
use crate::view::View;

/// Public access is blocked by all four settings, on the bucket or on its account.
///
/// # Why
/// One bucket policy with `Principal: "*"`, or one public ACL, lets strangers read, overwrite or delete documents. The block
/// makes such a policy or ACL ineffective, and refuses new ones.
///
/// # Fails when
/// One of BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy and RestrictPublicBuckets is off on the bucket and on the
/// account. S3 applies the stricter of both, setting by setting; absent means that all four are off at that level. A bucket
/// that blocks everything passes although the account's settings could not be read, and the other way round. At other
/// providers there is no account level: only the bucket's settings count.
///
/// It does not see grants to named other accounts; those are not public.
///
/// # Fix
/// Turn on all four settings for the account, unless it serves public buckets on purpose; else for each bucket.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketPublicAccessBlock {}

impl CheckType for S3BucketPublicAccessBlock {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-public-access-block",
        unit: Kind::S3Bucket,
        severity: Severity::Critical,
        title: "Public access is blocked",
        fix: "turn on all four public access block settings, for the account or the bucket (PutPublicAccessBlock)",
        references: &[
            "CIS-AWS-3.0:2.1.4",
            "CIS-AWS-5.0:2.1.4",
            "CIS-AWS-7.0:3.1.4",
            "SecurityHub:S3.1",
            "SecurityHub:S3.8",
            "NIST-800-53:AC-3",
            "PCI-DSS:1.4.4",
            "DORA:Art.9",
        ],
    };

    fn examples() -> Vec<Example> {
        let (on, account) = (primary(), production());
        let acls = || PublicAccessBlock { block_public_acls: true, ignore_public_acls: true, ..PublicAccessBlock::default() };
        let policies =
            || PublicAccessBlock { block_public_policy: true, restrict_public_buckets: true, ..PublicAccessBlock::default() };
        let both = |example: Example, bucket: PublicAccessBlock, account: PublicAccessBlock| {
            example.known(&primary(), bucket).known(&production(), AccountPublicAccessBlock(account))
        };
        let elsewhere = |example: Example| {
            example.estate(|estate| {
                estate.accounts.insert(primary().account, Account { provider: Some("minio".to_owned()), ..Account::default() });
            })
        };
        let full = PublicAccessBlock::full;
        vec![
            both(Example::pass("on the bucket", on.clone()), full(), PublicAccessBlock::default()),
            both(Example::pass("on the account", on.clone()), PublicAccessBlock::default(), full()),
            both(Example::pass("half on each", on.clone()), acls(), policies()),
            Example::pass("on the bucket, account denied", on.clone())
                .known(&on, full())
                .denied::<AccountPublicAccessBlock>(&account),
            Example::pass("on the account, bucket denied", on.clone())
                .known(&account, AccountPublicAccessBlock(full()))
                .denied::<PublicAccessBlock>(&on),
            elsewhere(Example::pass("another provider", on.clone())).known(&on, full()),
            elsewhere(Example::fail("another provider, off", on.clone())).known(&on, acls()),
            both(Example::fail("the same half on each", on.clone()), acls(), acls()),
            Example::fail("configured nowhere", on.clone())
                .absent::<PublicAccessBlock>(&on)
                .absent::<AccountPublicAccessBlock>(&account),
            Example::unknown("half on the bucket, account denied", on.clone())
                .known(&on, acls())
                .denied::<AccountPublicAccessBlock>(&account),
            Example::unknown("both denied", on.clone())
                .denied::<PublicAccessBlock>(&on)
                .denied::<AccountPublicAccessBlock>(&account),
        ]
    }
}

impl Check for S3BucketPublicAccessBlock {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, estate: &Estate) -> Vec<Demand> {
        let mut demands = vec![Demand::unit(&[PublicAccessBlock::SPEC])];
        if estate.accounts.values().any(Account::is_aws) {
            demands.push(Demand::account(&[AccountPublicAccessBlock::SPEC]));
        }
        demands
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let account = ResourceId::account(&unit.account);
        let bucket_level = view.read::<PublicAccessBlock>(unit).read().map(|block| block.copied().unwrap_or_default());
        let aws = view.estate.accounts.get(&unit.account).is_none_or(Account::is_aws);
        let account_level = if aws {
            view.read::<AccountPublicAccessBlock>(&account).read().map(|block| block.map(|block| block.0).unwrap_or_default())
        } else {
            Ok(PublicAccessBlock::default())
        };
        let required = "all four settings on";
        let known = |block: &Result<PublicAccessBlock, _>| block.as_ref().copied().unwrap_or_default();
        let effective = known(&bucket_level).or(known(&account_level));
        if effective.off().is_empty() {
            if bucket_level.as_ref().is_ok_and(|block| block.off().is_empty()) {
                tally.pass::<PublicAccessBlock>(unit, "all four on for the bucket", required);
            } else if account_level.as_ref().is_ok_and(|block| block.off().is_empty()) {
                tally.pass::<AccountPublicAccessBlock>(&account, "all four on for the account", required);
            } else {
                tally.pass::<PublicAccessBlock>(unit, "all four on, some for the bucket, some for the account", required);
            }
            return tally.finish();
        }
        match (bucket_level, account_level) {
            (Ok(_), Ok(_)) => {
                let off = effective.off().join(", ");
                let at = if aws { "for bucket and account" } else { "for the bucket" };
                let _ = tally.fail::<PublicAccessBlock>(unit, format!("{off} off {at}"), format!("off: {off}"), required);
            }
            (bucket, account) => bucket.err().into_iter().chain(account.err()).for_each(|gap| tally.gap(gap)),
        }
        tally.finish()
    }
}
