//! Versioning and MFA Delete of a bucket. Absent: the answer is empty, the bucket was never versioned.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// The versioning configuration as AWS answers it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Versioning {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// `None`: never configured, which means off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_delete: Option<bool>,
}

/// The state of versioning once it was ever switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Enabled,
    /// Old versions stay, new writes replace the `null` version.
    Suspended,
}

impl Versioning {
    /// Versioning switched on.
    pub fn enabled() -> Self {
        Self { status: Some(Status::Enabled), mfa_delete: None }
    }

    /// Versioning suspended.
    pub fn suspended() -> Self {
        Self { status: Some(Status::Suspended), mfa_delete: None }
    }

    /// From the two words of an answer.
    fn answered(status: Option<&str>, mfa_delete: Option<&str>) -> Result<Option<Self>, String> {
        let status = match status {
            None => None,
            Some("Enabled") => Some(Status::Enabled),
            Some("Suspended") => Some(Status::Suspended),
            Some(other) => return Err(format!("unknown versioning status `{other}`")),
        };
        let mfa_delete = match mfa_delete {
            None => None,
            Some("Enabled") => Some(true),
            Some("Disabled") => Some(false),
            Some(other) => return Err(format!("unknown MFA Delete status `{other}`")),
        };
        Ok((status.is_some() || mfa_delete.is_some()).then_some(Self { status, mfa_delete }))
    }

    /// Whether every write keeps what it replaces.
    pub fn is_enabled(&self) -> bool {
        self.status == Some(Status::Enabled)
    }

    /// A word for a report.
    pub fn label(&self) -> &'static str {
        match self.status {
            Some(Status::Enabled) => "enabled",
            Some(Status::Suspended) => "suspended",
            None => "never enabled",
        }
    }
}

impl FactType for Versioning {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.versioning",
        kind: Kind::S3Bucket,
        operation: "GetBucketVersioning",
        also: &[],
        actions: &["s3:GetBucketVersioning"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Versioning {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let answer =
            from.ask(|s3, of| async move {
                s3.get_bucket_versioning().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            })
            .await?;
        let (status, mfa_delete) = (answer.status, answer.mfa_delete);
        Self::answered(status.as_ref().map(|s| s.as_str()), mfa_delete.as_ref().map(|s| s.as_str()))
            .map_err(crate::aws::Failure::malformed)
    }
}

impl Printed for Versioning {
    const SILENT: bool = true;

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            status: Option<String>,
            #[serde(rename = "MFADelete")]
            mfa_delete: Option<String>,
        }
        let Answer { status, mfa_delete } = parsed(answer)?;
        Self::answered(status.as_deref(), mfa_delete.as_deref())
    }
}
