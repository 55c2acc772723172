use serde::Deserialize;

use super::example::{Example, primary};
use super::s3_bucket_recovery_window::{over_within, spaces};
use super::{Check, CheckType, Claim, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::lifecycle::{Expiration, Lifecycle, Rule};
use crate::resources::s3_bucket::object_lock::{LockMode, ObjectLock};
use crate::resources::s3_bucket::versioning::Versioning;
use crate::units::Span;
use crate::view::View;
use crate::windows::{ALLOWED_LAG_DAYS, Bound, Cause, Settings, Term, Windows};

/// A document that somebody asks to have deleted is gone for good within the time that the law leaves.
///
/// # Why
/// On a versioned bucket a deletion only hides a document: its versions stay until a lifecycle rule purges them. Without such a
/// rule, or under a lock, a request for erasure is never fulfilled, although the document can no longer be seen.
///
/// # Fails when
/// For some key of a copy the last version may still be there after `within`. Only rules that surely apply count: a rule that
/// asks for tags or sizes does not, nor one that keeps newer noncurrent versions (`NewerNoncurrentVersions`), which never lets
/// the newest go. Counted are the days of the rule, up to one more until the next midnight UTC, and two for S3 to act, which is
/// our assumption: AWS names no limit. A default retention of Object Lock keeps a document that was uploaded just before the
/// request; a default hold until an event keeps it without end. Under MFA Delete no lifecycle rule acts.
///
/// With `purged-on-request` the policy declares that somebody deletes every version on request; then only locks are judged.
///
/// Not seen: whether a deletion reaches the other copies, retention that was set on single documents, and the delete marker,
/// which keeps the name of the document until a rule removes it.
///
/// # Fix
/// Add or shorten `NoncurrentVersionExpiration` of a rule for all keys of the copy, without tags and without
/// `NewerNoncurrentVersions`; keep it at least as long as the recovery window. Or delete every version of a document on request.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>
/// <https://gdpr-info.eu/art-17-gdpr/>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketErasureTime {
    /// The longest time until a requested deletion is final.
    within: Span,
    /// Somebody deletes every version of a document on request. This is declared, not checked.
    #[serde(default)]
    purged_on_request: bool,
}

impl CheckType for S3BucketErasureTime {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-erasure-time",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "A requested deletion is final in time",
        fix: "purge noncurrent versions of all keys by a lifecycle rule that ends in time (NoncurrentVersionExpiration)",
        references: &["ISO-27001:A.8.10", "NIST-800-53:SI-12", "PCI-DSS:3.2.1", "SOC2:C1.2"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let rule = |days| Rule { id: Some("purge".to_owned()), enabled: true, noncurrent_days: Some(days), ..Rule::default() };
        let case = |example: Example, rules: Vec<Rule>| {
            example
                .with(serde_json::json!({ "within": "30d" }))
                .known(&primary(), Versioning::enabled())
                .known(&primary(), Lifecycle { rules })
                .absent::<ObjectLock>(&primary())
        };
        let lock = |days| ObjectLock { mode: Some(LockMode::Governance), days: Some(days), event_hold: false };
        let held = ObjectLock { event_hold: true, ..ObjectLock::default() };
        let mfa = Versioning { mfa_delete: Some(true), ..Versioning::enabled() };
        let markers = Rule { noncurrent_days: None, expiration: Some(Expiration::MarkersOnly), ..rule(0) };
        let declared = serde_json::json!({ "within": "30d", "purged-on-request": true });
        vec![
            case(Example::pass("27 days, one to midnight, two to act", on.clone()), vec![rule(27)]),
            case(Example::pass("never versioned: at once", on.clone()), vec![]).absent::<Versioning>(&on),
            case(
                Example::pass("two prefixes together with the rest", on.clone()),
                vec![Rule { prefix: "a/".to_owned(), ..rule(365) }, rule(20)],
            ),
            case(Example::pass("a lock that ends sooner", on.clone()), vec![rule(20)]).known(&on, lock(14)),
            case(Example::pass("declared to be purged", on.clone()), vec![]).with(declared.clone()),
            case(Example::fail("28 days", on.clone()), vec![rule(28)]),
            case(Example::fail("no rule", on.clone()), vec![]).absent::<Lifecycle>(&on),
            case(Example::fail("disabled", on.clone()), vec![Rule { enabled: false, ..rule(1) }]),
            case(Example::fail("only some keys", on.clone()), vec![Rule { prefix: "a/".to_owned(), ..rule(1) }]),
            case(Example::fail("only tagged documents", on.clone()), vec![Rule { narrowed: true, ..rule(1) }]),
            case(Example::fail("the newest stay", on.clone()), vec![Rule { newer_noncurrent: Some(3), ..rule(1) }]),
            case(Example::fail("markers only", on.clone()), vec![markers]),
            case(Example::fail("MFA Delete", on.clone()), vec![]).known(&on, mfa).absent::<Lifecycle>(&on),
            case(Example::fail("locked from upload", on.clone()), vec![rule(20)]).known(&on, lock(30)),
            case(Example::fail("held until an event", on.clone()), vec![rule(20)]).known(&on, held.clone()),
            case(Example::fail("suspended: old versions stay", on.clone()), vec![])
                .known(&on, Versioning::suspended())
                .absent::<Lifecycle>(&on),
            case(Example::fail("declared, and held", on.clone()), vec![]).with(declared).known(&on, held),
            case(Example::unknown("lifecycle denied", on.clone()), vec![rule(20)]).denied::<Lifecycle>(&on),
            case(Example::unknown("lock denied", on.clone()), vec![rule(20)]).denied::<ObjectLock>(&on),
            case(Example::unknown("versioning denied", on.clone()), vec![rule(20)]).denied::<Versioning>(&on),
        ]
    }
}

impl Check for S3BucketErasureTime {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Versioning::SPEC, Lifecycle::SPEC, ObjectLock::SPEC])]
    }

    fn claims(&self) -> Vec<Claim> {
        let rule = (!self.purged_on_request).then_some(Claim::NeedsLifecycleRule("purge noncurrent versions"));
        let erased = Claim::ErasedWithin { within: self.within, purged: self.purged_on_request };
        std::iter::once(erased).chain(rule).collect()
    }

    fn problems(&self) -> Vec<String> {
        let none = self.within.seconds() == 0;
        none.then(|| "`within` of nothing cannot be met; write for example `30d`".to_owned()).into_iter().collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let lock = tally.read(view.read::<ObjectLock>(unit));
        let versioning = tally.read(view.read::<Versioning>(unit));
        let lifecycle = tally.read(view.read::<Lifecycle>(unit));
        if self.purged_on_request {
            if let Some(lock) = lock {
                self.locks(unit, lock, &mut tally);
            }
            return tally.finish();
        }
        let (Some(versioning), Some(lifecycle)) = (versioning, lifecycle) else { return tally.finish() };
        for (name, space) in &spaces(unit, view) {
            let settings = Settings { versioning, lifecycle, lock: lock.flatten() };
            let windows = Windows::of(settings, space);
            self.space(unit, name, &windows.until_gone().max, &mut tally);
        }
        tally.finish()
    }
}

impl S3BucketErasureTime {
    fn required(&self) -> String {
        format!("a requested deletion final within {}", self.within)
    }

    fn space(&self, unit: &ResourceId, name: &str, most: &Bound<'_>, tally: &mut Tally) {
        let why = most.cause.told();
        let keys = if most.keys.is_empty() { String::new() } else { format!(" under \"{}\"", most.keys) };
        let (seen, says) = match most.term {
            Term::Days(0) => ("at once".to_owned(), String::new()),
            Term::Days(days) => {
                let all = days.saturating_add(ALLOWED_LAG_DAYS);
                let seen = format!("up to {all}d");
                if over_within(all, self.within) {
                    (seen, String::new())
                } else {
                    let says =
                        format!("a deletion in {name}{keys} may take {all}d until it is final, required {}: {why}", self.within);
                    (seen, says)
                }
            }
            Term::Never => ("never".to_owned(), format!("a deletion in {name}{keys} may never be final: {why}")),
        };
        if says.is_empty() {
            tally.pass::<Lifecycle>(unit, format!("{name}: final {seen}, as {why}"), self.required());
            return;
        }
        let locked = matches!(most.cause, Cause::Locked(_) | Cause::Held);
        let subject = match most.cause.rule() {
            Some(rule) => rule.label(),
            None if locked => "object-lock",
            None if most.cause == Cause::MfaDelete => "mfa-delete",
            None => "no-rule",
        };
        let blame = if locked {
            tally.fail::<ObjectLock>(unit, says, seen, self.required())
        } else {
            tally.fail::<Lifecycle>(unit, says, seen, self.required())
        };
        let _ = blame.subject(subject);
    }

    /// Every version is deleted on request: only a lock stands in the way.
    fn locks(&self, unit: &ResourceId, lock: Option<&ObjectLock>, tally: &mut Tally) {
        let (says, seen) = match lock {
            Some(lock) if lock.event_hold => {
                ("new versions are held until an event, for no known term".to_owned(), "never".to_owned())
            }
            Some(ObjectLock { days: Some(days), .. }) if i64::from(*days) * 86_400 > self.within.seconds() => (
                format!("new versions are locked for {days}d from upload, and cannot be deleted within {}", self.within),
                format!("up to {days}d"),
            ),
            Some(_) | None => {
                return tally.pass::<ObjectLock>(
                    unit,
                    "every version is deleted on request, as the policy declares",
                    self.required(),
                );
            }
        };
        let _ = tally.fail::<ObjectLock>(unit, says, seen, self.required()).subject("object-lock");
    }
}
