//! The replication rules of a bucket. Absent: nothing is replicated (`ReplicationConfigurationNotFoundError`).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The configuration: one role, rules of either form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Replication {
    pub role: String,
    pub rules: Vec<Rule>,
}

/// One replication rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Rule {
    pub id: Option<String>,
    pub enabled: bool,
    /// A rule without a filter (the first form) also replicates delete markers that users make.
    pub first_form: bool,
    pub prefix: String,
    /// The rule selects by tags: it *may* apply to a key.
    pub narrowed: bool,
    /// The name of the destination bucket.
    pub bucket: String,
    /// The destination account, when the rule names it.
    pub account: Option<String>,
    /// Replicas are owned by the destination account.
    pub owner_override: bool,
    /// Objects under SSE-KMS are replicated too.
    pub sse_kms: bool,
    pub replica_key: Option<String>,
    pub delete_markers: bool,
    /// Replication Time Control with its objective in minutes.
    pub within_minutes: Option<i32>,
}

impl Rule {
    /// The id for a report.
    pub fn label(&self) -> &str {
        self.id.as_deref().unwrap_or("(without id)")
    }
}

impl FactType for Replication {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.replication",
        kind: Kind::S3Bucket,
        operation: "GetBucketReplication",
        also: &[],
        actions: &["s3:GetReplicationConfiguration"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Replication {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let answer =
            from.ask(|s3, of| async move {
                s3.get_bucket_replication().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, &["ReplicationConfigurationNotFoundError"])? else { return Ok(None) };
        let Some(found) = found.replication_configuration else {
            return Err(crate::aws::Failure::malformed("no ReplicationConfiguration in the answer"));
        };
        let rules = found.rules.into_iter().map(rule).collect::<Result<_, _>>()?;
        Ok(Some(Self { role: found.role, rules }))
    }
}

#[cfg(feature = "aws")]
fn rule(rule: aws_sdk_s3::types::ReplicationRule) -> Result<Rule, crate::aws::Failure> {
    use aws_sdk_s3::types::{
        DeleteMarkerReplicationStatus, OwnerOverride, ReplicationRuleStatus, ReplicationTimeStatus, SseKmsEncryptedObjectsStatus,
    };
    let enabled = rule.status == ReplicationRuleStatus::Enabled;
    if !enabled && rule.status != ReplicationRuleStatus::Disabled {
        return Err(crate::aws::Failure::malformed(format!("unknown replication rule status `{}`", rule.status)));
    }
    let Some(to) = rule.destination else { return Err(crate::aws::Failure::malformed("a replication rule without destination")) };
    let first_form = rule.filter.is_none();
    #[expect(deprecated, reason = "rules of the first form carry the prefix outside the filter")]
    let mut prefix = rule.prefix;
    let mut narrowed = false;
    if let Some(filter) = rule.filter {
        narrowed = filter.tag.is_some();
        prefix = filter.prefix.or(prefix);
        if let Some(and) = filter.and {
            // An And that names nothing we know asks for something we do not.
            narrowed |= and.tags.is_some_and(|tags| !tags.is_empty()) || and.prefix.is_none();
            prefix = and.prefix.or(prefix);
        }
    }
    Ok(Rule {
        id: rule.id.filter(|id| !id.is_empty()),
        enabled,
        first_form,
        prefix: prefix.unwrap_or_default(),
        narrowed,
        bucket: bucket_of(&to.bucket),
        account: to.account,
        owner_override: to.access_control_translation.is_some_and(|t| t.owner == OwnerOverride::Destination),
        sse_kms: rule
            .source_selection_criteria
            .and_then(|c| c.sse_kms_encrypted_objects)
            .is_some_and(|s| s.status == SseKmsEncryptedObjectsStatus::Enabled),
        replica_key: to.encryption_configuration.and_then(|e| e.replica_kms_key_id),
        delete_markers: first_form
            || rule.delete_marker_replication.and_then(|d| d.status).is_some_and(|s| s == DeleteMarkerReplicationStatus::Enabled),
        within_minutes: to
            .replication_time
            .filter(|t| t.status == ReplicationTimeStatus::Enabled)
            .and_then(|t| t.time)
            .and_then(|t| t.minutes),
    })
}

/// The name in `arn:<partition>:s3:::<name>`; of anything else (an access point) the whole text, which is no bucket's name.
#[cfg(feature = "aws")]
fn bucket_of(arn: &str) -> String {
    match arn.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "s3", "", "", name] => (*name).to_owned(),
        _ => arn.to_owned(),
    }
}
