//! Controls that no bucket can satisfy together.
//!
//! It must never refuse a policy on a guess: two controls contradict each other only where both surely apply.

use std::collections::{BTreeMap, BTreeSet};

use super::Control;
use super::controls::Placed;
use super::diagnostic::{Diagnostic, quote};
use crate::checks::Claim;
use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::Kind;
use crate::scope::{Scope, Search, glob_matches};

/// Every pair of controls that contradict each other.
pub(super) fn find(controls: &[Placed<'_>], estate: &Estate) -> Vec<Diagnostic> {
    let mut claimed: BTreeMap<Place, Vec<(usize, Claim)>> = BTreeMap::new();
    for (number, placed) in controls.iter().enumerate() {
        let firsts = placed.control.check.claims().into_iter();
        let firsts: Vec<Claim> =
            firsts.filter(|claim| !matches!(claim, Claim::NeedsLifecycleRule(_) | Claim::ErasedWithin { .. })).collect();
        if firsts.is_empty() {
            continue;
        }
        for place in surely(&placed.control, estate) {
            claimed.entry(place).or_default().extend(firsts.iter().map(|claim| (number, claim.clone())));
        }
    }
    let mut problems = Vec::new();
    if claimed.is_empty() {
        return problems;
    }
    for other in controls {
        let seconds = other.control.check.claims();
        if seconds.is_empty() {
            continue;
        }
        let mut met: BTreeMap<usize, (Place, Quarrel)> = BTreeMap::new();
        for place in surely(&other.control, estate) {
            let firsts = claimed.get(&place).into_iter().flatten();
            let quarrels =
                firsts.flat_map(|(number, first)| seconds.iter().filter_map(|second| Some((*number, quarrel(first, second)?))));
            for (number, quarrel) in quarrels.take(MOST) {
                met.entry(number).or_insert_with(|| (place.clone(), quarrel));
            }
        }
        let met = met.into_iter().filter_map(|(number, (place, quarrel))| Some((controls.get(number)?, place, quarrel)));
        problems.extend(met.take(MOST).map(|(one, place, quarrel)| refuse(one, other, quarrel, &place)));
    }
    problems
}

fn refuse(one: &Placed<'_>, other: &Placed<'_>, quarrel: Quarrel, place: &Place) -> Diagnostic {
    let (first, second) = (quote(&one.control.id), quote(&other.control.id));
    other
        .at
        .error(format!("controls {first} and {second} contradict each other on {}", place.told()))
        .label(quarrel.second)
        .also(one.at.source, one.at.node.place, quarrel.first)
        .note(quarrel.why)
        .hint(quarrel.hint)
}

/// Why two claims cannot both hold.
struct Quarrel {
    first: String,
    second: String,
    why: String,
    hint: String,
}

/// Days between the last day that a noncurrent version is kept and the day on which its erasure counts as final: up to one to
/// the next midnight, and what is allowed for S3 to act.
const SLACK: i64 = 1 + crate::windows::ALLOWED_LAG_DAYS as i64;

fn quarrel(first: &Claim, second: &Claim) -> Option<Quarrel> {
    match (first, second) {
        (Claim::MfaDelete, Claim::NeedsLifecycleRule(what)) => Some(Quarrel {
            first: "this requires MFA Delete".to_owned(),
            second: format!("only a lifecycle rule can satisfy this: {what}"),
            why: "AWS refuses lifecycle rules on a bucket with MFA Delete, and MFA Delete on a bucket with lifecycle rules"
                .to_owned(),
            hint: "narrow the scope of one of them, for example to another copy".to_owned(),
        }),
        (Claim::RecoverableFor(window), Claim::ErasedWithin { within, purged: false }) => {
            let (least, most) = (window.whole_days().cast_signed(), within.seconds() / 86_400 - SLACK);
            (least > most).then(|| Quarrel {
                first: format!("this keeps what was deleted for {window}"),
                second: format!("this wants it gone within {within}"),
                why: format!(
                    "a rule that satisfies both has NoncurrentDays of at least {least} and at most {most}: it acts up to a day later, \
                     at midnight UTC, and {} days are allowed for S3 to act",
                    crate::windows::ALLOWED_LAG_DAYS
                ),
                hint: shorten(least, most),
            })
        }
        (Claim::LockedFor(lock), Claim::ErasedWithin { within, .. }) => (lock > within).then(|| Quarrel {
            first: format!("this locks every new version for {lock} from its upload"),
            second: format!("this wants a document gone within {within}"),
            why: "a document whose deletion is requested on the day of its upload stays until its lock ends".to_owned(),
            hint: format!(
                "lock for at most {within}, allow {lock} for the erasure, or narrow the scope of one of them to another copy"
            ),
        }),
        _other => None,
    }
}

fn shorten(least: i64, most: i64) -> String {
    let window = if most > 0 { format!(", ask for a window of at most {most}d") } else { String::new() };
    format!(
        "allow {}d for the erasure{window}, or delete every version on request and say so by `purged-on-request: true`",
        least.saturating_add(SLACK)
    )
}

/// Controls that can match nothing that the policy declares, told once: each would be unknown in every audit.
pub(super) fn idle(controls: &[Placed<'_>], estate: &Estate) -> Option<Diagnostic> {
    let nothing = |placed: &&Placed<'_>| {
        let unit = placed.control.check.meta().unit;
        let aws = |key: &AccountKey| estate.accounts.get(key).is_some_and(crate::estate::Account::is_aws);
        match placed.control.scope.search(estate, unit) {
            _ if placed.control.allow_empty || unit == Kind::Policy || estate.accounts.is_empty() => false,
            Search::Named(ids) => ids.is_empty(),
            Search::Listed(accounts) => accounts.is_empty() || (unit != Kind::S3Bucket && !accounts.iter().any(aws)),
        }
    };
    let idle: Vec<&Placed<'_>> = controls.iter().filter(nothing).collect();
    let first = idle.first()?;
    let ids: Vec<String> = idle.iter().take(MOST).map(|placed| quote(&placed.control.id)).collect();
    let what = if idle.len() == 1 { "a control" } else { "controls" };
    Some(
        first
            .at
            .warning(format!("{what} can match nothing that the policy declares: {}", ids.join(", ")))
            .note("a control that matches nothing is unknown, and an audit with it incomplete")
            .hint("declare what it is about (`stores`, `accounts`), remove it, or write `allow-empty: true`"),
    )
}

/// More controls than these are not told of one that contradicts them.
const MOST: usize = 20;

/// What a control surely applies to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Bucket(AccountKey, String),
    /// Whatever buckets there are.
    Every(AccountKey),
}

impl Place {
    fn told(&self) -> String {
        match self {
            Self::Bucket(_, name) => format!("bucket {}", quote(name)),
            Self::Every(account) => format!("every bucket of account {}", quote(account.as_str())),
        }
    }
}

fn surely(control: &Control, estate: &Estate) -> BTreeSet<Place> {
    let scope = &control.scope;
    let unit = control.check.meta().unit;
    let mut places = BTreeSet::new();
    if !scope.tags.is_empty() {
        return places;
    }
    let bucket = |id: ResourceId| Place::Bucket(id.account, id.name.to_string());
    if unit == Kind::Store {
        let kept = |name: &str| scope.names_store(name) && !scope.excepts(estate, &ResourceId::store(name));
        let of = estate.stores.iter().filter(|(name, _)| kept(name));
        places.extend(of.flat_map(|(_, store)| store.copies.values()).flat_map(|copy| copy.resources()).map(bucket));
        return places;
    }
    if unit != Kind::S3Bucket {
        return places;
    }
    match scope.search(estate, unit) {
        Search::Named(ids) => places.extend(ids.into_iter().map(bucket)),
        Search::Listed(accounts) => {
            let declared = estate.stores.values().flat_map(|store| store.copies.values()).flat_map(|copy| copy.resources());
            places.extend(declared.filter(|id| accounts.contains(&id.account) && matches(scope, estate, id)).map(bucket));
            if scope.names.is_empty() && scope.except.is_empty() {
                places.extend(accounts.into_iter().map(Place::Every));
            }
        }
    }
    places
}

fn matches(scope: &Scope, estate: &Estate, id: &ResourceId) -> bool {
    let named = scope.names.is_empty() || scope.names.iter().any(|glob| glob_matches(glob, &id.name));
    named && !scope.excepts(estate, id)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::checks::{Check, Meta, Severity};
    use crate::demand::Demand;
    use crate::estate::{Copy, KeySpace, Store};
    use crate::judgement::Judgement;
    use crate::policy::cursor::Cursor;
    use crate::policy::source::Source;
    use crate::policy::tree::{Node, Value};
    use crate::scope::AccountScope;
    use crate::view::View;

    #[derive(Debug)]
    struct Claims(Kind, Claim);

    impl Check for Claims {
        fn meta(&self) -> &'static Meta {
            const fn meta(unit: Kind) -> Meta {
                Meta { id: "x", unit, severity: Severity::High, title: "", fix: "", references: &[] }
            }
            static BUCKET: Meta = meta(Kind::S3Bucket);
            static STORE: Meta = meta(Kind::Store);
            if self.0 == Kind::Store { &STORE } else { &BUCKET }
        }

        fn demands(&self, _: &Estate) -> Vec<Demand> {
            Vec::new()
        }

        fn claims(&self) -> Vec<Claim> {
            vec![self.1.clone()]
        }

        fn judge(&self, _: &ResourceId, _: &View<'_>) -> Judgement {
            Judgement::Pass(Vec::new())
        }
    }

    fn estate() -> Estate {
        let copy = |account: &str, bucket: &str| Copy {
            account: AccountKey::new(account),
            buckets: vec![bucket.to_owned()],
            keys: KeySpace::default(),
            fed_by: None,
        };
        let copies = [("a".to_owned(), copy("one", "acme-a")), ("b".to_owned(), copy("two", "acme-b"))];
        let accounts = ["one", "two"].map(|name| (AccountKey::new(name), crate::estate::Account::default()));
        Estate { accounts: accounts.into(), stores: BTreeMap::from([("s".to_owned(), Store { copies: copies.into() })]) }
    }

    fn scope(change: impl FnOnce(&mut Scope)) -> Scope {
        let mut scope = Scope::default();
        change(&mut scope);
        scope
    }

    #[test]
    fn claims_that_cannot_both_hold() {
        let days = crate::units::Span::days;
        let erased = |within, purged| Claim::ErasedWithin { within: days(within), purged };
        for (first, second, refused) in [
            (Claim::RecoverableFor(days(30)), erased(90, false), false),
            (Claim::RecoverableFor(days(27)), erased(30, false), false),
            (Claim::RecoverableFor(days(28)), erased(30, false), true),
            (Claim::RecoverableFor("649h".parse().unwrap()), erased(30, false), true),
            (Claim::RecoverableFor(days(28)), erased(30, true), false),
            (Claim::RecoverableFor(days(28)), Claim::NeedsLifecycleRule("x"), false),
            (Claim::LockedFor(days(30)), erased(30, false), false),
            (Claim::LockedFor(days(31)), erased(30, false), true),
            (Claim::LockedFor(days(31)), erased(30, true), true),
            (Claim::MfaDelete, erased(30, false), false),
            (Claim::MfaDelete, Claim::NeedsLifecycleRule("x"), true),
            (Claim::MfaDelete, Claim::RecoverableFor(days(28)), false),
            (Claim::LockedFor(days(31)), Claim::RecoverableFor(days(28)), false),
        ] {
            assert_eq!(quarrel(&first, &second).is_some(), refused, "{first:?} {second:?}");
        }
        let found = quarrel(&Claim::RecoverableFor(days(14)), &erased(10, false)).unwrap();
        assert!(found.why.contains("at least 14 and at most 7"), "{}", found.why);
        assert!(found.hint.contains("allow 17d") && found.hint.contains("at most 7d"), "{}", found.hint);
    }

    #[test]
    fn only_what_surely_meets_is_refused() {
        let copy = |name: &str| scope(|s| s.copy = Some(("s".to_owned(), name.to_owned())));
        let store = |name: &str| scope(|s| s.store = Some(name.to_owned()));
        let names = |glob: &str| scope(|s| s.names = vec![glob.to_owned()]);
        let tagged = scope(|s| s.tags = BTreeMap::from([("k".to_owned(), "v".to_owned())]));
        let without = |names: &[&str], copies: &[&str]| {
            scope(|s| {
                s.except.names = names.iter().map(|name| (*name).to_owned()).collect();
                s.except.copies = copies.iter().map(|name| ("s".to_owned(), (*name).to_owned())).collect();
            })
        };
        let account = |name: &str| scope(|s| s.account = AccountScope::One(AccountKey::new(name)));
        let bucket = Kind::S3Bucket;
        for (name, one, unit, other, meet) in [
            ("the same copy", copy("a"), bucket, copy("a"), true),
            ("another copy", copy("a"), bucket, copy("b"), false),
            ("a copy of the store", copy("a"), bucket, store("s"), true),
            ("a copy of every store", copy("a"), bucket, store("*"), true),
            ("a check of the store", copy("a"), Kind::Store, store("s"), true),
            ("everything", Scope::default(), bucket, Scope::default(), true),
            ("a declared bucket and everything", copy("a"), bucket, Scope::default(), true),
            ("a glob over a declared bucket", copy("a"), bucket, names("acme-*"), true),
            ("a glob over other buckets", copy("a"), bucket, names("prod-*"), false),
            ("tags", copy("a"), bucket, tagged, false),
            ("other accounts", account("one"), bucket, account("two"), false),
            ("all but the copy", copy("a"), bucket, without(&[], &["a"]), false),
            ("all but another copy", copy("a"), bucket, without(&[], &["b"]), true),
            ("all but its name", copy("a"), bucket, without(&["acme-a"], &[]), false),
            (
                "all but some and all",
                without(&["x-*"], &[]),
                bucket,
                Scope { names: vec!["y".to_owned()], ..Scope::default() },
                false,
            ),
            ("one account and all", account("one"), bucket, Scope::default(), true),
        ] {
            let source = Arc::new(Source::new("a.yaml", "one: 1\nother: 2\n".to_owned()));
            let nodes = [(0, 3), (7, 12)].map(|(from, to)| Node { value: Value::Null, place: source.place(from, to) });
            let placed = |id: &str, scope: Scope, unit, claim, node| {
                let at = Cursor::new(&source, node);
                let control = Control {
                    id: id.to_owned(),
                    check: Box::new(Claims(unit, claim)),
                    scope,
                    severity: Severity::High,
                    references: Vec::new(),
                    description: None,
                    allow_empty: false,
                    at: at.at(),
                };
                Placed { control, at }
            };
            let controls = [
                placed("one", one, bucket, Claim::MfaDelete, &nodes[0]),
                placed("other", other, unit, Claim::NeedsLifecycleRule("it aborts uploads"), &nodes[1]),
            ];
            let problems = find(&controls, &estate());
            assert_eq!(problems.len(), usize::from(meet), "{name}");
            for problem in problems {
                assert!(problem.title.contains("`one` and `other`"), "{name}: {}", problem.title);
                assert_eq!((problem.place.line, problem.also[0].place.line), (2, 1));
            }
        }
    }
}
