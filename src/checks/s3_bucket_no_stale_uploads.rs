use jiff::SignedDuration;
use serde::Deserialize;

use super::example::{Example, now, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::uploads::Uploads;
use crate::units::Span;
use crate::view::View;

/// No multipart upload was begun long ago and never completed.
///
/// # Why
/// The parts of such an upload are content of documents that no listing of objects shows, no erasure of keys reaches and somebody
/// pays for. Often it is also a document that its sender believes to be stored.
///
/// # Fails when
/// An upload in progress was begun more than `older-than` ago. S3 lists uploads by key: where there are more than ten thousand
/// and none of those is old, the rest may be, and the verdict is unknown. `s3-bucket-upload-abort` asks for the rule that keeps it
/// from happening; a rule takes up to two days to act. Uploads of other keys than those of the store count too.
///
/// # Fix
/// Complete the upload if its sender is still there; else AbortMultipartUpload, after asking whose document it was.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketNoStaleUploads {
    /// The age from which an unfinished upload counts as forgotten.
    #[serde(default = "week")]
    older_than: Span,
}

fn week() -> Span {
    Span::days(7)
}

impl CheckType for S3BucketNoStaleUploads {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-no-stale-uploads",
        unit: Kind::S3Bucket,
        severity: Severity::Low,
        title: "No unfinished upload is left behind",
        fix: "complete or abort the unfinished multipart uploads, and add a lifecycle rule that aborts them",
        references: &["NIST-800-53:SI-13(5)", "ISO-27001:A.8.10"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let uploads = |days: i64, truncated| Uploads {
            count: 3,
            oldest: now().checked_sub(SignedDuration::from_hours(24 * days)).ok(),
            truncated,
        };
        vec![
            Example::pass("none", on.clone()).absent::<Uploads>(&on),
            Example::pass("young", on.clone()).known(&on, uploads(7, false)),
            Example::fail("old", on.clone()).known(&on, uploads(8, false)),
            Example::fail("old, and more of them", on.clone()).known(&on, uploads(8, true)),
            Example::fail("stricter", on.clone()).known(&on, uploads(2, false)).with(serde_json::json!({ "older-than": "36h" })),
            Example::unknown("too many to see all", on.clone()).known(&on, uploads(1, true)),
            Example::unknown("denied", on.clone()).denied::<Uploads>(&on),
        ]
    }
}

impl Check for S3BucketNoStaleUploads {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Uploads::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(uploads) = tally.read(view.read::<Uploads>(unit)) else { return tally.finish() };
        let required = format!("none older than {}", self.older_than);
        let Some(found) = uploads else {
            tally.pass::<Uploads>(unit, "no upload in progress", required);
            return tally.finish();
        };
        let limit = view.now.checked_sub(SignedDuration::from_secs(self.older_than.seconds())).ok();
        let more = if found.truncated { "at least " } else { "" };
        let seen = match found.oldest {
            Some(oldest) => format!("{more}{} in progress, the oldest since {oldest}", found.count),
            None => format!("{more}{} in progress", found.count),
        };
        match found.oldest.zip(limit) {
            Some((oldest, limit)) if oldest < limit => {
                let says = format!("a multipart upload was begun on {oldest} and never completed");
                let _ = tally.fail::<Uploads>(unit, says, seen, required);
            }
            Some(_) if !found.truncated => tally.pass::<Uploads>(unit, seen, required),
            Some(_) | None => {
                let detail = format!("{seen}; those that were not listed may be older");
                tally.gap(Gap::new(Why::Truncated, Uploads::SPEC.operation).with_detail(detail));
            }
        }
        tally.finish()
    }
}
