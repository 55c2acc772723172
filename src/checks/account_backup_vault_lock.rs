use jiff::SignedDuration;
use lastcopy_iam::{Case, Pattern};
use serde::Deserialize;

use super::example::{Example, now, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::backup_vaults::{BackupVaults, Vault};
use crate::units::Span;
use crate::view::View;

/// The vaults of AWS Backup are locked, so that their recovery points cannot be deleted early.
///
/// # Why
/// A recovery point in a vault without a lock is deleted with one call by whoever may call it, as the documents were. A lock in
/// compliance mode, once its date has passed, holds against everybody, the root user included; one in governance mode holds until
/// somebody with the permission lifts it.
///
/// # Fails when
/// In a Region where the account has buckets in question, a vault that `vaults` selects has no lock, its lock is not in compliance
/// mode or can still be lifted (with `mode: compliance`), or its shortest retention is less than `keep`. Fails too when
/// no vault is selected in any of these Regions.
///
/// # Fix
/// Put a lock with a shortest retention on the vault; for compliance mode give it a date at least three days away, and know that
/// nothing can undo it after that.
///
/// # References
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountBackupVaultLock {
    /// The vaults by name; `*` and `?` match.
    #[serde(default = "all")]
    #[schemars(extend("examples" = ["documents-*"]))]
    vaults: String,
    /// The mode that the lock must have at least.
    #[serde(default)]
    mode: Mode,
    /// The shortest retention that the lock must enforce.
    #[serde(default = "month")]
    keep: Span,
}

/// How firm a lock is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    /// Who has the permission can lift it.
    Governance,
    /// Nobody can lift it.
    #[default]
    Compliance,
}

fn all() -> String {
    "*".to_owned()
}

fn month() -> Span {
    Span::days(30)
}

impl CheckType for AccountBackupVaultLock {
    const META: &'static Meta = &Meta {
        id: "account-backup-vault-lock",
        unit: Kind::Account,
        severity: Severity::High,
        title: "Backup vaults are locked",
        fix: "put a vault lock with a shortest retention on the vault",
        references: &["NIST-800-53:CP-9(8)", "ISO-27001:A.8.13"],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let vault = |days: Option<i64>, min: Option<i64>| Vault {
            name: "documents".to_owned(),
            locked: true,
            lock_date: days.map(|days| now() + SignedDuration::from_hours(24 * days)),
            min_retention_days: min,
            ..Vault::default()
        };
        let vaults = |example: Example, vaults: Vec<Vault>| {
            example.known(&production(), BackupVaults([("eu-central-1".to_owned(), vaults)].into()))
        };
        let open = Vault { locked: false, ..vault(None, None) };
        let governance = serde_json::json!({ "mode": "governance" });
        vec![
            vaults(Example::pass("locked for good", on.clone()), vec![vault(Some(-10), Some(35))]),
            vaults(Example::pass("governance is enough", on.clone()), vec![vault(None, Some(35))]).with(governance),
            vaults(Example::fail("can still be lifted", on.clone()), vec![vault(Some(2), Some(35))]),
            vaults(Example::fail("governance is not", on.clone()), vec![vault(None, Some(35))]),
            vaults(Example::fail("keeps a week", on.clone()), vec![vault(Some(-10), Some(7))]),
            vaults(Example::fail("no shortest retention", on.clone()), vec![vault(Some(-10), None)]),
            vaults(Example::fail("one of two has no lock", on.clone()), vec![vault(Some(-10), Some(35)), open]),
            vaults(Example::fail("no vault", on.clone()), Vec::new()),
            Example::unknown("denied", on.clone()).denied::<BackupVaults>(&on),
        ]
    }
}

impl Check for AccountBackupVaultLock {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[BackupVaults::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<BackupVaults>(unit)) else { return tally.finish() };
        let required = format!(
            "locked in {} mode, for at least {}",
            if self.mode == Mode::Compliance { "compliance" } else { "any" },
            self.keep
        );
        let all =
            found.iter().flat_map(|found| &found.0).flat_map(|(region, vaults)| vaults.iter().map(move |vault| (region, vault)));
        let glob = Pattern::new(&self.vaults, Case::Sensitive);
        let selected: Vec<(&String, &Vault)> = all.filter(|(_, vault)| glob.matches(&vault.name)).collect();
        if selected.is_empty() {
            let regions = found.map(|found| found.0.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default();
            let says = format!("there is no backup vault `{}` in {regions}", self.vaults);
            let _ = tally.fail::<BackupVaults>(unit, says, "no vault", required);
            return tally.finish();
        }
        for (region, vault) in selected {
            let what = format!("vault {} in {region}", vault.name);
            match self.lacks(vault, view) {
                None => tally.pass::<BackupVaults>(unit, format!("{what} is locked"), required.clone()),
                Some(lacks) => {
                    let says = format!("{what} {lacks}");
                    let _ = tally
                        .fail::<BackupVaults>(unit, says.clone(), says, required.clone())
                        .subject(&format!("{region}/{}", vault.name));
                }
            }
        }
        tally.finish()
    }
}

impl AccountBackupVaultLock {
    fn lacks(&self, vault: &Vault, view: &View<'_>) -> Option<String> {
        if !vault.locked {
            return Some("has no lock".to_owned());
        }
        match vault.lock_date {
            _ if self.mode == Mode::Governance => {}
            None => return Some("has a lock that whoever may can lift (governance mode)".to_owned()),
            Some(date) if date > view.now => return Some(format!("has a lock that can be lifted until {date}")),
            Some(_) => {}
        }
        let kept = vault.min_retention_days.unwrap_or_default();
        let short = kept.saturating_mul(86_400) < self.keep.seconds();
        short.then(|| match vault.min_retention_days {
            Some(days) => format!("has a lock that keeps recovery points for {days} d only"),
            None => "has a lock without a shortest retention".to_owned(),
        })
    }
}
