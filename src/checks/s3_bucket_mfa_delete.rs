use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Claim, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::versioning::{Status, Versioning};
use crate::view::View;

/// MFA Delete is enabled: deleting a version for good, or changing versioning, takes the root user and a one-time code.
///
/// # Why
/// With versioning alone whoever holds `s3:DeleteObjectVersion` can still destroy every version, and whoever holds
/// `s3:PutBucketVersioning` can suspend versioning. MFA Delete takes both away from stolen keys and from bugs.
///
/// # Fails when
/// MFA Delete is off or was never configured; absent means off. Only MFA Delete is judged here: versioning that is
/// suspended while MFA Delete is on passes this check and fails `s3-bucket-versioning`.
///
/// It does not stop delete markers, overwrites (both keep the version), changes of the bucket policy, destroying the KMS key
/// or closing the account. Whether the root user still holds the MFA device cannot be seen.
///
/// Not known: whether MFA Delete can still be switched on once the bucket has Object Lock; AWS does not document it.
///
/// # Fix
/// As the root user, with a device that shows six-digit codes, call PutBucketVersioning with `MFADelete=Enabled` and the
/// header `x-amz-mfa`. AWS refuses it while the bucket has a lifecycle configuration, and refuses lifecycle rules afterwards:
/// noncurrent versions then stay until the root user deletes them.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketMfaDelete {}

impl CheckType for S3BucketMfaDelete {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-mfa-delete",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "Deleting a version takes the root user and an MFA code",
        fix: "as the root user, enable MFA Delete (PutBucketVersioning, MFADelete=Enabled); the bucket may have no lifecycle rules",
        references: &[
            "CIS-AWS-3.0:2.1.2",
            "CIS-AWS-5.0:2.1.2",
            "CIS-AWS-7.0:3.1.2",
            "SecurityHub:S3.20",
            "NIST-800-53:AC-6",
            "PCI-DSS:10.3.2",
            "NIS2:11.7.2",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let state = |status, mfa_delete| Versioning { status: Some(status), mfa_delete };
        vec![
            Example::pass("enabled", on.clone()).known(&on, state(Status::Enabled, Some(true))),
            Example::pass("versioning suspended, still gated", on.clone()).known(&on, state(Status::Suspended, Some(true))),
            Example::fail("disabled", on.clone()).known(&on, state(Status::Enabled, Some(false))),
            Example::fail("never configured", on.clone()).known(&on, Versioning::enabled()),
            Example::fail("never versioned", on.clone()).absent::<Versioning>(&on),
            Example::unknown("denied", on.clone()).denied::<Versioning>(&on),
        ]
    }
}

impl Check for S3BucketMfaDelete {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Versioning::SPEC])]
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim::MfaDelete]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        if let Some(versioning) = tally.read(view.read::<Versioning>(unit)) {
            let (says, seen) = match versioning.and_then(|versioning| versioning.mfa_delete) {
                Some(true) => {
                    tally.pass::<Versioning>(unit, "MFA Delete enabled", "MFA Delete enabled");
                    return tally.finish();
                }
                Some(false) => ("MFA Delete is disabled", "disabled"),
                None => ("MFA Delete was never enabled", "never enabled"),
            };
            let _ = tally.fail::<Versioning>(unit, says, seen, "enabled");
        }
        tally.finish()
    }
}
