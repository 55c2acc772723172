//! What replication rules bring to a copy: shared by the checks of stores and of single buckets.
//!
//! It must never take a rule for what it does not surely bring.

use serde::Deserialize;

use crate::estate::ResourceId;
use crate::judgement::Tally;
use crate::resources::s3_bucket::encryption::Encryption;
use crate::resources::s3_bucket::ownership::Ownership;
use crate::resources::s3_bucket::replication::{Replication, Rule};
use crate::view::View;

/// A replicated delete marker hides a document in the mirror too; one kept out makes an erasure never reach it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DeleteMarkers {
    #[default]
    Any,
    Replicated,
    KeptOut,
}

impl DeleteMarkers {
    /// Judges what a rule does with them.
    pub(super) fn judge(self, rule: &Rule, source: &ResourceId, tally: &mut Tally) {
        let (bad, required) = match self {
            Self::Any => return,
            Self::Replicated => (!rule.delete_markers, "delete markers replicated"),
            Self::KeptOut => (rule.delete_markers, "delete markers kept out of the mirror"),
        };
        if bad {
            let (says, seen) = if rule.delete_markers {
                (format!("rule {} replicates delete markers to the mirror", rule.label()), "replicated")
            } else {
                (format!("rule {} keeps delete markers out of the mirror", rule.label()), "not replicated")
            };
            let _ = tally.fail::<Replication>(source, says, seen, required).subject(rule.label());
        }
    }
}

/// `rule x covers keys under "a/" with certain tags`
pub(super) fn extent(rule: &Rule) -> String {
    let tags = if rule.narrowed { " with certain tags" } else { "" };
    format!("rule {} covers keys under \"{}\"{tags}", rule.label(), rule.prefix)
}

/// Rules leave out what the source encrypts under KMS, unless they say otherwise.
pub(super) fn brings_encrypted(source: &ResourceId, rules: &[&Rule], view: &View<'_>, tally: &mut Tally) {
    if rules.iter().any(|rule| !rule.sse_kms)
        && let Some(Some(encryption)) = tally.read(view.read::<Encryption>(source))
        && encryption.algorithm.starts_with("aws:kms")
    {
        let says = format!("documents of {} are encrypted under KMS, and the rule leaves such objects out", source.name);
        let _ = tally
            .fail::<Replication>(source, says, "SseKmsEncryptedObjects is not enabled", "SseKmsEncryptedObjects enabled")
            .subject(&source.name);
    }
}

/// Replicas that a rule without owner override brings belong to the source account, unless the target takes them over.
pub(super) fn owned_by_target(target: &ResourceId, view: &View<'_>, tally: &mut Tally) {
    let Some(ownership) = tally.read(view.read::<Ownership>(target)) else { return };
    let seen = ownership.map_or("ObjectWriter", |ownership| ownership.0.as_str());
    if ownership.is_some_and(Ownership::is_enforced) {
        tally.pass::<Ownership>(target, seen.to_owned(), "BucketOwnerEnforced");
    } else {
        let says = format!("replicas in {} belong to the source account", target.name);
        let required = "owner override in the rule, or BucketOwnerEnforced on the mirror";
        let _ = tally.fail::<Ownership>(target, says, seen.to_owned(), required).subject(&target.name);
    }
}
