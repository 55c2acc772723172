use jiff::Timestamp;
use serde::Deserialize;

use super::example::{Example, now, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::{Demand, On};
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::keys;
use crate::resources::FactType;
use crate::resources::capability::ELSEWHERE;
use crate::resources::kms_key::state::{KeyState, Origin, State};
use crate::resources::s3_bucket::encryption::Encryption;
use crate::resources::s3_bucket::replication::Replication;
use crate::view::View;

/// Every KMS key that the bucket encrypts with can be used now and stays.
///
/// # Why
/// Whoever deletes the key deletes every version of every document under it, locked or not, in every copy under that key. A
/// key is unusable from the moment that its deletion is scheduled, and gone after 7 to 30 days.
///
/// # Fails when
/// A key that default encryption or a replication rule names does not exist, is disabled, waits for its deletion (the finding
/// says when and how many days are left) or cannot be used for another reason; is not a symmetric key for encryption, the only
/// kind that S3 can use; has imported material, which can be deleted without any waiting period and may expire, unless
/// `allow-imported`; or lies in a custom key store (CloudHSM, or outside AWS), unless `allow-custom-key-store`. Imported
/// material with a date of expiry fails in any case: without a new import the documents are lost on that day.
///
/// A bucket without a KMS key (SSE-S3) has nothing to judge. The key `aws/s3`, which AWS manages, passes: nobody can disable
/// or delete it. A key of an account that no policy declares makes the verdict unknown: declare the account.
///
/// An alias or id without an ARN is looked up in the bucket's account; for a writer of another account S3 looks it up there
/// instead: name keys by ARN. Documents keep the key that they were written with: only the keys of today's settings are seen,
/// not the keys of older documents, nor a key that a single request names. Under which key replicas lie is judged at the bucket
/// whose rule names it.
///
/// # Fix
/// CancelKeyDeletion within the waiting period, then EnableKey. For imported material: import the same material again, from
/// escrow; in the long run, use a key whose material KMS made.
///
/// # References
/// <https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html>
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketKeyUsable {
    /// Whether imported key material is allowed, because it is kept in escrow.
    #[serde(default)]
    allow_imported: bool,
    /// Whether keys in custom key stores are allowed.
    #[serde(default)]
    allow_custom_key_store: bool,
}

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/0a";

/// A bucket under [`KEY`], and the key as a resource.
pub(super) fn under_key(example: Example) -> (Example, ResourceId) {
    let encryption = Encryption { algorithm: "aws:kms".into(), key: Some(KEY.into()), ..Encryption::default() };
    let key = ResourceId::new(&primary().account, Kind::KmsKey, KEY);
    (example.known(&primary(), encryption).absent::<Replication>(&primary()), key)
}

/// A key that is in order.
pub(super) fn good_key() -> KeyState {
    let (spec, usage) = ("SYMMETRIC_DEFAULT".to_owned(), "ENCRYPT_DECRYPT".to_owned());
    KeyState { arn: KEY.to_owned(), spec, usage, ..KeyState::default() }
}

impl CheckType for S3BucketKeyUsable {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-key-usable",
        unit: Kind::S3Bucket,
        severity: Severity::Critical,
        title: "The KMS keys of the bucket can be used, and stay",
        fix: "cancel the deletion of the key and enable it, or move the bucket to a key whose material KMS made",
        references: &[
            "SecurityHub:KMS.3",
            "NIST-800-53:SC-12",
            "ISO-27001:A.8.24",
            "PCI-DSS:3.6.1",
            "NIS2:9.2(c)",
            "Prowler:kms_cmk_not_deleted_unintentionally",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let world = |example: Example, state: KeyState| {
            let (example, key) = under_key(example);
            example.known(&key, state)
        };
        let in_state = |state| KeyState { state, ..good_key() };
        let going = || KeyState {
            deletion: Timestamp::from_second(now().as_second() + 9 * 86_400).ok(),
            ..in_state(State::PendingDeletion)
        };
        let imported = || KeyState { origin: Origin::External, ..good_key() };
        let hsm = || KeyState { origin: Origin::CloudHsm, key_store: Some("cks-1".into()), ..good_key() };
        let with_expiry = KeyState { expires: Timestamp::from_second(now().as_second() + 86_400).ok(), ..imported() };
        let plain = || Encryption { algorithm: "AES256".into(), ..Encryption::default() };
        let (allow, store) =
            (serde_json::json!({ "allow-imported": true }), serde_json::json!({ "allow-custom-key-store": true }));
        let managed = Encryption { algorithm: "aws:kms".into(), key: None, ..Encryption::default() };
        let elsewhere = Encryption { key: Some(KEY.replace("111111111111", "999999999999")), ..managed.clone() };
        let region = crate::resources::s3_bucket::region::Region("eu-west-1".into());
        vec![
            world(Example::pass("the key is enabled", on.clone()), good_key()),
            Example::pass("the key that AWS manages", on.clone())
                .known(&on, managed)
                .known(&on, region)
                .absent::<Replication>(&on),
            world(Example::pass("imported, in escrow", on.clone()), imported()).with(allow.clone()),
            world(Example::pass("in an HSM, as allowed", on.clone()), hsm()).with(store),
            Example::not_applicable("no KMS key", on.clone()).known(&on, plain()).absent::<Replication>(&on),
            world(Example::fail("deletion is scheduled", on.clone()), going()),
            world(Example::fail("disabled", on.clone()), in_state(State::Disabled)),
            world(Example::fail("the material is missing", on.clone()), in_state(State::PendingImport)),
            world(Example::fail("imported material", on.clone()), imported()),
            world(Example::fail("imported material that expires", on.clone()), with_expiry).with(allow),
            world(Example::fail("in a custom key store", on.clone()), hsm()),
            world(Example::fail("a key for signatures", on.clone()), KeyState { usage: "SIGN_VERIFY".into(), ..good_key() }),
            {
                let (example, key) = under_key(Example::fail("the key is gone", on.clone()));
                example.absent::<KeyState>(&key)
            },
            {
                let (example, key) = under_key(Example::unknown("the key may not be described", on.clone()));
                example.denied::<KeyState>(&key)
            },
            Example::unknown("a key of an account that is not declared", on.clone())
                .known(&on, elsewhere)
                .absent::<Replication>(&on),
            Example::unknown("replication denied", on.clone()).known(&on, plain()).denied::<Replication>(&on),
        ]
    }
}

impl Check for S3BucketKeyUsable {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(keys::FACTS), Demand::of(On::Keys, &[KeyState::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(named) = keys_of(unit, view, &mut tally) else { return Judgement::NotApplicable(none_of(unit, view).into()) };
        for (via, arn) in named {
            let place = match keys::place(view.estate, view.snapshot, &arn) {
                Ok(place) => place,
                Err(gap) => {
                    tally.gap(gap);
                    continue;
                }
            };
            let Some(state) = tally.read(view.read::<KeyState>(&place)) else { continue };
            let required = "a symmetric key that is enabled and stays";
            let whose = via.says(&unit.name);
            match state {
                None => {
                    let says = format!("{whose}, {}, does not exist: documents under it are lost", arn.text);
                    let _ = tally.fail::<KeyState>(&place, says, "no such key", required).subject(&arn.text).fix(
                        "find out which documents were under the key, restore them from a copy under another one, and set a new key",
                    );
                }
                Some(state) => {
                    let wrong = self.wrong(state, view.now);
                    if wrong.is_empty() {
                        tally.pass::<KeyState>(&place, format!("{}, {}", state.arn, state.state.label()), required);
                    }
                    for wrong in wrong {
                        let says = format!("{whose}, {}, {wrong}", arn.text);
                        let _ = tally.fail::<KeyState>(&place, says, wrong, required).subject(&arn.text);
                    }
                }
            }
        }
        tally.finish()
    }
}

impl S3BucketKeyUsable {
    fn wrong(&self, key: &KeyState, now: Timestamp) -> Vec<String> {
        let mut out = Vec::new();
        if !key.state.is_usable() {
            out.push(match key.deletion {
                Some(at) => {
                    let days = (at.as_second() - now.as_second()).max(0) / 86_400;
                    let date = at.strftime("%Y-%m-%d");
                    format!(
                        "is {} on {date} ({days} days left): documents under it are unreadable now and lost then",
                        key.state.label()
                    )
                }
                None => format!("is {}: documents under it are unreadable", key.state.label()),
            });
        }
        let symmetric = key.spec == "SYMMETRIC_DEFAULT" && key.usage == "ENCRYPT_DECRYPT";
        if !symmetric {
            out.push(format!("cannot encrypt documents ({}, {}): S3 uses symmetric keys for encryption", key.spec, key.usage));
        }
        match (key.origin, key.expires) {
            (Origin::External, Some(at)) => {
                out.push(format!(
                    "has imported material that expires on {}: documents under it are lost then",
                    at.strftime("%Y-%m-%d")
                ));
            }
            (Origin::External, None) if !self.allow_imported => {
                out.push("has imported material, which DeleteImportedKeyMaterial takes away at once".to_owned());
            }
            (Origin::CloudHsm | Origin::ExternalKeyStore, _) if !self.allow_custom_key_store => {
                out.push("lies in a custom key store, which can be disconnected or deleted".to_owned());
            }
            (Origin::Kms | Origin::External | Origin::CloudHsm | Origin::ExternalKeyStore, _) => {}
        }
        out
    }
}

/// The keys that the bucket's settings name; gaps are noted. A key that AWS manages is noted as in order and not among them.
/// `None`: surely none.
pub(super) fn keys_of(unit: &ResourceId, view: &View<'_>, tally: &mut Tally) -> Option<Vec<(keys::Via, keys::KeyArn)>> {
    let elsewhere = view.estate.accounts.get(&unit.account).is_some_and(|account| !account.is_aws());
    let (named, gaps) = keys::named(view.estate, view.snapshot, unit);
    if elsewhere || (named.is_empty() && gaps.is_empty()) {
        return None;
    }
    gaps.into_iter().for_each(|gap| tally.gap(gap));
    let mut out = Vec::new();
    for keys::Named { via, arn } in named {
        match arn {
            Ok(arn) if arn.is_of_aws() => {
                tally.pass::<Encryption>(unit, format!("{}, which AWS manages", arn.text), "a key that nobody can destroy");
            }
            Ok(arn) => out.push((via, arn)),
            Err(gap) => tally.gap(gap),
        }
    }
    Some(out)
}

/// Why nothing is judged.
pub(super) fn none_of(unit: &ResourceId, view: &View<'_>) -> &'static str {
    let elsewhere = view.estate.accounts.get(&unit.account).is_some_and(|account| !account.is_aws());
    if elsewhere { ELSEWHERE } else { "no setting of the bucket names a KMS key" }
}
