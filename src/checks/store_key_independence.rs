use std::collections::BTreeMap;

use serde::Deserialize;

use super::example::{Example, PRODUCTION, VAULT, documents, mirror, primary};
use super::s3_bucket_key_usable::good_key;
use super::{Check, CheckType, Meta, Severity};
use crate::demand::{Demand, On};
use crate::estate::{AccountKey, Copy, Estate, ResourceId, Store};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::keys::{self, KeyArn, Via};
use crate::resources::FactType;
use crate::resources::kms_key::state::{KeyState, Manager, MultiRegion};
use crate::resources::s3_bucket::encryption::Encryption;
use crate::resources::s3_bucket::replication::{Replication, Rule};
use crate::view::View;

/// No KMS key can take two copies of the store with it, and no account holds the key of another account's copy.
///
/// # Why
/// A mirror in another account is worth nothing if it is encrypted under the primary's key: whoever deletes that key in the
/// primary's account destroys both copies, and no lock helps.
///
/// # Fails when
/// Two copies of the store are encrypted under the same customer managed key; the key of one copy lies in the account of another
/// copy; or the keys of two copies that are in different accounts lie in one account. The keys of a copy are the default key of
/// its buckets and the keys that the replication rules of other copies name for the replicas they put there. What S3 manages
/// (SSE-S3) and what AWS manages (`aws/s3`) is not a key that anybody can delete. Copies at other providers have no KMS key.
///
/// Multi-Region keys that are related to each other have the same material and are keys of their own: each is disabled and
/// deleted by itself, S3 treats each as a key of one Region, and a replica outlives what is done to its primary key, which cannot
/// be deleted before its replicas. So two copies under a primary key and its replica are not under the same key. But related
/// keys always lie in one account: between copies of different accounts they fail as any keys of one account do.
///
/// An alias that could not be resolved makes the verdict unknown, and so does a copy in an account whose number is not known.
/// Documents keep the key that they were written with: only today's settings are seen, neither older documents nor keys that
/// single requests name.
///
/// # Fix
/// Make a key in the mirror's account, name it as ReplicaKmsKeyID of the replication rule and as default key of the mirror, and
/// replicate the existing documents again (S3 Batch Replication).
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html>
/// <https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreKeyIndependence {}

impl CheckType for StoreKeyIndependence {
    const META: &'static Meta = &Meta {
        id: "store-key-independence",
        unit: Kind::Store,
        severity: Severity::High,
        title: "No KMS key takes two copies with it",
        fix: "encrypt the mirror under a key of the mirror's account (ReplicaKmsKeyID of the rule, default encryption of the mirror)",
        references: &["NIST-800-53:SC-12", "ISO-27001:A.8.24", "PCI-DSS:3.6.1"],
    };

    fn examples() -> Vec<Example> {
        let unit = documents();
        let arn = |account: &str, id: &str| format!("arn:aws:kms:eu-west-1:{account}:key/{id}");
        let (ours, theirs) = (arn(PRODUCTION, "0a"), arn(VAULT, "0b"));
        let kms = |key: &str| Encryption { algorithm: "aws:kms".into(), key: Some(key.into()), ..Encryption::default() };
        let plain = || Encryption { algorithm: "AES256".into(), ..Encryption::default() };
        let key = |example: Example, arn: &str, state: KeyState| {
            let account = if arn.contains(VAULT) { mirror().account } else { primary().account };
            example.known(&ResourceId::new(&account, Kind::KmsKey, arn), KeyState { arn: arn.to_owned(), ..state })
        };
        // Default keys of both buckets, and the key of replicas.
        let world = |example: Example, of_primary: Encryption, of_mirror: Encryption, replicas: Option<&str>| {
            let replica_key = replicas.map(str::to_owned);
            let rule = Rule { enabled: true, bucket: mirror().name.to_string(), replica_key, ..Rule::default() };
            let example = example
                .known(&primary(), of_primary)
                .known(&mirror(), of_mirror)
                .known(&primary(), Replication { rules: vec![rule], ..Replication::default() })
                .absent::<Replication>(&mirror());
            let example = key(example, &ours, good_key());
            key(example, &theirs, good_key())
        };
        let one_account = |estate: &mut Estate| {
            for copy in estate.stores.values_mut().flat_map(|store| store.copies.values_mut()) {
                copy.account = primary().account;
            }
        };
        let here = ResourceId::bucket(&primary().account, &mirror().name);
        // Both copies in one account, under a primary key and its replica in another Region.
        let mrk = "arn:aws:kms:eu-west-1:111111111111:key/mrk-1";
        let mrk_replica = "arn:aws:kms:eu-central-1:111111111111:key/mrk-1";
        let related = |primary| {
            let (primary_arn, replicas) = (mrk.to_owned(), vec![mrk_replica.to_owned()]);
            KeyState { multi_region: Some(MultiRegion { primary, primary_arn, replicas }), ..good_key() }
        };
        let regions = world(Example::pass("related keys of two Regions", unit.clone()), kms(mrk), plain(), Some(mrk_replica));
        let regions = key(key(regions, mrk, related(true)), mrk_replica, related(false));
        let shared = world(Example::pass("one key that AWS manages", unit.clone()), kms(&ours), plain(), Some(&ours));
        let shared = key(shared, &ours, KeyState { manager: Manager::Aws, ..good_key() });
        vec![
            world(Example::pass("each copy has its own", unit.clone()), kms(&ours), kms(&theirs), Some(&theirs)),
            world(Example::pass("no KMS keys", unit.clone()), plain(), plain(), None),
            regions.known(&here, plain()).absent::<Replication>(&here).estate(one_account),
            shared.known(&here, plain()).absent::<Replication>(&here).estate(one_account),
            world(Example::fail("replicas under the primary's key", unit.clone()), kms(&ours), plain(), Some(&ours)),
            world(Example::fail("the mirror's key lies with the primary", unit.clone()), plain(), kms(&ours), None),
            world(Example::fail("both keys lie in one account", unit.clone()), kms(&ours), plain(), Some(&arn(PRODUCTION, "0c"))),
            world(
                Example::fail("both keys in a third account", unit.clone()),
                kms(&arn("333333333333", "0d")),
                plain(),
                Some(&arn("333333333333", "0e")),
            ),
            world(Example::fail("one key in one account", unit.clone()), kms(&ours), plain(), Some(&ours))
                .known(&here, plain())
                .absent::<Replication>(&here)
                .estate(one_account),
            world(
                Example::unknown("an alias that is not resolved", unit.clone()),
                kms("arn:aws:kms:eu-west-1:111111111111:alias/a"),
                plain(),
                Some(&theirs),
            ),
            world(Example::unknown("denied", unit.clone()), kms(&ours), kms(&theirs), Some(&theirs))
                .denied::<Encryption>(&mirror()),
            Example::not_applicable("only one copy", unit).by_declaration().estate(|estate| {
                if let Some(store) = estate.stores.get_mut("documents") {
                    store.copies.remove("mirror");
                }
            }),
        ]
    }
}

/// A key that a copy depends on.
struct Held {
    copy: String,
    /// The copy's account.
    within: AccountKey,
    /// Its number, where it is known.
    account: Option<String>,
    whose: String,
    arn: KeyArn,
    at: ResourceId,
}

impl Held {
    /// Whether both copies are in one account. Two numbers that are not known are not the same.
    fn is_beside(&self, other: &Self) -> bool {
        self.within == other.within || (self.account.is_some() && self.account == other.account)
    }
}

impl Check for StoreKeyIndependence {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::of(On::Copies, keys::FACTS), Demand::of(On::Keys, &[KeyState::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(store) = view.estate.stores.get(&*unit.name).filter(|store| store.copies.len() > 1) else {
            return Judgement::NotApplicable("the store has one copy".into());
        };
        let held = held(store, view, &mut tally);
        let numbers: BTreeMap<&str, String> = store
            .copies
            .iter()
            .filter_map(|(name, copy)| Some((name.as_str(), view.account_number(&copy.account)?.to_owned())))
            .collect();
        // Without keys no account matters.
        let unnumbered = store.copies.iter().filter(|(name, copy)| is_aws(copy, view) && !numbers.contains_key(name.as_str()));
        for (name, _) in unnumbered.filter(|_| !held.is_empty()) {
            let detail = format!("the number of the account of copy {name} is not known");
            tally.gap(Gap::new(Why::NotCollected, "GetCallerIdentity").with_detail(detail));
        }
        for (at, one) in held.iter().enumerate() {
            let (key, required) = (&one.arn.text, "a key that only this copy depends on, outside the accounts of other copies");
            let mut fail = |says: String, seen: String| {
                let _ = tally.fail::<Encryption>(&one.at, says, seen, required).subject(key);
            };
            let before = held.iter().take(at).filter(|other| other.copy != one.copy);
            let lodger = numbers.iter().find(|(copy, number)| {
                **copy != one.copy && **number == one.arn.account && one.account.as_deref() != Some(number.as_str())
            });
            if let Some(other) = before.clone().find(|other| other.arn.text == *key) {
                fail(
                    format!("{} is also {}: {key}", one.whose, other.whose),
                    format!("one key for {} and {}", other.copy, one.copy),
                );
            } else if let Some((copy, number)) = lodger {
                let says = format!("{}, {key}, lies in account {number}, where copy {copy} is", one.whose);
                fail(says, format!("in the account of {copy}"));
            } else if let Some(other) = before.clone().find(|other| !other.is_beside(one) && other.arn.account == one.arn.account)
            {
                let says = format!("{}, {key}, lies in one account with {}, {}", one.whose, other.whose, other.arn.text);
                fail(says, format!("both in {}", one.arn.account));
            } else {
                tally.pass::<Encryption>(&one.at, format!("{}: {key}", one.whose), required);
            }
        }
        tally.finish()
    }
}

fn is_aws(copy: &Copy, view: &View<'_>) -> bool {
    view.estate.accounts.get(&copy.account).is_some_and(crate::estate::Account::is_aws)
}

/// The customer managed keys that the copies depend on. Copies without any are noted as in order.
fn held(store: &Store, view: &View<'_>, tally: &mut Tally) -> Vec<Held> {
    let mut out: Vec<Held> = Vec::new();
    for (name, copy) in store.copies.iter().filter(|(_, copy)| is_aws(copy, view)) {
        for bucket in copy.resources() {
            let (named, gaps) = keys::named(view.estate, view.snapshot, &bucket);
            if gaps.is_empty() && named.is_empty() {
                tally.pass::<Encryption>(&bucket, "no KMS key", "a key that only this copy depends on");
            }
            gaps.into_iter().for_each(|gap| tally.gap(gap));
            for keys::Named { via, arn } in named {
                // Replicas belong to the copy that they go to; those that go elsewhere are none of the store's.
                let of = match &via {
                    Via::Default => Some((name, copy)),
                    Via::Replicas { bucket, .. } => store.copies.iter().find(|(_, copy)| copy.buckets.contains(bucket)),
                };
                let Some((name, copy)) = of else { continue };
                let arn = match arn {
                    Ok(arn) if arn.is_of_aws() => {
                        tally.pass::<Encryption>(
                            &bucket,
                            format!("{}, which AWS manages", arn.text),
                            "a key that nobody can delete",
                        );
                        continue;
                    }
                    Ok(arn) => arn,
                    Err(gap) => {
                        tally.gap(gap);
                        continue;
                    }
                };
                let account = view.account_number(&copy.account).map(str::to_owned);
                let Some(arn) = customer_managed(&arn, account.as_deref(), &bucket, view, tally) else { continue };
                let whose = via.says(&bucket.name);
                let known = out.iter().any(|held| held.copy == *name && held.arn == arn);
                if !known {
                    out.push(Held { copy: name.clone(), within: copy.account.clone(), account, whose, arn, at: bucket.clone() });
                }
            }
        }
    }
    out
}

/// The key behind an ARN, unless AWS manages it. Keys that AWS manages encrypt only for their own account, so a key elsewhere
/// that is named by its ARN need not be asked.
fn customer_managed(arn: &KeyArn, own: Option<&str>, on: &ResourceId, view: &View<'_>, tally: &mut Tally) -> Option<KeyArn> {
    if !arn.is_alias() && own.is_some_and(|own| own != arn.account) {
        return Some(arn.clone());
    }
    let (key, state) = view.key(arn, tally)?;
    if state.manager == Manager::Aws {
        tally.pass::<Encryption>(on, format!("{}, which AWS manages", key.name), "a key that nobody can delete");
        return None;
    }
    KeyArn::parse(&key.name)
}
