//! Object Lock of a bucket. Absent: not enabled (`ObjectLockConfigurationNotFoundError`).
//!
//! A default retention counts from upload: it says nothing about documents older than itself.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// Object Lock is enabled; there may be no default retention.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct ObjectLock {
    pub mode: Option<LockMode>,
    /// Default retention of new versions in days; years count 365.
    pub days: Option<i32>,
    /// A default hold until an event releases it: no term is known.
    pub event_hold: bool,
}

/// Who may shorten a retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockMode {
    /// Whoever holds `s3:BypassGovernanceRetention`.
    Governance,
    /// Nobody, the root user included.
    Compliance,
}

impl LockMode {
    /// A word for a report.
    pub fn label(self) -> &'static str {
        match self {
            Self::Governance => "governance",
            Self::Compliance => "compliance",
        }
    }
}

impl FactType for ObjectLock {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.object-lock",
        kind: Kind::S3Bucket,
        operation: "GetObjectLockConfiguration",
        also: &[],
        actions: &["s3:GetBucketObjectLockConfiguration"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for ObjectLock {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let answer = from
            .ask(|s3, of| async move {
                s3.get_object_lock_configuration().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, Self::ABSENT)? else { return Ok(None) };
        // A gateway that does not know the sub-resource answers 200 with something else: 200 is not "configured".
        let Some(found) = found.object_lock_configuration else {
            return Err(crate::aws::Failure::malformed("no ObjectLockConfiguration in the answer"));
        };
        let retention = found.rule.and_then(|rule| rule.default_retention);
        let retention = retention.map(|of| Retention {
            mode: of.mode.map(|m| m.as_str().to_owned()),
            days: of.days,
            years: of.years,
            default_event_hold: of.default_event_hold.map(|_| IgnoredAny),
        });
        Self::answered(found.object_lock_enabled.as_ref().map(|e| e.as_str()), retention).map_err(crate::aws::Failure::malformed)
    }
}

impl Printed for ObjectLock {
    const ABSENT: &'static [&'static str] = &["ObjectLockConfigurationNotFoundError"];

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            object_lock_configuration: Configuration,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Configuration {
            object_lock_enabled: Option<String>,
            rule: Option<Rule>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Rule {
            default_retention: Option<Retention>,
        }
        let found = parsed::<Answer>(answer)?.object_lock_configuration;
        Self::answered(found.object_lock_enabled.as_deref(), found.rule.and_then(|rule| rule.default_retention))
    }
}

/// A default retention as the provider words it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Retention {
    mode: Option<String>,
    days: Option<i32>,
    years: Option<i32>,
    /// How long a version stays locked after the event; when that comes is not known.
    default_event_hold: Option<IgnoredAny>,
}

impl ObjectLock {
    fn answered(enabled: Option<&str>, retention: Option<Retention>) -> Result<Option<Self>, String> {
        if enabled != Some("Enabled") {
            return Ok(None);
        }
        let Some(retention) = retention else { return Ok(Some(Self::default())) };
        let mode = match retention.mode.as_deref() {
            None => None,
            Some("COMPLIANCE") => Some(LockMode::Compliance),
            Some("GOVERNANCE") => Some(LockMode::Governance),
            Some(other) => return Err(format!("unknown lock mode `{other}`")),
        };
        let days = retention.days.or_else(|| retention.years.map(|years| years.saturating_mul(365)));
        let event_hold = retention.default_event_hold.is_some();
        if mode.is_none() && days.is_none() && !event_hold {
            return Err("a default retention that says nothing".to_owned());
        }
        Ok(Some(Self { mode, days, event_hold }))
    }
}

#[cfg(test)]
mod tests {
    use super::{LockMode, ObjectLock};
    use crate::resources::Printed;

    #[test]
    fn a_hold_is_said_not_inferred() {
        let printed = |retention: &str| {
            let rule = format!(r#"{{"DefaultRetention":{retention}}}"#);
            let lock = format!(r#"{{"ObjectLockConfiguration":{{"ObjectLockEnabled":"Enabled","Rule":{rule}}}}}"#);
            ObjectLock::printed(lock.as_bytes())
        };
        let held = ObjectLock { event_hold: true, ..ObjectLock::default() };
        assert_eq!(printed(r#"{"DefaultEventHold":{"Days":30}}"#), Ok(Some(held.clone())));
        let both = ObjectLock { mode: Some(LockMode::Compliance), days: Some(730), ..held };
        assert_eq!(printed(r#"{"Mode":"COMPLIANCE","Years":2,"DefaultEventHold":{"Years":1}}"#), Ok(Some(both)));
        let dated = ObjectLock { mode: Some(LockMode::Governance), days: Some(5), event_hold: false };
        assert_eq!(printed(r#"{"Mode":"GOVERNANCE","Days":5}"#), Ok(Some(dated)));
        assert!(printed("{}").unwrap_err().contains("says nothing"));
    }
}
