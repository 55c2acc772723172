use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::versioning::Versioning;
use crate::view::View;

/// Versioning is enabled on the bucket, so that a delete or an overwrite keeps what was there.
///
/// # Why
/// Without versioning, `s3:DeleteObject` and `s3:PutObject` destroy documents at once. With versioning a delete only adds
/// a marker and an overwrite only adds a version; both can be undone for as long as noncurrent versions are kept.
///
/// # Fails when
/// Versioning was never enabled, or is suspended: then new writes replace the `null` version.
///
/// # Fix
/// Enable versioning, wait 15 minutes before relying on it, and add a lifecycle rule that expires noncurrent versions
/// after the required window. Versioning can later only be suspended, never removed.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketVersioning {}

impl CheckType for S3BucketVersioning {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-versioning",
        unit: Kind::S3Bucket,
        severity: Severity::Critical,
        title: "Versioning is enabled",
        fix: "enable versioning (PutBucketVersioning, Status=Enabled)",
        references: &["SecurityHub:S3.14", "NIST-800-53:CP-9", "PCI-DSS:10.3.4"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        vec![
            Example::pass("enabled", on.clone()).known(&on, Versioning::enabled()),
            Example::fail("suspended", on.clone()).known(&on, Versioning::suspended()),
            Example::fail("never enabled", on.clone()).absent::<Versioning>(&on),
            Example::unknown("denied", on.clone()).denied::<Versioning>(&on),
            Example::unknown("not collected", on),
        ]
    }
}

impl Check for S3BucketVersioning {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Versioning::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        if let Some(versioning) = tally.read(view.read::<Versioning>(unit)) {
            match versioning {
                Some(versioning) if versioning.is_enabled() => tally.pass::<Versioning>(unit, "enabled", "enabled"),
                Some(versioning) => {
                    let seen = versioning.label();
                    let says = if seen == "suspended" { "versioning is suspended" } else { "versioning was never enabled" };
                    let _ = tally.fail::<Versioning>(unit, says, seen, "enabled");
                }
                None => {
                    let _ = tally.fail::<Versioning>(unit, "versioning was never enabled", "never enabled", "enabled");
                }
            }
        }
        tally.finish()
    }
}
