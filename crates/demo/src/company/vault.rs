//! Vault, 222222222222: where the mirror is, meant to be out of production's reach.

use super::production::KMS_ENCRYPTION;
use super::{ADMINISTRATOR, ADMINISTRATOR_DOCUMENT, AUDIT_DOCUMENT, EXTERNAL_ID, ago};
use crate::people::{ManagedPolicy, PasswordPolicy, Role, Root, RootMfa, User};
use crate::world::{Account, Bucket, tls_only};

const AUDIT: &str = "arn:aws:iam::222222222222:policy/lastcopy-audit-read";

const MIRROR_LOCK: &str = r#"<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule></ObjectLockConfiguration>"#;

/// The first two statements are AWS's own example of a replication destination, `PutBucketVersioning` included:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html>.
const MIRROR_POLICY: &str = r#"{"Version":"2012-10-17","Id":"PolicyForDestinationBucket","Statement":[{"Sid":"Permissions on objects","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/s3-replication"},"Action":["s3:ReplicateObject","s3:ReplicateDelete","s3:ObjectOwnerOverrideToBucketOwner"],"Resource":"arn:aws:s3:::acme-documents-mirror/*"},{"Sid":"Permissions on bucket","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/s3-replication"},"Action":["s3:List*","s3:GetBucketVersioning","s3:PutBucketVersioning"],"Resource":"arn:aws:s3:::acme-documents-mirror"},{"Sid":"DestinationBucket","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/s3-replication"},"Action":"s3:PutLifecycleConfiguration","Resource":"arn:aws:s3:::acme-documents-mirror"}]}"#;

const TRAIL_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSCloudTrailAclCheck","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::acme-audit-trail"},{"Sid":"AWSCloudTrailWrite","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-audit-trail/AWSLogs/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceAccount":["111111111111","222222222222"]}}}]}"#;

pub(super) fn account() -> Account {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111111111111:root"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"sts:ExternalId":"{EXTERNAL_ID}"}}}}}}]}}"#
    );
    let management = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}]}"#;
    Account::aws("222222222222", "vault")
        .root(Root { mfa: RootMfa::None, password_last_used: Some(ago(700)), created: ago(1_020), ..Root::default() })
        .blocked()
        .password_policy(PasswordPolicy { minimum_length: 8, users_may_change: true, ..PasswordPolicy::default() })
        .user(User::new("break-glass", &ago(1_000)).attach(ADMINISTRATOR).password(&ago(100), Some(&ago(95))).mfa(&ago(1_000)))
        .role(Role::new("lastcopy-audit", &ago(300), &trust).attach(AUDIT))
        .role(Role::new("OrganizationAccountAccessRole", &ago(1_020), management).attach(ADMINISTRATOR))
        .policy(ManagedPolicy::new(AUDIT, &ago(300), AUDIT_DOCUMENT))
        .policy(ManagedPolicy::new(ADMINISTRATOR, "2015-02-06T18:39:46Z", ADMINISTRATOR_DOCUMENT))
        .bucket(
            Bucket::new("acme-documents-mirror")
                .created(&ago(1_000))
                .versioned()
                .mfa_delete(false)
                .object_lock(MIRROR_LOCK)
                .policy(MIRROR_POLICY)
                .blocked()
                .encryption(KMS_ENCRYPTION)
                .ownership("BucketOwnerEnforced")
                .tag("data", "customer"),
        )
        .bucket(
            Bucket::new("acme-audit-trail")
                .created(&ago(1_000))
                .versioned()
                .mfa_delete(true)
                .policy(&joined(TRAIL_POLICY, &tls_only("acme-audit-trail")))
                .blocked()
                .ownership("BucketOwnerEnforced"),
        )
}

/// The statements of two documents in one.
fn joined(first: &str, second: &str) -> String {
    let statement = second.split_once("\"Statement\":[").map_or("", |(_, rest)| rest);
    format!("{},{statement}", first.trim_end_matches("]}"))
}
