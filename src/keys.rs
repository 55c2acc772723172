//! Which KMS keys a bucket's settings name, and where those keys lie. Pure.
//!
//! It must never guess a key: a name that cannot be resolved is a gap.
//!
//! S3 takes a key's ARN, an alias's ARN, a bare id or alias, which it looks up in the Region of the bucket, or nothing, which
//! is the key `aws/s3` that AWS manages in the account.
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-kms-encryption.html>.

use std::collections::BTreeSet;

use crate::estate::{AccountKey, Copy, Estate, ResourceId};
use crate::fact::{Fact, FactId, Gap, Kind, Why};
use crate::resources::FactType;
use crate::resources::kms_key::state::KeyState;
use crate::resources::s3_bucket::encryption::Encryption;
use crate::resources::s3_bucket::region::Region;
use crate::resources::s3_bucket::replication::{Replication, Rule};
use crate::snapshot::Snapshot;

/// The facts of a bucket that name keys; its Region comes with them.
pub const FACTS: &[FactId] = &[Encryption::SPEC, Replication::SPEC, Region::SPEC];

/// The ARN of a key or of an alias, in its parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyArn {
    pub text: String,
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

impl KeyArn {
    /// From an ARN. `None`: it is not one of a key or an alias.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let &["arn", partition, "kms", region, account, resource] = parts.as_slice() else { return None };
        // The Region goes into host names.
        let word = |text: &str| {
            (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let number = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let (kind, name) = resource.split_once('/')?;
        let named = matches!(kind, "key" | "alias") && !name.is_empty() && !name.contains(['*', '?']);
        (word(partition) && word(region) && number && named).then(|| Self {
            text: text.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
        })
    }

    /// Whether it is the ARN of an alias.
    pub fn is_alias(&self) -> bool {
        is_alias(&self.text)
    }

    /// Whether it is the alias of a key that AWS manages. Such a key is never asked about: asking KMS about one that was not used
    /// yet makes it. AWS keeps names that begin with `aws/` to itself.
    pub fn is_of_aws(&self) -> bool {
        self.text.splitn(6, ':').nth(5).is_some_and(|resource| resource.starts_with("alias/aws/"))
    }

    /// Whether `key` can be the ARN of the key that this one names: the same, or one beside the alias.
    pub fn may_stand_for(&self, key: &str) -> bool {
        if !self.is_alias() {
            return self.text == key;
        }
        let beside = |other: &Self| !other.is_alias() && other.region == self.region && other.account == self.account;
        Self::parse(key).is_some_and(|other| beside(&other))
    }
}

/// Whether a resource is an alias, which has no facts but the state of its key.
pub fn is_alias(arn: &str) -> bool {
    arn.splitn(6, ':').nth(5).is_some_and(|resource| resource.starts_with("alias/"))
}

/// By which setting a bucket names a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// Default encryption.
    Default,
    /// A replication rule: its replicas in another bucket are encrypted under the key.
    Replicas { rule: String, bucket: String },
}

impl Via {
    /// `the default key of acme-documents`
    pub fn says(&self, bucket: &str) -> String {
        match self {
            Self::Default => format!("the default key of {bucket}"),
            Self::Replicas { rule, bucket: to } => format!("the key of replicas in {to} (rule {rule} of {bucket})"),
        }
    }
}

/// One key that a bucket's settings name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub via: Via,
    pub arn: Result<KeyArn, Gap>,
}

/// The keys that a bucket's settings name. The gaps say which settings could not be read.
pub fn named(estate: &Estate, snapshot: &Snapshot, bucket: &ResourceId) -> (Vec<Named>, Vec<Gap>) {
    let (mut out, mut gaps) = (Vec::new(), Vec::new());
    match snapshot.read::<Encryption>(bucket).read() {
        Ok(Some(found)) if found.algorithm.starts_with("aws:kms") => {
            out.push(Named { via: Via::Default, arn: resolve(estate, snapshot, bucket, found.key.as_deref()) });
        }
        Ok(_) => {}
        Err(gap) => gaps.push(gap),
    }
    match snapshot.read::<Replication>(bucket).read() {
        Ok(found) => {
            for rule in found.into_iter().flat_map(|found| &found.rules).filter(|rule| rule.enabled) {
                let Some(key) = rule.replica_key.as_deref() else { continue };
                let to = destination(estate, snapshot, bucket, rule);
                let via = Via::Replicas { rule: rule.label().to_owned(), bucket: rule.bucket.clone() };
                out.push(Named { via, arn: resolve(estate, snapshot, &to, Some(key)) });
            }
        }
        Err(gap) => gaps.push(gap),
    }
    (out, gaps)
}

/// The bucket that a rule replicates to. A bucket that nothing declares has no Region, so only an ARN can be resolved for it.
pub fn destination(estate: &Estate, snapshot: &Snapshot, from: &ResourceId, rule: &Rule) -> ResourceId {
    let said = rule.account.as_deref().and_then(|number| account(estate, snapshot, number));
    let copies = || estate.stores.values().flat_map(|store| store.copies.values()).flat_map(Copy::resources);
    let declared = || copies().find(|id| *id.name == *rule.bucket).map(|id| id.account);
    let owner = said.or_else(declared).unwrap_or_else(|| from.account.clone());
    ResourceId::bucket(&owner, &rule.bucket)
}

/// The account with this number, as policies pin it or as its credentials showed.
fn account(estate: &Estate, snapshot: &Snapshot, number: &str) -> Option<AccountKey> {
    let pinned = estate.accounts.iter().find(|(_, account)| account.id.as_deref() == Some(number)).map(|(key, _)| key);
    let found = || snapshot.accounts.iter().find(|(_, record)| record.id.as_deref() == Some(number)).map(|(key, _)| key);
    pinned.or_else(found).cloned()
}

fn gap(detail: String) -> Gap {
    Gap::new(Why::NotCollected, KeyState::SPEC.operation).with_action(KeyState::SPEC.actions.first().copied()).with_detail(detail)
}

fn resolve(estate: &Estate, snapshot: &Snapshot, bucket: &ResourceId, key: Option<&str>) -> Result<KeyArn, Gap> {
    let key = key.unwrap_or("alias/aws/s3");
    if key.starts_with("arn:") {
        return KeyArn::parse(key).ok_or_else(|| gap(format!("`{key}` is not the ARN of a KMS key or alias")));
    }
    let region = match snapshot.read::<Region>(bucket) {
        Fact::Known(region) => &region.0,
        Fact::Absent | Fact::Unreadable(_) => {
            return Err(gap(format!("the key `{key}` is one of the Region of {}, which is not known", bucket.name)));
        }
    };
    let record = snapshot.accounts.get(&bucket.account);
    let pinned = estate.accounts.get(&bucket.account).and_then(|account| account.id.as_deref());
    let Some(number) = pinned.or_else(|| record.and_then(|record| record.id.as_deref())) else {
        return Err(gap(format!("the key `{key}` is one of account {}, whose number is not known", bucket.account)));
    };
    let partition = record.and_then(|record| record.partition.as_deref()).unwrap_or_else(|| estate.partition(&bucket.account));
    let resource = if key.starts_with("alias/") { key.to_owned() } else { format!("key/{key}") };
    let text = format!("arn:{partition}:kms:{region}:{number}:{resource}");
    KeyArn::parse(&text).ok_or_else(|| gap(format!("`{key}` is not the name of a KMS key or alias")))
}

/// What a key or alias is asked as: a resource of the account that its ARN names.
pub fn place(estate: &Estate, snapshot: &Snapshot, arn: &KeyArn) -> Result<ResourceId, Gap> {
    let account = account(estate, snapshot, &arn.account);
    let account = account.filter(|key| estate.accounts.get(key).is_some_and(crate::estate::Account::is_aws));
    match account {
        Some(account) => Ok(ResourceId::new(&account, Kind::KmsKey, &arn.text)),
        None => Err(gap(format!("the key {} lies in account {}, which no policy declares", arn.text, arn.account))),
    }
}

/// The key itself, behind an alias if it was named by one. `None`: KMS says that there is no such alias.
pub fn key(estate: &Estate, snapshot: &Snapshot, arn: &KeyArn) -> Result<Option<ResourceId>, Gap> {
    let place = place(estate, snapshot, arn)?;
    if !arn.is_alias() {
        return Ok(Some(place));
    }
    let Some(state) = snapshot.read::<KeyState>(&place).read()? else { return Ok(None) };
    if !arn.may_stand_for(&state.arn) {
        return Err(gap(format!("the alias {} stands for `{}`, which is no key beside it", arn.text, state.arn)));
    }
    Ok(Some(ResourceId::new(&place.account, Kind::KmsKey, &state.arn)))
}

/// What must be asked about the keys that some buckets name, as far as is known yet: aliases first, then what they stand for.
pub fn asked(estate: &Estate, snapshot: &Snapshot, buckets: &[ResourceId]) -> BTreeSet<ResourceId> {
    let mut out = BTreeSet::new();
    for named in buckets.iter().flat_map(|bucket| named(estate, snapshot, bucket).0) {
        let Some(arn) = named.arn.ok().filter(|arn| !arn.is_of_aws()) else { continue };
        out.extend(place(estate, snapshot, &arn));
        out.extend(key(estate, snapshot, &arn).ok().flatten());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::example::{Example, PRODUCTION, VAULT, mirror, primary};

    const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/0a";

    fn encrypted(key: Option<&str>) -> Example {
        let encryption = Encryption { algorithm: "aws:kms".to_owned(), key: key.map(str::to_owned), ..Encryption::default() };
        Example::pass("", primary())
            .known(&primary(), Region("eu-west-1".to_owned()))
            .known(&primary(), encryption)
            .absent::<Replication>(&primary())
    }

    fn first(example: &Example) -> Result<String, String> {
        let (mut named, gaps) = named(&example.estate, &example.snapshot, &primary());
        assert!(gaps.is_empty() && named.len() == 1, "{named:?} {gaps:?}");
        named.remove(0).arn.map(|arn| arn.text).map_err(|gap| gap.detail.unwrap())
    }

    #[test]
    fn every_form_of_a_key_becomes_an_arn() {
        for (name, arn) in [
            (Some(KEY), KEY),
            (Some("0a"), KEY),
            (Some("mrk-1"), "arn:aws:kms:eu-west-1:111111111111:key/mrk-1"),
            (Some("alias/docs"), "arn:aws:kms:eu-west-1:111111111111:alias/docs"),
            (Some("arn:aws:kms:eu-west-1:222222222222:alias/docs"), "arn:aws:kms:eu-west-1:222222222222:alias/docs"),
            (None, "arn:aws:kms:eu-west-1:111111111111:alias/aws/s3"),
        ] {
            assert_eq!(first(&encrypted(name)).as_deref(), Ok(arn));
        }
        for (name, says) in [
            ("arn:aws:s3:::bucket", "is not the ARN of a KMS key"),
            ("arn:aws:kms:eu-west-1:1:key/a", "is not the ARN"),
            ("arn:aws:kms:evil.example/:111111111111:key/a", "is not the ARN"),
            ("arn:aws:kms:eu-west-1:111111111111:key/*", "is not the ARN"),
            ("", "is not the name"),
        ] {
            let error = first(&encrypted(Some(name))).unwrap_err();
            assert!(error.contains(says), "{name}: {error}");
        }
    }

    #[test]
    fn a_bare_name_needs_the_region_and_the_account() {
        let mut lost = encrypted(Some("0a"));
        lost.snapshot.lose(&primary(), Region::SPEC);
        assert!(first(&lost).unwrap_err().contains("Region"));
        let mut nameless = encrypted(Some("0a"));
        nameless.estate.accounts.values_mut().for_each(|account| account.id = None);
        nameless.snapshot.accounts.values_mut().for_each(|record| record.id = None);
        assert!(first(&nameless).unwrap_err().contains("number"));
    }

    #[test]
    fn a_key_lies_in_the_account_of_its_arn() {
        let world = encrypted(None);
        let at = |arn: &str| place(&world.estate, &world.snapshot, &KeyArn::parse(arn).unwrap());
        assert_eq!(at(KEY).unwrap().account.as_str(), "production");
        assert_eq!(at(&KEY.replace(PRODUCTION, VAULT)).unwrap().account.as_str(), "vault");
        let gap = at(&KEY.replace(PRODUCTION, "999999999999")).unwrap_err();
        assert_eq!(
            gap.detail.unwrap(),
            "the key arn:aws:kms:eu-west-1:999999999999:key/0a lies in account 999999999999, which no policy declares"
        );
    }

    #[test]
    fn an_alias_leads_to_its_key_once_that_is_known() {
        let alias = "arn:aws:kms:eu-west-1:111111111111:alias/docs";
        let world = encrypted(Some("alias/docs"));
        let names = |world: &Example| {
            let found = asked(&world.estate, &world.snapshot, &[primary()]);
            found.into_iter().map(|id| id.name.to_string()).collect::<Vec<_>>()
        };
        assert!(names(&encrypted(None)).is_empty(), "asking about a key of AWS may make it");
        assert_eq!(names(&world), [alias]);
        let id = ResourceId::new(&primary().account, Kind::KmsKey, alias);
        let known = world.known(&id, KeyState { arn: KEY.to_owned(), ..KeyState::default() });
        assert_eq!(names(&known), [alias, KEY]);
        let elsewhere = known.known(&id, KeyState { arn: KEY.replace(PRODUCTION, VAULT), ..KeyState::default() });
        assert_eq!(names(&elsewhere), [alias], "an answer about a key of another account leads nowhere");
    }

    #[test]
    fn replicas_are_encrypted_where_they_go() {
        let rule = |key: &str| Rule {
            id: Some("all".to_owned()),
            enabled: true,
            bucket: mirror().name.to_string(),
            replica_key: Some(key.to_owned()),
            ..Rule::default()
        };
        let world = |key: &str, enabled: bool| {
            let rules = vec![Rule { enabled, ..rule(key) }];
            encrypted(None)
                .known(&primary(), Encryption { algorithm: "AES256".to_owned(), ..Encryption::default() })
                .known(&mirror(), Region("eu-central-1".to_owned()))
                .known(&primary(), Replication { rules, ..Replication::default() })
        };
        assert_eq!(first(&world("0a", true)).as_deref(), Ok("arn:aws:kms:eu-central-1:222222222222:key/0a"));
        let off = world("0a", false);
        assert!(named(&off.estate, &off.snapshot, &primary()).0.is_empty(), "a rule that is off encrypts nothing");
    }
}
