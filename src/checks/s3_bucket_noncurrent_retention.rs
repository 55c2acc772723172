use serde::Deserialize;

use super::example::{Example, primary};
use super::s3_bucket_recovery_window::kept;
use super::{Check, CheckType, Claim, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::Judgement;
use crate::resources::FactType;
use crate::resources::s3_bucket::lifecycle::{Lifecycle, Rule};
use crate::resources::s3_bucket::versioning::Versioning;
use crate::units::Span;
use crate::view::View;

/// Noncurrent versions are kept long enough to undo a delete or an overwrite.
///
/// # Why
/// On a versioned bucket a deleted or overwritten document lives on as a noncurrent version, until a lifecycle rule purges it.
/// The shortest such rule is the time that is left to notice the loss. Lifecycle rules act in spite of every Deny.
///
/// # Fails when
/// Versioning is not enabled: then nothing is kept at all. Or an enabled rule that may apply to a key of the store expires
/// noncurrent versions sooner than `keep`. Rules that also ask for tags or object sizes may apply to any key and count. A rule
/// that expires noncurrent versions by number only counts as no time at all. S3 waits until the midnight UTC after the
/// days have passed, so the days of the rule are the guaranteed minimum. No such rule: versions are kept forever.
///
/// It does not see who may delete versions by hand; `s3-bucket-least-privilege` does.
///
/// # Fix
/// Raise `NoncurrentDays` of the named rules. Versions that a rule has purged do not come back.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketNoncurrentRetention {
    /// How long noncurrent versions must be kept at least.
    keep: Span,
}

impl CheckType for S3BucketNoncurrentRetention {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-noncurrent-retention",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "Noncurrent versions are kept long enough",
        fix: "enable versioning, and raise NoncurrentDays of every lifecycle rule that may apply to the documents",
        references: &["NIST-800-53:CP-9", "NIST-800-53:CP-10", "NIST-800-53:SI-12"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let rule = |days| Rule { id: Some("purge".to_owned()), enabled: true, noncurrent_days: Some(days), ..Rule::default() };
        let case = |example: Example, rule: Rule| {
            example
                .with(serde_json::json!({ "keep": "30d" }))
                .known(&primary(), Versioning::enabled())
                .known(&primary(), Lifecycle { rules: vec![rule] })
        };
        vec![
            case(Example::pass("exactly as long", on.clone()), rule(30)),
            case(Example::pass("no rule at all", on.clone()), rule(1)).absent::<Lifecycle>(&on),
            case(Example::pass("the short rule is disabled", on.clone()), Rule { enabled: false, ..rule(1) }),
            case(
                Example::pass("the short rule is about excluded keys", on.clone()),
                Rule { prefix: "tmp/".to_owned(), ..rule(1) },
            )
            .estate(|estate| {
                for copy in estate.stores.values_mut().flat_map(|store| store.copies.values_mut()) {
                    copy.keys.exclude.push("tmp/".to_owned());
                }
            }),
            case(Example::fail("a day too short", on.clone()), rule(29)),
            case(Example::fail("may apply through a tag", on.clone()), Rule { narrowed: true, ..rule(1) }),
            case(Example::fail("applies to some keys", on.clone()), Rule { prefix: "invoices/".to_owned(), ..rule(1) }),
            case(
                Example::fail("by number only", on.clone()),
                Rule { noncurrent_days: None, newer_noncurrent: Some(5), ..rule(0) },
            ),
            case(Example::fail("suspended", on.clone()), rule(90)).known(&on, Versioning::suspended()),
            case(Example::fail("never versioned", on.clone()), rule(90)).absent::<Versioning>(&on),
            case(Example::unknown("lifecycle denied", on.clone()), rule(90)).denied::<Lifecycle>(&on),
            case(Example::unknown("versioning denied", on.clone()), rule(90)).denied::<Versioning>(&on),
        ]
    }
}

impl Check for S3BucketNoncurrentRetention {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Versioning::SPEC, Lifecycle::SPEC])]
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim::RecoverableFor(self.keep)]
    }

    fn problems(&self) -> Vec<String> {
        let none = self.keep.seconds() == 0;
        none.then(|| "`keep` of nothing requires nothing; write for example `30d`".to_owned()).into_iter().collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        kept(unit, view, self.keep)
    }
}
