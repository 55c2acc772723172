use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::example::{Example, now, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, KeySpace, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::lock_sample::{Group, LockSample, Retention};
use crate::resources::s3_bucket::object_lock::{LockMode, ObjectLock};
use crate::units::Span;
use crate::view::View;

/// The documents that are there today are locked, and stay locked for long enough.
///
/// # Why
/// A default retention counts from the upload, not from the attack. With a default of 30 days a document that is two years old
/// has no lock at all, although "Object Lock: on" is ticked. What counts is how many of today's documents are still locked
/// after the time it takes to notice.
///
/// # Fails when
/// Object Lock is not enabled, or a current version that was looked at has no lock, or one that ends before `window` has
/// passed, or one in a weaker `mode`. A legal hold or an event hold counts as governance mode: somebody can lift it.
///
/// Up to 200 current versions are looked at, from places spread over the keys; in a smaller bucket that is all of them. With
/// `evidence: whole` a bucket that is larger is unknown, however good the sample. With `evidence: sample` a sample without a
/// gap passes, and says how many were looked at; that is no statistic, as keys are not drawn at random. No name of a document
/// is kept, so in a bucket of which only some keys are documents an unlocked version leaves the verdict unknown.
///
/// Not seen: noncurrent versions, and who may bypass governance retention. Closing the account ends every lock.
///
/// # Fix
/// Prolong the retention of the documents that are there (an S3 Batch Operations job over all of them), and do so again before
/// it ends; a longer default retention helps new documents only.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketLockCoverage {
    /// How long from now every document must stay locked.
    window: Span,
    /// The weakest mode that counts.
    #[serde(default = "governance")]
    mode: LockMode,
    /// Whether every current version must have been looked at.
    #[serde(default)]
    evidence: Evidence,
}

fn governance() -> LockMode {
    LockMode::Governance
}

/// What a pass may rest on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Evidence {
    /// Every current version.
    #[default]
    Whole,
    /// Those that were looked at.
    Sample,
}

impl CheckType for S3BucketLockCoverage {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-lock-coverage",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "Documents are locked for long enough from now",
        fix: "prolong the retention of the documents that are there (S3 Batch Operations), and again before it ends",
        references: &["SecurityHub:S3.15", "PCI-DSS:10.3.4", "SOC2:PI1.5", "DORA:Art.12"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let until = |days: i64| now().checked_add(SignedDuration::from_hours(days * 24)).unwrap_or_default();
        let locked =
            |versions, mode, days| Group { versions, retention: Some(Retention { mode, until: until(days) }), held: false };
        let bare = |versions| Group { versions, retention: None, held: false };
        let (governance, compliance) = (LockMode::Governance, LockMode::Compliance);
        let case = |example: Example, whole, groups| {
            let lock = ObjectLock { mode: Some(governance), days: Some(30), event_hold: false };
            example
                .with(serde_json::json!({ "window": "14d" }))
                .known(&primary(), lock)
                .known(&primary(), LockSample { whole, groups })
        };
        let sample = serde_json::json!({ "window": "14d", "evidence": "sample" });
        let strict = serde_json::json!({ "window": "14d", "mode": "compliance" });
        let part = |example: Example| {
            example.estate(|estate| {
                for copy in estate.stores.values_mut().flat_map(|store| store.copies.values_mut()) {
                    copy.keys.exclude.push("tmp/".to_owned());
                }
            })
        };
        vec![
            case(Example::pass("all of them", on.clone()), true, vec![locked(7, governance, 14), locked(1, compliance, 365)]),
            case(Example::pass("under a hold", on.clone()), true, vec![Group { held: true, ..bare(3) }]),
            case(Example::pass("a sample is enough", on.clone()), false, vec![locked(200, governance, 20)]).with(sample),
            case(Example::pass("no documents", on.clone()), true, vec![]),
            case(
                Example::fail("one ends a day too soon", on.clone()),
                true,
                vec![locked(7, governance, 90), locked(1, governance, 13)],
            ),
            case(Example::fail("older than the default", on.clone()), false, vec![locked(3, governance, 20), bare(197)]),
            case(Example::fail("too weak", on.clone()), true, vec![locked(7, governance, 90)]).with(strict.clone()),
            case(Example::fail("a hold can be lifted", on.clone()), true, vec![Group { held: true, ..bare(3) }]).with(strict),
            case(Example::fail("not enabled", on.clone()), true, vec![]).absent::<ObjectLock>(&on).absent::<LockSample>(&on),
            case(Example::unknown("a sample is no proof", on.clone()), false, vec![locked(200, governance, 20)]),
            part(case(Example::unknown("perhaps only tmp/", on.clone()), true, vec![locked(9, governance, 20), bare(1)])),
            case(Example::unknown("retention denied", on.clone()), true, vec![]).denied::<LockSample>(&on),
            case(Example::unknown("lock denied", on.clone()), true, vec![locked(1, governance, 20)]).denied::<ObjectLock>(&on),
        ]
    }
}

impl Check for S3BucketLockCoverage {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[ObjectLock::SPEC, LockSample::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let lock = tally.read(view.read::<ObjectLock>(unit));
        if lock == Some(None) {
            let _ = tally.fail::<ObjectLock>(unit, "Object Lock is not enabled", "not enabled", "enabled").subject("object-lock");
        }
        let Some(sample) = tally.read(view.read::<LockSample>(unit)) else { return tally.finish() };
        let window = SignedDuration::from_secs(self.window.seconds());
        let until = view.now.checked_add(window).unwrap_or(Timestamp::MAX);
        let required = format!("every document locked in {} mode or stronger for {} from now", self.mode.label(), self.window);
        let Some(sample) = sample else {
            let _ = tally.fail::<LockSample>(unit, "no version can be locked", "no Object Lock", required).subject("object-lock");
            return tally.finish();
        };
        let (open, covered): (Vec<&Group>, Vec<&Group>) = sample.groups.iter().partition(|group| !group.covers(until, self.mode));
        let count = |groups: &[&Group]| groups.iter().fold(0_u32, |sum, group| sum.saturating_add(group.versions));
        let all = if sample.whole { "all" } else { "a sample of" };
        let seen = format!("{} of {all} {} current versions", count(&covered), sample.seen());
        if !open.is_empty() {
            let first = open.iter().filter_map(|group| group.retention).map(|retention| retention.until).min();
            let first = first.map(|first| format!("; the first lock that is too short ends {first}")).unwrap_or_default();
            let default = lock.flatten().map(|lock| self.default_covers(lock)).unwrap_or_default();
            let says = format!(
                "{} of {} current versions looked at are not locked in {} mode for another {}{first}{default}",
                count(&open),
                sample.seen(),
                self.mode.label(),
                self.window
            );
            if view.estate.key_spaces(unit).iter().any(|space| *space == KeySpace::default()) {
                let _ = tally.fail::<LockSample>(unit, says, seen, required).subject("coverage");
            } else {
                let detail = format!("{says}; whether these are documents of the store is not kept");
                tally.gap(Gap::new(Why::NotEvaluated, LockSample::SPEC.operation).with_detail(detail));
            }
        } else if sample.whole || (self.evidence == Evidence::Sample && sample.seen() > 0) {
            tally.pass::<LockSample>(unit, seen, required);
        } else {
            let detail = format!("{} current versions were looked at, and all are locked; there are more", sample.seen());
            tally.gap(Gap::new(Why::Truncated, LockSample::SPEC.operation).with_detail(detail));
        }
        tally.finish()
    }
}

impl S3BucketLockCoverage {
    /// How far the default retention reaches.
    fn default_covers(&self, lock: &ObjectLock) -> String {
        let Some(days) = lock.days else { return String::new() };
        let left = i64::from(days) * 86_400 - self.window.seconds();
        if left < 0 {
            return format!("; the default retention of {days}d is shorter than that for every document");
        }
        format!(
            "; the default retention of {days}d covers only documents younger than {}",
            Span::days((left / 86_400).unsigned_abs())
        )
    }
}
