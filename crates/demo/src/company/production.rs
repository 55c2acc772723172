//! Production, 111111111111: where the documents are written.

use super::{ago, people, services};
use crate::people::{PasswordPolicy, Root, RootMfa};
use crate::world::{Account, Bucket, tls_only};

const DOCUMENTS_LIFECYCLE: &str = r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>tidy</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>"#;

const DOCUMENTS_REPLICATION: &str = r#"<ReplicationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Role>arn:aws:iam::111111111111:role/s3-replication</Role><Rule><ID>to-the-vault</ID><Priority>1</Priority><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria><Destination><Bucket>arn:aws:s3:::acme-documents-mirror</Bucket><Account>222222222222</Account><AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation><EncryptionConfiguration><ReplicaKmsKeyID>arn:aws:kms:eu-west-1:111111111111:key/5c9d2f5e-2d0f-4f0a-9a0e-6f1f3c1f7a10</ReplicaKmsKeyID></EncryptionConfiguration></Destination><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication></Rule></ReplicationConfiguration>"#;

/// Also what the replicas in the vault are encrypted with.
pub(super) const KMS_ENCRYPTION: &str = r#"<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>arn:aws:kms:eu-west-1:111111111111:key/5c9d2f5e-2d0f-4f0a-9a0e-6f1f3c1f7a10</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"#;

const INVOICES_LIFECYCLE: &str = r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>old-invoices</ID><Filter><Prefix>invoices/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>365</Days></Expiration></Rule></LifecycleConfiguration>"#;

const UPLOADS_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"DenyPlainDownloads","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-uploads/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;

const LOGS_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"S3ServerAccessLogsPolicy","Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"}}}]}"#;

const LOGS_LIFECYCLE: &str = r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>keep-a-year</ID><Filter/><Status>Enabled</Status><Expiration><Days>400</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>"#;

const WEBSITE_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"PublicReadGetObject","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::prod-website/*"}]}"#;

const EXPORTS_LIFECYCLE: &str = r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>exports</ID><Filter><And><Prefix>daily/</Prefix><Tag><Key>retention</Key><Value>short &amp; sweet</Value></Tag></And></Filter><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition><NoncurrentVersionExpiration><NoncurrentDays>45</NoncurrentDays></NoncurrentVersionExpiration></Rule><Rule><ID>old form</ID><Prefix>tmp/</Prefix><Status>Disabled</Status><Expiration><Days>7</Days></Expiration></Rule></LifecycleConfiguration>"#;

pub(super) fn account() -> Account {
    let account = Account::aws("111111111111", "production")
        .root(Root { mfa: RootMfa::Virtual, password_last_used: Some(ago(190)), created: ago(2_080), ..Root::default() })
        .password_policy(PasswordPolicy {
            minimum_length: 14,
            symbols: true,
            numbers: true,
            uppercase: true,
            lowercase: true,
            users_may_change: true,
            reuse_prevention: Some(24),
            ..PasswordPolicy::default()
        });
    people::production(services::production(buckets().into_iter().fold(account, Account::bucket)))
}

fn buckets() -> Vec<Bucket> {
    vec![
        Bucket::new("acme-documents")
            .created(&ago(2_000))
            .versioned()
            .lifecycle(DOCUMENTS_LIFECYCLE)
            .replication(DOCUMENTS_REPLICATION)
            .policy(&tls_only("acme-documents"))
            .blocked()
            .encryption(KMS_ENCRYPTION)
            .ownership("BucketOwnerEnforced")
            .logging("acme-logs", "documents/")
            .tag("data", "customer")
            .tag("team", "documents"),
        Bucket::new("acme-invoices")
            .created(&ago(1_990))
            .suspended()
            .lifecycle(INVOICES_LIFECYCLE)
            .blocked()
            .tag("data", "customer"),
        Bucket::new("acme-uploads")
            .created(&ago(1_400))
            .policy(UPLOADS_POLICY)
            .blocked()
            .ownership("BucketOwnerPreferred")
            .tag("data", "customer")
            .tag("cost centre", "R&D <inbound>"),
        Bucket::new("acme-logs")
            .created(&ago(1_990))
            .versioned()
            .lifecycle(LOGS_LIFECYCLE)
            .policy(LOGS_POLICY)
            .blocked()
            .ownership("BucketOwnerEnforced"),
        Bucket::new("prod-website")
            .created(&ago(1_500))
            .policy(WEBSITE_POLICY)
            .public_access_block([false; 4])
            .ownership("BucketOwnerEnforced")
            .tag("data", "public"),
        Bucket::new("acme-exports-eu")
            .region("eu-central-1")
            .created(&ago(700))
            .versioned()
            .lifecycle(EXPORTS_LIFECYCLE)
            .policy(&tls_only("acme-exports-eu"))
            .blocked()
            .ownership("BucketOwnerEnforced")
            .tag("data", "customer"),
        Bucket::new("acme-build-artifacts")
            .region("eu-central-1")
            .created(&ago(650))
            .blocked()
            .ownership("BucketOwnerEnforced")
            .tag("data", "none"),
    ]
}
