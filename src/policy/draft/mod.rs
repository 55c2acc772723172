//! A first policy for accounts as they are, which `policy init` writes: what a person would otherwise type.
//!
//! What it says of buckets are guesses from names, tags and replication, and the policy says so in comments. It must never
//! write a text from an account where it could end a comment or a quoted text.

mod guess;
mod write;

pub use write::{Today, write};

use std::collections::{BTreeMap, BTreeSet};

use crate::estate::{Account, AccountKey, FedBy, ResourceId};
use crate::fact::{Fact, Kind};
use crate::resources::s3_bucket::replication::Replication;
use crate::resources::s3_bucket::tags::Tags;
use crate::snapshot::{Existence, Snapshot};

use super::stores::refuse_bucket;
use guess::{Guess, guess};

/// More stores than this are left to the author, as a list in a comment.
const MOST_STORES: usize = 12;

/// What the draft will say.
#[derive(Clone, Debug, Default)]
pub struct Sketch {
    pub name: String,
    pub accounts: Vec<SketchAccount>,
    pub stores: Vec<SketchStore>,
    /// Buckets that are in no store, by what they seem to hold: heading and names.
    pub others: Vec<(String, Vec<String>)>,
    /// Lists of buckets that could not be read.
    pub gaps: Vec<String>,
}

/// An account of the draft.
#[derive(Clone, Debug)]
pub struct SketchAccount {
    pub alias: String,
    pub account: Account,
    pub note: Option<String>,
}

/// A store of the draft.
#[derive(Clone, Debug)]
pub struct SketchStore {
    pub name: String,
    /// Why it is taken for a store.
    pub why: String,
    pub copies: Vec<SketchCopy>,
    /// What should be looked at.
    pub notes: Vec<String>,
}

/// A copy of the draft: one bucket.
#[derive(Clone, Debug)]
pub struct SketchCopy {
    pub name: String,
    pub account: String,
    pub bucket: String,
    pub fed_by: Option<FedBy>,
}

impl Sketch {
    /// Calls the policy something else, as near as a name may be.
    pub fn rename(&mut self, name: &str) {
        self.name = alias(name, &BTreeSet::new());
    }

    /// A name for a store that no other store has.
    pub fn free_name(&self, name: &str) -> String {
        alias(name, &self.stores.iter().map(|store| store.name.clone()).collect())
    }

    /// Puts the buckets of a store under those that are in none.
    pub fn leave_out(&mut self, store: SketchStore) {
        let names = store.copies.iter().map(|copy| format!("{}/{}", copy.account, copy.bucket));
        self.others.push(("left out".to_owned(), names.collect()));
    }
}

/// Guesses the stores of what was observed.
pub fn sketch(name: &str, accounts: &BTreeMap<AccountKey, Account>, snapshot: &Snapshot) -> Sketch {
    let mut draft = Sketch { name: alias(name, &BTreeSet::new()), ..Sketch::default() };
    let mut aliases = BTreeMap::new();
    let (mut taken, mut ids) = (BTreeSet::new(), BTreeMap::new());
    for (key, account) in accounts {
        let record = snapshot.accounts.get(key);
        let id = account.id.clone().or_else(|| record?.id.clone()).filter(|id| is_id(id));
        if let Some(first) = id.clone().filter(|_| account.is_aws()).and_then(|id| ids.insert(id, key.clone())) {
            draft.gaps.push(format!("{key} is the same account as {first}, and is left out"));
            continue;
        }
        let gap = record.and_then(|record| record.gap.as_ref());
        let note = match (&gap, &id) {
            (Some(gap), _) => Some(format!("could not be read: {gap}")),
            (None, None) if account.is_aws() => Some("TODO: pin it with its twelve digits, id: \"111111111111\"".to_owned()),
            (None, _) => None,
        };
        let written = alias(key.as_str(), &taken);
        taken.insert(written.clone());
        aliases.insert(key.clone(), written.clone());
        draft.accounts.push(SketchAccount { alias: written, account: Account { id, ..account.clone() }, note });
    }
    let places = Places { snapshot, aliases: &aliases, accounts: &draft.accounts };
    let (stores, others) = places.stores();
    (draft.stores, draft.others) = (stores, others);
    for key in aliases.keys() {
        let listing = snapshot.list(key, Kind::S3Bucket, &["ListBuckets"]);
        draft.gaps.extend(listing.gaps.iter().map(|gap| format!("not all buckets of {key} are known: {gap}")));
    }
    draft
}

/// In another account, and named as the other with something behind it.
fn is_named_after(id: &ResourceId, other: &ResourceId) -> bool {
    let rest = id.name.strip_prefix(&*other.name).filter(|rest| rest.is_empty() || rest.starts_with(['-', '.']));
    let machinery = guess(&id.name, &BTreeMap::new()).0 == Guess::Machinery;
    id.account != other.account && rest.is_some() && !machinery && refuse_bucket(&id.name).is_none()
}

fn is_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// A name by the rules of policies, and not one of those taken.
fn alias(text: &str, taken: &BTreeSet<String>) -> String {
    let plain: String = text.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let parts: Vec<&str> = plain.split('-').filter(|part| !part.is_empty()).collect();
    let mut name = parts.join("-");
    name.truncate(80);
    let name = match name.trim_end_matches('-') {
        "" => "unnamed".to_owned(),
        some => some.to_owned(),
    };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(name)
}

struct Places<'a> {
    snapshot: &'a Snapshot,
    aliases: &'a BTreeMap<AccountKey, String>,
    accounts: &'a [SketchAccount],
}

impl Places<'_> {
    fn stores(&self) -> (Vec<SketchStore>, Vec<(String, Vec<String>)>) {
        let here = |id: &ResourceId| matches!(self.snapshot.exists(id), Fact::Known(Existence::Here));
        let buckets: Vec<&ResourceId> = (self.snapshot.resources())
            .map(|(id, _)| id)
            .filter(|id| id.kind == Kind::S3Bucket && self.aliases.contains_key(&id.account) && here(id))
            .collect();
        let (mut stores, mut names) = (Vec::new(), BTreeSet::new());
        let mut used: BTreeSet<ResourceId> = BTreeSet::new();
        let mut others: BTreeMap<Guess, Vec<String>> = BTreeMap::new();
        // First what replicates: the mirrors are then spoken for.
        let replicates = |id: &ResourceId| matches!(self.snapshot.read::<Replication>(id), Fact::Known(r) if r.rules.iter().any(|rule| rule.enabled));
        let (feeding, mut alone): (Vec<&ResourceId>, Vec<&ResourceId>) = buckets.into_iter().partition(|id| replicates(id));
        // And a bucket before those that are named after it.
        alone.sort_by_key(|id| id.name.len());
        for id in feeding.into_iter().chain(alone.iter().copied()) {
            if used.contains(id) {
                continue;
            }
            let tags = match self.snapshot.read::<Tags>(id) {
                Fact::Known(tags) => tags.0.clone(),
                Fact::Absent | Fact::Unreadable(_) => BTreeMap::new(),
            };
            let (seems, why) = match guess(&id.name, &tags) {
                (Guess::Unclear, _) if replicates(id) => (Guess::Documents, "it is replicated".to_owned()),
                other => other,
            };
            if refuse_bucket(&id.name).is_some() {
                others.entry(Guess::Odd).or_default().push(self.named(id));
            } else if seems == Guess::Documents && stores.len() < MOST_STORES {
                used.insert(id.clone());
                let name = alias(&id.name, &names);
                names.insert(name.clone());
                stores.push(self.store(id, (name, why), &alone, &mut used));
            } else {
                others.entry(seems).or_default().push(self.named(id));
            }
        }
        // A bucket may have been listed before a later one turned out to feed it.
        let spoken: BTreeSet<String> = used.iter().map(|id| self.named(id)).collect();
        let others = others
            .into_iter()
            .map(|(guess, names)| (guess, names.into_iter().filter(|name| !spoken.contains(name)).collect::<Vec<_>>()));
        let others = others.filter(|(_, names)| !names.is_empty()).map(|(guess, names)| (guess.heading().to_owned(), names));
        (stores, others.collect())
    }

    fn named(&self, id: &ResourceId) -> String {
        format!("{}/{}", self.alias_of(&id.account), id.name)
    }

    fn alias_of(&self, key: &AccountKey) -> &str {
        self.aliases.get(key).map_or("", String::as_str)
    }

    /// The store of an origin, with the buckets that its rules feed.
    fn store(
        &self,
        origin: &ResourceId,
        (name, why): (String, String),
        buckets: &[&ResourceId],
        used: &mut BTreeSet<ResourceId>,
    ) -> SketchStore {
        let copy = |name: String, id: &ResourceId, fed_by| SketchCopy {
            name,
            account: self.alias_of(&id.account).to_owned(),
            bucket: id.name.to_string(),
            fed_by,
        };
        let mut store = SketchStore { name, why, copies: vec![copy("primary".to_owned(), origin, None)], notes: Vec::new() };
        let replication = match self.snapshot.read::<Replication>(origin) {
            Fact::Known(replication) => replication.rules.as_slice(),
            Fact::Absent => &[],
            Fact::Unreadable(gap) => {
                store.notes.push(format!("whether it is replicated is not known: {gap}"));
                &[]
            }
        };
        for rule in replication.iter().filter(|rule| rule.enabled) {
            let Some(target) = self.destination(&rule.bucket, rule.account.as_deref()) else {
                let account = rule.account.as_deref().map_or(String::new(), |account| format!(" of account {account}"));
                store.notes.push(format!(
                    "it is replicated to bucket {}{account}, which is not among these accounts: add it",
                    rule.bucket
                ));
                continue;
            };
            if refuse_bucket(&target.name).is_some() || !used.insert(target.clone()) {
                if !store.copies.iter().any(|copy| copy.bucket == *target.name) {
                    store.notes.push(format!("it is also replicated to {}, which is part of another store", self.named(&target)));
                }
                continue;
            }
            let mirrors = store.copies.len();
            let name = if mirrors == 1 { "mirror".to_owned() } else { format!("mirror-{mirrors}") };
            store.copies.push(copy(name, &target, Some(FedBy::Replication)));
        }
        let alike: Vec<&ResourceId> =
            buckets.iter().copied().filter(|id| !used.contains(*id) && is_named_after(id, origin)).collect();
        for id in alike {
            used.insert(id.clone());
            let taken = store.copies.iter().map(|copy| copy.name.clone()).collect();
            let name = alias(self.alias_of(&id.account), &taken);
            store.notes.push(format!("copy {name} is guessed from the name of its bucket, and that something syncs it too"));
            store.copies.push(copy(name, id, Some(FedBy::Sync)));
        }
        if store.copies.len() == 1 && store.notes.is_empty() {
            store
                .notes
                .push("nothing replicates it: a single copy survives neither its account nor its administrators".to_owned());
        } else if store.copies.iter().all(|copy| Some(&copy.account) == store.copies.first().map(|first| &first.account)) {
            store.notes.push("all copies lie in one account: whoever controls it can destroy all of them".to_owned());
        }
        store
    }

    /// Where a rule replicates to: the account that it names, or the one that holds the bucket.
    fn destination(&self, bucket: &str, account: Option<&str>) -> Option<ResourceId> {
        let named = self.aliases.iter().find(|(_, alias)| {
            self.accounts
                .iter()
                .any(|known| known.alias == **alias && account.is_some() && known.account.id.as_deref() == account)
        });
        if let Some((key, _)) = named {
            return Some(ResourceId::bucket(key, bucket));
        }
        if account.is_some() {
            return None;
        }
        let holds = |key: &&AccountKey| self.snapshot.resource(&ResourceId::bucket(key, bucket)).is_some();
        self.aliases.keys().find(holds).map(|key| ResourceId::bucket(key, bucket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::example::now;
    use crate::policy::{SourceFile, load};
    use crate::resources::s3_bucket::replication::Rule;

    /// Whatever accounts, buckets and tags are called, the draft loads, and nothing of them stands outside a comment or quotes.
    #[test]
    fn odd_names_make_no_odd_policies() {
        let odd = "x\ncontrols: [injected] # \u{202e}\u{1b}[2J \": ' {";
        let mut snapshot = Snapshot::empty(now());
        let mut accounts = BTreeMap::new();
        for (number, key) in ["production", "", "ÄÖ", odd, "Production!", "true"].into_iter().enumerate() {
            let key = AccountKey::new(key);
            let id = format!("{:012}", number / 2);
            let provider = (number == 5).then(|| "minio".to_owned());
            let endpoint = provider.as_ref().map(|_| "https://s3.example".to_owned());
            accounts.insert(key.clone(), Account { id: Some(id.clone()), provider, endpoint, ..Account::default() });
            for name in [
                odd,
                "documents",
                "documents.old",
                "Old_Documents",
                "true",
                "1e5-data",
                "123",
                "data--x-s3",
                &"d-data".repeat(20),
            ] {
                let bucket = ResourceId::bucket(&key, name);
                snapshot.resource_mut(&bucket).unwrap().exists = Fact::Known(Existence::Here);
                let tags = Tags(BTreeMap::from([(odd.to_owned(), "customer".to_owned())]));
                snapshot.put(&bucket, Fact::Known(tags), now());
                let rule = |to: &str| Rule { enabled: true, bucket: to.to_owned(), account: Some(id.clone()), ..Rule::default() };
                let rules = vec![rule("documents"), rule(odd), rule("elsewhere")];
                snapshot.put(&bucket, Fact::Known(Replication { role: String::new(), rules }), now());
            }
        }
        let sketch = sketch(odd, &accounts, &snapshot);
        let today = [Today { control: "a".to_owned(), severity: "low", says: vec![odd.to_owned(); 5] }];
        let text = write(&sketch, &today);
        let loaded = load(&[SourceFile { path: "draft".to_owned(), bytes: text.clone().into_bytes() }]);
        let policy = loaded.unwrap_or_else(|problems| panic!("{problems:#?}\n{text}")).policy;
        assert!(policy.estate.stores.len() > 2 && policy.estate.accounts.len() > 2, "{text}");
        assert!(!text.contains(['\u{202e}', '\u{1b}']), "{text}");
        for line in text.lines().filter(|line| line.contains("[injected]")) {
            assert!(line.trim_start().starts_with('#'), "{line}");
        }
    }

    #[test]
    fn nothing_found_is_a_policy_too() {
        let text = write(&sketch("", &BTreeMap::new(), &Snapshot::empty(now())), &[]);
        assert!(load(&[SourceFile { path: "draft".to_owned(), bytes: text.clone().into_bytes() }]).is_ok(), "{text}");
    }
}
