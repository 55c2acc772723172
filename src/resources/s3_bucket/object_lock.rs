//! Object Lock of a bucket. Absent: not enabled (`ObjectLockConfigurationNotFoundError`).
//!
//! A default retention counts from upload: it says nothing about documents older than itself.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// Object Lock is enabled; there may be no default retention.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ObjectLock {
    pub mode: Option<LockMode>,
    /// Default retention of new versions in days; years count 365.
    pub days: Option<i32>,
    /// A default hold until an event releases it: no term is known.
    pub event_hold: bool,
}

/// Who may shorten a retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockMode {
    /// Whoever holds `s3:BypassGovernanceRetention`.
    Governance,
    /// Nobody, the root user included.
    Compliance,
}

impl LockMode {
    /// A word for a report.
    pub fn label(self) -> &'static str {
        match self {
            Self::Governance => "governance",
            Self::Compliance => "compliance",
        }
    }
}

impl FactType for ObjectLock {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.object-lock",
        kind: Kind::S3Bucket,
        operation: "GetObjectLockConfiguration",
        also: &[],
        actions: &["s3:GetBucketObjectLockConfiguration"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for ObjectLock {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        use aws_sdk_s3::types::{ObjectLockEnabled, ObjectLockRetentionMode};
        let answer = from
            .ask(|s3, of| async move {
                s3.get_object_lock_configuration().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, &["ObjectLockConfigurationNotFoundError"])? else { return Ok(None) };
        // A gateway that does not know the sub-resource answers 200 with something else: 200 is not "configured".
        let Some(found) = found.object_lock_configuration else {
            return Err(crate::aws::Failure::malformed("no ObjectLockConfiguration in the answer"));
        };
        if found.object_lock_enabled != Some(ObjectLockEnabled::Enabled) {
            return Ok(None);
        }
        let Some(retention) = found.rule.and_then(|rule| rule.default_retention) else { return Ok(Some(Self::default())) };
        let mode = match retention.mode {
            None => None,
            Some(ObjectLockRetentionMode::Compliance) => Some(LockMode::Compliance),
            Some(ObjectLockRetentionMode::Governance) => Some(LockMode::Governance),
            Some(other) => return Err(crate::aws::Failure::malformed(format!("unknown lock mode `{other}`"))),
        };
        let days = retention.days.or_else(|| retention.years.map(|years| years.saturating_mul(365)));
        Ok(Some(Self { mode, days, event_hold: mode.is_none() && days.is_none() }))
    }
}
