use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::encryption::Encryption;
use crate::view::View;

/// New documents are encrypted by default under a key of yours, and nobody can write them under a key that only they know.
///
/// # Why
/// A document that was overwritten under a key sent with the request (SSE-C) is readable only to whoever has that key: this
/// is how the ransomware of 2025 took buckets hostage. A default key in other hands is a way to lose documents.
///
/// # Fails when
/// No default encryption is set; `kms` is required and the default is `AES256`; `keys` is given and the default key is not
/// one of them (an alias or no key at all, which is the AWS managed key `aws/s3`, is none of them); or writes under SSE-C
/// are not blocked although `block-sse-c` is required. Other providers know no such block: set `block-sse-c: false` there.
///
/// A default is no obligation: a request may still name another KMS key. Documents that are there already keep their keys.
/// Whether the key itself can be destroyed is not judged here.
///
/// # Fix
/// PutBucketEncryption with the key's ARN and `BlockedEncryptionTypes=[SSE-C]`. The call replaces the whole setting. First make
/// sure that no document is under SSE-C and that readers may use the key.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketEncryption {
    /// Whether the default must be a KMS key.
    #[serde(default)]
    kms: bool,
    /// Whether writes under keys of the client (SSE-C) must be blocked.
    #[serde(default = "yes")]
    block_sse_c: bool,
    /// ARNs of the keys of which the default must be one; any if empty. A list implies `kms`.
    #[serde(default)]
    keys: Vec<String>,
}

fn yes() -> bool {
    true
}

impl CheckType for S3BucketEncryption {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-encryption",
        unit: Kind::S3Bucket,
        severity: Severity::Medium,
        title: "Documents are encrypted by default, SSE-C is blocked",
        fix: "set default encryption by key ARN and block SSE-C (PutBucketEncryption)",
        references: &["SecurityHub:S3.17", "NIST-800-53:SC-28", "ISO-27001:A.8.24", "PCI-DSS:3.5.1", "DORA:Art.7"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let key = "arn:aws:kms:eu-west-1:111111111111:key/0a";
        let blocked = || Encryption { algorithm: "AES256".into(), blocked: vec!["SSE-C".into()], ..Encryption::default() };
        let kms = |key: &str| Encryption { algorithm: "aws:kms".into(), key: Some(key.into()), ..blocked() };
        let keys = serde_json::json!({ "keys": [key] });
        vec![
            Example::pass("the default of today", on.clone()).known(&on, blocked()),
            Example::pass("the right key", on.clone()).known(&on, kms(key)).with(keys.clone()),
            Example::pass("SSE-C does not matter", on.clone())
                .known(&on, Encryption { blocked: vec![], ..blocked() })
                .with(serde_json::json!({ "block-sse-c": false })),
            Example::fail("SSE-C may be used", on.clone()).known(&on, Encryption { blocked: vec![], ..blocked() }),
            Example::fail("not under KMS", on.clone()).known(&on, blocked()).with(serde_json::json!({ "kms": true })),
            Example::fail("a key by alias", on.clone()).known(&on, kms("alias/documents")).with(keys.clone()),
            Example::fail("the AWS managed key", on.clone()).known(&on, Encryption { key: None, ..kms("") }).with(keys),
            Example::fail("none", on.clone()).absent::<Encryption>(&on),
            Example::unknown("denied", on.clone()).denied::<Encryption>(&on),
        ]
    }
}

impl Check for S3BucketEncryption {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Encryption::SPEC])]
    }

    fn problems(&self) -> Vec<String> {
        let bad = self.keys.iter().filter(|key| !(key.starts_with("arn:") && key.contains(":key/")));
        bad.map(|key| format!("`{key}` is not the ARN of a KMS key, such as arn:aws:kms:eu-west-1:111111111111:key/..."))
            .collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(encryption) = tally.read(view.read::<Encryption>(unit)) else { return tally.finish() };
        let kms = self.kms || !self.keys.is_empty();
        let required = match self.keys.as_slice() {
            [] if kms => "a KMS key".to_owned(),
            [] => "default encryption".to_owned(),
            keys => format!("one of {}", keys.join(", ")),
        };
        if let Some(found) = encryption {
            let key = found.key.as_deref();
            let seen = key.map_or_else(|| found.algorithm.clone(), |key| format!("{} with {key}", found.algorithm));
            let is_kms = found.algorithm.starts_with("aws:kms");
            let ours = self.keys.is_empty() || key.is_some_and(|key| self.keys.iter().any(|wanted| wanted == key));
            if (kms && !is_kms) || !ours {
                let says = format!("new documents are encrypted by default with {seen}");
                let _ = tally.fail::<Encryption>(unit, says, seen, required).subject("key");
            } else {
                tally.pass::<Encryption>(unit, seen, required);
            }
        } else {
            let _ = tally.fail::<Encryption>(unit, "no default encryption is set", "none", required).subject("key");
        }
        if self.block_sse_c {
            if encryption.is_some_and(|found| found.blocked.iter().any(|kind| kind == "SSE-C")) {
                tally.pass::<Encryption>(unit, "SSE-C blocked", "SSE-C blocked");
            } else {
                let says = "documents can be written under a key that only the writer knows (SSE-C)";
                let _ = tally
                    .fail::<Encryption>(unit, says, "SSE-C not blocked", "SSE-C blocked")
                    .subject("SSE-C")
                    .fix("block SSE-C (PutBucketEncryption, BlockedEncryptionTypes), keeping the default encryption as it is");
            }
        }
        tally.finish()
    }
}
