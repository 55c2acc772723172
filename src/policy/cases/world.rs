//! The world of a case: accounts of the policy, and the facts that the case and those it is based on state.
//!
//! It must never say that a list is whole, or a bucket there, before a case says something of it.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::super::cursor::Cursor;
use super::super::diagnostic::{Diagnostic, quote};
use super::super::suggest;
use super::super::tree::Value;
use super::schema::short;
use super::state::{self, State};
use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::{Fact, FactId, Gap, Kind, Why};
use crate::resources::{all_specs, spec, specs_of};
use crate::scope::{glob_matches, list_operations};
use crate::snapshot::{AccountRecord, Existence, Snapshot};

/// Accounts that could be entered, and nothing read of them.
pub(super) fn empty(estate: &Estate, now: Timestamp) -> Snapshot {
    let mut snapshot = Snapshot::empty(now);
    for (key, account) in &estate.accounts {
        let aws = account.is_aws();
        let record = AccountRecord {
            id: aws.then(|| number(estate, key)),
            partition: aws.then(|| estate.partition(key).to_owned()),
            endpoint: account.endpoint.clone(),
            provider: account.provider.clone(),
            pinned: account.id.is_some(),
            gap: None,
        };
        snapshot.accounts.insert(key.clone(), record);
    }
    snapshot
}

/// The twelve digits of an account; invented where the policy gives none.
pub(super) fn number(estate: &Estate, key: &AccountKey) -> String {
    let given = estate.accounts.get(key).and_then(|account| account.id.clone());
    given.unwrap_or_else(|| {
        let at = estate.accounts.keys().position(|other| other == key).unwrap_or_default();
        format!("9999999{:05}", at + 1)
    })
}

/// The operations that list the resources of an account.
pub(super) fn lists() -> Vec<&'static str> {
    let mut kinds: Vec<Kind> = all_specs().map(|spec| spec.kind).collect();
    kinds.dedup();
    let mut lists: Vec<&'static str> = kinds.into_iter().flat_map(|kind| list_operations(kind, specs_of(kind))).collect();
    lists.sort_unstable();
    lists.dedup();
    lists
}

/// Writes what cases state into a snapshot.
pub(super) struct Writer<'a> {
    pub(super) snapshot: &'a mut Snapshot,
    pub(super) estate: &'a Estate,
    pub(super) problems: &'a mut Vec<Diagnostic>,
}

impl Writer<'_> {
    /// The facts of one case.
    pub(super) fn case(&mut self, case: Cursor<'_>) {
        for (name, facts) in case.entries("copies") {
            let buckets = self.buckets(name);
            for bucket in buckets {
                self.resource(&bucket, facts);
            }
        }
        for (name, facts) in case.entries("accounts") {
            let Some(key) = self.account(name) else { continue };
            match facts.text() {
                None => self.resource(&ResourceId::account(&key), facts),
                Some("unreadable") => self.snapshot.forget_account(&key, Gap::new(Why::Denied, "AssumeRole")),
                Some(word) => self
                    .problems
                    .push(facts.error(format!("an account cannot be {}", quote(word))).hint("write its facts, or `unreadable`")),
            }
        }
        for (name, resources) in case.entries("facts") {
            let Some(key) = self.account(name) else { continue };
            for (name, node) in resources.node.entries() {
                let (name, facts) = (Cursor { node: name, ..resources }, Cursor { node, ..resources });
                match name.text() {
                    Some("lists") => self.lists(&key, facts),
                    Some(text) => {
                        if let Some(id) = self.named(&key, name, text) {
                            self.resource(&id, facts);
                        }
                    }
                    None => {}
                }
            }
        }
    }

    /// The buckets of the copies that a name or glob means.
    fn buckets(&mut self, at: Cursor<'_>) -> Vec<ResourceId> {
        let text = at.text().unwrap_or_default();
        let names: Vec<String> = (self.estate.stores.iter())
            .flat_map(|(store, declared)| declared.copies.keys().map(move |copy| format!("{store}/{copy}")))
            .collect();
        let copies = self.estate.stores.values().flat_map(|declared| declared.copies.values());
        let found: Vec<ResourceId> = names
            .iter()
            .zip(copies)
            .filter(|(name, _)| glob_matches(text, name))
            .flat_map(|(_, copy)| copy.resources())
            .collect();
        if found.is_empty() {
            self.problems.push(
                at.error(format!("there is no copy {}", quote(text)))
                    .label("written as store, slash, copy")
                    .maybe_hint(suggest::hint(text, names.iter().map(String::as_str), "there are"))
                    .maybe_hint(names.is_empty().then(|| "declare `accounts` and `stores` in the test file".to_owned())),
            );
        }
        found
    }

    fn account(&mut self, at: Cursor<'_>) -> Option<AccountKey> {
        let text = at.text()?;
        let key = AccountKey::new(text);
        if self.estate.accounts.contains_key(&key) {
            return Some(key);
        }
        let hint = suggest::hint(text, self.estate.accounts.keys().map(AccountKey::as_str), "there are");
        let none = self.estate.accounts.is_empty().then(|| "declare `accounts` in the test file".to_owned());
        self.problems.push(at.error(format!("there is no account {}", quote(text))).maybe_hint(hint).maybe_hint(none));
        None
    }

    /// A resource by kind and name, `iam-user/bob`.
    fn named(&mut self, account: &AccountKey, at: Cursor<'_>, text: &str) -> Option<ResourceId> {
        let mut kinds: Vec<&'static str> = all_specs().map(|spec| spec.kind.as_str()).collect();
        kinds.dedup();
        let (word, name) = text.split_once('/').unwrap_or((text, ""));
        let kind = all_specs().map(|spec| spec.kind).find(|kind| kind.as_str() == word);
        match kind {
            Some(Kind::Account) => Some(ResourceId::account(account)),
            Some(kind) if !name.is_empty() => Some(ResourceId::new(account, kind, name)),
            Some(_) => {
                let hint = format!("write for example: {word}/name");
                self.problems.push(at.error(format!("{} names no resource", quote(text))).hint(hint));
                None
            }
            None => {
                kinds.push("lists");
                self.problems.push(
                    at.error(format!("there is no kind of resource {}", quote(word)))
                        .label("written as kind, slash, name")
                        .maybe_hint(suggest::hint(word, kinds.iter().copied(), "there are")),
                );
                None
            }
        }
    }

    /// `whole`, `unreadable`, or a state for single operations.
    fn lists(&mut self, account: &AccountKey, at: Cursor<'_>) {
        let all = lists();
        if at.node.entries().next().is_none() {
            match list(at) {
                Ok(state) => all.into_iter().for_each(|list| self.snapshot.put_listing(account, list, state(list))),
                Err(problem) => self.problems.push(*problem),
            }
            return;
        }
        for (name, node) in at.node.entries() {
            let name = Cursor { node: name, ..at };
            let text = name.text().unwrap_or_default();
            match (all.iter().find(|known| **known == text), list(Cursor { node, ..at })) {
                (Some(known), Ok(state)) => self.snapshot.put_listing(account, known, state(known)),
                (_, Err(problem)) => self.problems.push(*problem),
                (None, Ok(_)) => self.problems.push(
                    name.error(format!("no operation {} lists resources", quote(text))).maybe_hint(suggest::hint(
                        text,
                        all.iter().copied(),
                        "there are",
                    )),
                ),
            }
        }
    }

    /// The facts of one resource, or one word for the whole of it.
    fn resource(&mut self, id: &ResourceId, facts: Cursor<'_>) {
        let bucket = id.kind == Kind::S3Bucket;
        if let Some(word) = facts.text() {
            let exists = match word {
                "absent" => Fact::Absent,
                "foreign" if bucket => Fact::Known(Existence::Foreign),
                "unreadable" => {
                    let specs = specs_of(id.kind);
                    specs.iter().for_each(|spec| self.put(id, spec, State::Unreadable(Why::Denied), facts));
                    return;
                }
                _ => {
                    let hint = if bucket {
                        "write its facts, or `absent`, `foreign` (another account's) or `unreadable`"
                    } else {
                        "write its facts, or `absent` or `unreadable`"
                    };
                    self.problems.push(facts.error(format!("a resource cannot be {}", quote(word))).hint(hint));
                    return;
                }
            };
            if let Some(resource) = self.snapshot.resource_mut(id) {
                resource.exists = exists;
            }
            return;
        }
        // A resource without facts is there.
        if let Some(resource) = self.snapshot.resource_mut(id) {
            resource.listed = true;
            if bucket && matches!(resource.exists, Fact::Unreadable(_)) {
                resource.exists = Fact::Known(Existence::Here);
            }
        }
        for (name, value) in facts.node.entries() {
            let (name, value) = (Cursor { node: name, ..facts }, Cursor { node: value, ..facts });
            let text = name.text().unwrap_or_default();
            let specs = specs_of(id.kind);
            let Some(spec) = spec(&format!("{}.{text}", id.kind)) else {
                self.problems.push(
                    name.error(format!("kind {} has no fact {}", id.kind, quote(text))).maybe_hint(suggest::hint(
                        text,
                        specs.iter().map(|spec| short(spec.id)),
                        "it has",
                    )),
                );
                continue;
            };
            match state::state(value) {
                Ok(state) => self.put(id, spec, state, value),
                Err(problem) => self.problems.push(*problem),
            }
        }
    }

    fn put(&mut self, id: &ResourceId, spec: FactId, state: State, at: Cursor<'_>) {
        let stated = match &state {
            State::Change(_) => Some(at),
            State::Whole(_) => at.get("known"),
            State::Absent | State::Unreadable(_) => None,
        };
        let number = number(self.estate, &id.account);
        if let Err(why) = state::put(self.snapshot, id, spec, state, &number) {
            let why = why.split(" at line ").next().unwrap_or_default().to_owned();
            self.problems.push(
                at.error(format!("{} is not a value of fact {}", what(at), quote(spec.id)))
                    .label(why)
                    .note("the form is that of snapshot files, which `lastcopy collect` writes"),
            );
            return;
        }
        let Some(stated) = stated else { return };
        let mut is = Json::Null;
        if let Some(resource) = self.snapshot.resource(id) {
            // What does not serialize was not read from JSON either.
            let _ = resource.facts.each(&mut |fact, json| {
                if fact == spec {
                    is = json.get("known").cloned().unwrap_or_default()
                }
            });
        }
        if let Some((key, known)) = state::unknown_key(stated, &is) {
            let text = key.text().unwrap_or_default();
            self.problems.push(
                key.error(format!("fact {} has no key {} here", quote(spec.id), quote(text))).maybe_hint(suggest::hint(
                    text,
                    known.iter().map(String::as_str),
                    "it has",
                )),
            );
        }
    }
}

fn what(at: Cursor<'_>) -> String {
    match &at.node.value {
        Value::Str(text) => quote(text),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Seq(_) | Value::Map(_) | Value::Bad => {
            "this".to_owned()
        }
    }
}

/// The state of a list, for any operation.
fn list(at: Cursor<'_>) -> Result<impl Fn(&str) -> Fact<usize>, Box<Diagnostic>> {
    let why = match at.text() {
        Some("whole") => None,
        Some("unreadable") => Some(Why::Denied),
        Some(_) | None => match at.get("unreadable") {
            Some(inner) => Some(state::why(inner)?),
            None => return Err(Box::new(at.error("a list is not like this").hint("write `whole` or `unreadable`"))),
        },
    };
    Ok(move |operation: &str| match why {
        None => Fact::Known(0),
        Some(why) => Fact::Unreadable(Box::new(Gap::new(why, operation.to_owned()))),
    })
}
