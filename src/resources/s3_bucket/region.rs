//! Where a bucket lies. It comes with the listing, or with the redirect that a wrong guess gets; it costs no call.

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The Region of a bucket, for example `eu-west-1`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Region(pub String);

impl FactType for Region {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.region",
        kind: Kind::S3Bucket,
        operation: "ListBuckets",
        also: &[],
        actions: &["s3:ListAllMyBuckets"],
        per: Per::Free,
    };
}

/// It comes with another answer.
#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Region {}
