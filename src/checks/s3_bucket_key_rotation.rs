use serde::Deserialize;

use super::example::{Example, primary};
use super::s3_bucket_key_usable::{good_key, keys_of, none_of, under_key};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::{Demand, On};
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::keys;
use crate::resources::FactType;
use crate::resources::kms_key::rotation::KeyRotation;
use crate::resources::kms_key::state::{KeyState, Manager, Origin};
use crate::units::Span;
use crate::view::View;

/// The KMS keys of the bucket get new key material automatically.
///
/// # Why
/// New material limits how much one leaked piece of key material opens. KMS keeps all earlier material, so rotation loses no
/// document. Frameworks ask for it.
///
/// # Fails when
/// Automatic rotation of a customer managed key that default encryption or a replication rule names is off, comes less often
/// than every `at-most`, or is impossible: KMS does not rotate imported material and custom key stores by itself. Rotation on
/// demand does not count, nor does making a new key and moving an alias to it.
///
/// A bucket without a KMS key (SSE-S3) has nothing to judge. Keys that AWS manages pass: AWS rotates them every year. A replica
/// of a multi-Region key rotates with its primary key.
///
/// # Fix
/// EnableKeyRotation, with a RotationPeriodInDays if 365 is not often enough.
///
/// # References
/// <https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketKeyRotation {
    /// The longest time between two rotations.
    #[serde(default = "a_year")]
    at_most: Span,
}

fn a_year() -> Span {
    Span::days(365)
}

impl CheckType for S3BucketKeyRotation {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-key-rotation",
        unit: Kind::S3Bucket,
        severity: Severity::Low,
        title: "The KMS keys of the bucket rotate",
        fix: "enable automatic rotation of the key (EnableKeyRotation)",
        references: &["NIST-800-53:SC-12", "NIST-800-53:SC-12(2)"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let world = |example: Example, enabled, period_days| {
            let (example, key) = under_key(example);
            example.known(&key, good_key()).known(&key, KeyRotation { enabled, period_days })
        };
        let (managed, imported) =
            (KeyState { manager: Manager::Aws, ..good_key() }, KeyState { origin: Origin::External, ..good_key() });
        vec![
            world(Example::pass("every year", on.clone()), true, Some(365)),
            world(Example::pass("every year, unsaid", on.clone()), true, None),
            world(Example::pass("often enough", on.clone()), true, Some(90)).with(serde_json::json!({ "at-most": "90d" })),
            {
                let (example, key) = under_key(Example::pass("a key that AWS manages", on.clone()));
                example.known(&key, managed)
            },
            world(Example::fail("off", on.clone()), false, None),
            world(Example::fail("too rare", on.clone()), true, Some(730)),
            {
                let (example, key) = under_key(Example::fail("imported material", on.clone()));
                example.known(&key, imported).known(&key, KeyRotation::default())
            },
            {
                let (example, key) = under_key(Example::fail("a kind that has none", on.clone()));
                example.known(&key, good_key()).absent::<KeyRotation>(&key)
            },
            {
                let (example, key) = under_key(Example::unknown("denied", on.clone()));
                example.known(&key, good_key()).denied::<KeyRotation>(&key)
            },
            {
                let (example, key) = under_key(Example::unknown("the key may not be described", on));
                example.denied::<KeyState>(&key)
            },
        ]
    }
}

impl Check for S3BucketKeyRotation {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(keys::FACTS), Demand::of(On::Keys, &[KeyState::SPEC, KeyRotation::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(named) = keys_of(unit, view, &mut tally) else { return Judgement::NotApplicable(none_of(unit, view).into()) };
        let required = format!("rotation at least every {}", self.at_most);
        for (via, arn) in named {
            let Some((key, state)) = view.key(&arn, &mut tally) else { continue };
            if state.manager == Manager::Aws {
                tally.pass::<KeyState>(&key, "managed and rotated by AWS", required.clone());
                continue;
            }
            let Some(rotation) = tally.read(view.read::<KeyRotation>(&key)) else { continue };
            let whose = format!("{}, {},", via.says(&unit.name), key.name);
            let (says, seen) = match (rotation.and_then(KeyRotation::every_days), state.origin) {
                (Some(days), _) if i64::from(days) * 86_400 <= self.at_most.seconds() => {
                    tally.pass::<KeyRotation>(&key, format!("every {days} days"), required.clone());
                    continue;
                }
                (Some(days), _) => (format!("{whose} rotates only every {days} days"), format!("every {days} days")),
                (None, Origin::Kms) if rotation.is_some() => (format!("{whose} does not rotate"), "off".to_owned()),
                (None, _) => (format!("{whose} cannot rotate by itself"), "not possible".to_owned()),
            };
            let _ = tally.fail::<KeyRotation>(&key, says, seen, required.clone()).subject(&key.name);
        }
        tally.finish()
    }
}
