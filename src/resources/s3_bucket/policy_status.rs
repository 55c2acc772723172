//! Whether AWS counts the bucket policy as public. Absent: there is no bucket policy (`NoSuchBucketPolicy`).
//!
//! It is AWS's own opinion, beside that of `lastcopy-iam`.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// What AWS says of the policy. It does not say whether Block Public Access keeps the policy from having effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyStatus {
    /// AWS counts the policy as public.
    pub is_public: bool,
}

impl FactType for PolicyStatus {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.policy-status",
        kind: Kind::S3Bucket,
        operation: "GetBucketPolicyStatus",
        also: &[],
        actions: &["s3:GetBucketPolicyStatus"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for PolicyStatus {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let answer = from
            .ask(|s3, of| async move {
                s3.get_bucket_policy_status().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, &["NoSuchBucketPolicy"])? else { return Ok(None) };
        match found.policy_status.and_then(|status| status.is_public) {
            Some(is_public) => Ok(Some(Self { is_public })),
            None => Err(crate::aws::Failure::malformed("no IsPublic in the answer")),
        }
    }
}
