//! The vaults of AWS Backup in each Region where the account has buckets in question, with their locks. No vault is an empty
//! list, never absent.
//!
//! <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupVaults.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The vaults by Region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct BackupVaults(pub BTreeMap<String, Vec<Vault>>);

/// One vault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Vault {
    pub name: String,
    /// A logically air-gapped vault, or a copy for restores; not a plain one.
    pub air_gapped: bool,
    pub locked: bool,
    /// From then on nobody can lift the lock. A lock without it can be lifted by whoever may.
    #[schemars(with = "Option<String>")]
    pub lock_date: Option<Timestamp>,
    pub min_retention_days: Option<i64>,
    pub max_retention_days: Option<i64>,
    /// The ARN of the key that encrypts it.
    pub key: Option<String>,
    /// How many recovery points are in it.
    pub points: i64,
    /// Its access policy, an IAM policy document.
    pub policy: Option<String>,
}

impl FactType for BackupVaults {
    const SPEC: FactId = &FactSpec {
        id: "account.backup-vaults",
        kind: Kind::Account,
        operation: "backup:ListBackupVaults",
        also: &["backup:GetBackupVaultAccessPolicy"],
        actions: &["backup:ListBackupVaults", "backup:GetBackupVaultAccessPolicy"],
        per: Per::Region,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for BackupVaults {
    #[cfg(not(feature = "backup"))]
    async fn read(_: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        Err(crate::aws::Failure::not_compiled("backup"))
    }

    #[cfg(feature = "backup")]
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        Ok(Some(Self(from.in_regions(async |region| vaults(from, &region).await).await?)))
    }
}

#[cfg(all(feature = "aws", feature = "backup"))]
async fn vaults(from: &crate::aws::AccountReader, region: &str) -> Result<Vec<Vault>, crate::aws::Failure> {
    use aws_sdk_backup::types::VaultType;

    use crate::aws::{Failure, pages, timestamp};
    let listed = pages(async |token| {
        let send = |backup: aws_sdk_backup::Client| async move { backup.list_backup_vaults().set_next_token(token).send().await };
        let page = from.backup(region, BackupVaults::SPEC.operation, send).await?;
        Ok((page.backup_vault_list.unwrap_or_default(), page.next_token))
    })
    .await?;
    let mut vaults = Vec::new();
    for vault in listed {
        let Some(name) = vault.backup_vault_name.filter(|name| !name.is_empty()) else {
            return Err(Failure::malformed("a backup vault without a name"));
        };
        let asked = name.clone();
        let send = |backup: aws_sdk_backup::Client| async move {
            backup.get_backup_vault_access_policy().backup_vault_name(asked).send().await
        };
        let policy = match from.backup(region, "backup:GetBackupVaultAccessPolicy", send).await {
            Ok(answer) => answer.policy,
            Err(failure) if failure.code.as_deref() == Some("ResourceNotFoundException") => None,
            Err(failure) => return Err(failure),
        };
        let days = [vault.min_retention_days, vault.max_retention_days];
        if days.iter().flatten().any(|days| *days < 1) {
            return Err(Failure::malformed(format!("the lock of vault {name} has less than one day")));
        }
        vaults.push(Vault {
            name,
            air_gapped: vault.vault_type.is_some_and(|kind| kind != VaultType::BackupVault),
            locked: vault.locked.unwrap_or_default(),
            lock_date: vault.lock_date.map(timestamp).transpose()?,
            min_retention_days: vault.min_retention_days,
            max_retention_days: vault.max_retention_days,
            key: vault.encryption_key_arn,
            points: vault.number_of_recovery_points,
            policy,
        });
    }
    Ok(vaults)
}
