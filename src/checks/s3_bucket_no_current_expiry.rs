use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::lifecycle::{Expiration, Lifecycle, Rule};
use crate::view::View;

/// No lifecycle rule expires the current version of a document.
///
/// # Why
/// A rule that expires current versions deletes live documents: for good without versioning, behind a delete marker with it.
/// It works in spite of every Deny in the bucket policy, and CloudTrail does not show it. A rule on a mirror counts the
/// age of the original, so it deletes old documents on its first run.
///
/// # Fails when
/// An enabled rule that may apply to a key of the store has an `Expiration` with days or a date, also one in the past: such
/// a rule keeps acting. Rules that also ask for tags or object sizes may apply to any key and count: whoever may set tags can
/// then delete. Removing delete markers with no version behind them (`ExpiredObjectDeleteMarker`) is in order.
///
/// # Fix
/// Remove the `Expiration` from the named rule, or narrow its prefix to keys that hold no documents. If documents have to
/// expire by law, accept the finding with a waiver that names the rule.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketNoCurrentExpiry {}

impl CheckType for S3BucketNoCurrentExpiry {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-no-current-expiry",
        unit: Kind::S3Bucket,
        severity: Severity::Critical,
        title: "No lifecycle rule expires current documents",
        fix: "remove the Expiration from the lifecycle rule, or narrow its prefix to keys that hold no documents",
        references: &["NIST-800-53:CP-9", "MITRE-ATTACK:T1485.001"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let case = |example: Example, expiration, rule: Rule| {
            let rule = Rule { id: Some("tidy".to_owned()), expiration: Some(expiration), ..rule };
            example.known(&primary(), Lifecycle { rules: vec![rule] })
        };
        let enabled = || Rule { enabled: true, ..Rule::default() };
        let date = || Expiration::Date("2020-01-01T00:00:00Z".to_owned());
        vec![
            Example::pass("no rules", on.clone()).absent::<Lifecycle>(&on),
            case(Example::pass("only empty markers", on.clone()), Expiration::MarkersOnly, enabled()),
            case(Example::pass("disabled", on.clone()), Expiration::Days(1), Rule::default()),
            case(Example::fail("after some days", on.clone()), Expiration::Days(3650), enabled()),
            case(Example::fail("a date in the past", on.clone()), date(), enabled()),
            case(
                Example::fail("part of the keys, by tag", on.clone()),
                Expiration::Days(30),
                Rule { prefix: "inbox/".to_owned(), narrowed: true, ..enabled() },
            ),
            Example::unknown("denied", on.clone()).denied::<Lifecycle>(&on),
        ]
    }
}

impl Check for S3BucketNoCurrentExpiry {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Lifecycle::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        if let Some(lifecycle) = tally.read(view.read::<Lifecycle>(unit)) {
            let spaces = view.estate.key_spaces(unit);
            let rules = lifecycle.into_iter().flat_map(|lifecycle| &lifecycle.rules).filter(|rule| rule.enabled);
            for rule in rules.filter(|rule| spaces.iter().any(|space| space.touches(&rule.prefix))) {
                let when = match &rule.expiration {
                    Some(Expiration::Days(days)) => format!("after {days}d"),
                    Some(Expiration::Date(date)) => format!("from {date} on"),
                    Some(Expiration::MarkersOnly) | None => continue,
                };
                let keys = if rule.prefix.is_empty() { "all keys".to_owned() } else { format!("keys under \"{}\"", rule.prefix) };
                let may = if rule.narrowed { ", if tags or sizes match," } else { "" };
                let says = format!("rule {} expires current versions of {keys}{may} {when}", rule.label());
                let _ = tally.fail::<Lifecycle>(unit, says, when, "no expiry of current versions").subject(rule.label());
            }
            tally.pass::<Lifecycle>(unit, "no rule expires current versions", "no expiry of current versions");
        }
        tally.finish()
    }
}
