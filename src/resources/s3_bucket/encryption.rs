//! Default encryption of a bucket. Absent: the provider has none set; AWS itself has answered SSE-S3 since 2023.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The default encryption rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Encryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    pub key: Option<String>,
    pub bucket_key: bool,
    /// Encryption types that writes may not use, for example `SSE-C`.
    pub blocked: Vec<String>,
}

impl FactType for Encryption {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.encryption",
        kind: Kind::S3Bucket,
        operation: "GetBucketEncryption",
        also: &[],
        actions: &["s3:GetEncryptionConfiguration"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Encryption {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let answer =
            from.ask(|s3, of| async move {
                s3.get_bucket_encryption().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, &["ServerSideEncryptionConfigurationNotFoundError"])? else {
            return Ok(None);
        };
        let mut rules = found.server_side_encryption_configuration.map(|c| c.rules).unwrap_or_default();
        let (Some(rule), true) = (rules.pop(), rules.is_empty()) else {
            return Err(crate::aws::Failure::malformed("not one ServerSideEncryptionConfiguration rule in the answer"));
        };
        let (algorithm, key) = rule
            .apply_server_side_encryption_by_default
            .map(|d| (d.sse_algorithm.as_str().to_owned(), d.kms_master_key_id))
            .unwrap_or_default();
        if !["AES256", "aws:kms", "aws:kms:dsse", "aws:fsx"].contains(&algorithm.as_str()) {
            return Err(crate::aws::Failure::malformed(format!("unknown encryption algorithm `{algorithm}`")));
        }
        let blocked: Vec<String> = rule
            .blocked_encryption_types
            .and_then(|b| b.encryption_type)
            .unwrap_or_default()
            .into_iter()
            .map(|t| t.as_str().to_owned())
            .collect();
        if blocked.len() > 1 && blocked.iter().any(|t| t == "NONE") {
            return Err(crate::aws::Failure::malformed("nothing and something is blocked at once"));
        }
        Ok(Some(Self {
            algorithm,
            key,
            bucket_key: rule.bucket_key_enabled.unwrap_or_default(),
            blocked: blocked.into_iter().filter(|t| t != "NONE").collect(),
        }))
    }
}
