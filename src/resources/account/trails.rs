//! The CloudTrail trails that record the account: its own, and those of its organization. An account without trails has an
//! empty list. Asked in each Region where the account has buckets in question; a trail of all Regions shows in each of them.
//!
//! Of a trail of the organization a member may not be told everything, so state and selectors have a gap of their own.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html>

use serde::{Deserialize, Serialize};

use crate::fact::{Fact, FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The trails, by ARN.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Trails(pub Vec<Trail>);

/// One trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Trail {
    pub arn: String,
    pub name: String,
    /// Where it was made; it records this Region, and all if `multi_region`.
    pub home_region: String,
    pub multi_region: bool,
    /// It records every account of the organization.
    pub organization: bool,
    /// Each log file is signed, so that a change to one shows.
    pub validation: bool,
    /// The bucket that the logs go to.
    pub bucket: String,
    /// The key that the logs are encrypted with; `None`: SSE-S3.
    #[serde(default)]
    pub key: Option<String>,
    pub state: Fact<TrailState>,
    pub selectors: Fact<Selectors>,
}

/// Whether a trail records now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct TrailState {
    pub logging: bool,
    /// Why the last log file could not be put into the bucket.
    pub delivery_error: Option<String>,
}

/// What a trail records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Selectors {
    /// Selectors of the first form.
    Basic(Vec<Basic>),
    /// Selectors by fields of the event.
    Advanced(Vec<Advanced>),
}

impl Default for Selectors {
    fn default() -> Self {
        Self::Basic(Vec::new())
    }
}

/// A selector of the first form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Basic {
    pub reads: bool,
    pub writes: bool,
    /// Calls on resources themselves, not on what is in them.
    pub management: bool,
    /// Services whose management events are left out.
    pub without: Vec<String>,
    pub data: Vec<Data>,
}

/// Data events of one type of resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Data {
    /// `AWS::S3::Object`, ...
    pub kind: String,
    /// What the ARN of the object begins with.
    pub values: Vec<String>,
}

/// A selector by fields: all of them must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Advanced(pub Vec<Field>);

/// The conditions on one field: one of those that select (if there are any), and none of those that leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Field {
    /// `eventCategory`, `resources.ARN`, ...
    pub field: String,
    pub equals: Vec<String>,
    pub starts_with: Vec<String>,
    pub ends_with: Vec<String>,
    pub not_equals: Vec<String>,
    pub not_starts_with: Vec<String>,
    pub not_ends_with: Vec<String>,
}

impl Field {
    /// Without any condition: what it asks for is not known.
    pub fn says_nothing(&self) -> bool {
        let select = [&self.equals, &self.starts_with, &self.ends_with];
        let leave_out = [&self.not_equals, &self.not_starts_with, &self.not_ends_with];
        select.iter().chain(&leave_out).all(|list| list.is_empty())
    }
}

impl FactType for Trails {
    const SPEC: FactId = &FactSpec {
        id: "account.trails",
        kind: Kind::Account,
        operation: "cloudtrail:DescribeTrails",
        also: &["cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"],
        actions: &["cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"],
        per: Per::Region,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for Trails {
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        #[cfg(feature = "cloudtrail")]
        {
            live::read(from).await.map(Some)
        }
        #[cfg(not(feature = "cloudtrail"))]
        {
            let _ = from;
            Err(crate::aws::Failure::not_compiled("cloudtrail"))
        }
    }
}

#[cfg(feature = "cloudtrail")]
mod live {
    use std::collections::BTreeMap;

    use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
    use aws_sdk_cloudtrail::types::{AdvancedEventSelector, EventSelector, ReadWriteType};

    use super::{Advanced, Basic, Data, Field, Selectors, Trail, TrailState, Trails};
    use crate::aws::failure::is_region;
    use crate::aws::{AccountReader, Failure};
    use crate::fact::Fact;

    pub(super) async fn read(from: &AccountReader) -> Result<Trails, Failure> {
        let asked = from.in_regions(|region| async move {
            let call = "cloudtrail:DescribeTrails";
            let answer = from.cloudtrail(&region, call, |trail| async move {
                trail.describe_trails().include_shadow_trails(true).send().await
            });
            answer.await?.trail_list.ok_or_else(|| Failure::malformed("no trailList in the answer"))
        });
        // A trail of all Regions is in the list of each.
        let mut found: BTreeMap<String, Trail> = BTreeMap::new();
        for (region, trails) in asked.await? {
            for trail in trails {
                let trail = described(trail)?;
                match found.get(&trail.arn) {
                    Some(known) if *known != trail => {
                        let arn = &trail.arn;
                        return Err(Failure::malformed(format!("trail {arn} is another one in {region} than elsewhere")));
                    }
                    Some(_) => {}
                    None => {
                        found.insert(trail.arn.clone(), trail);
                    }
                }
            }
        }
        let told = found.into_values().map(|trail| ask(from, trail));
        Ok(Trails(futures_util::future::join_all(told).await))
    }

    fn described(trail: aws_sdk_cloudtrail::types::Trail) -> Result<Trail, Failure> {
        let need = |value: Option<String>, what: &str| {
            value.filter(|text| !text.is_empty()).ok_or_else(|| Failure::malformed(format!("a trail without {what}")))
        };
        let said = |value: Option<bool>, what: &str| value.ok_or_else(|| Failure::malformed(format!("a trail without {what}")));
        let home_region = need(trail.home_region, "HomeRegion")?;
        if !is_region(&home_region) {
            return Err(Failure::malformed("the HomeRegion of a trail is no Region"));
        }
        let not_yet = Box::new(crate::fact::Gap::not_collected(<Trails as crate::resources::FactType>::SPEC));
        Ok(Trail {
            arn: need(trail.trail_arn, "TrailARN")?,
            name: need(trail.name, "Name")?,
            home_region,
            multi_region: said(trail.is_multi_region_trail, "IsMultiRegionTrail")?,
            // Trails of an account that is in no organization need not say it.
            organization: trail.is_organization_trail.unwrap_or_default(),
            validation: said(trail.log_file_validation_enabled, "LogFileValidationEnabled")?,
            bucket: need(trail.s3_bucket_name, "S3BucketName")?,
            key: trail.kms_key_id.filter(|key| !key.is_empty()),
            state: Fact::Unreadable(not_yet.clone()),
            selectors: Fact::Unreadable(not_yet),
        })
    }

    /// State and selectors, each from the trail's home Region.
    async fn ask(from: &AccountReader, trail: Trail) -> Trail {
        let (status, selectors) = ("cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors");
        let (home, arn, same) = (trail.home_region.as_str(), trail.arn.clone(), trail.arn.clone());
        let state = from
            .cloudtrail(home, status, |client| async move { client.get_trail_status().name(arn).send().await })
            .await
            .and_then(|found| {
                let logging = found.is_logging.ok_or_else(|| Failure::malformed("no IsLogging in the answer"))?;
                Ok(TrailState { logging, delivery_error: found.latest_delivery_error.filter(|error| !error.is_empty()) })
            });
        let chosen = from
            .cloudtrail(home, selectors, |client| async move { client.get_event_selectors().trail_name(same).send().await })
            .await
            .and_then(answered);
        Trail { state: fact(state, status), selectors: fact(chosen, selectors), ..trail }
    }

    fn fact<T>(found: Result<T, Failure>, call: &'static str) -> Fact<T> {
        found.map_or_else(|failure| Fact::Unreadable(Box::new(failure.gap_of(call, Some(call)))), Fact::Known)
    }

    fn answered(found: GetEventSelectorsOutput) -> Result<Selectors, Failure> {
        let basic = found.event_selectors.unwrap_or_default();
        let advanced = found.advanced_event_selectors.unwrap_or_default();
        match (basic.is_empty(), advanced.is_empty()) {
            (true, true) => Err(Failure::malformed("no selectors in the answer; every trail has some")),
            (false, false) => Err(Failure::malformed("selectors of both forms in the answer; a trail has one")),
            (false, true) => basic.into_iter().map(one).collect::<Result<_, _>>().map(Selectors::Basic),
            (true, false) => advanced.into_iter().map(by_fields).collect::<Result<_, _>>().map(Selectors::Advanced),
        }
    }

    fn one(found: EventSelector) -> Result<Basic, Failure> {
        let (reads, writes) = match found.read_write_type {
            Some(ReadWriteType::All) => (true, true),
            Some(ReadWriteType::ReadOnly) => (true, false),
            Some(ReadWriteType::WriteOnly) => (false, true),
            Some(other) => return Err(Failure::malformed(format!("unknown ReadWriteType `{}`", other.as_str()))),
            None => return Err(Failure::malformed("an event selector without ReadWriteType")),
        };
        let Some(management) = found.include_management_events else {
            return Err(Failure::malformed("an event selector without IncludeManagementEvents"));
        };
        let data = found.data_resources.unwrap_or_default().into_iter().map(|data| match data.r#type {
            Some(kind) => Ok(Data { kind, values: data.values.unwrap_or_default() }),
            None => Err(Failure::malformed("data resources without a type")),
        });
        let without = found.exclude_management_event_sources.unwrap_or_default();
        Ok(Basic { reads, writes, management, without, data: data.collect::<Result<_, _>>()? })
    }

    fn by_fields(found: AdvancedEventSelector) -> Result<Advanced, Failure> {
        let fields = found.field_selectors.into_iter().map(|found| {
            let field = Field {
                field: found.field,
                equals: found.equals.unwrap_or_default(),
                starts_with: found.starts_with.unwrap_or_default(),
                ends_with: found.ends_with.unwrap_or_default(),
                not_equals: found.not_equals.unwrap_or_default(),
                not_starts_with: found.not_starts_with.unwrap_or_default(),
                not_ends_with: found.not_ends_with.unwrap_or_default(),
            };
            if field.field.is_empty() {
                return Err(Failure::malformed("a field selector without a field"));
            }
            // The SDK drops an operator that it does not know.
            if field.says_nothing() {
                return Err(Failure::malformed("a field selector without a known condition"));
            }
            Ok(field)
        });
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        if fields.is_empty() {
            return Err(Failure::malformed("an advanced event selector without fields"));
        }
        Ok(Advanced(fields))
    }
}
