//! The bucket policy, as text. Absent: there is none (`NoSuchBucketPolicy`). It is judged in `lastcopy-iam` only.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// The IAM policy document attached to the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
        let Some(found) = crate::aws::absent_on(answer, Self::ABSENT)? else { return Ok(None) };
        Self::answered(found.policy).map(Some).map_err(crate::aws::Failure::malformed)
    }
}

impl Printed for BucketPolicy {
    const ABSENT: &'static [&'static str] = &["NoSuchBucketPolicy"];

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            policy: String,
        }
        Self::answered(Some(parsed::<Answer>(answer)?.policy)).map(Some)
    }
}

impl BucketPolicy {
    fn answered(text: Option<String>) -> Result<Self, String> {
        text.filter(|text| text.trim_start().starts_with('{'))
            .map(Self)
            .ok_or_else(|| "the answer is not a JSON object".to_owned())
    }
}
