use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::ownership::Ownership;
use crate::view::View;

/// The bucket's account owns every object and ACLs are off (`BucketOwnerEnforced`).
///
/// # Why
/// With ACLs, an object belongs to the account that wrote it: that account can withdraw access to the document, and a replica
/// written by the primary account stays the primary account's. ACLs also give access that no policy shows.
///
/// # Fails when
/// Object ownership is `BucketOwnerPreferred` or `ObjectWriter`, or was never configured: then it is `ObjectWriter`, the default
/// of buckets made before April 2023.
///
/// # Fix
/// Move grants from ACLs to the bucket policy, then set `BucketOwnerEnforced`. Uploads that still send ACLs are refused
/// afterwards. Going back gives objects of other writers back to them.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketOwnership {}

impl CheckType for S3BucketOwnership {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-ownership",
        unit: Kind::S3Bucket,
        severity: Severity::Medium,
        title: "The bucket's account owns every object, ACLs are off",
        fix: "set object ownership to BucketOwnerEnforced (PutBucketOwnershipControls)",
        references: &["SecurityHub:S3.12", "NIST-800-53:AC-3", "NIST-800-53:AC-6", "PCI-DSS:7.2.1"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let owned = |example: Example, by: &str| example.known(&primary(), Ownership(by.to_owned()));
        vec![
            owned(Example::pass("enforced", on.clone()), "BucketOwnerEnforced"),
            owned(Example::fail("preferred", on.clone()), "BucketOwnerPreferred"),
            owned(Example::fail("writer", on.clone()), "ObjectWriter"),
            Example::fail("never configured", on.clone()).absent::<Ownership>(&on),
            Example::unknown("denied", on.clone()).denied::<Ownership>(&on),
        ]
    }
}

impl Check for S3BucketOwnership {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Ownership::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        if let Some(ownership) = tally.read(view.read::<Ownership>(unit)) {
            if ownership.is_some_and(Ownership::is_enforced) {
                tally.pass::<Ownership>(unit, "BucketOwnerEnforced", "BucketOwnerEnforced");
            } else {
                let seen = ownership.map_or("not configured, which is ObjectWriter", |ownership| ownership.0.as_str());
                let says = "ACLs are on, and objects may belong to the account that wrote them";
                let _ = tally.fail::<Ownership>(unit, says, seen.to_owned(), "BucketOwnerEnforced");
            }
        }
        tally.finish()
    }
}
