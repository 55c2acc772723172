use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Claim, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, KeySpace, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::lifecycle::{Expiration, Lifecycle, Rule};
use crate::resources::s3_bucket::versioning::Versioning;
use crate::units::Span;
use crate::view::View;
use crate::windows::{Settings, Term, Windows};

/// A document that was deleted or overwritten by accident can still be brought back for long enough.
///
/// # Why
/// What counts is not that versioning is on, but how long a loss may go unnoticed. A lifecycle rule that purges noncurrent
/// versions ends that time, in spite of every Deny and without an event in CloudTrail.
///
/// # Fails when
/// The window is shorter than `accidental`: versioning was never enabled or is suspended (the window is nothing), or an
/// enabled rule that may apply to a key of the copy purges noncurrent versions sooner. Each such rule is named. The window is
/// judged over exactly the keys of each copy that the bucket is: rules about excluded prefixes do not count.
///
/// A rule of N days acts between N and N + 1 days after the accident, at a midnight UTC, and some time after that: N days are
/// guaranteed. Rules that also ask for tags or sizes may apply to any key and count. A rule that purges by number alone counts
/// as no time. Without any such rule, and under MFA Delete, versions stay forever.
///
/// Not seen: who may delete versions by hand (`s3-bucket-least-privilege`), and locks that keep versions longer.
///
/// # Fix
/// Enable versioning, and raise `NoncurrentDays` of the named rules. Versions that a rule has purged do not come back.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketRecoveryWindow {
    /// How long a document must be recoverable after an accidental deletion or overwriting.
    accidental: Span,
}

impl CheckType for S3BucketRecoveryWindow {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-recovery-window",
        unit: Kind::S3Bucket,
        severity: Severity::Critical,
        title: "A document lost by accident can be brought back for long enough",
        fix: "enable versioning, and raise NoncurrentDays of every lifecycle rule that may apply to the documents",
        references: &["NIST-800-53:CP-9", "NIST-800-53:CP-10", "SOC2:A1.2", "MITRE-ATTACK:T1490"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let rule = |days| Rule { id: Some("purge".to_owned()), enabled: true, noncurrent_days: Some(days), ..Rule::default() };
        let case = |example: Example, rules: Vec<Rule>| {
            example
                .with(serde_json::json!({ "accidental": "30d" }))
                .known(&primary(), Versioning::enabled())
                .known(&primary(), Lifecycle { rules })
        };
        let only = |example: Example, prefix: &'static str| {
            example.estate(move |estate| {
                for copy in estate.stores.values_mut().flat_map(|store| store.copies.values_mut()) {
                    copy.keys.prefixes = vec![prefix.to_owned()];
                }
            })
        };
        let mfa = Versioning { mfa_delete: Some(true), ..Versioning::enabled() };
        let tidy = Rule { expiration: Some(Expiration::Days(1)), ..rule(30) };
        vec![
            case(Example::pass("exactly as long", on.clone()), vec![rule(30)]),
            case(Example::pass("no rule at all", on.clone()), vec![]).absent::<Lifecycle>(&on),
            case(Example::pass("MFA Delete", on.clone()), vec![]).known(&on, mfa).absent::<Lifecycle>(&on),
            case(
                Example::pass("a legacy prefix beside the documents", on.clone()),
                vec![Rule { prefix: "tmp/".to_owned(), ..rule(1) }],
            )
            .estate(|estate| {
                for copy in estate.stores.values_mut().flat_map(|store| store.copies.values_mut()) {
                    copy.keys.exclude.push("tmp/".to_owned());
                }
            }),
            case(Example::pass("expired documents wait as long", on.clone()), vec![tidy]),
            case(Example::fail("a day too short", on.clone()), vec![rule(90), rule(29)]),
            case(Example::fail("a rule on part of the keys", on.clone()), vec![Rule { prefix: "a/b/".to_owned(), ..rule(1) }]),
            case(
                only(Example::fail("a rule around the copy", on.clone()), "a/b/"),
                vec![Rule { prefix: "a/".to_owned(), ..rule(1) }],
            ),
            case(Example::fail("may apply through a tag", on.clone()), vec![Rule { narrowed: true, ..rule(1) }]),
            case(
                Example::fail("by number only", on.clone()),
                vec![Rule { noncurrent_days: None, newer_noncurrent: Some(5), ..rule(0) }],
            ),
            case(Example::fail("suspended", on.clone()), vec![]).known(&on, Versioning::suspended()).absent::<Lifecycle>(&on),
            case(Example::fail("never versioned", on.clone()), vec![]).absent::<Versioning>(&on).absent::<Lifecycle>(&on),
            case(Example::unknown("lifecycle denied", on.clone()), vec![rule(30)]).denied::<Lifecycle>(&on),
            case(Example::unknown("versioning denied", on.clone()), vec![rule(30)]).denied::<Versioning>(&on),
        ]
    }
}

impl Check for S3BucketRecoveryWindow {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Versioning::SPEC, Lifecycle::SPEC])]
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim::RecoverableFor(self.accidental)]
    }

    fn problems(&self) -> Vec<String> {
        let none = self.accidental.seconds() == 0;
        none.then(|| "`accidental` of nothing requires nothing; write for example `30d`".to_owned()).into_iter().collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        kept(unit, view, self.accidental)
    }
}

/// The key spaces of a bucket with a name for a report: those of the copies it is, or all of it.
pub(super) fn spaces(unit: &ResourceId, view: &View<'_>) -> Vec<(String, KeySpace)> {
    let copies = view.estate.copies_of(unit).map(|(store, name, copy)| (format!("{store}/{name}"), copy.keys.clone()));
    let spaces: Vec<(String, KeySpace)> = copies.collect();
    if spaces.is_empty() { vec![("the bucket".to_owned(), KeySpace::default())] } else { spaces }
}

/// Whether a term of whole days is over within a span.
pub(super) fn over_within(days: u32, span: Span) -> bool {
    i64::from(days).saturating_mul(86_400) <= span.seconds()
}

/// Judges that what is deleted or overwritten is kept for so long.
pub(super) fn kept(unit: &ResourceId, view: &View<'_>, required: Span) -> Judgement {
    let mut tally = Tally::new();
    let versioning = tally.read(view.read::<Versioning>(unit));
    if let Some(found) = versioning
        && !found.is_some_and(Versioning::is_enabled)
    {
        let seen = found.map_or("never enabled", Versioning::label);
        let says = format!("versioning is {seen}, so a deleted or overwritten document is not kept");
        let _ = tally
            .fail::<Versioning>(unit, says, seen, "enabled")
            .subject("versioning")
            .fix("enable versioning (PutBucketVersioning, Status=Enabled)");
    }
    let Some(lifecycle) = tally.read(view.read::<Lifecycle>(unit)) else { return tally.finish() };
    let must = format!("noncurrent versions kept for at least {required}");
    let spaces = spaces(unit, view);
    let mut blamed: Vec<&Rule> = Vec::new();
    for (name, space) in &spaces {
        let windows = Windows::of(Settings { versioning: versioning.flatten(), lifecycle, lock: None }, space);
        for (rule, days) in windows.purges() {
            let enough = i64::from(days).saturating_mul(86_400) >= required.seconds();
            if enough || blamed.iter().any(|known| std::ptr::eq(*known, rule)) {
                continue;
            }
            blamed.push(rule);
            let may = if rule.narrowed { " (it asks for tags or sizes too, and may apply to any key)" } else { "" };
            let says = format!("rule {} purges noncurrent versions after {days}d, required {required}{may}", rule.label());
            let _ = tally.fail::<Lifecycle>(unit, says, format!("{days}d"), must.clone()).subject(rule.label()).fix(format!(
                "raise NoncurrentDays of rule {} to at least {}",
                rule.label(),
                required.whole_days()
            ));
        }
        let least = windows.until_gone().min;
        let life = match windows.life().term {
            Term::Days(days) => format!("; by lifecycle rules alone a document is gone {days}d after its upload"),
            Term::Never => String::new(),
        };
        tally.pass::<Lifecycle>(
            unit,
            format!("{name}: kept {}, as {}{life}", stays(least.term), least.cause.told()),
            must.clone(),
        );
    }
    tally.finish()
}

fn stays(term: Term) -> String {
    match term {
        Term::Days(days) => format!("for at least {days}d"),
        Term::Never => "forever".to_owned(),
    }
}
