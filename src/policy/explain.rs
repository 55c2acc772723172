//! What a policy requires, in plain words: by store and copy, by account, then what is accepted and what nobody looks at.
//!
//! It must never judge, and never leave out a control.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::packs::pack;
use super::source::SourceFile;
use super::{Accepts, Control, Policy, Waiver, tree};
use crate::estate::{AccountKey, Copy, ResourceId};
use crate::fact::Kind;
use crate::scope::{AccountScope, Scope, Search, glob_matches};

/// A line of the explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// 0 is a heading.
    pub level: usize,
    pub text: String,
}

/// Explains a policy that was loaded from these files.
pub fn explain(policy: &Policy, files: &[SourceFile], now: Timestamp) -> Vec<Line> {
    let mut words = Words { policy, written: written(files), lines: Vec::new(), told: vec![false; policy.controls.len()] };
    words.head();
    for name in policy.estate.stores.keys() {
        words.store(name);
    }
    words.accounts();
    words.rest();
    words.waivers(now);
    words.uncovered();
    words.lines
}

/// What files and packs write of a control: parameters, and whether the description is of the same hand.
#[derive(Default)]
struct Written {
    with: Map<String, Json>,
    described: bool,
}

fn written(files: &[SourceFile]) -> BTreeMap<String, Written> {
    let roots: Vec<_> = files.iter().filter_map(|file| tree::read(file).1).collect();
    let packs = roots.iter().filter_map(|root| root.entry("extends")).flat_map(|(_, list)| list.items());
    let packs = packs.filter_map(|name| pack(name.as_str()?));
    let packs = packs.map(|pack| SourceFile { path: pack.path.to_owned(), bytes: pack.text.as_bytes().to_vec() });
    let packs: Vec<_> = packs.filter_map(|file| tree::read(&file).1).collect();
    let mut found: BTreeMap<String, Written> = BTreeMap::new();
    let controls = packs.iter().chain(&roots).filter_map(|root| root.entry("controls")).flat_map(|(_, list)| list.items());
    for control in controls {
        let Some(id) = control.entry("id").and_then(|(_, id)| id.as_str()) else { continue };
        let of = found.entry(id.to_owned()).or_default();
        let with = control.entry("with").map(|(_, with)| with.to_json());
        let described = control.entry("description").is_some();
        of.described = described || of.described && with.is_none();
        if let Some(Json::Object(with)) = with {
            of.with.extend(with);
        }
    }
    found
}

struct Words<'a> {
    policy: &'a Policy,
    written: BTreeMap<String, Written>,
    lines: Vec<Line>,
    /// Controls that were told of at least one resource.
    told: Vec<bool>,
}

fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

impl Words<'_> {
    fn line(&mut self, level: usize, text: String) {
        self.lines.push(Line { level, text });
    }

    fn head(&mut self) {
        let estate = &self.policy.estate;
        let text = format!(
            "{}: {} over {} and {}",
            self.policy.name,
            count(self.policy.controls.len(), "control"),
            count(estate.accounts.len(), "account"),
            count(estate.stores.len(), "store")
        );
        self.line(0, text);
    }

    /// One sentence: what is required, with parameters, id and severity.
    fn sentence(&self, control: &Control) -> String {
        let of = self.written.get(&control.id);
        let described = control.description.as_deref().filter(|_| of.is_some_and(|of| of.described));
        let says = described.unwrap_or(control.check.meta().title);
        let with: Vec<String> =
            of.iter().flat_map(|of| &of.with).map(|(key, value)| format!("{key}: {}", plain(value))).collect();
        let with = if with.is_empty() { String::new() } else { format!(" ({})", with.join(", ")) };
        format!("{says}{with} [{}, {}]", control.id, control.severity)
    }

    /// Tells controls, by their numbers.
    fn tell(&mut self, level: usize, controls: &[usize]) {
        for number in controls {
            if let Some(control) = self.policy.controls.get(*number) {
                let text = self.sentence(control);
                self.line(level, text);
            }
            if let Some(told) = self.told.get_mut(*number) {
                *told = true;
            }
        }
    }

    /// The controls for which something holds, by their numbers.
    fn those(&self, which: impl Fn(&Control) -> bool) -> Vec<usize> {
        self.policy.controls.iter().enumerate().filter(|(_, control)| which(control)).map(|(number, _)| number).collect()
    }

    /// Whether a control surely judges every bucket of a copy.
    fn covers(&self, control: &Control, copy: &Copy) -> bool {
        if control.check.meta().unit != Kind::S3Bucket || !control.scope.tags.is_empty() {
            return false;
        }
        match control.scope.search(&self.policy.estate, Kind::S3Bucket) {
            Search::Named(ids) => copy.resources().all(|bucket| ids.contains(&bucket)),
            Search::Listed(accounts) => {
                let named = |bucket: &String| control.scope.names.iter().any(|glob| glob_matches(glob, bucket));
                accounts.contains(&copy.account) && (control.scope.names.is_empty() || copy.buckets.iter().all(named))
            }
        }
    }

    fn store(&mut self, name: &str) {
        let Some(store) = self.policy.estate.stores.get(name) else { return };
        self.line(0, format!("Store {name}"));
        let unit = ResourceId::store(name);
        let whole = self.those(|control| {
            let Search::Named(ids) = control.scope.search(&self.policy.estate, control.check.meta().unit) else { return false };
            control.check.meta().unit == Kind::Store && ids.contains(&unit)
        });
        if !whole.is_empty() {
            self.line(1, "as a whole".to_owned());
            self.tell(2, &whole);
        }
        let every = self.those(|control| store.copies.values().all(|copy| self.covers(control, copy)));
        if !every.is_empty() && store.copies.len() > 1 {
            self.line(1, "every copy".to_owned());
            self.tell(2, &every);
        }
        for (copy_name, copy) in &store.copies {
            let fed = copy.fed_by.map_or("documents are written here".to_owned(), |by| format!("fed by {}", by.as_str()));
            let buckets: Vec<String> = copy.buckets.iter().map(|bucket| format!("{}/{bucket}", copy.account)).collect();
            self.line(1, format!("{copy_name} ({}): {fed}{}", buckets.join(", "), keys(copy)));
            let own = self.those(|control| self.covers(control, copy));
            let own: Vec<usize> = own.into_iter().filter(|number| store.copies.len() == 1 || !every.contains(number)).collect();
            self.tell(2, &own);
        }
    }

    fn accounts(&mut self) {
        let kinds = |control: &Control| !matches!(control.check.meta().unit, Kind::S3Bucket | Kind::Store | Kind::Policy);
        let estate = &self.policy.estate;
        let accounts: Vec<&AccountKey> =
            estate.accounts.iter().filter(|(_, account)| account.is_aws()).map(|(key, _)| key).collect();
        // Accounts of which the same is required are told together.
        let mut groups: Vec<(Vec<usize>, Vec<&AccountKey>)> = Vec::new();
        for key in accounts {
            let controls = self.those(|control| kinds(control) && control.scope.accounts(estate).contains(key));
            match groups.iter_mut().find(|(known, _)| *known == controls) {
                Some((_, keys)) => keys.push(key),
                None => groups.push((controls, vec![key])),
            }
        }
        for (controls, keys) in groups.into_iter().filter(|(controls, _)| !controls.is_empty()) {
            let names: Vec<String> = keys
                .iter()
                .map(|key| match estate.accounts.get(*key).and_then(|account| account.id.as_deref()) {
                    Some(id) => format!("{key} ({id})"),
                    None => format!("{key} (not pinned to an id)"),
                })
                .collect();
            let heading = if names.len() == 1 { "Account" } else { "Accounts" };
            self.line(0, format!("{heading} {}", names.join(", ")));
            self.tell(2, &controls);
        }
    }

    /// Controls over buckets that are not told by copy: globs and tags reach others too.
    fn rest(&mut self) {
        let wide = |control: &Control| {
            control.check.meta().unit == Kind::S3Bucket && control.scope.store.is_none() && control.scope.copy.is_none()
        };
        let rest: Vec<usize> = self.those(wide);
        let silent: Vec<usize> = (0..self.told.len()).filter(|number| self.told.get(*number) == Some(&false)).collect();
        if rest.iter().chain(&silent).next().is_none() {
            return;
        }
        self.line(0, "Wherever it applies".to_owned());
        let mut all: Vec<usize> = rest.into_iter().chain(silent).collect();
        all.sort_unstable();
        all.dedup();
        for number in all {
            let Some(control) = self.policy.controls.get(number) else { continue };
            let text = format!("{}: {}", scope(&control.scope, control.check.meta().unit), self.sentence(control));
            self.line(2, text);
        }
    }

    fn waivers(&mut self, now: Timestamp) {
        if self.policy.waivers.is_empty() {
            return;
        }
        self.line(0, "Accepted until a date".to_owned());
        for waiver in &self.policy.waivers {
            let text = waived(waiver, now);
            self.line(2, text);
        }
    }

    fn uncovered(&mut self) {
        let estate = &self.policy.estate;
        let copies = estate.stores.iter().flat_map(|(store, of)| of.copies.iter().map(move |(name, copy)| (store, name, copy)));
        let mut bare: Vec<String> = copies
            .filter(|(_, _, copy)| !self.policy.controls.iter().any(|control| self.covers(control, copy)))
            .map(|(store, name, _)| format!("copy {store}/{name}: no control surely judges its buckets"))
            .collect();
        let reached: Vec<AccountKey> = self.policy.controls.iter().flat_map(|control| control.scope.accounts(estate)).collect();
        let lone = estate.accounts.keys().filter(|key| !reached.contains(key));
        bare.extend(lone.map(|key| format!("account {key}: no control looks at it")));
        if bare.is_empty() {
            return;
        }
        self.line(0, "Not covered".to_owned());
        bare.into_iter().for_each(|text| self.line(2, text));
    }
}

/// The key space of a copy, when it is not the whole bucket.
fn keys(copy: &Copy) -> String {
    let list =
        |word: &str, list: &[String]| if list.is_empty() { String::new() } else { format!("; {word} {}", list.join(", ")) };
    format!("{}{}", list("only", &copy.keys.prefixes), list("without", &copy.keys.exclude))
}

/// A scope in words.
fn scope(scope: &Scope, unit: Kind) -> String {
    let named = if scope.names.is_empty() { String::new() } else { format!(" {}", scope.names.join(", ")) };
    let tags: Vec<String> = scope.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let tags = if tags.is_empty() { String::new() } else { format!(" tagged {}", tags.join(", ")) };
    let of = match (&scope.copy, &scope.store, &scope.account) {
        (Some((store, copy)), _, _) => format!(" of copy {store}/{copy}"),
        (None, Some(store), _) if store == Scope::EVERY_STORE => " of every store".to_owned(),
        (None, Some(store), _) => format!(" of store {store}"),
        (None, None, AccountScope::One(account)) => format!(" in {account}"),
        (None, None, AccountScope::All) => " in every account".to_owned(),
    };
    format!("{unit}{named}{tags}{of}")
}

fn waived(waiver: &Waiver, now: Timestamp) -> String {
    let of = [
        waiver.resource.as_ref().map(|name| format!(" of {name}")),
        waiver.subject.as_ref().map(|subject| format!(" by {subject}")),
        waiver.copy.as_ref().map(|(store, copy)| format!(" in copy {store}/{copy}")),
        waiver.account.as_ref().map(|account| format!(" in {account}")),
    ];
    let what = match &waiver.accepts {
        Accepts::Fail => "failures".to_owned(),
        Accepts::Unknown { operation } => format!("that {operation} cannot be read"),
    };
    let until = if waiver.holds(now) { "until" } else { "EXPIRED on" };
    format!(
        "{}{}: {what}, {until} {}, by {}: {}",
        waiver.control,
        of.into_iter().flatten().collect::<String>(),
        waiver.expires,
        waiver.owner,
        waiver.reason
    )
}

/// A parameter as a person would say it.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Json::Object(map) => map.iter().map(|(key, value)| format!("{key} {}", plain(value))).collect::<Vec<_>>().join(", "),
        Json::Null | Json::Bool(_) | Json::Number(_) => value.to_string(),
    }
}
