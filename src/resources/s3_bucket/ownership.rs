//! Object ownership of a bucket. Absent: `ObjectWriter`, the default of buckets made before April 2023
//! (`OwnershipControlsNotFoundError`).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Ownership(pub String);

impl Default for Ownership {
    /// What S3 applies where nothing is configured.
    fn default() -> Self {
        Self("ObjectWriter".to_owned())
    }
}

impl Ownership {
    /// ACLs are off and the bucket's account owns every object, replicas included.
    pub fn is_enforced(&self) -> bool {
        self.0 == "BucketOwnerEnforced"
    }
}

impl FactType for Ownership {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.ownership",
        kind: Kind::S3Bucket,
        operation: "GetBucketOwnershipControls",
        also: &[],
        actions: &["s3:GetBucketOwnershipControls"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Ownership {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let answer = from
            .ask(|s3, of| async move {
                s3.get_bucket_ownership_controls().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, Self::ABSENT)? else { return Ok(None) };
        let rules = found.ownership_controls.map(|controls| controls.rules).unwrap_or_default();
        let rules = rules.into_iter().map(|rule| rule.object_ownership.as_str().to_owned()).collect();
        Self::answered(rules).map(Some).map_err(crate::aws::Failure::malformed)
    }
}

impl Printed for Ownership {
    const ABSENT: &'static [&'static str] = &["OwnershipControlsNotFoundError"];

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            ownership_controls: Controls,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Controls {
            rules: Vec<Rule>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Rule {
            object_ownership: String,
        }
        let rules = parsed::<Answer>(answer)?.ownership_controls.rules;
        Self::answered(rules.into_iter().map(|rule| rule.object_ownership).collect()).map(Some)
    }
}

impl Ownership {
    /// From the rules of an answer, of which there is one.
    fn answered(mut rules: Vec<String>) -> Result<Self, String> {
        match rules.pop() {
            Some(rule) if rules.is_empty() => Ok(Self(rule)),
            Some(_) | None => Err("not one OwnershipControls rule in the answer".to_owned()),
        }
    }
}
