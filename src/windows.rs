//! How long a deleted or overwritten document is still there, and how soon lifecycle rules alone destroy one.
//!
//! S3 adds the days of a rule to the moment at which a version was made (or became noncurrent) and rounds up to the next
//! midnight UTC: a rule of N days acts at least N and at most N + 1 days later, and removes the version some time after that.
//! Whether a moment that falls on midnight itself is rounded is not documented; the bounds hold either way.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>
//!
//! It must never count a rule as surely acting that asks for tags, sizes or anything else an auditor cannot see: such a rule
//! shortens the least and does not shorten the most.

use std::cmp::Ordering;

use crate::estate::KeySpace;
use crate::resources::s3_bucket::lifecycle::{Expiration, Lifecycle, Rule};
use crate::resources::s3_bucket::object_lock::ObjectLock;
use crate::resources::s3_bucket::versioning::{Status, Versioning};

/// Days allowed for what S3 does after the midnight at which a version is due. AWS names no limit; this is our assumption.
pub const ALLOWED_LAG_DAYS: u32 = 2;

/// The settings of a bucket that decide; `None` is what AWS calls not configured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings<'a> {
    pub versioning: Option<&'a Versioning>,
    pub lifecycle: Option<&'a Lifecycle>,
    pub lock: Option<&'a ObjectLock>,
}

/// Whole days, or without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    Days(u32),
    Never,
}

/// A bound with what decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound<'a> {
    pub term: Term,
    pub cause: Cause<'a>,
    /// The prefix of the keys that decide; empty means those that begin with no other prefix of a rule.
    pub keys: &'a str,
}

/// What decides a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause<'a> {
    /// Nothing keeps what is deleted or overwritten.
    NeverVersioned,
    /// A `null` version is deleted and overwritten for good.
    Suspended,
    /// The rule purges noncurrent versions.
    Purges(&'a Rule),
    /// The rule keeps this many noncurrent versions, whatever their age.
    Keeps(&'a Rule, i32),
    /// The rule that would purge asks for tags, sizes or something unknown.
    MayPurge(&'a Rule),
    /// The rule removes delete markers and no version.
    MarkersOnly(&'a Rule),
    /// No rule purges noncurrent versions.
    NothingPurges,
    /// Lifecycle rules do not act on a bucket with MFA Delete.
    MfaDelete,
    /// Every new version is locked for these days from its upload.
    Locked(i32),
    /// Every new version is held until an event.
    Held,
    /// The rule expires current versions.
    Expires(&'a Rule),
    /// No rule expires current versions.
    NothingExpires,
}

/// From the shortest to the longest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval<'a> {
    pub min: Bound<'a>,
    /// Until the version is due; [`ALLOWED_LAG_DAYS`] come on top.
    pub max: Bound<'a>,
}

/// The keys of a space that the same rules apply to.
#[derive(Debug)]
struct Class<'a> {
    prefix: &'a str,
    rules: Vec<&'a Rule>,
}

/// The settings of a bucket, seen from the keys that matter.
#[derive(Debug)]
pub struct Windows<'a> {
    settings: Settings<'a>,
    classes: Vec<Class<'a>>,
}

impl<'a> Windows<'a> {
    /// For one key space of the bucket.
    pub fn of(settings: Settings<'a>, space: &'a KeySpace) -> Self {
        let enabled = || settings.lifecycle.into_iter().flat_map(|lifecycle| &lifecycle.rules).filter(|rule| rule.enabled);
        let roots: Vec<&str> =
            if space.prefixes.is_empty() { vec![""] } else { space.prefixes.iter().map(String::as_str).collect() };
        let within = |prefix: &&str| roots.iter().any(|root| prefix.starts_with(root));
        let outside = |prefix: &str| space.exclude.iter().any(|out| prefix.starts_with(out.as_str()));
        // Keys under a prefix and under no longer one share their rules. Whether there are such keys is not asked.
        let mut prefixes: Vec<&str> = roots.iter().copied().chain(enabled().map(|rule| rule.prefix.as_str())).collect();
        prefixes.retain(|prefix| within(prefix) && !outside(prefix));
        prefixes.sort_unstable();
        prefixes.dedup();
        if prefixes.is_empty() {
            prefixes = roots; // All of it is excluded: judged as if it were not, rather than not at all.
        }
        let class =
            |prefix: &'a str| Class { prefix, rules: enabled().filter(|rule| prefix.starts_with(&rule.prefix)).collect() };
        Self { settings, classes: prefixes.into_iter().map(class).collect() }
    }

    /// The enabled rules that may apply to a key of the space, each once.
    pub fn rules(&self) -> Vec<&'a Rule> {
        let mut rules: Vec<&'a Rule> = Vec::new();
        for rule in self.classes.iter().flat_map(|class| &class.rules) {
            if !rules.iter().any(|known| std::ptr::eq(*known, *rule)) {
                rules.push(rule);
            }
        }
        rules
    }

    /// The rules that may purge noncurrent versions, each with the days that it surely leaves. A rule by number alone leaves
    /// none: enough overwrites in a row push a version out at the next midnight.
    pub fn purges(&self) -> Vec<(&'a Rule, u32)> {
        self.rules().into_iter().filter_map(|rule| Some((rule, least(rule)?))).collect()
    }

    /// From the deletion or the overwriting of a document (no version is named) until no version has its content. The least is
    /// what an accident leaves to notice it; the most is how long an erasure takes.
    ///
    /// Where a rule has days and `NewerNoncurrentVersions`, AWS's texts leave open whether both have to be exceeded: the least
    /// takes the days alone (of a single deletion), the most takes both.
    pub fn until_gone(&self) -> Interval<'a> {
        Interval {
            min: self.first(|class| self.soonest(class), Ordering::Less),
            max: self.first(|class| self.latest(class), Ordering::Greater),
        }
    }

    /// From the upload of a document until lifecycle rules alone have destroyed it: the least. A rule with a date acts on what
    /// was uploaded just before it, and every day from then on.
    pub fn life(&self) -> Bound<'a> {
        self.first(|class| self.shortest_life(class), Ordering::Less)
    }

    fn status(&self) -> Option<Status> {
        self.settings.versioning.and_then(|versioning| versioning.status)
    }

    fn mfa_delete(&self) -> bool {
        self.settings.versioning.is_some_and(|versioning| versioning.mfa_delete == Some(true))
    }

    /// The bound of the class that decides: the first of the least or of the greatest.
    fn first(&self, of: impl Fn(&Class<'a>) -> (Term, Cause<'a>), wanted: Ordering) -> Bound<'a> {
        let mut found: Option<Bound<'a>> = None;
        for class in &self.classes {
            let (term, cause) = of(class);
            if found.as_ref().is_none_or(|so_far| term.cmp(&so_far.term) == wanted) {
                found = Some(Bound { term, cause, keys: class.prefix });
            }
        }
        found.unwrap_or(Bound { term: Term::Days(0), cause: Cause::NothingPurges, keys: "" })
    }

    fn soonest(&self, class: &Class<'a>) -> (Term, Cause<'a>) {
        match self.status() {
            None => (Term::Days(0), Cause::NeverVersioned),
            Some(Status::Suspended) => (Term::Days(0), Cause::Suspended),
            Some(Status::Enabled) => self.soonest_purge(class),
        }
    }

    fn soonest_purge(&self, class: &Class<'a>) -> (Term, Cause<'a>) {
        let purging = class.rules.iter().filter_map(|rule| Some((least(rule)?, *rule)));
        match purging.min_by_key(|(days, _)| *days) {
            Some((days, rule)) => (Term::Days(days), Cause::Purges(rule)),
            None if self.mfa_delete() => (Term::Never, Cause::MfaDelete),
            None => (Term::Never, Cause::NothingPurges),
        }
    }

    fn latest(&self, class: &Class<'a>) -> (Term, Cause<'a>) {
        // Suspended: versions that were made while versioning was enabled stay.
        let Some(Status::Enabled | Status::Suspended) = self.status() else { return (Term::Days(0), Cause::NeverVersioned) };
        if self.mfa_delete() {
            return (Term::Never, Cause::MfaDelete);
        }
        let sure = |rule: &&&'a Rule| !rule.narrowed;
        let aged = class.rules.iter().filter(sure).filter(|rule| kept(rule).is_none());
        let purging = aged.filter_map(|rule| Some((days(rule.noncurrent_days?), *rule))).min_by_key(|(days, _)| *days);
        let Some((days, rule)) = purging else {
            return (Term::Never, self.why_never(class));
        };
        match self.settings.lock {
            Some(lock) if lock.event_hold => (Term::Never, Cause::Held),
            Some(ObjectLock { days: Some(locked), .. }) if *locked > rule.noncurrent_days.unwrap_or_default() => {
                (Term::Days(self::days(*locked).saturating_add(1)), Cause::Locked(*locked))
            }
            Some(_) | None => (Term::Days(days.saturating_add(1)), Cause::Purges(rule)),
        }
    }

    fn why_never(&self, class: &Class<'a>) -> Cause<'a> {
        let rules = || class.rules.iter().copied();
        let keeps = rules().filter(|rule| !rule.narrowed).find_map(|rule| Some(Cause::Keeps(rule, kept(rule)?)));
        let may = || rules().find(|rule| least(rule).is_some()).map(Cause::MayPurge);
        let markers = || rules().find(|rule| rule.expiration == Some(Expiration::MarkersOnly)).map(Cause::MarkersOnly);
        keeps.or_else(may).or_else(markers).unwrap_or(Cause::NothingPurges)
    }

    fn shortest_life(&self, class: &Class<'a>) -> (Term, Cause<'a>) {
        let expiring = class.rules.iter().filter_map(|rule| match rule.expiration {
            Some(Expiration::Days(after)) => Some((days(after), *rule)),
            Some(Expiration::Date(_)) => Some((0, *rule)),
            Some(Expiration::MarkersOnly) | None => None,
        });
        let Some((after, rule)) = expiring.min_by_key(|(days, _)| *days) else { return (Term::Never, Cause::NothingExpires) };
        if self.status() != Some(Status::Enabled) {
            return (Term::Days(after), Cause::Expires(rule));
        }
        match self.soonest_purge(class) {
            (Term::Days(more), _) => (Term::Days(after.saturating_add(more)), Cause::Expires(rule)),
            never => never,
        }
    }
}

fn days(days: i32) -> u32 {
    u32::try_from(days).unwrap_or_default()
}

/// The newest noncurrent versions that a rule keeps.
fn kept(rule: &Rule) -> Option<i32> {
    rule.newer_noncurrent.filter(|kept| *kept > 0)
}

/// The days after which a rule may purge, if it purges at all.
fn least(rule: &Rule) -> Option<u32> {
    match (rule.noncurrent_days, rule.newer_noncurrent) {
        (Some(after), _) => Some(days(after)),
        (None, Some(_)) => Some(0),
        (None, None) => None,
    }
}

impl Term {
    /// `30d`, or `forever`.
    pub fn label(self) -> String {
        match self {
            Self::Days(days) => format!("{days}d"),
            Self::Never => "forever".to_owned(),
        }
    }
}

impl Cause<'_> {
    /// The rule that decides.
    pub fn rule(&self) -> Option<&Rule> {
        match self {
            Self::Purges(rule) | Self::Keeps(rule, _) | Self::MayPurge(rule) | Self::MarkersOnly(rule) | Self::Expires(rule) => {
                Some(rule)
            }
            Self::NeverVersioned
            | Self::Suspended
            | Self::NothingPurges
            | Self::MfaDelete
            | Self::Locked(_)
            | Self::Held
            | Self::NothingExpires => None,
        }
    }

    /// A clause for a report.
    pub fn told(&self) -> String {
        let label = self.rule().map(Rule::label).unwrap_or_default();
        match self {
            Self::NeverVersioned => "versioning was never enabled".to_owned(),
            Self::Suspended => "versioning is suspended".to_owned(),
            Self::Purges(rule) if rule.noncurrent_days.is_none() => format!("rule {label} purges noncurrent versions by number"),
            Self::Purges(rule) => {
                format!("rule {label} purges noncurrent versions after {}d", rule.noncurrent_days.unwrap_or_default())
            }
            Self::Keeps(_, kept) => format!("rule {label} keeps the newest {kept} noncurrent versions whatever their age"),
            Self::MayPurge(_) => format!("rule {label} asks for tags, sizes or something unknown, and may not apply"),
            Self::MarkersOnly(_) => format!("rule {label} removes delete markers only"),
            Self::NothingPurges => "no rule purges noncurrent versions".to_owned(),
            Self::MfaDelete => "lifecycle rules do not act on a bucket with MFA Delete".to_owned(),
            Self::Locked(days) => format!("Object Lock keeps new versions for {days}d from their upload"),
            Self::Held => "Object Lock holds new versions until an event".to_owned(),
            Self::Expires(_) => format!("rule {label} expires current versions"),
            Self::NothingExpires => "no rule expires current versions".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule() -> impl Strategy<Value = Rule> {
        let prefix = proptest::sample::select(vec!["", "a", "a/", "a/b/", "b/", "tmp/"]);
        let expiration = proptest::sample::select(vec![
            None,
            Some(Expiration::Days(3)),
            Some(Expiration::Date("2020-01-01T00:00:00Z".to_owned())),
            Some(Expiration::MarkersOnly),
        ]);
        let (days, newer) = (proptest::option::of(1..90_i32), proptest::option::of(1..4_i32));
        (prefix, expiration, days, newer, any::<bool>(), proptest::bool::weighted(0.8)).prop_map(
            |(prefix, expiration, noncurrent_days, newer_noncurrent, narrowed, enabled)| Rule {
                prefix: prefix.to_owned(),
                expiration,
                noncurrent_days,
                newer_noncurrent,
                narrowed,
                enabled,
                ..Rule::default()
            },
        )
    }

    fn versioning() -> impl Strategy<Value = Option<Versioning>> {
        let mfa = Versioning { mfa_delete: Some(true), ..Versioning::enabled() };
        proptest::sample::select(vec![None, Some(Versioning::enabled()), Some(Versioning::suspended()), Some(mfa)])
    }

    /// Least, most and life.
    fn terms(versioning: Option<&Versioning>, rules: &[Rule], space: &KeySpace) -> (Term, Term, Term) {
        let lifecycle = Lifecycle { rules: rules.to_vec() };
        let windows = Windows::of(Settings { versioning, lifecycle: Some(&lifecycle), lock: None }, space);
        let gone = windows.until_gone();
        (gone.min.term, gone.max.term, windows.life().term)
    }

    proptest! {
        #[test]
        fn what_is_not_known_never_helps(versioning in versioning(), rules in proptest::collection::vec(rule(), 0..6), at in 0..6_usize) {
            let versioning = versioning.as_ref();
            let all = KeySpace::default();
            let (least, most, life) = terms(versioning, &rules, &all);
            prop_assert!(least <= most);
            // A rule that may not apply shortens what it shortened before, and no longer ends an erasure.
            let mut unsure = rules.clone();
            if let Some(rule) = unsure.get_mut(at) {
                rule.narrowed = true;
            }
            let (l, m, f) = terms(versioning, &unsure, &all);
            prop_assert!(l == least && m >= most && f == life);
            // Without a rule nothing is lost sooner.
            let mut fewer = rules.clone();
            if at < fewer.len() {
                fewer.remove(at);
            }
            let (l, _, f) = terms(versioning, &fewer, &all);
            prop_assert!(l >= least && f >= life);
            // Fewer keys are lost no sooner and erased no later.
            let part = KeySpace { prefixes: vec!["a/".to_owned()], exclude: vec!["a/b/".to_owned()] };
            let (l, m, f) = terms(versioning, &rules, &part);
            prop_assert!(l >= least && m <= most && f >= life);
        }
    }
}
