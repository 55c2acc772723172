//! What the policies declare: accounts, stores and their copies, and how a resource is named.
//!
//! It must never know a provider's answer: nothing here was observed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::fact::Kind;

/// The policy's alias of an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountKey(pub Arc<str>);

impl AccountKey {
    /// From an alias.
    pub fn new(alias: &str) -> Self {
        Self(alias.into())
    }

    /// The key of things that lie in no account: stores and the policy.
    pub fn none() -> Self {
        Self::new("")
    }

    /// The alias.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of a resource. S3 ARNs carry no account, so an ARN is for display only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceId {
    pub account: AccountKey,
    pub kind: Kind,
    pub name: Arc<str>,
}

impl ResourceId {
    /// A resource of an account.
    pub fn new(account: &AccountKey, kind: Kind, name: &str) -> Self {
        Self { account: account.clone(), kind, name: name.into() }
    }

    /// A bucket.
    pub fn bucket(account: &AccountKey, name: &str) -> Self {
        Self::new(account, Kind::S3Bucket, name)
    }

    /// An account as a resource; its name is the alias.
    pub fn account(account: &AccountKey) -> Self {
        Self::new(account, Kind::Account, account.as_str())
    }

    /// A store.
    pub fn store(name: &str) -> Self {
        Self::new(&AccountKey::none(), Kind::Store, name)
    }
}

/// One place that holds buckets: an AWS account, or an S3-compatible provider behind an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The twelve digits; pins the account.
    pub id: Option<String>,
    /// The CLI profile to use.
    pub profile: Option<String>,
    /// The audit role to assume.
    pub role_arn: Option<String>,
    pub external_id: Option<String>,
    /// An S3-compatible endpoint; without it the account is AWS.
    pub endpoint: Option<String>,
    /// The name of the provider behind the endpoint.
    pub provider: Option<String>,
    pub region: Option<String>,
    /// It manages the organization, or is its delegated administrator: SCPs and RCPs are read from it.
    pub manages_organization: bool,
}

impl Account {
    /// Whether AWS runs it: only then are there IAM, a root user and account-level settings.
    pub fn is_aws(&self) -> bool {
        match self.provider.as_deref() {
            Some(provider) => provider == "aws",
            None => self.endpoint.is_none(),
        }
    }
}

/// How a copy is fed. A copy without it is the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FedBy {
    /// S3 replication.
    Replication,
    /// A sync tool outside S3.
    Sync,
    /// A backup service.
    Backup,
}

impl FedBy {
    /// The word in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replication => "replication",
            Self::Sync => "sync",
            Self::Backup => "backup",
        }
    }
}

/// Where a store lives once, and how it is fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    pub account: AccountKey,
    pub buckets: Vec<String>,
    pub keys: KeySpace,
    pub fed_by: Option<FedBy>,
}

impl Copy {
    /// The buckets as resources.
    pub fn resources(&self) -> impl Iterator<Item = ResourceId> + '_ {
        self.buckets.iter().map(|name| ResourceId::bucket(&self.account, name))
    }
}

/// The keys that matter in a bucket: those under one of `prefixes` (all if empty) and under none of `exclude`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySpace {
    pub prefixes: Vec<String>,
    pub exclude: Vec<String>,
}

impl KeySpace {
    fn roots(&self) -> Vec<&str> {
        if self.prefixes.is_empty() { vec![""] } else { self.prefixes.iter().map(String::as_str).collect() }
    }

    /// Whether some key of the space may begin with `prefix`.
    pub fn touches(&self, prefix: &str) -> bool {
        self.roots().into_iter().any(|root| {
            let narrower = if root.len() > prefix.len() { root } else { prefix };
            let meet = root.starts_with(prefix) || prefix.starts_with(root);
            meet && !self.exclude.iter().any(|out| narrower.starts_with(out.as_str()))
        })
    }

    /// Whether every key of the space begins with one of `prefixes`. May say no when unsure.
    pub fn within<'p>(&self, prefixes: impl IntoIterator<Item = &'p str> + Clone) -> bool {
        self.roots().into_iter().all(|root| prefixes.clone().into_iter().any(|prefix| root.starts_with(prefix)))
    }
}

impl Copy {
    /// Documents are written here.
    pub fn is_origin(&self) -> bool {
        self.fed_by.is_none()
    }

    /// S3 replication writes here.
    pub fn is_replica(&self) -> bool {
        self.fed_by == Some(FedBy::Replication)
    }
}

/// A set of documents with its copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    pub copies: BTreeMap<String, Copy>,
}

/// All accounts and stores of the policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estate {
    pub accounts: BTreeMap<AccountKey, Account>,
    pub stores: BTreeMap<String, Store>,
}

impl Estate {
    /// The copies that a bucket is, with the names of store and copy.
    pub fn copies_of<'a>(&'a self, bucket: &'a ResourceId) -> impl Iterator<Item = (&'a str, &'a str, &'a Copy)> + 'a {
        self.stores.iter().flat_map(move |(store, declared)| {
            declared.copies.iter().filter_map(move |(name, copy)| {
                let is = copy.account == bucket.account && copy.buckets.iter().any(|b| **b == *bucket.name);
                is.then_some((store.as_str(), name.as_str(), copy))
            })
        })
    }

    /// The key spaces of a bucket that matter: those of the copies it is, or the whole bucket when it is none.
    pub fn key_spaces(&self, bucket: &ResourceId) -> Vec<KeySpace> {
        let spaces: Vec<KeySpace> = self.copies_of(bucket).map(|(_, _, copy)| copy.keys.clone()).collect();
        if spaces.is_empty() { vec![KeySpace::default()] } else { spaces }
    }

    /// The accounts that manage an organization, as resources.
    pub fn managers(&self) -> impl Iterator<Item = ResourceId> + '_ {
        let managing = self.accounts.iter().filter(|(_, account)| account.manages_organization && account.is_aws());
        managing.map(|(key, _)| ResourceId::account(key))
    }

    /// The AWS partition of an account, as far as its role and Region tell.
    pub fn partition(&self, key: &AccountKey) -> &'static str {
        let Some(account) = self.accounts.get(key) else { return "aws" };
        let role = account.role_arn.as_deref().and_then(|arn| arn.split(':').nth(1)).unwrap_or_default();
        let region = account.region.as_deref().unwrap_or_default();
        if role == "aws-cn" || region.starts_with("cn-") {
            "aws-cn"
        } else if role == "aws-us-gov" || region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KeySpace;

    #[test]
    fn key_spaces() {
        let space = |prefixes: &[&str], exclude: &[&str]| KeySpace {
            prefixes: prefixes.iter().map(|s| (*s).to_owned()).collect(),
            exclude: exclude.iter().map(|s| (*s).to_owned()).collect(),
        };
        let all = space(&[], &["tmp/"]);
        for (prefix, touches) in [("", true), ("tmp/", false), ("tmp/x", false), ("tm", true), ("docs/", true)] {
            assert_eq!(all.touches(prefix), touches, "{prefix}");
        }
        let docs = space(&["docs/", "scans/"], &["docs/tmp/"]);
        for (prefix, touches) in [("", true), ("docs", true), ("docs/tmp/a", false), ("logs/", false), ("scans/2026", true)] {
            assert_eq!(docs.touches(prefix), touches, "{prefix}");
        }
        assert!(docs.within(["docs/", "scans"]));
        assert!(docs.within([""]));
        assert!(!docs.within(["docs/"]));
        assert!(!all.within(["docs/"]));
    }
}
