//! What a KMS key is and whether it can be used. Absent: KMS knows no such key or alias (`NotFoundException`): it was deleted.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The key's metadata as KMS answers it. Asked by an alias, it is that of the key behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct KeyState {
    /// The ARN of the key, never of an alias.
    pub arn: String,
    pub state: State,
    /// When KMS deletes the key, while its deletion is scheduled.
    #[schemars(with = "Option<String>")]
    pub deletion: Option<Timestamp>,
    /// The waiting period of a primary key whose replicas must be deleted first, in days.
    pub pending_days: Option<i32>,
    pub origin: Origin,
    /// When imported material expires; `None`: it does not, or none was imported.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Timestamp>,
    pub manager: Manager,
    /// `SYMMETRIC_DEFAULT`, `RSA_2048`, ...
    pub spec: String,
    /// `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, ...
    pub usage: String,
    /// The custom key store that holds the material.
    pub key_store: Option<String>,
    pub multi_region: Option<MultiRegion>,
}

/// What a key can be used for now.
/// See <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Creating,
    #[default]
    Enabled,
    Disabled,
    /// It is deleted when the waiting period ends, and unusable until somebody cancels.
    PendingDeletion,
    /// Its imported material is missing: deleted or expired.
    PendingImport,
    /// A primary key that is deleted once its replicas are.
    PendingReplicaDeletion,
    /// Its custom key store is not connected.
    Unavailable,
    /// Its primary Region is being changed; it can be used.
    Updating,
}

impl State {
    /// The word in a sentence.
    pub fn label(self) -> &'static str {
        match self {
            Self::Creating => "still being created",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::PendingDeletion => "scheduled for deletion",
            Self::PendingImport => "without its imported material",
            Self::PendingReplicaDeletion => "scheduled for deletion once its replicas are deleted",
            Self::Unavailable => "unavailable, its custom key store is not connected",
            Self::Updating => "being updated",
        }
    }

    /// Whether documents can be read and written under a key in this state.
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Enabled | Self::Updating)
    }
}

/// Where the key material comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// KMS made it.
    #[default]
    Kms,
    /// It was imported, and can be deleted at once.
    External,
    /// A CloudHSM cluster.
    CloudHsm,
    /// A key manager outside AWS.
    ExternalKeyStore,
}

/// Who manages a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// AWS: nobody else can disable or delete it.
    Aws,
    #[default]
    Customer,
}

/// The place of a key among keys of several Regions with the same material.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct MultiRegion {
    /// It is the primary key; else a replica.
    pub primary: bool,
    /// The ARN of the primary key.
    pub primary_arn: String,
    /// The ARNs of the replicas.
    pub replicas: Vec<String>,
}

impl FactType for KeyState {
    const EMPTY: bool = false;
    const SPEC: FactId = &FactSpec {
        id: "kms-key.state",
        kind: Kind::KmsKey,
        operation: "kms:DescribeKey",
        also: &[],
        actions: &["kms:DescribeKey"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::KeyReader> for KeyState {
    async fn read(from: &crate::aws::KeyReader) -> crate::aws::Reading<Self> {
        #[cfg(feature = "kms")]
        {
            let answer = from.ask("kms:DescribeKey", |kms, id| async move { kms.describe_key().key_id(id).send().await }).await;
            let Some(found) = crate::aws::absent_on_code(answer, &["NotFoundException"])? else { return Ok(None) };
            let Some(found) = found.key_metadata else {
                return Err(crate::aws::Failure::malformed("no KeyMetadata in the answer"));
            };
            answered(found, from).map(Some)
        }
        #[cfg(not(feature = "kms"))]
        {
            let _ = from;
            Err(crate::aws::Failure::not_compiled("kms"))
        }
    }
}

#[cfg(feature = "kms")]
fn answered(found: aws_sdk_kms::types::KeyMetadata, from: &crate::aws::KeyReader) -> Result<KeyState, crate::aws::Failure> {
    let bad = |what: &str, value: Option<&str>| {
        crate::aws::Failure::malformed(match value {
            Some(value) => format!("unknown {what} `{value}` in the answer"),
            None => format!("no {what} in the answer"),
        })
    };
    let state = match found.key_state.as_ref().map(aws_sdk_kms::types::KeyState::as_str) {
        Some("Creating") => State::Creating,
        Some("Enabled") => State::Enabled,
        Some("Disabled") => State::Disabled,
        Some("PendingDeletion") => State::PendingDeletion,
        Some("PendingImport") => State::PendingImport,
        Some("PendingReplicaDeletion") => State::PendingReplicaDeletion,
        Some("Unavailable") => State::Unavailable,
        Some("Updating") => State::Updating,
        other => return Err(bad("KeyState", other)),
    };
    let origin = match found.origin.as_ref().map(aws_sdk_kms::types::OriginType::as_str) {
        Some("AWS_KMS") => Origin::Kms,
        Some("EXTERNAL") => Origin::External,
        Some("AWS_CLOUDHSM") => Origin::CloudHsm,
        Some("EXTERNAL_KEY_STORE") => Origin::ExternalKeyStore,
        other => return Err(bad("Origin", other)),
    };
    let manager = match found.key_manager.as_ref().map(aws_sdk_kms::types::KeyManagerType::as_str) {
        Some("AWS") => Manager::Aws,
        Some("CUSTOMER") => Manager::Customer,
        other => return Err(bad("KeyManager", other)),
    };
    let expires = match found.expiration_model.as_ref().map(aws_sdk_kms::types::ExpirationModelType::as_str) {
        Some("KEY_MATERIAL_EXPIRES") => Some(time(found.valid_to.as_ref().ok_or_else(|| bad("ValidTo", None))?)?),
        Some("KEY_MATERIAL_DOES_NOT_EXPIRE") => None,
        // Only missing material, and what was not imported, has none.
        None if origin != Origin::External || state == State::PendingImport => None,
        other => return Err(bad("ExpirationModel", other)),
    };
    let arn = found.arn.unwrap_or_default();
    if !from.is_of_key(&arn) {
        return Err(crate::aws::Failure::malformed(format!("the answer is about `{arn}`, not about the key that was asked for")));
    }
    let multi_region = found.multi_region_configuration.map(|found| {
        use aws_sdk_kms::types::MultiRegionKeyType;
        let primary = match found.multi_region_key_type {
            Some(MultiRegionKeyType::Primary) => true,
            Some(MultiRegionKeyType::Replica) => false,
            other => return Err(bad("MultiRegionKeyType", other.as_ref().map(MultiRegionKeyType::as_str))),
        };
        let arn = |key: Option<aws_sdk_kms::types::MultiRegionKey>| {
            key.and_then(|key| key.arn).ok_or_else(|| bad("Arn of a multi-Region key", None))
        };
        Ok(MultiRegion {
            primary,
            primary_arn: arn(found.primary_key)?,
            replicas: found.replica_keys.unwrap_or_default().into_iter().map(|key| arn(Some(key))).collect::<Result<_, _>>()?,
        })
    });
    Ok(KeyState {
        arn,
        state,
        deletion: found.deletion_date.as_ref().map(time).transpose()?,
        pending_days: found.pending_deletion_window_in_days,
        origin,
        expires,
        manager,
        spec: found.key_spec.map(|spec| spec.as_str().to_owned()).ok_or_else(|| bad("KeySpec", None))?,
        usage: found.key_usage.map(|usage| usage.as_str().to_owned()).ok_or_else(|| bad("KeyUsage", None))?,
        key_store: found.custom_key_store_id,
        multi_region: multi_region.transpose()?,
    })
}

#[cfg(feature = "kms")]
fn time(at: &aws_smithy_types::DateTime) -> Result<Timestamp, crate::aws::Failure> {
    Timestamp::from_second(at.secs()).map_err(|_| crate::aws::Failure::malformed("a date of the answer is out of range"))
}
