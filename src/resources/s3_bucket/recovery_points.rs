//! The recovery points that AWS Backup keeps of the bucket, in the bucket's Region and account. None is an empty list, never
//! absent.
//!
//! Copies in other Regions and accounts are listed there, not here.
//! <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByResource.html>

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// All recovery points, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RecoveryPoints {
    pub points: Vec<RecoveryPoint>,
}

/// One recovery point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct RecoveryPoint {
    pub vault: String,
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
    /// It is complete and can be restored.
    pub complete: bool,
    /// When AWS Backup deletes it. Without it, and where `described`, never by itself.
    #[schemars(with = "Option<String>")]
    pub kept_until: Option<Timestamp>,
    pub encrypted: bool,
    /// Its end and encryption were asked for and told; only of the newest ones.
    pub described: bool,
}

/// So many of the newest complete ones are described, each by one call.
pub const DESCRIBED: usize = 10;

impl FactType for RecoveryPoints {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.recovery-points",
        kind: Kind::S3Bucket,
        operation: "backup:ListRecoveryPointsByResource",
        also: &["backup:DescribeRecoveryPoint", "GetPublicAccessBlock"],
        actions: &["backup:ListRecoveryPointsByResource", "backup:DescribeRecoveryPoint", "s3:GetBucketPublicAccessBlock"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for RecoveryPoints {
    #[cfg(not(feature = "backup"))]
    async fn read(_: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        Err(crate::aws::Failure::not_compiled("backup"))
    }

    #[cfg(feature = "backup")]
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        use crate::aws::{Failure, pages};
        let (region, owner) = from.place().await?;
        let arn = format!("arn:{}:s3:::{}", owner.partition(), from.bucket.name);
        let listed = pages(async |token| {
            let send = |backup: aws_sdk_backup::Client| {
                let request = backup.list_recovery_points_by_resource().resource_arn(&arn).set_next_token(token);
                async move { request.send().await }
            };
            let page = owner.backup(&region, Self::SPEC.operation, send).await?;
            Ok((page.recovery_points.unwrap_or_default(), page.next_token))
        })
        .await?;
        let mut points = Vec::new();
        for point in listed {
            let (Some(vault), Some(arn)) = (point.backup_vault_name, point.recovery_point_arn) else {
                return Err(Failure::malformed("a recovery point without a vault or an ARN"));
            };
            let Some(status) = point.status else { return Err(Failure::malformed("a recovery point without a status")) };
            let complete = status == aws_sdk_backup::types::RecoveryPointStatus::Completed;
            let created = point.creation_date.map(crate::aws::timestamp).transpose()?;
            points.push((RecoveryPoint { vault, created, complete, ..RecoveryPoint::default() }, arn));
        }
        points.sort_by_key(|(point, _)| std::cmp::Reverse(point.created));
        for (point, arn) in points.iter_mut().filter(|(point, _)| point.complete).take(DESCRIBED) {
            let send = |backup: aws_sdk_backup::Client| {
                let request = backup.describe_recovery_point().backup_vault_name(&point.vault).recovery_point_arn(&*arn);
                async move { request.send().await }
            };
            let found = owner.backup(&region, "backup:DescribeRecoveryPoint", send).await?;
            // Silence about the lifecycle is not "never".
            let told = found.lifecycle.is_some() || found.calculated_lifecycle.is_some();
            let until = found.calculated_lifecycle.and_then(|lifecycle| lifecycle.delete_at);
            // -1: kept for ever.
            let ends = found.lifecycle.and_then(|lifecycle| lifecycle.delete_after_days).is_some_and(|days| days >= 0);
            if ends && until.is_none() {
                return Err(Failure::malformed("a recovery point that is deleted after some days, and no date of it"));
            }
            point.kept_until = until.map(crate::aws::timestamp).transpose()?;
            point.encrypted = found.is_encrypted;
            point.described = told;
        }
        Ok(Some(Self { points: points.into_iter().map(|(point, _)| point).collect() }))
    }
}
