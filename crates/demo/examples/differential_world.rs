//! Serves the world that `tests/differential/differential.py` compares with moto, until the process is killed:
//! `cargo run -p lastcopy-demo --example differential_world -- [PORT]`. The address is the one line on standard output.
//!
//! The script builds the same state in moto through its API. The documents here are what AWS answers to those calls.

use std::io::{Write, stdout};

use lastcopy_demo::{
    AccessKey, AccessPoint, Account, Bucket, Group, ManagedPolicy, Options, Password, PasswordPolicy, PolicyVersion, Role, Root,
    RootMfa, Server, User, World,
};

const CREATED: &str = "2026-01-02T03:04:05Z";
const CALLER: (&str, &str) = ("AKIADIFFERENTIAL0001", "not-a-secret");

const LIFECYCLE: &str = r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Rule><ID>all</ID><Filter/><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>35</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>
<Rule><ID>prefix</ID><Filter><Prefix>a/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>365</Days></Expiration></Rule>
<Rule><ID>tag</ID><Filter><Tag><Key>k</Key><Value>v &amp; w</Value></Tag></Filter><Status>Disabled</Status><Expiration><Date>2027-01-01T00:00:00.000Z</Date></Expiration></Rule>
<Rule><ID>and</ID><Filter><And><Prefix>b/</Prefix><Tag><Key>k</Key><Value>1</Value></Tag><Tag><Key>l</Key><Value>2</Value></Tag></And></Filter><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition><NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition></Rule>
<Rule><ID>size</ID><Filter><ObjectSizeGreaterThan>1024</ObjectSizeGreaterThan></Filter><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>
</LifecycleConfiguration>"#;

const OLD_LIFECYCLE: &str = r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>old form</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><Expiration><Days>7</Days></Expiration></Rule></LifecycleConfiguration>"#;

const REPLICATION: &str = r#"<ReplicationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Role>arn:aws:iam::123456789012:role/service-role/diff-service</Role><Rule><ID>all</ID><Priority>1</Priority><Filter><Prefix>a/</Prefix></Filter><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::diff-other</Bucket><Account>123456789012</Account><AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation><StorageClass>STANDARD_IA</StorageClass></Destination><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication></Rule></ReplicationConfiguration>"#;

const OLD_REPLICATION: &str = r#"<ReplicationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Role>arn:aws:iam::123456789012:role/service-role/diff-service</Role><Rule><ID>old form</ID><Prefix>b/</Prefix><Status>Disabled</Status><Destination><Bucket>arn:aws:s3:::diff-all</Bucket></Destination></Rule></ReplicationConfiguration>"#;

const LOCK_DAYS: &str = r#"<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule></ObjectLockConfiguration>"#;

const LOCK_YEARS: &str = r#"<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Years>2</Years></DefaultRetention></Rule></ObjectLockConfiguration>"#;

const LOCK_ONLY: &str = r#"<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"#;

const KMS: &str = r#"<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>arn:aws:kms:eu-west-1:123456789012:key/5c9d2f5e-2d0f-4f0a-9a0e-6f1f3c1f7a10</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"#;

const SSE_C_BLOCKED: &str = r#"<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>"#;

const TLS_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"TlsOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::diff-all","arn:aws:s3:::diff-all/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;

const ODD_POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Sid":"Odd","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::diff-other/<&> \"é\" 100%25+/*"}}"#;

const LOGS_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::diff-suspended/*"}]}"#;

const POINT_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:eu-west-1:123456789012:accesspoint/diff-open/object/*"}]}"#;

const QUEUE: &str = r#"<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><QueueConfiguration><Id>queue</Id><Queue>arn:aws:sqs:eu-west-1:123456789012:diff-queue</Queue><Event>s3:ObjectRemoved:*</Event><Event>s3:ObjectCreated:Put</Event><Filter><S3Key><FilterRule><Name>prefix</Name><Value>in/</Value></FilterRule><FilterRule><Name>suffix</Name><Value>.pdf</Value></FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>"#;

const BRIDGE: &str = r#"<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EventBridgeConfiguration></EventBridgeConfiguration></NotificationConfiguration>"#;

const INVENTORY: &str = "<InventoryConfiguration><Destination><S3BucketDestination><AccountId>123456789012</AccountId><Bucket>arn:aws:s3:::diff-other</Bucket><Format>CSV</Format><Prefix>lists</Prefix></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Filter><Prefix>a/</Prefix></Filter><Id>all</Id><IncludedObjectVersions>All</IncludedObjectVersions><OptionalFields><Field>Size</Field></OptionalFields><Schedule><Frequency>Weekly</Frequency></Schedule></InventoryConfiguration>";

const READ_DOCUMENTS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::diff-all/*"}]}"#;

const ODD_DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Odd","Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"arn:aws:s3:::diff-other/<&> 100%25+~!*'()/${aws:username}"}]}"#;

const DENY_DELETE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}]}"#;

const EC2_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

const READER_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"diff-external"}}}]}"#;

/// Version `v5` of the AWS managed policy, as AWS publishes it.
const CHANGE_PASSWORD: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ChangePassword"],"Resource":["arn:aws:iam::*:user/${aws:username}","arn:aws:iam::*:user/*/${aws:username}"]},{"Effect":"Allow","Action":["iam:GetAccountPasswordPolicy"],"Resource":"*"}]}"#;

const DOCUMENTS_ARN: &str = "arn:aws:iam::123456789012:policy/team/diff-documents";
const BOUNDARY_ARN: &str = "arn:aws:iam::123456789012:policy/diff-boundary";
const CHANGE_PASSWORD_ARN: &str = "arn:aws:iam::aws:policy/IAMUserChangePassword";

fn configured() -> Account {
    let account = Account::aws("123456789012", "diff-configured")
        .root(Root { mfa: RootMfa::None, ..Root::default() })
        .password_policy(PasswordPolicy {
            minimum_length: 14,
            symbols: true,
            numbers: true,
            uppercase: true,
            lowercase: false,
            users_may_change: true,
            max_age: Some(90),
            reuse_prevention: Some(24),
            hard_expiry: Some(false),
        });
    let account = Account { public_access_block: Some([true, true, true, false]), ..account };
    people(buckets().into_iter().fold(account, Account::bucket))
}

fn buckets() -> Vec<Bucket> {
    let bucket = |name: &str| Bucket::new(name).created(CREATED);
    vec![
        bucket("diff-all")
            .versioned()
            .lifecycle(LIFECYCLE)
            .object_lock(LOCK_DAYS)
            .replication(REPLICATION)
            .policy(TLS_ONLY)
            .blocked()
            .encryption(KMS)
            .ownership("BucketOwnerEnforced")
            .tag("data", "customer")
            .logging("diff-suspended", "a & b/")
            .notification(QUEUE)
            .inventory(INVENTORY)
            .upload("a <key> & \"more\" +é", CREATED)
            .access_point(AccessPoint {
                name: "diff-open".to_owned(),
                vpc: None,
                public_access_block: [true, false, true, false],
                policy: Some(POINT_POLICY.to_owned()),
            })
            .access_point(AccessPoint {
                name: "diff-vpc".to_owned(),
                vpc: Some("vpc-1".to_owned()),
                public_access_block: [true; 4],
                policy: None,
            }),
        bucket("diff-other")
            .versioned()
            .lifecycle(OLD_LIFECYCLE)
            .object_lock(LOCK_YEARS)
            .replication(OLD_REPLICATION)
            .policy(ODD_POLICY)
            .public_access_block([true, false, true, false])
            .encryption(SSE_C_BLOCKED)
            .ownership("ObjectWriter")
            .grant("AllUsers", "READ")
            .notification(BRIDGE)
            .tag("data", "none")
            .tag("cost centre", "R&D <in> \"é\""),
        bucket("diff-lock").versioned().object_lock(LOCK_ONLY),
        bucket("diff-suspended").suspended().policy(LOGS_POLICY),
        bucket("diff-mfa").versioned().mfa_delete(true),
        bucket("diff-bare"),
    ]
}

fn people(account: Account) -> Account {
    account
        .user(User::new("diff-caller", CREATED).key(AccessKey::of(CALLER, CREATED)))
        .user(User {
            password: Some(Password {
                last_changed: CREATED.to_owned(),
                next_rotation: Some("2026-04-02T03:04:05Z".to_owned()),
                ..Password::default()
            }),
            ..User::new("diff-alice", CREATED)
                .group("diff-group")
                .inline("diff-inline", ODD_DOCUMENT)
                .attach(DOCUMENTS_ARN)
                .boundary(BOUNDARY_ARN)
                .tag("team", "R&D")
                .mfa(CREATED)
                .key(AccessKey::of(("AKIADIFFERENTIAL0002", "not-a-secret"), CREATED))
                .key(AccessKey::of(("AKIADIFFERENTIAL0003", "not-a-secret"), CREATED).inactive())
        })
        .user(User::new("diff-bob", CREATED))
        .group(
            Group::new("diff-group", CREATED)
                .inline("diff-inline", READ_DOCUMENTS)
                .attach(DOCUMENTS_ARN)
                .attach(CHANGE_PASSWORD_ARN),
        )
        .group(Group::new("diff-empty", CREATED))
        .role(
            Role::new("diff-service", CREATED, EC2_TRUST)
                .path("/service-role/")
                .inline("diff-inline", READ_DOCUMENTS)
                .attach(DOCUMENTS_ARN)
                .boundary(BOUNDARY_ARN)
                .tag("team", "documents")
                .instance_profile("diff-profile"),
        )
        .role(Role::new("diff-plain", CREATED, EC2_TRUST))
        .policy(ManagedPolicy::new(DOCUMENTS_ARN, CREATED, READ_DOCUMENTS).version(CREATED, ODD_DOCUMENT).describe("Documents"))
        .policy(ManagedPolicy::new(BOUNDARY_ARN, CREATED, DENY_DELETE))
        .policy(aws_managed(CHANGE_PASSWORD_ARN, "v5", CHANGE_PASSWORD))
}

/// Of an AWS managed policy, only the default version is shown.
fn aws_managed(arn: &str, version: &str, document: &str) -> ManagedPolicy {
    let version =
        PolicyVersion { id: version.to_owned(), created: CREATED.to_owned(), document: document.to_owned(), default: true };
    ManagedPolicy { arn: arn.to_owned(), description: None, versions: vec![version] }
}

/// An account in which nothing is configured but the way in.
fn bare() -> Account {
    Account::aws("210987654321", "diff-bare-account").root(Root { mfa: RootMfa::None, ..Root::default() }).role(Role::new(
        "diff-reader",
        CREATED,
        READER_TRUST,
    ))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or_default();
    let world = World::default().account(configured()).account(bare());
    let running = Server::start(world, Options { port, ..Options::default() }).await?;
    writeln!(stdout(), "{}", running.url())?;
    std::future::pending().await
}
