use serde::Deserialize;

use super::example::{Example, primary};
use super::s3_bucket_recovery_window::spaces;
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::lifecycle::{Lifecycle, NoncurrentTransition, Rule, Transition, When};
use crate::units::Span;
use crate::view::View;
use crate::windows::{Settings, Windows};

/// No lifecycle rule moves documents to where bringing them back takes too long.
///
/// # Why
/// A document in an archive class is there and cannot be read: it has to be restored first, which takes hours to days. A single
/// rule that moves everything to `DEEP_ARCHIVE` makes a company wait two days for its documents.
///
/// # Fails when
/// An enabled rule that may apply to a key of a copy moves current or noncurrent versions to a class from which a restore takes
/// longer than `within`. S3 Glacier Flexible Retrieval (`GLACIER`) takes up to 5 hours by standard and 12 by bulk retrieval;
/// `DEEP_ARCHIVE` up to 12 and 48. Expedited retrieval is not counted: AWS does not guarantee it. All other classes, Glacier
/// Instant Retrieval included, answer at once. A class that is not known, and Intelligent-Tiering, whose archive tiers are not
/// read here, leave the verdict unknown.
///
/// Not seen: documents that were uploaded into an archive class, and how many are restored at once: AWS takes 1,000 restore
/// requests a second for each account.
///
/// # Fix
/// Move documents to `GLACIER_IR` or `STANDARD_IA` instead, or accept the longer time. What lies in an archive class already is
/// not moved back by changing the rule.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketRestoreTime {
    /// How long bringing back a document may take.
    within: Span,
    /// The retrieval that a restore of many documents uses: `bulk` is the cheapest and slowest.
    #[serde(default)]
    retrieval: Retrieval,
}

/// A way to restore from an archive class.
#[derive(Clone, Copy, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Retrieval {
    Standard,
    #[default]
    Bulk,
}

impl Retrieval {
    /// Hours until a document of a class can be read; `None` where that is not known.
    fn hours(self, class: &str) -> Option<u32> {
        Some(match (class, self) {
            ("GLACIER", Self::Standard) => 5,
            ("GLACIER", Self::Bulk) | ("DEEP_ARCHIVE", Self::Standard) => 12,
            ("DEEP_ARCHIVE", Self::Bulk) => 48,
            ("STANDARD" | "STANDARD_IA" | "ONEZONE_IA" | "GLACIER_IR" | "REDUCED_REDUNDANCY", _) => 0,
            _ => return None,
        })
    }

    fn label(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Bulk => "bulk",
        }
    }
}

impl CheckType for S3BucketRestoreTime {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-restore-time",
        unit: Kind::S3Bucket,
        severity: Severity::Medium,
        title: "Documents are not moved to where a restore takes too long",
        fix: "move documents to a class that answers at once (GLACIER_IR, STANDARD_IA), or allow more time",
        references: &["NIST-800-53:CP-10", "SOC2:A1.2", "DORA:Art.12"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let to = |class: &str| Rule {
            id: Some("archive".to_owned()),
            enabled: true,
            transitions: vec![Transition { when: When::Days(90), class: class.to_owned() }],
            ..Rule::default()
        };
        let later = |class: &str| Rule {
            transitions: Vec::new(),
            noncurrent_transitions: vec![NoncurrentTransition { days: 30, class: class.to_owned(), newer: None }],
            ..to("")
        };
        let case = |example: Example, rule: Rule| {
            example.with(serde_json::json!({ "within": "12h" })).known(&primary(), Lifecycle { rules: vec![rule] })
        };
        let standard = serde_json::json!({ "within": "12h", "retrieval": "standard" });
        vec![
            case(Example::pass("no rules", on.clone()), to("")).absent::<Lifecycle>(&on),
            case(Example::pass("a class that answers at once", on.clone()), to("GLACIER_IR")),
            case(Example::pass("within twelve hours", on.clone()), to("GLACIER")),
            case(Example::pass("deep, by standard retrieval", on.clone()), to("DEEP_ARCHIVE")).with(standard),
            case(Example::pass("disabled", on.clone()), Rule { enabled: false, ..to("DEEP_ARCHIVE") }),
            case(Example::fail("two days", on.clone()), to("DEEP_ARCHIVE")),
            case(Example::fail("what has to be brought back", on.clone()), later("DEEP_ARCHIVE")),
            case(
                Example::fail("some documents", on.clone()),
                Rule { narrowed: true, prefix: "a/".to_owned(), ..to("DEEP_ARCHIVE") },
            ),
            case(Example::unknown("its archive tiers are not read", on.clone()), to("INTELLIGENT_TIERING")),
            case(Example::unknown("a new class", on.clone()), to("PERMAFROST")),
            case(Example::unknown("denied", on.clone()), to("")).denied::<Lifecycle>(&on),
        ]
    }
}

impl Check for S3BucketRestoreTime {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Lifecycle::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(lifecycle) = tally.read(view.read::<Lifecycle>(unit)) else { return tally.finish() };
        let required = format!("documents readable within {}", self.within);
        let mut blamed: Vec<(&str, &str)> = Vec::new();
        for (name, space) in &spaces(unit, view) {
            let settings = Settings { lifecycle, ..Settings::default() };
            for (rule, class, what, when) in Windows::of(settings, space).rules().into_iter().flat_map(moves) {
                let Some(hours) = self.retrieval.hours(class) else {
                    let detail = format!("rule {} moves {what} to {class}: how long a restore takes is not known", rule.label());
                    tally.gap(Gap::new(Why::NotEvaluated, Lifecycle::SPEC.operation).with_detail(detail));
                    continue;
                };
                let slow = i64::from(hours) * 3600 > self.within.seconds();
                if !slow || blamed.contains(&(rule.label(), class)) {
                    continue;
                }
                blamed.push((rule.label(), class));
                let may = if rule.narrowed { ", if tags or sizes match," } else { "" };
                let says = format!(
                    "rule {} moves {what} of {name}{may} to {class} {when}: a restore takes up to {hours}h by {} retrieval, required {}",
                    rule.label(),
                    self.retrieval.label(),
                    self.within
                );
                let _ = tally.fail::<Lifecycle>(unit, says, format!("{hours}h"), required.clone()).subject(rule.label());
            }
        }
        tally.pass::<Lifecycle>(unit, "no rule moves documents to a class that takes longer", required);
        tally.finish()
    }
}

/// Where a rule moves versions: rule, class, which versions, when.
fn moves(rule: &Rule) -> Vec<(&Rule, &str, &'static str, String)> {
    let current = rule.transitions.iter().map(|to| {
        let when = match &to.when {
            When::Days(days) => format!("after {days}d"),
            When::Date(date) => format!("from {date} on"),
        };
        (rule, to.class.as_str(), "documents", when)
    });
    let noncurrent = rule
        .noncurrent_transitions
        .iter()
        .map(|to| (rule, to.class.as_str(), "noncurrent versions", format!("after {}d", to.days)));
    current.chain(noncurrent).collect()
}
