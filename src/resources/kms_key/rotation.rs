//! Automatic rotation of a key. Absent: this kind of key has none (`UnsupportedOperationException`).
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// Whether and how often KMS makes new material.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct KeyRotation {
    pub enabled: bool,
    /// Days between two rotations; KMS says it only while rotation is on.
    pub period_days: Option<i32>,
}

impl KeyRotation {
    /// Days between two rotations, if there are any. KMS rotates every 365 days where no period was set.
    pub fn every_days(&self) -> Option<i32> {
        self.enabled.then(|| self.period_days.unwrap_or(365))
    }
}

impl FactType for KeyRotation {
    const EMPTY: bool = false;
    const SPEC: FactId = &FactSpec {
        id: "kms-key.rotation",
        kind: Kind::KmsKey,
        operation: "kms:GetKeyRotationStatus",
        also: &[],
        actions: &["kms:GetKeyRotationStatus"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::KeyReader> for KeyRotation {
    async fn read(from: &crate::aws::KeyReader) -> crate::aws::Reading<Self> {
        #[cfg(feature = "kms")]
        {
            let ask = |kms: aws_sdk_kms::Client, id| async move { kms.get_key_rotation_status().key_id(id).send().await };
            let answer = from.ask("kms:GetKeyRotationStatus", ask).await;
            let Some(found) = crate::aws::absent_on_code(answer, &["UnsupportedOperationException"])? else { return Ok(None) };
            match found.rotation_period_in_days {
                Some(days) if days < 1 => Err(crate::aws::Failure::malformed(format!("a rotation period of {days} days"))),
                period_days => Ok(Some(Self { enabled: found.key_rotation_enabled, period_days })),
            }
        }
        #[cfg(not(feature = "kms"))]
        {
            let _ = from;
            Err(crate::aws::Failure::not_compiled("kms"))
        }
    }
}
