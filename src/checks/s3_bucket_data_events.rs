use serde::Deserialize;

use super::account_trail::{good_trail, not_running, of_trail};
use super::example::{Example, denial, primary, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Fact, Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::trails::{Advanced, Basic, Data, Field, Selectors, Trail, TrailState, Trails};
use crate::resources::capability::ELSEWHERE;
use crate::resources::s3_bucket::region::Region;
use crate::resources::s3_bucket::versioning::Versioning;
use crate::trails::{Covers, Events, object_events};
use crate::view::View;

/// CloudTrail records who deletes and writes the documents of the bucket.
///
/// # Why
/// Without data events a deleted document leaves no trace of who deleted it, when, and what else: a trail records calls on
/// buckets, but calls on objects only where somebody asked for them.
///
/// # Fails when
/// The trails that are logging and cover the bucket's Region do not together record every call of the kind asked for on every
/// object of the bucket's key space (as its store declares it; of the whole bucket else). The effect of the event selectors
/// counts, of both forms: a selector for another bucket, for a part of the keys, for `ReadOnly`, for some event names or some
/// callers is not enough; several that add up are. A selector on a field that cannot be judged makes the verdict unknown, and
/// so does a trail of the organization whose selectors this account may not read, unless other trails are enough.
///
/// What lifecycle rules delete never shows in CloudTrail: S3 does it without a call. It shows in server access logs and in S3
/// event notifications (`s3:LifecycleExpiration:*`). CloudTrail Lake and logs of other services do not count.
///
/// # Fix
/// Add data events of S3 for the bucket to a trail (PutEventSelectors replaces all selectors of the trail: read them first), at
/// least writes: `eventCategory` Data, `resources.type` AWS::S3::Object, `resources.ARN` starts with `arn:aws:s3:::BUCKET/`,
/// `readOnly` false. Send the logs to another bucket than the one recorded.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html>
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html>
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketDataEvents {
    /// Which calls must be recorded.
    #[serde(default)]
    events: Which,
}

/// Calls on objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Which {
    /// Those that write and delete.
    #[default]
    Write,
    /// Those that read.
    Read,
    /// Both.
    All,
}

impl CheckType for S3BucketDataEvents {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-data-events",
        unit: Kind::S3Bucket,
        severity: Severity::Medium,
        title: "CloudTrail records who deletes and writes documents",
        fix: "add data events of S3 for the bucket, at least writes, to a trail that is logging (PutEventSelectors)",
        references: &[
            "SecurityHub:S3.22",
            "SecurityHub:S3.23",
            "CIS-AWS-5:3.8",
            "CIS-AWS-5:3.9",
            "NIST-800-53:AU-12",
            "SOC2:CC7.2",
            "ISO-27001:A.8.15",
            "PCI-DSS:10.3.1",
            "HIPAA:164.312(b)",
            "NIS2:3.2.3(c)",
            "Prowler:cloudtrail_s3_dataevents_write_enabled",
            "Prowler:cloudtrail_s3_dataevents_read_enabled",
        ],
    };

    fn examples() -> Vec<Example> {
        fn refused<T>() -> Fact<T> {
            Fact::Unreadable(Box::new(denial(Trails::SPEC)))
        }
        let on = primary();
        let world = |example: Example, trails: Vec<Trail>| {
            example.known(&primary(), Region("eu-west-1".to_owned())).known(&production(), Trails(trails))
        };
        let with = |reads, writes, value: &str| {
            let data = vec![Data { kind: "AWS::S3::Object".to_owned(), values: vec![value.to_owned()] }];
            let selectors = Selectors::Basic(vec![Basic { reads, writes, data, ..Basic::default() }]);
            Trail { selectors: Fact::Known(selectors), ..good_trail() }
        };
        let whole = || with(true, true, "arn:aws:s3:::acme-documents/");
        let field = |field: &str, values: &[&str]| Field {
            field: field.to_owned(),
            equals: values.iter().map(|value| (*value).to_owned()).collect(),
            ..Field::default()
        };
        let by_fields = |more: Option<Field>| {
            let mut all = vec![field("eventCategory", &["Data"]), field("resources.type", &["AWS::S3::Object"])];
            all.extend(more);
            Trail { selectors: Fact::Known(Selectors::Advanced(vec![Advanced(all)])), ..good_trail() }
        };
        let scans = |estate: &mut Estate| {
            for copy in estate.stores.values_mut().flat_map(|store| store.copies.values_mut()) {
                copy.keys.prefixes = vec!["scans/".to_owned()];
            }
        };
        let of_scans = || with(false, true, "arn:aws:s3:::acme-documents/scans/");
        let (all, read) = (serde_json::json!({ "events": "all" }), serde_json::json!({ "events": "read" }));
        vec![
            world(Example::pass("the bucket", on.clone()), vec![whole()]).with(all.clone()),
            world(Example::pass("all buckets", on.clone()), vec![with(false, true, "arn:aws:s3")]),
            world(Example::pass("by fields", on.clone()), vec![by_fields(Some(field("readOnly", &["false"])))]),
            world(Example::pass("the documents are under a prefix", on.clone()), vec![of_scans()]).estate(scans),
            world(
                Example::pass("two trails add up", on.clone()),
                vec![with(true, false, "arn:aws:s3"), with(false, true, "arn:aws:s3")],
            )
            .with(all.clone()),
            world(Example::pass("reads", on.clone()), vec![with(true, false, "arn:aws:s3:::")]).with(read.clone()),
            world(Example::fail("no trail", on.clone()), Vec::new()),
            world(Example::fail("management events only", on.clone()), vec![good_trail()]),
            world(Example::fail("only writes", on.clone()), vec![with(false, true, "arn:aws:s3")]).with(all),
            world(Example::fail("only reads", on.clone()), vec![with(true, false, "arn:aws:s3")]),
            world(Example::fail("a prefix", on.clone()), vec![of_scans()]),
            world(Example::fail("another bucket", on.clone()), vec![with(true, true, "arn:aws:s3:::acme-logs/")]),
            world(
                Example::fail("it is not logging", on.clone()),
                vec![Trail { state: Fact::Known(TrailState::default()), ..whole() }],
            ),
            world(
                Example::fail("a trail of another Region", on.clone()),
                vec![Trail { multi_region: false, home_region: "us-east-1".to_owned(), ..whole() }],
            ),
            world(
                Example::unknown("a field that cannot be judged", on.clone()),
                vec![by_fields(Some(field("errorCode", &["AccessDenied"])))],
            ),
            world(Example::unknown("selectors are refused", on.clone()), vec![Trail { selectors: refused(), ..good_trail() }]),
            world(Example::unknown("its state is refused", on.clone()), vec![Trail { state: refused(), ..whole() }]),
            Example::unknown("denied", on.clone()).known(&on, Region("eu-west-1".to_owned())).denied::<Trails>(&production()),
        ]
    }
}

impl Check for S3BucketDataEvents {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        // A bucket's Region comes with any of its facts.
        vec![Demand::unit(&[Region::SPEC, Versioning::SPEC]), Demand::account(&[Trails::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        if view.estate.accounts.get(&unit.account).is_some_and(|account| !account.is_aws()) {
            return Judgement::NotApplicable(ELSEWHERE.into());
        }
        let account = ResourceId::account(&unit.account);
        let Some(trails) = tally.read(view.read::<Trails>(&account)) else { return tally.finish() };
        let Some(region) = tally.read(view.read::<Region>(unit)) else { return tally.finish() };
        let Some(region) = region else {
            tally.gap(Gap::not_collected(Region::SPEC));
            return tally.finish();
        };
        let here = |trail: &&Trail| trail.multi_region || trail.home_region == region.0;
        let (mut sure, mut gaps, mut off) = (Vec::new(), Vec::new(), Vec::new());
        // What may be recorded if more were known.
        let mut perhaps = Vec::new();
        for trail in trails.into_iter().flat_map(|trails| &trails.0).filter(here) {
            match (not_running(trail), &trail.selectors) {
                (Ok(Some(why)), _) => off.push(format!("trail {} {why}", trail.name)),
                (Ok(None), Fact::Known(selectors)) => sure.push(selectors),
                (Err(gap), Fact::Known(selectors)) => {
                    gaps.push(gap);
                    perhaps.push(selectors);
                }
                (_, Fact::Unreadable(gap)) => gaps.push(of_trail(trail, gap)),
                (_, Fact::Absent) => {}
            }
        }
        let unread = gaps.len() > perhaps.len();
        let objects = format!("{}/", view.bucket_arn(unit));
        for events in self.events.each() {
            let required = format!("every {} of an object is recorded", word(events));
            for keys in view.estate.key_spaces(unit) {
                let judged = |selectors: &[&Selectors]| object_events(selectors, &objects, &keys, events);
                let all: Vec<&Selectors> = sure.iter().chain(&perhaps).copied().collect();
                match judged(&sure) {
                    Covers::All => tally.pass::<Trails>(&account, format!("{} recorded", word(events)), required.clone()),
                    Covers::Not(_) if unread || matches!(judged(&all), Covers::All | Covers::Unsure(_)) => {
                        gaps.iter().for_each(|gap| tally.gap(gap.clone()));
                    }
                    Covers::Unsure(why) => {
                        gaps.iter().for_each(|gap| tally.gap(gap.clone()));
                        tally.gap(Gap::new(Why::NotEvaluated, "cloudtrail:GetEventSelectors").with_detail(why));
                    }
                    Covers::Not(why) => {
                        let says = format!("not every {} of an object is recorded: {}", word(events), also(why, &off));
                        let _ = tally.fail::<Trails>(&account, says.clone(), says, required.clone()).subject(word(events));
                    }
                }
            }
        }
        tally.finish()
    }
}

impl Which {
    fn each(self) -> Vec<Events> {
        match self {
            Self::Write => vec![Events::Write],
            Self::Read => vec![Events::Read],
            Self::All => vec![Events::Write, Events::Read],
        }
    }
}

fn word(events: Events) -> &'static str {
    match events {
        Events::Write => "write",
        Events::Read => "read",
    }
}

fn also(why: String, off: &[String]) -> String {
    if off.is_empty() { why } else { format!("{why}; {}", off.join("; ")) }
}
