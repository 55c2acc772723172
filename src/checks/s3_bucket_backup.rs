use jiff::SignedDuration;
use serde::Deserialize;

use super::example::{Example, now, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::recovery_points::{DESCRIBED, RecoveryPoint, RecoveryPoints};
use crate::units::Span;
use crate::view::View;

/// AWS Backup holds a recent recovery point of the bucket that is kept long enough.
///
/// # Why
/// A backup plan that exists proves nothing: its role may lack a permission, its last job may have failed a year ago. What can be
/// restored is a recovery point that is complete, young enough for what may be lost, and kept longer than a loss may go unnoticed.
///
/// # Fails when
/// No complete recovery point of the bucket is younger than `at-most`, or none of those is kept for `keep` from the time it was
/// made, counted to the deletion that AWS Backup has calculated. A recovery point without such a deletion is kept for ever.
/// Unknown is one whose lifecycle is not told, or that was made more than a day in the future. With `encrypted`, one that is not
/// encrypted does not count. Judged are the ten newest in the account and Region of the bucket; copies in other Regions and
/// accounts are not seen. AWS Backup keeps continuous S3 backups for at most 35 days.
///
/// # Fix
/// Assign the bucket to a backup plan whose rule runs often enough and whose lifecycle deletes late enough, and look at the
/// failures of its last jobs. The bucket needs versioning.
///
/// # References
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/s3-backups.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketBackup {
    /// The newest usable recovery point is at most this old.
    #[serde(default = "daily")]
    at_most: Span,
    /// It is kept for at least this long after it was made.
    #[serde(default = "month")]
    keep: Span,
    /// It must be encrypted.
    #[serde(default)]
    encrypted: bool,
}

fn daily() -> Span {
    Span::days(2)
}

fn month() -> Span {
    Span::days(30)
}

impl CheckType for S3BucketBackup {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-backup",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "AWS Backup holds a recent recovery point that is kept",
        fix: "assign the bucket to a backup plan that runs daily and keeps its recovery points",
        references: &["NIST-800-53:CP-9", "ISO-27001:A.8.13", "HIPAA:164.308(a)(7)(ii)(A)"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let point = |age: i64, kept: Option<i64>| RecoveryPoint {
            vault: "documents".to_owned(),
            created: Some(now() - SignedDuration::from_hours(24 * age)),
            complete: true,
            kept_until: kept.map(|days| now() + SignedDuration::from_hours(24 * (days - age))),
            encrypted: true,
            described: true,
        };
        let points = |example: Example, points: Vec<RecoveryPoint>| example.known(&primary(), RecoveryPoints { points });
        let broken = RecoveryPoint { complete: false, ..point(0, Some(35)) };
        let untold = RecoveryPoint { described: false, ..point(1, None) };
        let plain = RecoveryPoint { encrypted: false, ..point(1, Some(35)) };
        let strict = serde_json::json!({ "encrypted": true });
        vec![
            points(Example::pass("yesterday's, kept 35 days", on.clone()), vec![broken.clone(), point(1, Some(35))]),
            points(Example::pass("kept for ever", on.clone()), vec![point(1, None)]),
            points(Example::fail("the last good one is a week old", on.clone()), vec![broken, point(7, Some(35))]),
            points(Example::fail("deleted after a week", on.clone()), vec![point(1, Some(7))]),
            points(Example::fail("not encrypted", on.clone()), vec![plain]).with(strict),
            points(Example::fail("none", on.clone()), Vec::new()),
            Example::fail("no such service there", on.clone()).absent::<RecoveryPoints>(&on),
            points(Example::unknown("made in the future", on.clone()), vec![point(-3, Some(35))]),
            points(Example::unknown("its end is not told", on.clone()), vec![untold]),
            Example::unknown("denied", on.clone()).denied::<RecoveryPoints>(&on),
        ]
    }
}

impl Check for S3BucketBackup {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[RecoveryPoints::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let required = format!("a recovery point of the last {} that is kept for {}", self.at_most, self.keep);
        let Some(found) = tally.read(view.read::<RecoveryPoints>(unit)) else { return tally.finish() };
        let points = found.map(|found| found.points.as_slice()).unwrap_or_default();
        let complete: Vec<&RecoveryPoint> = points.iter().filter(|point| point.complete).collect();
        let Some(newest) = complete.first() else {
            let seen = if points.is_empty() {
                "no recovery point".to_owned()
            } else {
                format!("{} recovery points, none of them complete", points.len())
            };
            let _ = tally.fail::<RecoveryPoints>(unit, format!("AWS Backup has {seen} of the bucket"), seen, required);
            return tally.finish();
        };
        let age = |point: &RecoveryPoint| point.created.map(|created| view.now.duration_since(created).as_secs());
        let ahead = |point: &RecoveryPoint| age(point).is_some_and(|age| age < -86_400);
        let young = |point: &RecoveryPoint| !ahead(point) && age(point).is_some_and(|age| age <= self.at_most.seconds());
        let lasting = |point: &RecoveryPoint| match (point.kept_until, point.created) {
            // What AWS Backup was to delete by now is no recovery point any more.
            (Some(until), Some(created)) => until > view.now && until.duration_since(created).as_secs() >= self.keep.seconds(),
            (None, _) => true,
            (Some(_), None) => false,
        };
        let good =
            |point: &&&RecoveryPoint| point.described && young(point) && lasting(point) && (point.encrypted || !self.encrypted);
        if let Some(point) = complete.iter().find(good) {
            let made = point.created.map(|created| created.to_string()).unwrap_or_default();
            tally.pass::<RecoveryPoints>(unit, format!("one of {made} in vault {}", point.vault), required);
            return tally.finish();
        }
        let mut doubt = |detail: &str| {
            let spec = RecoveryPoints::SPEC;
            let gap = Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied());
            tally.gap(gap.with_detail(detail));
        };
        let ahead = complete.iter().any(|point| ahead(point));
        let untold = complete.iter().take(DESCRIBED).any(|point| young(point) && !point.described);
        if ahead {
            doubt("a recovery point was made more than a day in the future");
        }
        if untold {
            doubt("the answer does not say how long a recovery point is kept");
        }
        if ahead || untold {
            return tally.finish();
        }
        let days = |seconds: i64| format!("{} d", seconds / 86_400);
        let told = age(newest).map_or_else(|| "of an unknown time".to_owned(), |age| format!("{} old", days(age)));
        let what = if !young(newest) {
            format!("the newest complete recovery point is {told}")
        } else if complete.iter().take(DESCRIBED).any(|point| young(point) && lasting(point)) {
            "the recent recovery points are not encrypted".to_owned()
        } else {
            let kept =
                newest.kept_until.zip(newest.created).map(|(until, created)| days(until.duration_since(created).as_secs()));
            format!("the newest complete recovery point is kept for {}", kept.unwrap_or_default())
        };
        let _ = tally.fail::<RecoveryPoints>(unit, what.clone(), what, required);
        tally.finish()
    }
}
