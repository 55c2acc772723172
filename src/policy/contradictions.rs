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
    let claims = |placed: &Placed<'_>| placed.control.check.claims();
    let mut locked: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
    for (number, placed) in controls.iter().enumerate().filter(|(_, placed)| claims(placed).contains(&Claim::MfaDelete)) {
        for place in surely(&placed.control, estate) {
            locked.entry(place).or_default().push(number);
        }
    }
    let mut problems = Vec::new();
    if locked.is_empty() {
        return problems;
    }
    for other in controls {
        let needed = claims(other).into_iter().find_map(|claim| match claim {
            Claim::NeedsLifecycleRule(what) => Some(what),
            Claim::MfaDelete => None,
        });
        let Some(what) = needed else { continue };
        let mut met: BTreeMap<usize, Place> = BTreeMap::new();
        for place in surely(&other.control, estate) {
            for number in locked.get(&place).into_iter().flatten().take(MOST) {
                met.entry(*number).or_insert_with(|| place.clone());
            }
        }
        let met = met.iter().filter_map(|(number, place)| Some((controls.get(*number)?, place)));
        problems.extend(met.take(MOST).map(|(one, place)| refuse(one, other, what, place)));
    }
    problems
}

fn refuse(one: &Placed<'_>, other: &Placed<'_>, what: &str, place: &Place) -> Diagnostic {
    let (first, second) = (quote(&one.control.id), quote(&other.control.id));
    other
        .at
        .error(format!("controls {first} and {second} contradict each other on {}", place.told()))
        .label(format!("only a lifecycle rule can satisfy this: {what}"))
        .also(one.at.source, one.at.node.place, "this requires MFA Delete")
        .note("AWS refuses lifecycle rules on a bucket with MFA Delete, and MFA Delete on a bucket with lifecycle rules")
        .hint("narrow the scope of one of them, for example to another copy")
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
        let of = estate.stores.iter().filter(|(name, _)| scope.names_store(name));
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
            places.extend(declared.filter(|id| accounts.contains(&id.account) && matches(scope, &id.name)).map(bucket));
            if scope.names.is_empty() {
                places.extend(accounts.into_iter().map(Place::Every));
            }
        }
    }
    places
}

fn matches(scope: &Scope, name: &str) -> bool {
    scope.names.is_empty() || scope.names.iter().any(|glob| glob_matches(glob, name))
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
    fn only_what_surely_meets_is_refused() {
        let copy = |name: &str| scope(|s| s.copy = Some(("s".to_owned(), name.to_owned())));
        let store = |name: &str| scope(|s| s.store = Some(name.to_owned()));
        let names = |glob: &str| scope(|s| s.names = vec![glob.to_owned()]);
        let tagged = scope(|s| s.tags = BTreeMap::from([("k".to_owned(), "v".to_owned())]));
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
