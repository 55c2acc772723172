//! The replication rules of a bucket. Absent: nothing is replicated (`ReplicationConfigurationNotFoundError`).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html>

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// The configuration: one role, rules of either form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Replication {
    pub role: String,
    pub rules: Vec<Rule>,
}

/// One replication rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Rule {
    pub id: Option<String>,
    pub enabled: bool,
    /// Of rules that lead to the same bucket and share keys, the one with the highest number applies. Rules of the first form have
    /// none.
    pub priority: Option<i32>,
    /// A rule without a filter (the first form) also replicates delete markers that users make.
    pub first_form: bool,
    pub prefix: String,
    /// The rule selects by tags, or by something that is not known: it *may* apply to a key.
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

    /// The destination as a bucket of a declared account. A rule of `source` that names no account means the source's own, unless a
    /// copy with that name is declared elsewhere. `None`: in no declared account, or not a bucket's name.
    pub fn destination(&self, source: &ResourceId, estate: &Estate) -> Option<ResourceId> {
        let id_of = |key: &AccountKey| estate.accounts.get(key).and_then(|account| account.id.as_deref());
        let agrees = |key: &AccountKey| self.account.as_deref().zip(id_of(key)).is_none_or(|(named, known)| named == known);
        if self.bucket.is_empty() || self.bucket.contains(':') {
            return None;
        }
        let copies = estate.stores.values().flat_map(|store| store.copies.values());
        let declared =
            copies.filter(|copy| copy.buckets.contains(&self.bucket)).map(|copy| &copy.account).find(|key| agrees(key));
        let numbered = || estate.accounts.keys().find(|key| self.account.is_some() && id_of(key) == self.account.as_deref());
        let own = || Some(&source.account).filter(|_| self.account.is_none());
        declared.or_else(numbered).or_else(own).map(|key| ResourceId::bucket(key, &self.bucket))
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
        let body = crate::aws::elements::Body::default();
        let answer = from
            .ask(|s3, of| {
                let asked = s3.get_bucket_replication().bucket(of.name).set_expected_bucket_owner(of.owner);
                let keep = body.clone();
                async move { asked.customize().interceptor(keep).send().await }
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, Self::ABSENT)? else { return Ok(None) };
        let Some(found) = found.replication_configuration else {
            return Err(crate::aws::Failure::malformed("no ReplicationConfiguration in the answer"));
        };
        let strange = strange_filters(&body.elements());
        if found.rules.len() != strange.len() {
            return Err(crate::aws::Failure::malformed("a replication configuration whose rules cannot be counted"));
        }
        let rules = found.rules.into_iter().zip(strange).map(|(of, strange)| {
            let mut rule = rule(of)?;
            rule.narrowed |= strange;
            Ok(rule)
        });
        Ok(Some(Self { role: found.role, rules: rules.collect::<Result<Vec<_>, _>>()? }))
    }
}

/// For each rule, whether its filter asks for something that is not known, which the SDK drops: such a rule *may* apply.
#[cfg(feature = "aws")]
fn strange_filters(elements: &[Vec<String>]) -> Vec<bool> {
    let mut strange = Vec::new();
    for path in elements {
        let names: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
        match names.as_slice() {
            ["Rule"] => strange.push(false),
            ["Rule", "Filter", inside @ ..] => {
                let known = match inside {
                    [] | ["And"] => true,
                    ["And", name] | [name] => ["Prefix", "Tag"].contains(name),
                    ["And", "Tag", name] | ["Tag", name] => ["Key", "Value"].contains(name),
                    _ => false,
                };
                if let Some(rule) = strange.last_mut() {
                    *rule |= !known;
                }
            }
            _ => {}
        }
    }
    strange
}

#[cfg(feature = "aws")]
fn rule(rule: aws_sdk_s3::types::ReplicationRule) -> Result<Rule, crate::aws::Failure> {
    use aws_sdk_s3::types::{OwnerOverride, ReplicationRuleStatus, ReplicationTimeStatus, SseKmsEncryptedObjectsStatus};
    let enabled = rule.status == ReplicationRuleStatus::Enabled;
    if !enabled && rule.status != ReplicationRuleStatus::Disabled {
        return Err(crate::aws::Failure::malformed(format!("unknown replication rule status `{}`", rule.status)));
    }
    let Some(to) = rule.destination else { return Err(crate::aws::Failure::malformed("a replication rule without destination")) };
    let first_form = rule.filter.is_none();
    let markers = rule.delete_marker_replication.and_then(|d| d.status);
    let markers = replicates_markers(markers.as_ref().map(|s| s.as_str())).map_err(crate::aws::Failure::malformed)?;
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
        priority: rule.priority,
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
        delete_markers: first_form || markers,
        within_minutes: to
            .replication_time
            .filter(|t| t.status == ReplicationTimeStatus::Enabled)
            .and_then(|t| t.time)
            .and_then(|t| t.minutes),
    })
}

/// Whether delete markers that users make are replicated.
fn replicates_markers(status: Option<&str>) -> Result<bool, String> {
    match status {
        Some("Enabled") => Ok(true),
        Some("Disabled") | None => Ok(false),
        Some(other) => Err(format!("unknown status `{other}` of the replication of delete markers")),
    }
}

/// The name in `arn:<partition>:s3:::<name>`; of anything else (an access point) the whole text, which is no bucket's name.
pub(super) fn bucket_of(arn: &str) -> String {
    match arn.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "s3", "", "", name] => (*name).to_owned(),
        _ => arn.to_owned(),
    }
}

impl Printed for Replication {
    const ABSENT: &'static [&'static str] = &["ReplicationConfigurationNotFoundError"];

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            replication_configuration: Configuration,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Configuration {
            role: String,
            rules: Vec<PrintedRule>,
        }
        let found = parsed::<Answer>(answer)?.replication_configuration;
        let rules = found.rules.into_iter().map(PrintedRule::rule).collect::<Result<_, _>>()?;
        Ok(Some(Self { role: found.role, rules }))
    }
}

/// A rule as the AWS CLI prints it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrintedRule {
    #[serde(rename = "ID")]
    id: Option<String>,
    status: String,
    priority: Option<i32>,
    prefix: Option<String>,
    filter: Option<PrintedFilter>,
    destination: PrintedDestination,
    source_selection_criteria: Option<PrintedCriteria>,
    delete_marker_replication: Option<PrintedStatus>,
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
#[serde(rename_all = "PascalCase")]
struct PrintedDestination {
    bucket: String,
    account: Option<String>,
    access_control_translation: Option<PrintedOwner>,
    encryption_configuration: Option<PrintedKey>,
    replication_time: Option<PrintedTime>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrintedOwner {
    owner: String,
}

#[derive(Deserialize)]
struct PrintedKey {
    #[serde(rename = "ReplicaKmsKeyID")]
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrintedTime {
    status: String,
    time: Option<PrintedMinutes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrintedMinutes {
    minutes: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrintedCriteria {
    sse_kms_encrypted_objects: Option<PrintedStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrintedStatus {
    status: Option<String>,
}

impl PrintedStatus {
    fn is_enabled(&self) -> bool {
        self.status.as_deref() == Some("Enabled")
    }
}

impl PrintedRule {
    fn rule(self) -> Result<Rule, String> {
        if !["Enabled", "Disabled"].contains(&self.status.as_str()) {
            return Err(format!("unknown replication rule status `{}`", self.status));
        }
        let first_form = self.filter.is_none();
        let markers = replicates_markers(self.delete_marker_replication.as_ref().and_then(|markers| markers.status.as_deref()))?;
        let (mut prefix, mut narrowed) = (self.prefix, false);
        if let Some(filter) = self.filter {
            narrowed = !filter.rest.is_empty();
            prefix = filter.prefix.or(prefix);
            if let Some(and) = filter.and {
                narrowed |= !and.rest.is_empty() || and.prefix.is_none() || and.and.is_some();
                prefix = and.prefix.or(prefix);
            }
        }
        let to = self.destination;
        Ok(Rule {
            id: self.id.filter(|id| !id.is_empty()),
            enabled: self.status == "Enabled",
            priority: self.priority,
            first_form,
            prefix: prefix.unwrap_or_default(),
            narrowed,
            bucket: bucket_of(&to.bucket),
            account: to.account,
            owner_override: to.access_control_translation.is_some_and(|t| t.owner == "Destination"),
            sse_kms: self
                .source_selection_criteria
                .and_then(|criteria| criteria.sse_kms_encrypted_objects)
                .is_some_and(|objects| objects.is_enabled()),
            replica_key: to.encryption_configuration.and_then(|e| e.key),
            delete_markers: first_form || markers,
            within_minutes: to.replication_time.filter(|t| t.status == "Enabled").and_then(|t| t.time).and_then(|t| t.minutes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Replication;
    use crate::resources::Printed;

    #[cfg(feature = "aws")]
    #[test]
    fn what_the_sdk_drops_is_noticed() {
        let strange = |rules: &[&str]| {
            let path = |text: &&str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
            super::strange_filters(&rules.iter().map(path).collect::<Vec<_>>())
        };
        let known = ["R/Rule", "R/Rule/Filter", "R/Rule/Filter/And", "R/Rule/Filter/And/Tag", "R/Rule/Filter/And/Tag/Key"];
        assert_eq!(strange(&known), [false]);
        let first = ["R", "R/Role", "R/Rule", "R/Rule/Filter/Age", "R/Rule", "R/Rule/Filter/Prefix", "R/Rule/Filter/Tag/Key"];
        assert_eq!(strange(&first), [true, false]);
        assert_eq!(strange(&["R/Rule", "R/Rule/Filter/And/Age"]), [true]);
        assert_eq!(strange(&["R/Rule", "R/Rule/Filter/And/And"]), [true]);
    }

    #[test]
    fn delete_markers_are_replicated_or_not() {
        let printed = |status: &str| {
            let markers = format!(r#""DeleteMarkerReplication":{{"Status":"{status}"}}"#);
            let rule = format!(r#"{{"Status":"Enabled","Filter":{{}},"Destination":{{"Bucket":"b"}},{markers}}}"#);
            let all = format!(r#"{{"ReplicationConfiguration":{{"Role":"r","Rules":[{rule}]}}}}"#);
            Replication::printed(all.as_bytes()).map(|found| found.unwrap().rules.iter().all(|rule| rule.delete_markers))
        };
        assert_eq!((printed("Enabled"), printed("Disabled")), (Ok(true), Ok(false)));
        assert!(printed("Sometimes").unwrap_err().contains("Sometimes"));
    }
}
