//! The bucket policy, as text. Absent: there is none (`NoSuchBucketPolicy`). It is judged in `lastcopy-iam` only.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The IAM policy document attached to the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BucketPolicy(pub String);

impl FactType for BucketPolicy {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.policy",
        kind: Kind::S3Bucket,
        operation: "GetBucketPolicy",
        also: &[],
        actions: &["s3:GetBucketPolicy"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for BucketPolicy {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let answer = from
            .ask(|s3, of| async move { s3.get_bucket_policy().bucket(of.name).set_expected_bucket_owner(of.owner).send().await })
            .await;
        let Some(found) = crate::aws::absent_on(answer, &["NoSuchBucketPolicy"])? else { return Ok(None) };
        match found.policy {
            Some(text) if text.trim_start().starts_with('{') => Ok(Some(Self(text))),
            Some(_) | None => Err(crate::aws::Failure::malformed("the answer is not a JSON object")),
        }
    }
}
