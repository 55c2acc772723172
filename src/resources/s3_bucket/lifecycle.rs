//! The lifecycle rules of a bucket. Absent: nothing ever expires (`NoSuchLifecycleConfiguration`).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// All rules, enabled or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Lifecycle {
    pub rules: Vec<Rule>,
}

/// One lifecycle rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Rule {
    pub id: Option<String>,
    pub enabled: bool,
    /// The key prefix that the rule selects; empty means every key.
    pub prefix: String,
    /// The rule also asks for tags or object sizes, which an auditor cannot see: it *may* apply to a key.
    pub narrowed: bool,
    pub expiration: Option<Expiration>,
    /// Days after which noncurrent versions are purged.
    pub noncurrent_days: Option<i32>,
    /// So many newest noncurrent versions are kept whatever their age.
    pub newer_noncurrent: Option<i32>,
    /// Days after which incomplete multipart uploads are aborted.
    pub abort_uploads_days: Option<i32>,
}

/// When a rule expires current versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiration {
    Days(i32),
    Date(String),
    /// Only delete markers without versions behind them: harmless.
    MarkersOnly,
}

impl Rule {
    /// The id for a report.
    pub fn label(&self) -> &str {
        self.id.as_deref().unwrap_or("(without id)")
    }
}

impl FactType for Lifecycle {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.lifecycle",
        kind: Kind::S3Bucket,
        operation: "GetBucketLifecycleConfiguration",
        also: &[],
        actions: &["s3:GetLifecycleConfiguration"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Lifecycle {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let answer = from
            .ask(|s3, of| async move {
                s3.get_bucket_lifecycle_configuration().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, &["NoSuchLifecycleConfiguration"])? else { return Ok(None) };
        let rules = found.rules.unwrap_or_default().into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        if rules.is_empty() {
            return Err(crate::aws::Failure::malformed("a lifecycle configuration without rules"));
        }
        Ok(Some(Self { rules }))
    }
}

#[cfg(feature = "aws")]
fn rule(rule: aws_sdk_s3::types::LifecycleRule) -> Result<Rule, crate::aws::Failure> {
    use aws_sdk_s3::types::ExpirationStatus;
    let enabled = rule.status == ExpirationStatus::Enabled;
    if !enabled && rule.status != ExpirationStatus::Disabled {
        return Err(crate::aws::Failure::malformed(format!("unknown lifecycle rule status `{}`", rule.status)));
    }
    #[expect(deprecated, reason = "rules written before 2016 carry the prefix outside the filter")]
    let legacy = rule.prefix;
    let (mut prefix, mut narrowed) = (legacy, false);
    if let Some(filter) = rule.filter {
        narrowed = filter.tag.is_some() || filter.object_size_greater_than.is_some() || filter.object_size_less_than.is_some();
        prefix = filter.prefix.or(prefix);
        if let Some(and) = filter.and {
            narrowed |= and.tags.is_some_and(|tags| !tags.is_empty())
                || and.object_size_greater_than.is_some()
                || and.object_size_less_than.is_some()
                // An And that names nothing we know asks for something we do not.
                || and.prefix.is_none();
            prefix = and.prefix.or(prefix);
        }
    }
    let expiration = match rule.expiration {
        Some(found) => match (found.days, found.date) {
            (Some(days), _) => Some(Expiration::Days(days)),
            (None, Some(date)) => Some(Expiration::Date(date.to_string())),
            (None, None) if found.expired_object_delete_marker.is_some() => Some(Expiration::MarkersOnly),
            (None, None) => return Err(crate::aws::Failure::malformed("an expiration that says nothing")),
        },
        None => None,
    };
    let noncurrent = rule.noncurrent_version_expiration;
    let days = [
        match &expiration {
            Some(Expiration::Days(days)) => Some(*days),
            Some(Expiration::Date(_) | Expiration::MarkersOnly) | None => None,
        },
        noncurrent.as_ref().and_then(|n| n.noncurrent_days),
        rule.abort_incomplete_multipart_upload.as_ref().and_then(|abort| abort.days_after_initiation),
    ];
    if days.iter().flatten().any(|days| *days < 1) {
        return Err(crate::aws::Failure::malformed("a lifecycle rule with less than one day"));
    }
    if noncurrent.as_ref().is_some_and(|n| n.noncurrent_days.is_none() && n.newer_noncurrent_versions.is_none()) {
        return Err(crate::aws::Failure::malformed("an expiration of noncurrent versions that says nothing"));
    }
    Ok(Rule {
        id: rule.id.filter(|id| !id.is_empty()),
        enabled,
        prefix: prefix.unwrap_or_default(),
        narrowed,
        expiration,
        noncurrent_days: noncurrent.as_ref().and_then(|n| n.noncurrent_days),
        newer_noncurrent: noncurrent.and_then(|n| n.newer_noncurrent_versions),
        abort_uploads_days: rule.abort_incomplete_multipart_upload.and_then(|abort| abort.days_after_initiation),
    })
}
