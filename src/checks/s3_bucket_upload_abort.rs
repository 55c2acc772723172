use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Claim, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::lifecycle::{Lifecycle, Rule};
use crate::units::Span;
use crate::view::View;

/// Incomplete multipart uploads are aborted after a while.
///
/// # Why
/// The parts of an upload that was never completed are stored and paid for, do not appear in listings of objects, and are
/// content of documents that an erasure of keys or versions does not reach.
///
/// # Fails when
/// There are keys of the store for which no enabled lifecycle rule aborts incomplete uploads after at most `after`. Rules
/// with different prefixes may cover the keys together; a rule that asks for tags or sizes does not count. Uploads that
/// take longer than the rule allows are lost: choose `after` longer than the longest upload.
///
/// # Fix
/// Add a rule with an empty filter and `AbortIncompleteMultipartUpload.DaysAfterInitiation`. Writing lifecycle rules replaces
/// all of them: keep the others. A bucket with MFA Delete can have no lifecycle rules.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketUploadAbort {
    /// The longest time after which an incomplete upload may be aborted.
    #[serde(default = "week")]
    after: Span,
}

fn week() -> Span {
    Span::days(7)
}

impl CheckType for S3BucketUploadAbort {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-upload-abort",
        unit: Kind::S3Bucket,
        severity: Severity::Low,
        title: "Incomplete multipart uploads are aborted",
        fix: "add a lifecycle rule for all keys with AbortIncompleteMultipartUpload",
        references: &["SecurityHub:S3.13", "NIST-800-53:SI-13(5)", "PCI-DSS:3.2.1", "ISO-27001:A.8.10"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let rule = |prefix: &str, days| Rule {
            id: Some(format!("abort-{prefix}")),
            enabled: true,
            prefix: prefix.to_owned(),
            abort_uploads_days: Some(days),
            ..Rule::default()
        };
        let case = |example: Example, rules: Vec<Rule>| example.known(&primary(), Lifecycle { rules });
        let two_prefixes = |example: Example| {
            example.estate(|estate| {
                for copy in estate.stores.values_mut().flat_map(|store| store.copies.values_mut()) {
                    copy.keys.prefixes = vec!["a/".to_owned(), "b/".to_owned()];
                }
            })
        };
        vec![
            case(Example::pass("all keys", on.clone()), vec![rule("", 7)]),
            case(two_prefixes(Example::pass("two rules together", on.clone())), vec![rule("a/", 7), rule("b/", 1)]),
            case(two_prefixes(Example::fail("one of two prefixes", on.clone())), vec![rule("a/", 7), rule("b/", 8)]),
            case(Example::fail("too late", on.clone()), vec![rule("", 8)]),
            case(Example::fail("not within 36 hours", on.clone()), vec![rule("", 2)]).with(serde_json::json!({ "after": "36h" })),
            case(Example::fail("disabled", on.clone()), vec![Rule { enabled: false, ..rule("", 7) }]),
            case(Example::fail("by size only", on.clone()), vec![Rule { narrowed: true, ..rule("", 7) }]),
            Example::fail("no rules", on.clone()).absent::<Lifecycle>(&on),
            Example::unknown("denied", on.clone()).denied::<Lifecycle>(&on),
        ]
    }
}

impl Check for S3BucketUploadAbort {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Lifecycle::SPEC])]
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim::NeedsLifecycleRule("abort incomplete uploads")]
    }

    fn problems(&self) -> Vec<String> {
        let short = self.after < Span::days(1);
        short.then(|| format!("`after: {}` is less than a day; S3 counts in whole days", self.after)).into_iter().collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        if let Some(lifecycle) = tally.read(view.read::<Lifecycle>(unit)) {
            let aborts: Vec<(&Rule, i32)> = lifecycle
                .into_iter()
                .flat_map(|lifecycle| &lifecycle.rules)
                .filter(|rule| rule.enabled)
                .filter_map(|rule| rule.abort_uploads_days.map(|days| (rule, days)))
                .collect();
            let soon = |days: i32| i64::from(days) * 86_400 <= self.after.seconds();
            let good: Vec<&Rule> =
                aborts.iter().filter(|(rule, days)| !rule.narrowed && soon(*days)).map(|(rule, _)| *rule).collect();
            let required = format!("incomplete uploads of all keys aborted after at most {}", self.after);
            if view.estate.key_spaces(unit).iter().all(|space| space.within(good.iter().map(|rule| rule.prefix.as_str()))) {
                let labels: Vec<&str> = good.iter().map(|rule| rule.label()).collect();
                tally.pass::<Lifecycle>(unit, format!("aborted by {}", labels.join(", ")), required);
            } else {
                let seen: Vec<String> = aborts
                    .iter()
                    .map(|(rule, days)| {
                        let some = if rule.narrowed { ", some sizes or tags only" } else { "" };
                        format!("rule {} after {days}d under \"{}\"{some}", rule.label(), rule.prefix)
                    })
                    .collect();
                let seen = if seen.is_empty() { "no rule aborts uploads".to_owned() } else { seen.join("; ") };
                let says = format!("incomplete multipart uploads are not all aborted within {}", self.after);
                let _ = tally.fail::<Lifecycle>(unit, says, seen, required);
            }
        }
        tally.finish()
    }
}
