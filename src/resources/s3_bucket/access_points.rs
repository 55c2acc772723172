//! The access points that the bucket's account made for it: further ways to it, each with a policy and a public access
//! block of its own. Absent: there are none.
//!
//! Access points that other accounts made for the bucket are in no list of ours; they need a grant of the bucket policy.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html>

use serde::{Deserialize, Serialize};

use super::public_access_block::PublicAccessBlock;
use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// All access points of the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct AccessPoints {
    pub points: Vec<AccessPoint>,
}

/// One access point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct AccessPoint {
    pub name: String,
    pub arn: String,
    /// Only requests from this VPC are let in; none: requests from the internet too.
    pub vpc: Option<String>,
    pub block: PublicAccessBlock,
    /// Its IAM policy document, if it has one.
    pub policy: Option<String>,
}

impl FactType for AccessPoints {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.access-points",
        kind: Kind::S3Bucket,
        operation: "s3control:ListAccessPoints",
        // The bucket's own block is read where its Region is not known yet: elsewhere the list would be empty.
        also: &["s3control:GetAccessPoint", "s3control:GetAccessPointPolicy", "GetPublicAccessBlock"],
        actions: &["s3:ListAccessPoints", "s3:GetAccessPoint", "s3:GetAccessPointPolicy", "s3:GetBucketPublicAccessBlock"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for AccessPoints {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let listed = crate::aws::pages(|token| async move {
            let page = from
                .control("s3control:ListAccessPoints", |control, of| {
                    let token = token.clone();
                    async move {
                        let list = control.list_access_points().set_account_id(of.owner).set_bucket(Some(of.name));
                        list.max_results(1000).set_next_token(token).send().await
                    }
                })
                .await?;
            let Some(list) = page.access_point_list else {
                return Err(crate::aws::Failure::malformed("no AccessPointList in the answer"));
            };
            Ok((list, page.next_token))
        })
        .await?;
        let mut points = Vec::new();
        for point in listed {
            if point.name.is_empty() || point.bucket != from.bucket.name {
                return Err(crate::aws::Failure::malformed("the list holds an access point without a name or of another bucket"));
            }
            points.push(access_point(from, point.name).await?);
        }
        Ok(Some(Self { points }).filter(|found| !found.points.is_empty()))
    }
}

#[cfg(feature = "aws")]
async fn access_point(from: &crate::aws::BucketReader, name: String) -> Result<AccessPoint, crate::aws::Failure> {
    use aws_sdk_s3control::types::NetworkOrigin;

    use crate::aws::Failure;
    let found = from
        .control("s3control:GetAccessPoint", |control, of| {
            let name = name.clone();
            async move { control.get_access_point().set_account_id(of.owner).name(name).send().await }
        })
        .await
        .map_err(|failure| told("GetAccessPoint", &name, failure))?;
    let policy = from
        .control("s3control:GetAccessPointPolicy", |control, of| {
            let name = name.clone();
            async move { control.get_access_point_policy().set_account_id(of.owner).name(name).send().await }
        })
        .await
        .map_err(|failure| told("GetAccessPointPolicy", &name, failure));
    let policy = match crate::aws::absent_on(policy, &["NoSuchAccessPointPolicy"])?.map(|answer| answer.policy) {
        None => None,
        Some(Some(text)) if text.trim_start().starts_with('{') => Some(text),
        Some(_) => return Err(Failure::malformed(format!("the policy of access point {name} is not a JSON object"))),
    };
    let vpc = match (found.network_origin, found.vpc_configuration) {
        (Some(NetworkOrigin::Internet), None) => None,
        (Some(NetworkOrigin::Vpc), Some(vpc)) if !vpc.vpc_id.is_empty() => Some(vpc.vpc_id),
        _ => return Err(Failure::malformed(format!("access point {name} does not say from where it lets in requests"))),
    };
    let (Some(block), Some(arn)) = (found.public_access_block_configuration, found.access_point_arn) else {
        return Err(Failure::malformed(format!("access point {name} has no ARN or no public access block")));
    };
    let block = PublicAccessBlock::answered(
        block.block_public_acls,
        block.ignore_public_acls,
        block.block_public_policy,
        block.restrict_public_buckets,
    );
    Ok(AccessPoint { name, arn, vpc, block, policy })
}

/// The same failure, with the operation that failed: the gap names the one that lists.
#[cfg(feature = "aws")]
fn told(operation: &str, name: &str, mut failure: crate::aws::Failure) -> crate::aws::Failure {
    let detail = failure.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
    failure.detail = Some(format!("{operation} of {name}{detail}"));
    failure
}
