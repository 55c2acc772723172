//! Object ownership of a bucket. Absent: `ObjectWriter`, the default of buckets made before April 2023
//! (`OwnershipControlsNotFoundError`).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ownership(pub String);

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
        let Some(found) = crate::aws::absent_on(answer, &["OwnershipControlsNotFoundError"])? else { return Ok(None) };
        let mut rules = found.ownership_controls.map(|controls| controls.rules).unwrap_or_default();
        match rules.pop() {
            Some(rule) if rules.is_empty() => Ok(Some(Self(rule.object_ownership.as_str().to_owned()))),
            Some(_) | None => Err(crate::aws::Failure::malformed("not one OwnershipControls rule in the answer")),
        }
    }
}
