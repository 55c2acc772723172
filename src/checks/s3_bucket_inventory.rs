use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::inventory::{Config, Frequency, Inventory};
use crate::units::Span;
use crate::view::View;

/// A list of all documents and their versions is written regularly, to another bucket.
///
/// # Why
/// After a loss the list says what there was. It is also the cheapest way to find out what a mirror lacks, which versions have no
/// lock and what is encrypted how, and the input of batch jobs that repair it.
///
/// # Fails when
/// There are keys of the store that no enabled inventory lists: at least every `at-most`, with all versions (unless `versions:
/// current`), with every field in `fields`, into another bucket than the listed one (and one whose name matches `to`).
/// Inventories with different prefixes may cover the keys together.
///
/// Not seen: whether the lists arrive, what the destination's policy allows, and who can delete them there.
///
/// # Fix
/// PutBucketInventoryConfiguration with an empty filter, all versions and a bucket of another account as destination, whose bucket
/// policy lets s3.amazonaws.com write.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketInventory {
    /// The longest time between two lists; S3 knows a day and a week.
    #[serde(default = "week")]
    at_most: Span,
    /// Whether old versions must be listed too.
    #[serde(default)]
    versions: Versions,
    /// Columns that must be there: `ReplicationStatus`, `ObjectLockRetainUntilDate`, `EncryptionStatus` and the like.
    #[serde(default)]
    fields: Vec<String>,
    /// Where the lists must go: a name of a bucket with `*` and `?`.
    to: Option<String>,
}

/// What is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Versions {
    #[default]
    All,
    Current,
}

fn week() -> Span {
    Span::days(7)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_InventoryConfiguration.html>
const FIELDS: [&str; 19] = [
    "BucketKeyStatus",
    "ChecksumAlgorithm",
    "ETag",
    "EncryptionStatus",
    "IntelligentTieringAccessTier",
    "IntelligentTieringReferenceDate",
    "IsMultipartUploaded",
    "LastModifiedDate",
    "LifecycleExpirationDate",
    "ObjectAccessControlList",
    "ObjectLockEventHoldDuration",
    "ObjectLockEventHoldStatus",
    "ObjectLockLegalHoldStatus",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ObjectOwner",
    "ReplicationStatus",
    "Size",
    "StorageClass",
];

impl CheckType for S3BucketInventory {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-inventory",
        unit: Kind::S3Bucket,
        severity: Severity::Low,
        title: "All documents are listed regularly in another bucket",
        fix: "add an inventory of all versions and all keys to another bucket (PutBucketInventoryConfiguration)",
        references: &["NIS2:4.2.2(b)"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let good = || Config {
            id: "all".to_owned(),
            enabled: true,
            all_versions: true,
            frequency: Frequency::Weekly,
            format: "Parquet".to_owned(),
            bucket: "acme-inventory".to_owned(),
            fields: vec!["ReplicationStatus".to_owned()],
            ..Config::default()
        };
        let case = |example: Example, configs: Vec<Config>| example.known(&primary(), Inventory { configs });
        let with = |key: &str, value: serde_json::Value| serde_json::json!({ key: value });
        vec![
            case(Example::pass("weekly, all versions", on.clone()), vec![good()]),
            case(Example::pass("with a field", on.clone()), vec![good()])
                .with(with("fields", serde_json::json!(["ReplicationStatus"]))),
            case(Example::pass("current ones", on.clone()), vec![Config { all_versions: false, ..good() }])
                .with(with("versions", "current".into())),
            case(Example::pass("to that bucket", on.clone()), vec![good()]).with(with("to", "*-inventory".into())),
            case(Example::fail("to another bucket", on.clone()), vec![good()]).with(with("to", "vault-*".into())),
            case(Example::fail("not daily", on.clone()), vec![good()]).with(with("at-most", "1d".into())),
            case(Example::fail("current ones only", on.clone()), vec![Config { all_versions: false, ..good() }]),
            case(Example::fail("a field is missing", on.clone()), vec![good()]).with(with("fields", serde_json::json!(["Size"]))),
            case(Example::fail("into itself", on.clone()), vec![Config { bucket: on.name.to_string(), ..good() }]),
            case(Example::fail("one prefix", on.clone()), vec![Config { prefix: "invoices/".to_owned(), ..good() }]),
            case(Example::fail("disabled", on.clone()), vec![Config { enabled: false, ..good() }]),
            Example::fail("none", on.clone()).absent::<Inventory>(&on),
            Example::unknown("denied", on.clone()).denied::<Inventory>(&on),
        ]
    }
}

impl Check for S3BucketInventory {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Inventory::SPEC])]
    }

    fn problems(&self) -> Vec<String> {
        let short = self.at_most < Span::days(1);
        let short = short.then(|| format!("`at-most: {}` is less than a day; S3 writes at most one list a day", self.at_most));
        let odd = self.fields.iter().filter(|field| !FIELDS.contains(&field.as_str()));
        short
            .into_iter()
            .chain(odd.map(|field| format!("`{field}` is no field of an inventory; one is `ReplicationStatus`")))
            .collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<Inventory>(unit)) else { return tally.finish() };
        let configs: Vec<(&Config, Vec<String>)> =
            found.iter().flat_map(|found| &found.configs).map(|config| (config, self.lacks(config, unit))).collect();
        let good = || configs.iter().filter(|(_, lacks)| lacks.is_empty()).map(|(config, _)| *config);
        let required = format!("all keys listed at least every {}", self.at_most);
        let prefixes: Vec<&str> = good().map(|config| config.prefix.as_str()).collect();
        if view.estate.key_spaces(unit).iter().all(|space| space.within(prefixes.iter().copied())) {
            let ids: Vec<String> = good().map(|config| format!("{} to {}", config.id, config.bucket)).collect();
            tally.pass::<Inventory>(unit, format!("listed by {}", ids.join(", ")), required);
            return tally.finish();
        }
        let seen: Vec<String> = configs
            .iter()
            .map(|(config, lacks)| match lacks.as_slice() {
                [] => format!("inventory {} lists keys under \"{}\"", config.id, config.prefix),
                lacks => format!("inventory {} {}", config.id, lacks.join(", ")),
            })
            .collect();
        let (says, seen) = match seen.as_slice() {
            [] => ("no inventory is written".to_owned(), "none".to_owned()),
            all => (format!("not every document is listed as required: {}", all.join("; ")), all.join("; ")),
        };
        let _ = tally.fail::<Inventory>(unit, says, seen, required);
        tally.finish()
    }
}

impl S3BucketInventory {
    /// What a configuration lacks.
    fn lacks(&self, config: &Config, unit: &ResourceId) -> Vec<String> {
        let mut lacks = Vec::new();
        if !config.enabled {
            lacks.push("is disabled".to_owned());
        }
        if Span::days(config.frequency.days()) > self.at_most {
            lacks.push(format!("is {} only", config.frequency.as_str()));
        }
        if self.versions == Versions::All && !config.all_versions {
            lacks.push("lists current versions only".to_owned());
        }
        let missing: Vec<&str> = self.fields.iter().filter(|field| !config.fields.contains(field)).map(String::as_str).collect();
        if !missing.is_empty() {
            lacks.push(format!("lacks {}", missing.join(", ")));
        }
        if *config.bucket == *unit.name {
            lacks.push("is written into the bucket that it lists".to_owned());
        }
        let glob = |glob: &String| lastcopy_iam::Pattern::new(glob, lastcopy_iam::Case::Sensitive).matches(&config.bucket);
        if !self.to.as_ref().is_none_or(glob) {
            lacks.push(format!("is written to {}", config.bucket));
        }
        lacks
    }
}
