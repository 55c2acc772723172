use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Claim, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::object_lock::{LockMode, ObjectLock};
use crate::units::Span;
use crate::view::View;

/// Object Lock is enabled and, if asked for, locks every new version for a while.
///
/// # Why
/// A locked version cannot be deleted, expired by a lifecycle rule or re-encrypted in place, and versioning cannot be suspended
/// on such a bucket. In compliance mode this holds against the root user too.
///
/// # Fails when
/// Object Lock is not enabled. If `default-retention` or `mode` is given: when there is no default retention, it is shorter,
/// or its mode is weaker. A default hold until an event has no known term: it is no default retention.
///
/// **A default retention counts from the upload.** It protects documents younger than itself; an older document is protected
/// only if its own retention was prolonged, which this check does not see. Do not read a pass as "documents are locked".
/// Object Lock does not stop delete markers, nor the destruction of the KMS key.
///
/// Not seen: who may bypass governance retention, and that closing the account ends even compliance retention.
///
/// # Fix
/// Enable Object Lock (it cannot be disabled again) and set a default retention. Begin with governance mode and a short
/// term: a compliance lock cannot be shortened by anybody. Prolong the retention of documents that are there already.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketObjectLock {
    /// The weakest mode of the default retention that is accepted; compliance is stronger than governance. Without it
    /// governance is accepted.
    mode: Option<LockMode>,
    /// The shortest default retention that is accepted. Without it and without `mode` the bucket needs none.
    default_retention: Option<Span>,
}

impl CheckType for S3BucketObjectLock {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-object-lock",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "Object Lock is enabled with a long enough default",
        fix: "enable Object Lock (irreversible) and set a default retention (PutObjectLockConfiguration)",
        references: &["SecurityHub:S3.15", "PCI-DSS:10.3.4", "SOC2:PI1.5", "DORA:Art.12"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let lock = |mode, days| ObjectLock { mode: Some(mode), days: Some(days), event_hold: false };
        let asked = |example: Example, lock: ObjectLock| {
            example.with(serde_json::json!({ "default-retention": "30d" })).known(&primary(), lock)
        };
        let strict = serde_json::json!({ "mode": "compliance", "default-retention": "30d" });
        vec![
            Example::pass("enabled is enough", on.clone()).known(&on, ObjectLock::default()),
            asked(Example::pass("long enough", on.clone()), lock(LockMode::Governance, 30)),
            asked(Example::pass("stronger than asked for", on.clone()), lock(LockMode::Compliance, 365)),
            asked(Example::fail("too short", on.clone()), lock(LockMode::Compliance, 29)),
            asked(Example::fail("too weak", on.clone()), lock(LockMode::Governance, 365)).with(strict),
            asked(Example::fail("no default", on.clone()), ObjectLock::default()),
            asked(Example::fail("a hold has no term", on.clone()), ObjectLock { event_hold: true, ..ObjectLock::default() }),
            Example::fail("not enabled", on.clone()).absent::<ObjectLock>(&on),
            Example::unknown("denied", on.clone()).denied::<ObjectLock>(&on),
        ]
    }
}

impl Check for S3BucketObjectLock {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[ObjectLock::SPEC])]
    }

    fn claims(&self) -> Vec<Claim> {
        self.default_retention.map(Claim::LockedFor).into_iter().collect()
    }

    fn problems(&self) -> Vec<String> {
        let none = self.default_retention.is_some_and(|term| term.seconds() == 0);
        none.then(|| "`default-retention` of nothing requires nothing; write for example `30d`".to_owned()).into_iter().collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<ObjectLock>(unit)) else { return tally.finish() };
        let Some(lock) = found else {
            let _ = tally.fail::<ObjectLock>(unit, "Object Lock is not enabled", "not enabled", "enabled");
            return tally.finish();
        };
        if self.mode.is_none() && self.default_retention.is_none() {
            tally.pass::<ObjectLock>(unit, "enabled", "enabled");
            return tally.finish();
        }
        let mode = self.mode.unwrap_or(LockMode::Governance);
        let term = self.default_retention.map(|term| format!(" for at least {term}")).unwrap_or_default();
        let required = format!("new versions locked in {} mode or stronger{term}", mode.label());
        match (lock.mode, lock.days) {
            (Some(has), Some(days)) => {
                let seen = format!("{} mode for {days}d from upload", has.label());
                if has < mode {
                    let says = format!("the default retention is in {} mode, {} is required", has.label(), mode.label());
                    let _ = tally.fail::<ObjectLock>(unit, says, seen.clone(), required.clone()).subject("mode");
                }
                match self.default_retention {
                    Some(term) if i64::from(days) * 86_400 < term.seconds() => {
                        let says = format!("the default retention of {days}d is shorter than {term}");
                        let _ = tally.fail::<ObjectLock>(unit, says, seen.clone(), required.clone()).subject("default-retention");
                    }
                    Some(_) | None => {}
                }
                tally.pass::<ObjectLock>(unit, seen, required);
            }
            (Some(_), None) | (None, _) => {
                let (says, seen) = if lock.event_hold {
                    ("new versions are held until an event, for no known term", "event hold")
                } else {
                    ("new versions are not locked by default", "no default retention")
                };
                let _ = tally.fail::<ObjectLock>(unit, says, seen, required).subject("default-retention");
            }
        }
        tally.finish()
    }
}
