//! Server access logs of a bucket. Absent: none are written (`LoggingEnabled` is missing in the answer).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// Where the logs go. S3 does not say whether they arrive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Logging {
    /// The name of the target bucket, of the same account and Region.
    pub bucket: String,
    /// What the keys of the logs begin with.
    pub prefix: String,
}

impl FactType for Logging {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.logging",
        kind: Kind::S3Bucket,
        operation: "GetBucketLogging",
        also: &[],
        actions: &["s3:GetBucketLogging"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Logging {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let found = from
            .ask(|s3, of| async move { s3.get_bucket_logging().bucket(of.name).set_expected_bucket_owner(of.owner).send().await })
            .await?;
        let Some(enabled) = found.logging_enabled else { return Ok(None) };
        if enabled.target_bucket.is_empty() {
            return Err(crate::aws::Failure::malformed("logs are written to a bucket without a name"));
        }
        Ok(Some(Self { bucket: enabled.target_bucket, prefix: enabled.target_prefix }))
    }
}
