use serde::Deserialize;

use super::example::{Example, VAULT, documents, mirror, primary};
use super::feeds::{DeleteMarkers, brings_encrypted, extent, owned_by_target};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::{Demand, On};
use crate::estate::{AccountKey, Copy, Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::encryption::Encryption;
use crate::resources::s3_bucket::ownership::Ownership;
use crate::resources::s3_bucket::replication::{Replication, Rule};
use crate::resources::s3_bucket::versioning::Versioning;
use crate::view::View;

/// Everything in the store is replicated to a bucket of another account, and the replicas belong to that account.
///
/// # Why
/// Whoever controls the production account can delete everything in it. A copy in another account survives that, if it
/// really receives every document, keeps versions, and does not leave the replicas in the hands of the source account.
///
/// # Fails when
/// The store declares no copy in another account that is fed by replication; the rules do not cover the whole key space
/// (a prefix, a tag filter, a disabled rule); documents under SSE-KMS are left out; replicas stay the property of the
/// source account (no owner override, and the destination is not `BucketOwnerEnforced`); the destination is not versioned;
/// delete markers are replicated although `delete-markers` says `kept-out`, or the other way round. Rules of the first
/// form (without `Filter`) replicate the delete markers that users make.
///
/// Not seen: documents older than the rule, replication that is pending or failed for single documents, whether the role and
/// the KMS keys work (S3 does not validate them), whose key encrypts the replicas, and whether one organization's management
/// account stands above both accounts.
///
/// # Fix
/// Add a replication rule with an empty `Filter` to the bucket of the other account, with
/// `AccessControlTranslation.Owner=Destination`, and run Batch Replication for the documents that are already there.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreCrossAccountMirror {
    /// What is required of delete markers.
    #[serde(default)]
    delete_markers: DeleteMarkers,
}

impl CheckType for StoreCrossAccountMirror {
    const META: &'static Meta = &Meta {
        id: "store-cross-account-mirror",
        unit: Kind::Store,
        severity: Severity::Critical,
        title: "Everything is replicated to another account, which owns the replicas",
        fix: "replicate the whole key space to a versioned bucket of another account, with owner override",
        references: &["NIST-800-53:CP-6", "NIST-800-53:CP-9(3)", "ISO-27001:A.8.14"],
    };

    fn examples() -> Vec<Example> {
        let unit = documents();
        let good = || Rule {
            id: Some("all".to_owned()),
            enabled: true,
            bucket: mirror().name.to_string(),
            account: Some(VAULT.to_owned()),
            owner_override: true,
            sse_kms: true,
            ..Rule::default()
        };
        let one =
            |rule: Rule| Replication { role: "arn:aws:iam::111111111111:role/s3-replication".to_owned(), rules: vec![rule] };
        let kms = || Encryption { algorithm: "aws:kms".to_owned(), ..Encryption::default() };
        let world = |example: Example, rule: Rule| {
            example
                .known(&primary(), one(rule))
                .known(&primary(), kms())
                .known(&mirror(), Versioning::enabled())
                .known(&mirror(), Ownership("BucketOwnerEnforced".to_owned()))
        };
        vec![
            world(Example::pass("whole bucket, other account", unit.clone()), good()),
            world(Example::pass("owned through the bucket's setting", unit.clone()), Rule { owner_override: false, ..good() }),
            world(Example::fail("only one prefix", unit.clone()), Rule { prefix: "invoices/".to_owned(), ..good() }),
            world(Example::fail("only tagged documents", unit.clone()), Rule { narrowed: true, ..good() }),
            world(Example::fail("rule is disabled", unit.clone()), Rule { enabled: false, ..good() }),
            world(Example::fail("documents under KMS stay behind", unit.clone()), Rule { sse_kms: false, ..good() }),
            world(
                Example::fail("first form replicates markers", unit.clone()),
                Rule { first_form: true, delete_markers: true, ..good() },
            )
            .with(serde_json::json!({ "delete-markers": "kept-out" })),
            world(Example::fail("some other bucket", unit.clone()), Rule { bucket: "elsewhere".to_owned(), ..good() }),
            world(Example::fail("mirror not versioned", unit.clone()), good()).known(&mirror(), Versioning::suspended()),
            world(Example::fail("source account owns the replicas", unit.clone()), Rule { owner_override: false, ..good() })
                .known(&mirror(), Ownership("ObjectWriter".to_owned())),
            world(Example::fail("no replication at all", unit.clone()), good()).absent::<Replication>(&primary()),
            world(Example::fail("mirror in the same account", unit.clone()), good()).by_declaration().estate(|estate| {
                if let Some(copy) = estate.stores.get_mut("documents").and_then(|store| store.copies.get_mut("mirror")) {
                    copy.account = AccountKey::new("production");
                }
            }),
            {
                // Neither alias is pinned; the credentials tell that both are one account.
                let mut example = world(Example::fail("two aliases of one account", unit.clone()), good()).by_declaration();
                example.estate.accounts.values_mut().for_each(|account| account.id = None);
                example.snapshot.accounts.values_mut().for_each(|record| record.id = Some(VAULT.to_owned()));
                example
            },
            world(Example::unknown("replication denied", unit.clone()), good()).denied::<Replication>(&primary()),
            world(Example::unknown("mirror's versioning denied", unit), good()).denied::<Versioning>(&mirror()),
        ]
    }
}

impl Check for StoreCrossAccountMirror {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![
            Demand::of(On::Origins, &[Replication::SPEC, Encryption::SPEC]),
            Demand::of(On::Replicas, &[Versioning::SPEC, Ownership::SPEC]),
        ]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let copies = || view.estate.stores.get(&*unit.name).into_iter().flat_map(|store| store.copies.values());
        let mut mirrored = false;
        for origin in copies().filter(|copy| copy.is_origin()) {
            for replica in copies().filter(|copy| copy.is_replica() && in_another_account(view, origin, copy)) {
                mirrored = true;
                for source in origin.resources() {
                    if view.is_there(&source, &mut tally) {
                        self.feeds(&source, origin, replica, view, &mut tally);
                    }
                }
                for target in replica.resources() {
                    if view.is_there(&target, &mut tally) {
                        versioned(&target, view, &mut tally);
                    }
                }
            }
        }
        if !mirrored {
            let says = "no copy in another account is fed by replication";
            let _ = tally.fail::<Replication>(
                unit,
                says,
                "no such copy is declared",
                "a copy in another account, fed-by: replication",
            );
        }
        tally.finish()
    }
}

/// Whether two copies lie in different accounts. Two aliases of one account are one account.
fn in_another_account(view: &View<'_>, a: &Copy, b: &Copy) -> bool {
    let number = |copy: &Copy| view.account_number(&copy.account);
    a.account != b.account && (number(a).is_none() || number(a) != number(b))
}

fn versioned(target: &ResourceId, view: &View<'_>, tally: &mut Tally) {
    let Some(versioning) = tally.read(view.read::<Versioning>(target)) else { return };
    match versioning {
        Some(versioning) if versioning.is_enabled() => tally.pass::<Versioning>(target, "enabled", "enabled"),
        other => {
            let seen = other.map_or("never enabled", Versioning::label);
            let says = format!("the mirror {} is not versioned, so replication to it fails", target.name);
            let _ = tally.fail::<Versioning>(target, says, seen, "enabled").subject(&target.name);
        }
    }
}

impl StoreCrossAccountMirror {
    fn feeds(&self, source: &ResourceId, origin: &Copy, replica: &Copy, view: &View<'_>, tally: &mut Tally) {
        let Some(replication) = tally.read(view.read::<Replication>(source)) else { return };
        let required = format!("every document of {} replicated to {}", source.name, replica.buckets.join(", "));
        let number = view.account_number(&replica.account);
        let to_here = |rule: &&Rule| {
            let account = rule.account.as_deref().zip(number).is_none_or(|(named, known)| named == known);
            replica.buckets.contains(&rule.bucket) && account
        };
        let rules: Vec<&Rule> =
            replication.iter().flat_map(|found| &found.rules).filter(to_here).filter(|rule| rule.enabled).collect();
        if rules.is_empty() {
            let seen = match replication {
                None => "no replication",
                Some(found) if found.rules.iter().any(|rule| to_here(&rule)) => "the rule is disabled",
                Some(_) => "no rule names the mirror",
            };
            let says = format!("nothing is replicated from {} to {}", source.name, replica.buckets.join(", "));
            let _ = tally.fail::<Replication>(source, says, seen, required).subject(&source.name);
            return;
        }
        let whole: Vec<&&Rule> = rules.iter().filter(|rule| !rule.narrowed).collect();
        if !origin.keys.within(whole.iter().map(|rule| rule.prefix.as_str())) {
            let seen: Vec<String> = rules.iter().map(|rule| extent(rule)).collect();
            let says = format!("replication of {} does not cover every document", source.name);
            let _ = tally.fail::<Replication>(source, says, seen.join("; "), required.clone()).subject(&source.name);
        } else {
            let labels: Vec<&str> = whole.iter().map(|rule| rule.label()).collect();
            tally.pass::<Replication>(source, format!("covered by {}", labels.join(", ")), required);
        }
        for rule in &rules {
            self.delete_markers.judge(rule, source, tally);
        }
        brings_encrypted(source, &rules, view, tally);
        if rules.iter().any(|rule| !rule.owner_override) {
            replica.resources().for_each(|target| owned_by_target(&target, view, tally));
        }
    }
}
