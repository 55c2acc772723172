//! The tags of a bucket. Absent: it has none (`NoSuchTagSet`).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// Tag keys and values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Tags(pub BTreeMap<String, String>);

impl FactType for Tags {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.tags",
        kind: Kind::S3Bucket,
        operation: "GetBucketTagging",
        also: &[],
        actions: &["s3:GetBucketTagging"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Tags {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let answer = from
            .ask(|s3, of| async move { s3.get_bucket_tagging().bucket(of.name).set_expected_bucket_owner(of.owner).send().await })
            .await;
        Ok(crate::aws::absent_on(answer, Self::ABSENT)?
            .map(|tags| Self(tags.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())))
    }
}

impl Printed for Tags {
    const ABSENT: &'static [&'static str] = &["NoSuchTagSet", "NoSuchTagSetError"];

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            tag_set: Vec<Tag>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Tag {
            key: String,
            value: String,
        }
        Ok(Some(Self(parsed::<Answer>(answer)?.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())))
    }
}
