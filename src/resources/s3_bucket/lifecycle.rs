//! The lifecycle rules of a bucket. Absent: nothing ever expires (`NoSuchLifecycleConfiguration`).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// All rules, enabled or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Lifecycle {
    pub rules: Vec<Rule>,
}

/// One lifecycle rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// Moves of current versions to another storage class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<Transition>,
    /// Moves of noncurrent versions to another storage class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub noncurrent_transitions: Vec<NoncurrentTransition>,
}

/// A move of current versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Transition {
    pub when: When,
    /// The storage class as AWS writes it: `DEEP_ARCHIVE`.
    pub class: String,
}

/// When current versions are moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Days after the upload; may be 0.
    Days(i32),
    Date(String),
}

/// A move of noncurrent versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct NoncurrentTransition {
    pub days: i32,
    pub class: String,
    /// So many newest noncurrent versions are not moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<i32>,
}

/// When a rule expires current versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
        let body = crate::aws::elements::Body::default();
        let answer = from
            .ask(|s3, of| {
                let asked = s3.get_bucket_lifecycle_configuration().bucket(of.name).set_expected_bucket_owner(of.owner);
                let keep = body.clone();
                async move { asked.customize().interceptor(keep).send().await }
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, Self::ABSENT)? else { return Ok(None) };
        let rules = found.rules.unwrap_or_default();
        let strange = strange_filters(&body.elements())?;
        if rules.is_empty() || rules.len() != strange.len() {
            return Err(crate::aws::Failure::malformed("a lifecycle configuration whose rules cannot be counted"));
        }
        let rules = rules.into_iter().zip(strange).map(|(of, strange)| {
            let mut rule = rule(of)?;
            rule.narrowed |= strange;
            Ok(rule)
        });
        Ok(Some(Self { rules: rules.collect::<Result<Vec<_>, _>>()? }))
    }
}

/// What a rule may hold; the SDK drops everything else without a word.
#[cfg(feature = "aws")]
const KNOWN: &[(&str, &[&str])] = &[
    ("ID", &[]),
    ("Prefix", &[]),
    ("Status", &[]),
    ("Filter", &["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And"]),
    ("Expiration", &["Days", "Date", "ExpiredObjectDeleteMarker"]),
    ("Transition", &["Days", "Date", "StorageClass"]),
    ("NoncurrentVersionTransition", &["NoncurrentDays", "StorageClass", "NewerNoncurrentVersions"]),
    ("NoncurrentVersionExpiration", &["NoncurrentDays", "NewerNoncurrentVersions"]),
    ("AbortIncompleteMultipartUpload", &["DaysAfterInitiation"]),
];

/// For each rule, whether its filter asks for something that is not known: such a rule *may* apply. An action that is not
/// known may delete anything, and makes the whole answer one that cannot be understood.
#[cfg(feature = "aws")]
fn strange_filters(elements: &[Vec<String>]) -> Result<Vec<bool>, crate::aws::Failure> {
    let mut strange = Vec::new();
    for path in elements {
        let names: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
        match names.as_slice() {
            ["Rule"] => strange.push(false),
            ["Rule", "Filter", inside @ ..] if !inside.is_empty() => {
                let filter = |name: &str| KNOWN.iter().any(|(of, known)| *of == "Filter" && known.contains(&name));
                let known = match inside {
                    ["And", "And", ..] => false,
                    ["And", name] | [name] => filter(name),
                    ["And", "Tag", _] | ["Tag", _] => true,
                    _ => false,
                };
                if let Some(rule) = strange.last_mut() {
                    *rule |= !known;
                }
            }
            ["Rule", action, inside @ ..] => {
                let known = KNOWN.iter().find(|(name, _)| name == action);
                if !known.is_some_and(|(_, known)| inside.iter().all(|name| known.contains(name))) {
                    let name: String =
                        names.join("/").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '/').take(80).collect();
                    return Err(crate::aws::Failure::malformed(format!("a lifecycle rule with the unknown element {name}")));
                }
            }
            _ => {}
        }
    }
    Ok(strange)
}

#[cfg(feature = "aws")]
fn transition(of: aws_sdk_s3::types::Transition) -> Result<Transition, crate::aws::Failure> {
    let malformed = || crate::aws::Failure::malformed("a transition without a time or a storage class");
    let when = match (of.days, of.date) {
        (Some(days), _) if days >= 0 => When::Days(days),
        (Some(_), _) | (None, None) => return Err(malformed()),
        (None, Some(date)) => When::Date(date.to_string()),
    };
    Ok(Transition { when, class: of.storage_class.ok_or_else(malformed)?.as_str().to_owned() })
}

#[cfg(feature = "aws")]
fn noncurrent_transition(
    of: aws_sdk_s3::types::NoncurrentVersionTransition,
) -> Result<NoncurrentTransition, crate::aws::Failure> {
    let malformed = || crate::aws::Failure::malformed("a transition of noncurrent versions without days or a storage class");
    let days = of.noncurrent_days.filter(|days| *days >= 0).ok_or_else(malformed)?;
    let class = of.storage_class.ok_or_else(malformed)?.as_str().to_owned();
    Ok(NoncurrentTransition { days, class, newer: of.newer_noncurrent_versions })
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
        transitions: rule.transitions.unwrap_or_default().into_iter().map(transition).collect::<Result<_, _>>()?,
        noncurrent_transitions: rule
            .noncurrent_version_transitions
            .unwrap_or_default()
            .into_iter()
            .map(noncurrent_transition)
            .collect::<Result<_, _>>()?,
    })
}

impl Printed for Lifecycle {
    const ABSENT: &'static [&'static str] = &["NoSuchLifecycleConfiguration"];

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            rules: Vec<PrintedRule>,
            #[serde(rename = "TransitionDefaultMinimumObjectSize")]
            _smallest: Option<IgnoredAny>,
        }
        let rules = parsed::<Answer>(answer)?.rules.into_iter().map(PrintedRule::rule).collect::<Result<Vec<_>, _>>()?;
        if rules.is_empty() {
            return Err("a lifecycle configuration without rules".to_owned());
        }
        Ok(Some(Self { rules }))
    }
}

/// A rule as the AWS CLI prints it. An action that is not known may delete anything, so it is an error.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PrintedRule {
    #[serde(rename = "ID")]
    id: Option<String>,
    status: String,
    prefix: Option<String>,
    filter: Option<PrintedFilter>,
    expiration: Option<PrintedExpiration>,
    noncurrent_version_expiration: Option<PrintedNoncurrent>,
    abort_incomplete_multipart_upload: Option<PrintedAbort>,
    #[serde(default)]
    transitions: Vec<PrintedTransition>,
    #[serde(default)]
    noncurrent_version_transitions: Vec<PrintedNoncurrentTransition>,
}

/// Anything but a prefix narrows it, also what is not known.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrintedFilter {
    prefix: Option<String>,
    and: Option<Box<PrintedFilter>>,
    #[serde(flatten)]
    rest: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PrintedExpiration {
    days: Option<i32>,
    date: Option<Timestamp>,
    expired_object_delete_marker: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PrintedNoncurrent {
    noncurrent_days: Option<i32>,
    newer_noncurrent_versions: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PrintedAbort {
    days_after_initiation: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PrintedTransition {
    days: Option<i32>,
    date: Option<Timestamp>,
    storage_class: String,
}

impl PrintedTransition {
    fn transition(self) -> Result<Transition, String> {
        let when = match (self.days, self.date) {
            (Some(days), _) if days >= 0 => When::Days(days),
            (None, Some(date)) => When::Date(date.to_string()),
            (Some(_), _) | (None, None) => return Err("a transition without a time".to_owned()),
        };
        Ok(Transition { when, class: self.storage_class })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PrintedNoncurrentTransition {
    noncurrent_days: i32,
    newer_noncurrent_versions: Option<i32>,
    storage_class: String,
}

impl PrintedNoncurrentTransition {
    fn transition(self) -> Result<NoncurrentTransition, String> {
        if self.noncurrent_days < 0 {
            return Err("a transition of noncurrent versions after less than no days".to_owned());
        }
        Ok(NoncurrentTransition { days: self.noncurrent_days, class: self.storage_class, newer: self.newer_noncurrent_versions })
    }
}

impl PrintedRule {
    fn rule(self) -> Result<Rule, String> {
        if !["Enabled", "Disabled"].contains(&self.status.as_str()) {
            return Err(format!("unknown lifecycle rule status `{}`", self.status));
        }
        let (mut prefix, mut narrowed) = (self.prefix, false);
        if let Some(filter) = self.filter {
            narrowed = !filter.rest.is_empty();
            prefix = filter.prefix.or(prefix);
            if let Some(and) = filter.and {
                narrowed |= !and.rest.is_empty() || and.prefix.is_none() || and.and.is_some();
                prefix = and.prefix.or(prefix);
            }
        }
        let expiration = match self.expiration {
            Some(PrintedExpiration { days: Some(days), .. }) => Some(Expiration::Days(days)),
            Some(PrintedExpiration { date: Some(date), .. }) => Some(Expiration::Date(date.to_string())),
            Some(PrintedExpiration { expired_object_delete_marker: Some(_), .. }) => Some(Expiration::MarkersOnly),
            Some(_) => return Err("an expiration that says nothing".to_owned()),
            None => None,
        };
        let days = match &expiration {
            Some(Expiration::Days(days)) => Some(*days),
            Some(Expiration::Date(_) | Expiration::MarkersOnly) | None => None,
        };
        let noncurrent = self.noncurrent_version_expiration;
        let noncurrent_days = noncurrent.as_ref().and_then(|n| n.noncurrent_days);
        let newer_noncurrent = noncurrent.as_ref().and_then(|n| n.newer_noncurrent_versions);
        if noncurrent.is_some() && noncurrent_days.is_none() && newer_noncurrent.is_none() {
            return Err("an expiration of noncurrent versions that says nothing".to_owned());
        }
        let abort_uploads_days = self.abort_incomplete_multipart_upload.and_then(|abort| abort.days_after_initiation);
        if [days, noncurrent_days, abort_uploads_days].iter().flatten().any(|days| *days < 1) {
            return Err("a lifecycle rule with less than one day".to_owned());
        }
        Ok(Rule {
            id: self.id.filter(|id| !id.is_empty()),
            enabled: self.status == "Enabled",
            prefix: prefix.unwrap_or_default(),
            narrowed,
            expiration,
            noncurrent_days,
            newer_noncurrent,
            abort_uploads_days,
            transitions: self.transitions.into_iter().map(PrintedTransition::transition).collect::<Result<_, _>>()?,
            noncurrent_transitions: self
                .noncurrent_version_transitions
                .into_iter()
                .map(PrintedNoncurrentTransition::transition)
                .collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(all(test, feature = "aws"))]
mod tests {
    use super::{Rule, strange_filters};

    fn strange(rules: &[&str]) -> Result<Vec<bool>, String> {
        let path = |text: &&str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        let elements: Vec<Vec<String>> = rules.iter().map(path).collect();
        strange_filters(&elements).map_err(|failure| failure.detail.unwrap_or_default())
    }

    #[test]
    fn what_the_sdk_drops_is_noticed() {
        let known = ["L/Rule", "L/Rule/Filter", "L/Rule/Filter/And", "L/Rule/Filter/And/Tag", "L/Rule/Filter/And/Tag/Key"];
        assert_eq!(strange(&known), Ok(vec![false]));
        assert_eq!(strange(&["L", "L/Rule", "L/Rule/Filter/Age", "L/Rule", "L/Rule/Filter/Prefix"]), Ok(vec![true, false]));
        assert_eq!(strange(&["L/Rule", "L/Rule/Filter/And/Age"]), Ok(vec![true]));
        assert!(strange(&["L/Rule", "L/Rule/Expiration/ExpiredObjectAllVersions"]).unwrap_err().contains("AllVersions"));
        assert!(strange(&["L/Rule", "L/Rule/Shred"]).unwrap_err().contains("Shred"));
    }

    #[test]
    fn older_snapshots_can_be_read() {
        let old = r#"{"id":"a","enabled":true,"prefix":"","narrowed":false,"expiration":{"days":3},"noncurrent-days":null}"#;
        let rule: Rule = serde_json::from_str(old).unwrap();
        assert!(rule.transitions.is_empty() && rule.noncurrent_transitions.is_empty());
    }
}
