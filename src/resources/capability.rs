//! What a provider is known to lack, reviewed by hand, decided before any call and never from an answer.
//!
//! A protection that the provider lacks is `Absent`: a control that requires it fails. A kind of thing that cannot exist
//! there (an AWS root user elsewhere) makes a control not applicable. Everything unlisted is asked for.

use crate::estate::Account;
use crate::fact::{FactId, Kind};

/// What the table says of a fact at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Ask the provider.
    Ask,
    /// The provider has no such protection.
    Lacks,
    /// The threat or thing cannot exist there; the reason is for the report.
    NotApplicable(&'static str),
}

/// Facts that a provider lacks, with the page that says so.
const LACKS: &[(&str, &[&str])] = &[
    // https://garagehq.deuxfleurs.fr/documentation/reference-manual/s3-compatibility/
    (
        "garage",
        &[
            "s3-bucket.versioning",
            "s3-bucket.object-lock",
            "s3-bucket.lock-sample",
            "s3-bucket.replication",
            "s3-bucket.policy",
            "s3-bucket.public-access-block",
            "s3-bucket.ownership",
            "s3-bucket.tags",
        ],
    ),
    // https://docs.ceph.com/en/latest/radosgw/s3/ (bucket operations): no ownership controls. Its multisite
    // replication is configured outside the S3 API.
    ("ceph", &["s3-bucket.ownership"]),
    // https://developers.cloudflare.com/r2/api/s3/api/
    (
        "cloudflare-r2",
        &[
            "s3-bucket.versioning",
            "s3-bucket.object-lock",
            "s3-bucket.lock-sample",
            "s3-bucket.replication",
            "s3-bucket.policy",
            "s3-bucket.public-access-block",
            "s3-bucket.ownership",
            "s3-bucket.tags",
        ],
    ),
];

/// Facts of buckets that are read from services which only AWS runs, or that nobody else has.
const AWS_ONLY: &[&str] = &["s3-bucket.access-points", "s3-bucket.intelligent-tiering", "s3-bucket.recovery-points"];

/// What is known of `fact` in `account`.
pub fn capability(account: &Account, fact: FactId) -> Capability {
    if account.is_aws() {
        return Capability::Ask;
    }
    if fact.kind != Kind::S3Bucket {
        return Capability::NotApplicable(ELSEWHERE);
    }
    if AWS_ONLY.contains(&fact.id) {
        return Capability::Lacks;
    }
    let provider = account.provider.as_deref().unwrap_or_default();
    match LACKS.iter().find(|(name, _)| *name == provider) {
        Some((_, facts)) if facts.contains(&fact.id) => Capability::Lacks,
        Some(_) | None => Capability::Ask,
    }
}

/// Why AWS account and IAM controls do not apply at another provider.
pub const ELSEWHERE: &str = "the account is not run by AWS: it has no AWS root user, IAM or account settings";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_fact_exists() {
        for (provider, facts) in LACKS {
            for fact in *facts {
                assert!(crate::resources::spec(fact).is_some(), "{provider}: {fact}");
            }
        }
        for fact in AWS_ONLY {
            assert!(crate::resources::spec(fact).is_some(), "{fact}");
        }
    }
}
