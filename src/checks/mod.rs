//! The checks: one file each, listed once below.
//!
//! A check's doc comment is its published page; its fields are its parameters; its examples are its tests. A check must
//! never read a clock, a file or the network, and never match JSON: IAM policy documents are judged in `lastcopy-iam`.

use std::fmt;

use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::Judgement;
use crate::units::Span;
use crate::view::View;

mod blocks;
pub mod example;
mod feeds;
mod foreign;

use example::Example;

/// How bad an open failure is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// The word in policies and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is the same for every use of a check.
#[derive(Debug)]
pub struct Meta {
    /// `<service>-<resource>-<protection>`: names the required state.
    pub id: &'static str,
    /// What it judges.
    pub unit: Kind,
    /// Severity of a control that does not say.
    pub severity: Severity,
    /// The requirement in half a line.
    pub title: &'static str,
    /// What to do, in one sentence.
    pub fix: &'static str,
    /// Control ids of frameworks, with the framework's name first: `NIST-800-53:CP-9`.
    pub references: &'static [&'static str],
}

/// What a control demands that may contradict another control, found at load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// MFA Delete must be on: AWS refuses lifecycle rules on such a bucket.
    MfaDelete,
    /// Only a lifecycle rule can satisfy it; the text says which.
    NeedsLifecycleRule(&'static str),
    /// What was deleted or overwritten is there for so long.
    RecoverableFor(Span),
    /// A requested deletion is final within this time.
    ErasedWithin {
        within: Span,
        /// Somebody deletes every version on request: no lifecycle rule is waited for.
        purged: bool,
    },
    /// Every new version is locked for so long from its upload.
    LockedFor(Span),
}

/// A typed rule with its parameters.
pub trait Check: fmt::Debug + Send + Sync {
    /// What is the same for every use.
    fn meta(&self) -> &'static Meta;
    /// The facts that this instance needs; nothing else is fetched.
    fn demands(&self, estate: &Estate) -> Vec<Demand>;
    /// What may contradict other controls.
    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }
    /// Problems of the parameters that a schema cannot say; each becomes an error at the control.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
    /// Problems of a text that is a parameter, each at its place in the text.
    fn mistakes(&self) -> Option<(&'static str, &[crate::expression::Mistake])> {
        None
    }
    /// The verdict on one resource.
    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement;
}

/// A check by its type: what the list needs to know.
pub trait CheckType: Check + serde::de::DeserializeOwned + schemars::JsonSchema + Sized + 'static {
    /// Also returned by [`Check::meta`].
    const META: &'static Meta;
    /// The same of one use, where the parameters decide what is judged.
    fn meta_of(_with: &serde_json::Value) -> &'static Meta {
        Self::META
    }
    /// Cases that show the check at work; they are its tests and part of its page.
    fn examples() -> Vec<Example>;
}

/// One entry of the list.
#[derive(Clone, Copy)]
pub struct Entry {
    pub meta: &'static Meta,
    /// [`CheckType::meta_of`].
    pub meta_of: fn(&serde_json::Value) -> &'static Meta,
    /// Reads the parameters of a control. The error is serde's.
    pub parse: fn(&serde_json::Value) -> Result<Box<dyn Check>, serde_json::Error>,
    /// The schema of the parameters; its description is the check's page.
    pub schema: fn() -> schemars::Schema,
    pub examples: fn() -> Vec<Example>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meta.id)
    }
}

fn parse<C: CheckType>(with: &serde_json::Value) -> Result<Box<dyn Check>, serde_json::Error> {
    Ok(Box::new(C::deserialize(with)?))
}

/// Inlined, so that the page's parameters can be read in one place.
fn schema<C: CheckType>() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .with(|s| s.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<C>()
}

macro_rules! checks {
    ($($module:ident::$Check:ident),* $(,)?) => {
        $(mod $module; pub use $module::$Check;)*

        /// Every check, in the order of their pages.
        pub const CHECKS: &[Entry] = &[$(Entry {
            meta: <$Check as CheckType>::META,
            meta_of: <$Check as CheckType>::meta_of,
            parse: parse::<$Check>,
            schema: schema::<$Check>,
            examples: <$Check as CheckType>::examples,
        }),*];

        #[cfg(test)]
        const FILES: &[&str] = &[$(stringify!($module)),*];
    };
}

checks! {
    s3_bucket_versioning::S3BucketVersioning,
    s3_bucket_mfa_delete::S3BucketMfaDelete,
    s3_bucket_noncurrent_retention::S3BucketNoncurrentRetention,
    s3_bucket_recovery_window::S3BucketRecoveryWindow,
    s3_bucket_erasure_time::S3BucketErasureTime,
    s3_bucket_restore_time::S3BucketRestoreTime,
    s3_bucket_no_current_expiry::S3BucketNoCurrentExpiry,
    s3_bucket_upload_abort::S3BucketUploadAbort,
    s3_bucket_object_lock::S3BucketObjectLock,
    s3_bucket_lock_coverage::S3BucketLockCoverage,
    s3_bucket_public_access_block::S3BucketPublicAccessBlock,
    s3_bucket_ownership::S3BucketOwnership,
    s3_bucket_encryption::S3BucketEncryption,
    s3_bucket_not_public::S3BucketNotPublic,
    s3_bucket_acl::S3BucketAcl,
    s3_bucket_no_foreign_grants::S3BucketNoForeignGrants,
    s3_bucket_access_points::S3BucketAccessPoints,
    s3_bucket_access_logging::S3BucketAccessLogging,
    s3_bucket_delete_events::S3BucketDeleteEvents,
    s3_bucket_inventory::S3BucketInventory,
    s3_bucket_no_stale_uploads::S3BucketNoStaleUploads,
    s3_bucket_replication::S3BucketReplication,
    account_public_access_block::AccountPublicAccessBlockOn,
    account_root_mfa::AccountRootMfa,
    account_root_hardware_mfa::AccountRootHardwareMfa,
    account_root_no_keys::AccountRootNoKeys,
    account_root_unused::AccountRootUnused,
    account_root_management::AccountRootManagement,
    account_password_policy::AccountPasswordPolicy,
    account_identity_providers::AccountIdentityProviders,
    account_access_analyzer::AccountAccessAnalyzer,
    account_contacts::AccountContacts,
    iam_user_mfa::IamUserMfa,
    iam_user_key_age::IamUserKeyAge,
    iam_user_key_unused::IamUserKeyUnused,
    iam_user_console_unused::IamUserConsoleUnused,
    iam_user_one_key::IamUserOneKey,
    iam_user_no_direct_policies::IamUserNoDirectPolicies,
    iam_policy_no_full_admin::IamPolicyNoFullAdmin,
    iam_policy_no_wildcards::IamPolicyNoWildcards,
    iam_policy_no_not_action::IamPolicyNoNotAction,
    iam_policy_no_dead_statements::IamPolicyNoDeadStatements,
    iam_principal_boundary::IamPrincipalBoundary,
    iam_principal_admin_mfa::IamPrincipalAdminMfa,
    iam_principal_unused_permissions::IamPrincipalUnusedPermissions,
    iam_role_trust::IamRoleTrust,
    s3_bucket_tls_only::S3BucketTlsOnly,
    s3_bucket_least_privilege::S3BucketLeastPrivilege,
    s3_bucket_no_escalation::S3BucketNoEscalation,
    s3_replication_role_least_privilege::S3ReplicationRoleLeastPrivilege,
    s3_bucket_backup::S3BucketBackup,
    s3_bucket_replication_health::S3BucketReplicationHealth,
    account_backup_vault_lock::AccountBackupVaultLock,
    account_organization::AccountOrganization,
    account_guardrails::AccountGuardrails,
    store_cross_account_mirror::StoreCrossAccountMirror,
    store_mirror_grants::StoreMirrorGrants,
    expression::Expression,
    s3_bucket_key_usable::S3BucketKeyUsable,
    s3_bucket_key_guarded::S3BucketKeyGuarded,
    s3_bucket_key_rotation::S3BucketKeyRotation,
    store_key_independence::StoreKeyIndependence,
    account_trail::AccountTrail,
    s3_bucket_data_events::S3BucketDataEvents,
}

/// A check by its id.
pub fn check(id: &str) -> Option<&'static Entry> {
    CHECKS.iter().find(|entry| entry.meta.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::FactId;

    #[test]
    fn ids_are_the_file_names() {
        for (entry, file) in CHECKS.iter().zip(FILES) {
            assert_eq!(entry.meta.id, file.replace('_', "-"));
        }
    }

    #[test]
    fn ids_are_unique() {
        let ids: std::collections::BTreeSet<_> = CHECKS.iter().map(|entry| entry.meta.id).collect();
        assert_eq!(ids.len(), CHECKS.len());
    }

    #[test]
    fn pages_have_their_headings() {
        for entry in CHECKS {
            let schema = (entry.schema)();
            let page = schema.get("description").and_then(|d| d.as_str()).unwrap_or_default();
            for heading in ["# Why", "# Fails when", "# Fix", "# References"] {
                assert!(page.contains(heading), "{}: no `{heading}` in its doc comment", entry.meta.id);
            }
        }
    }

    #[test]
    fn examples_hold() {
        for entry in CHECKS {
            let examples = (entry.examples)();
            for verdict in ["pass", "fail", "unknown"] {
                assert!(
                    examples.iter().any(|e| e.expected.as_str() == verdict),
                    "{}: no example with the verdict {verdict}",
                    entry.meta.id
                );
            }
            for example in &examples {
                let check = (entry.parse)(&example.with).unwrap_or_else(|e| panic!("{}: {}: {e}", entry.meta.id, example.name));
                let judged = example.judge(&*check);
                assert_eq!(judged.verdict(), example.expected, "{}: {}: {judged:#?}", entry.meta.id, example.name);
            }
        }
    }

    /// Losing a fact leaves a verdict as it was or makes it unknown; with every fact lost it is unknown.
    #[test]
    fn losing_facts_never_helps() {
        for entry in CHECKS {
            for example in (entry.examples)() {
                let check = (entry.parse)(&example.with).unwrap();
                let whole = example.judge(&*check).verdict();
                let mut facts = Vec::new();
                for (id, resource) in example.snapshot.resources() {
                    resource.facts.each(&mut |spec, _| facts.push((id.clone(), spec))).unwrap();
                }
                // Every subset of up to twelve facts, else every single one.
                let subsets: Vec<u32> = if facts.len() <= 12 {
                    (1..1 << facts.len()).collect()
                } else {
                    (0..facts.len().min(31)).map(|i| 1 << i).collect()
                };
                for subset in subsets {
                    let mut fewer = example.clone();
                    for (at, (id, fact)) in facts.iter().enumerate() {
                        if at < 32 && subset & (1 << at) != 0 {
                            fewer.snapshot.lose(id, fact);
                        }
                    }
                    let verdict = fewer.judge(&*check).verdict();
                    assert!(
                        verdict == whole || verdict.as_str() == "unknown",
                        "{}: {}: {whole:?} became {verdict:?} without {subset:b} of {facts:?}",
                        entry.meta.id,
                        example.name
                    );
                }
                let mut nothing = example.clone();
                for (id, fact) in &facts {
                    nothing.snapshot.lose(id, fact);
                }
                // What the policy alone decides (a store without any mirror) stays decided.
                if !facts.is_empty() && !example.by_declaration {
                    assert_eq!(nothing.judge(&*check).verdict().as_str(), "unknown", "{}: {}", entry.meta.id, example.name);
                }
            }
        }
    }

    /// A check reads what it demands and nothing else: with exactly the demanded facts the verdict is the same.
    #[test]
    fn demands_are_enough() {
        for entry in CHECKS {
            for example in (entry.examples)() {
                let check = (entry.parse)(&example.with).unwrap();
                let whole = example.judge(&*check).verdict();
                let demanded: Vec<FactId> = check.demands(&example.estate).into_iter().flat_map(|d| d.facts).collect();
                let mut only = example.clone();
                let all: Vec<_> = example.snapshot.resources().map(|(id, _)| id.clone()).collect();
                for id in all {
                    for spec in crate::resources::specs_of(id.kind) {
                        if !demanded.contains(spec) {
                            only.snapshot.lose(&id, spec);
                        }
                    }
                }
                assert_eq!(
                    only.judge(&*check).verdict(),
                    whole,
                    "{}: {} reads what it does not demand",
                    entry.meta.id,
                    example.name
                );
            }
        }
    }
}
