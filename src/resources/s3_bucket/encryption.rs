//! Default encryption of a bucket. Absent: the provider has none set; AWS itself has answered SSE-S3 since 2023.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// The default encryption rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
        let Some(found) = crate::aws::absent_on(answer, Self::ABSENT)? else {
            return Ok(None);
        };
        let rules = found.server_side_encryption_configuration.map(|c| c.rules).unwrap_or_default();
        let rules = rules.into_iter().map(|rule| {
            let (algorithm, key) = rule
                .apply_server_side_encryption_by_default
                .map(|d| (d.sse_algorithm.as_str().to_owned(), d.kms_master_key_id))
                .unwrap_or_default();
            let blocked = rule.blocked_encryption_types.and_then(|b| b.encryption_type).unwrap_or_default();
            let blocked = blocked.into_iter().map(|t| t.as_str().to_owned()).collect();
            Self { algorithm, key, bucket_key: rule.bucket_key_enabled.unwrap_or_default(), blocked }
        });
        Self::answered(rules.collect()).map(Some).map_err(crate::aws::Failure::malformed)
    }
}

impl Printed for Encryption {
    const ABSENT: &'static [&'static str] = &["ServerSideEncryptionConfigurationNotFoundError"];

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            server_side_encryption_configuration: Configuration,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Configuration {
            rules: Vec<Rule>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Rule {
            apply_server_side_encryption_by_default: Option<ByDefault>,
            bucket_key_enabled: Option<bool>,
            blocked_encryption_types: Option<Blocked>,
        }
        #[derive(Deserialize)]
        struct ByDefault {
            #[serde(rename = "SSEAlgorithm")]
            algorithm: String,
            #[serde(rename = "KMSMasterKeyID")]
            key: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Blocked {
            encryption_type: Option<Vec<String>>,
        }
        let rules = parsed::<Answer>(answer)?.server_side_encryption_configuration.rules.into_iter().map(|rule| {
            let (algorithm, key) = rule.apply_server_side_encryption_by_default.map(|d| (d.algorithm, d.key)).unwrap_or_default();
            let blocked = rule.blocked_encryption_types.and_then(|b| b.encryption_type).unwrap_or_default();
            Self { algorithm, key, bucket_key: rule.bucket_key_enabled.unwrap_or_default(), blocked }
        });
        Self::answered(rules.collect()).map(Some)
    }
}

impl Encryption {
    /// From the rules of an answer, of which there is one.
    fn answered(mut rules: Vec<Self>) -> Result<Self, String> {
        let (Some(mut rule), true) = (rules.pop(), rules.is_empty()) else {
            return Err("not one ServerSideEncryptionConfiguration rule in the answer".to_owned());
        };
        if !["AES256", "aws:kms", "aws:kms:dsse", "aws:fsx"].contains(&rule.algorithm.as_str()) {
            return Err(format!("unknown encryption algorithm `{}`", rule.algorithm));
        }
        if rule.blocked.len() > 1 && rule.blocked.iter().any(|t| t == "NONE") {
            return Err("nothing and something is blocked at once".to_owned());
        }
        rule.blocked.retain(|t| t != "NONE");
        Ok(rule)
    }
}
