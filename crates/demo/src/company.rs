//! The company of the demo: three accounts in a believable, mixed state. Much is right, and what is wrong is what is wrong
//! in real companies: a tidy-up rule that leaves three days, AWS's own example policy on the mirror, a forgotten key.
//!
//! Every date is relative to [`NOW`], so that every run shows the same.

mod offsite;
mod people;
mod production;
mod services;
mod vault;

use crate::clock::rfc3339;
use crate::world::World;

/// When it is in the demo.
pub const NOW: &str = "2026-11-22T12:00:00Z";
/// [`NOW`] in seconds since 1970.
const NOW_SECONDS: i64 = 1_795_348_800;

/// Access key id and secret of user `auditor` in production (111111111111).
pub const PRODUCTION_KEY: (&str, &str) = ("AKIADEMOPRODUCTION00", "demo-production-secret-key");
/// Access key id and secret at the off-site provider.
pub const OFFSITE_KEY: (&str, &str) = ("AKIADEMOOFFSITE00000", "demo-offsite-secret-key");
/// What `arn:aws:iam::222222222222:role/lastcopy-audit` wants to hear.
pub const EXTERNAL_ID: &str = "lastcopy-demo";

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const ADMINISTRATOR_DOCUMENT: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*"
        }
    ]
}"#;

/// What an auditor may read, in both AWS accounts.
const AUDIT_DOCUMENT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Buckets", "Effect": "Allow", "Resource": "*", "Action": ["s3:ListAllMyBuckets", "s3:GetBucket*", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:GetEncryptionConfiguration", "s3:GetAccountPublicAccessBlock"]},
    {"Sid": "Principals", "Effect": "Allow", "Resource": "*", "Action": ["iam:GetAccountAuthorizationDetails", "iam:GenerateCredentialReport", "iam:GetCredentialReport", "iam:GetAccountSummary", "iam:GetAccountPasswordPolicy", "iam:ListUsers", "iam:ListVirtualMFADevices", "iam:ListAccountAliases"]}
  ]
}"#;

/// Production 111111111111 and vault 222222222222 at AWS, and a provider elsewhere.
pub fn company() -> World {
    World::default().account(production::account()).account(vault::account()).account(offsite::account())
}

/// So many days before [`NOW`].
fn ago(days: i64) -> String {
    rfc3339(NOW_SECONDS - days * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    #[test]
    fn now_is_now() {
        assert_eq!(rfc3339(NOW_SECONDS), NOW);
        assert_eq!(ago(400), "2025-10-18T12:00:00Z");
    }

    #[test]
    fn every_policy_document_is_json() {
        let world = company();
        let mut seen = 0;
        let mut check = |owner: &str, document: &str| {
            seen += 1;
            assert!(Json::parse(document).is_some_and(|json| json.get("Statement").is_some()), "{owner}: {document}");
        };
        for account in &world.accounts {
            account.buckets.iter().for_each(|b| b.policy.iter().for_each(|policy| check(&b.name, policy)));
            account.users.iter().for_each(|u| u.inline.iter().for_each(|(_, document)| check(&u.name, document)));
            account.groups.iter().for_each(|g| g.inline.iter().for_each(|(_, document)| check(&g.name, document)));
            for role in &account.roles {
                check(&role.name, &role.trust);
                role.inline.iter().for_each(|(_, document)| check(&role.name, document));
            }
            account.policies.iter().for_each(|p| p.versions.iter().for_each(|version| check(&p.arn, &version.document)));
        }
        assert!(seen > 30, "{seen}");
    }

    #[test]
    fn every_attached_policy_and_group_exists() {
        for account in company().accounts {
            let arns: Vec<&str> = account.policies.iter().map(|policy| policy.arn.as_str()).collect();
            let attached =
                account.users.iter().map(|user| &user.attached).chain(account.groups.iter().map(|group| &group.attached));
            for arn in attached.chain(account.roles.iter().map(|role| &role.attached)).flatten() {
                assert!(arns.contains(&arn.as_str()), "{arn}");
            }
            let bounds = account.users.iter().map(|user| &user.boundary).chain(account.roles.iter().map(|role| &role.boundary));
            for arn in bounds.flatten() {
                assert!(arns.contains(&arn.as_str()), "{arn}");
            }
            for group in account.users.iter().flat_map(|user| &user.groups) {
                assert!(account.groups.iter().any(|known| known.name == *group), "{group}");
            }
        }
    }
}
