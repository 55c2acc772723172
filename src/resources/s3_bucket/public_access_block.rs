//! The public access block of a bucket. Absent: all four are off *at bucket level*
//! (`NoSuchPublicAccessBlockConfiguration`); the account's block may still hold.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// The four settings of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PublicAccessBlock {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// Everything on.
    pub fn full() -> Self {
        Self { block_public_acls: true, ignore_public_acls: true, block_public_policy: true, restrict_public_buckets: true }
    }

    /// From an answer; a setting that it leaves out is off.
    pub fn answered(acls: Option<bool>, ignore: Option<bool>, policy: Option<bool>, restrict: Option<bool>) -> Self {
        Self {
            block_public_acls: acls.unwrap_or_default(),
            ignore_public_acls: ignore.unwrap_or_default(),
            block_public_policy: policy.unwrap_or_default(),
            restrict_public_buckets: restrict.unwrap_or_default(),
        }
    }

    /// The most restrictive of both, setting by setting, which is what S3 applies.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            block_public_acls: self.block_public_acls || other.block_public_acls,
            ignore_public_acls: self.ignore_public_acls || other.ignore_public_acls,
            block_public_policy: self.block_public_policy || other.block_public_policy,
            restrict_public_buckets: self.restrict_public_buckets || other.restrict_public_buckets,
        }
    }

    /// The settings that are off, by their API names.
    pub fn off(self) -> Vec<&'static str> {
        [
            (self.block_public_acls, "BlockPublicAcls"),
            (self.ignore_public_acls, "IgnorePublicAcls"),
            (self.block_public_policy, "BlockPublicPolicy"),
            (self.restrict_public_buckets, "RestrictPublicBuckets"),
        ]
        .into_iter()
        .filter_map(|(on, name)| (!on).then_some(name))
        .collect()
    }
}

impl FactType for PublicAccessBlock {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.public-access-block",
        kind: Kind::S3Bucket,
        operation: "GetPublicAccessBlock",
        also: &[],
        actions: &["s3:GetBucketPublicAccessBlock"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for PublicAccessBlock {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let answer =
            from.ask(|s3, of| async move {
                s3.get_public_access_block().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, Self::ABSENT)? else { return Ok(None) };
        let Some(found) = found.public_access_block_configuration else {
            return Err(crate::aws::Failure::malformed("no PublicAccessBlockConfiguration in the answer"));
        };
        Ok(Some(Self::answered(
            found.block_public_acls,
            found.ignore_public_acls,
            found.block_public_policy,
            found.restrict_public_buckets,
        )))
    }
}

impl Printed for PublicAccessBlock {
    const ABSENT: &'static [&'static str] = &["NoSuchPublicAccessBlockConfiguration"];

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            public_access_block_configuration: Configuration,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Configuration {
            block_public_acls: Option<bool>,
            ignore_public_acls: Option<bool>,
            block_public_policy: Option<bool>,
            restrict_public_buckets: Option<bool>,
        }
        let found = parsed::<Answer>(answer)?.public_access_block_configuration;
        Ok(Some(Self::answered(
            found.block_public_acls,
            found.ignore_public_acls,
            found.block_public_policy,
            found.restrict_public_buckets,
        )))
    }
}
