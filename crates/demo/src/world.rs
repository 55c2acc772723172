//! What the loopback AWS contains: accounts and buckets, as plain data with builders.
//!
//! Nothing here is computed or checked. Configurations that AWS keeps as one document (lifecycle, replication, object lock,
//! encryption, policies) are held as the document that AWS would answer, so that a test can say exactly which bytes arrive.

use crate::company::NOW;
use crate::other::Canned;
use crate::people::{AccessKey, Group, ManagedPolicy, PasswordPolicy, Role, Root, User};

/// Everything that is served.
#[derive(Debug, Clone)]
pub struct World {
    pub accounts: Vec<Account>,
    /// When it is in this world, as RFC 3339: the time at which credential reports were generated.
    pub now: String,
}

/// AWS, or a store elsewhere that speaks S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountKind {
    #[default]
    Aws,
    /// S3 only: IAM, STS, S3 Control and the younger bucket settings answer `501 NotImplemented`. It has its own bucket
    /// namespace, accepts any region and ignores `x-amz-expected-bucket-owner`.
    Provider,
}

/// One place that holds buckets.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// 12 digits; empty at a provider.
    pub id: String,
    /// Also the account alias in IAM.
    pub name: String,
    pub kind: AccountKind,
    pub buckets: Vec<Bucket>,
    /// BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets.
    pub public_access_block: Option<[bool; 4]>,
    /// Keys that belong to no IAM user, which is how a provider hands them out. In an AWS account they act as its root.
    pub access_keys: Vec<(String, String)>,
    pub root: Root,
    pub users: Vec<User>,
    pub groups: Vec<Group>,
    pub roles: Vec<Role>,
    /// Customer managed and AWS managed ones; the ARN tells which.
    pub policies: Vec<ManagedPolicy>,
    pub password_policy: Option<PasswordPolicy>,
    /// What services beyond S3, IAM and STS answer; the first that fits is sent.
    pub answers: Vec<Canned>,
}

/// Whether versioning was ever turned on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

/// A bucket and its settings. `None` is "not configured", as AWS would answer it.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    pub name: String,
    pub region: String,
    /// RFC 3339.
    pub created: String,
    pub versioning: Versioning,
    /// `None` when MFA Delete was never configured.
    pub mfa_delete: Option<bool>,
    /// `<LifecycleConfiguration>` document.
    pub lifecycle: Option<String>,
    /// `<ObjectLockConfiguration>` document.
    pub object_lock: Option<String>,
    /// `<ReplicationConfiguration>` document.
    pub replication: Option<String>,
    /// IAM policy document, JSON.
    pub policy: Option<String>,
    /// BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets.
    pub public_access_block: Option<[bool; 4]>,
    /// `<ServerSideEncryptionConfiguration>` document; `None` answers SSE-S3 as AWS has since 2023.
    pub encryption: Option<String>,
    /// `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`.
    pub ownership: Option<String>,
    pub tags: Option<Vec<(String, String)>>,
    /// Target bucket and prefix of server access logs.
    pub logging: Option<(String, String)>,
    /// Versions of documents, of each key the newest first.
    pub versions: Vec<Version>,
    /// Grants of the ACL besides the owner's full control: `AllUsers`, `AuthenticatedUsers`, `LogDelivery`, an address or a
    /// canonical user id, with the permission.
    pub acl: Vec<(String, String)>,
    /// `<NotificationConfiguration>` document.
    pub notification: Option<String>,
    /// `<InventoryConfiguration>` elements.
    pub inventory: Vec<String>,
    /// `<IntelligentTieringConfiguration>` elements.
    pub tiering: Vec<String>,
    /// Unfinished multipart uploads: key and time.
    pub uploads: Vec<(String, String)>,
    pub access_points: Vec<AccessPoint>,
    /// Ids of other accounts whose identities may read the configuration, as a bucket policy could say.
    pub shared_with: Vec<String>,
}

/// One version of a document, or a delete marker, without its content.
#[derive(Debug, Clone, Default)]
pub struct Version {
    pub key: String,
    pub id: String,
    pub latest: bool,
    pub marker: bool,
    /// `GOVERNANCE` or `COMPLIANCE`, and the end in RFC 3339.
    pub retention: Option<(String, String)>,
    pub legal_hold: Option<bool>,
}

impl Version {
    /// A current version.
    pub fn current(key: &str) -> Self {
        Self { key: key.to_owned(), id: format!("v-{key}"), latest: true, ..Self::default() }
    }

    pub fn locked(mut self, mode: &str, until: &str) -> Self {
        self.retention = Some((mode.to_owned(), until.to_owned()));
        self
    }
}

/// An access point of a bucket, made by the bucket's account.
#[derive(Debug, Clone, Default)]
pub struct AccessPoint {
    pub name: String,
    /// Bound to this VPC; none: open to the internet.
    pub vpc: Option<String>,
    /// BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets.
    pub public_access_block: [bool; 4],
    /// IAM policy document, JSON.
    pub policy: Option<String>,
}

impl Default for World {
    fn default() -> Self {
        Self { accounts: Vec::new(), now: NOW.to_owned() }
    }
}

impl World {
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// One account, 111111111111, with `n` versioned buckets `bucket-00000`.. in eu-west-1 that have five facts each:
    /// versioning, lifecycle, policy, public access block, tags. The key is [`crate::PRODUCTION_KEY`], the user `auditor`.
    pub fn many(n: usize) -> Self {
        let mut account = Account::aws("111111111111", "production")
            .user(User::new("auditor", "2024-01-01T09:00:00Z").key(AccessKey::of(crate::PRODUCTION_KEY, "2026-11-01T09:00:00Z")));
        account.buckets = (0..n).map(|i| Bucket::typical(&format!("bucket-{i:05}"))).collect();
        Self::default().account(account)
    }
}

impl Account {
    /// An AWS account whose root user has MFA and no keys.
    pub fn aws(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    /// A store that speaks S3 and is not AWS.
    pub fn provider(name: &str) -> Self {
        Self { name: name.to_owned(), kind: AccountKind::Provider, ..Self::default() }
    }

    pub fn bucket(mut self, bucket: Bucket) -> Self {
        self.buckets.push(bucket);
        self
    }

    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    pub fn group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    pub fn policy(mut self, policy: ManagedPolicy) -> Self {
        self.policies.push(policy);
        self
    }

    pub fn root(mut self, root: Root) -> Self {
        self.root = root;
        self
    }

    /// What a service beyond S3, IAM and STS answers (`kms:DescribeKey`) to requests that hold `about`; of IAM
    /// (`iam:ListSAMLProviders`) the XML inside the result element.
    pub fn answer(mut self, operation: &str, about: &str, body: &str) -> Self {
        let (operation, about, body) = (operation.to_owned(), about.to_owned(), body.to_owned());
        self.answers.push(Canned { operation, about, status: 200, body });
        self
    }

    pub fn password_policy(mut self, policy: PasswordPolicy) -> Self {
        self.password_policy = Some(policy);
        self
    }

    pub fn access_key(mut self, (id, secret): (&str, &str)) -> Self {
        self.access_keys.push((id.to_owned(), secret.to_owned()));
        self
    }

    /// All four settings of the account's public access block.
    pub fn blocked(mut self) -> Self {
        self.public_access_block = Some([true; 4]);
        self
    }
}

impl Bucket {
    /// A bucket in eu-west-1, with nothing configured.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            region: "eu-west-1".to_owned(),
            created: "2023-05-10T08:30:00Z".to_owned(),
            ..Self::default()
        }
    }

    fn typical(name: &str) -> Self {
        Self::new(name)
            .versioned()
            .lifecycle(
                "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>keep</ID><Filter/>\
                 <Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>35</NoncurrentDays>\
                 </NoncurrentVersionExpiration></Rule></LifecycleConfiguration>",
            )
            .policy(&tls_only(name))
            .blocked()
            .tag("data", "customer")
    }

    pub fn region(mut self, region: &str) -> Self {
        self.region = region.to_owned();
        self
    }

    pub fn created(mut self, rfc3339: &str) -> Self {
        self.created = rfc3339.to_owned();
        self
    }

    pub fn versioned(mut self) -> Self {
        self.versioning = Versioning::Enabled;
        self
    }

    pub fn suspended(mut self) -> Self {
        self.versioning = Versioning::Suspended;
        self
    }

    pub fn mfa_delete(mut self, enabled: bool) -> Self {
        self.mfa_delete = Some(enabled);
        self
    }

    pub fn lifecycle(mut self, xml: &str) -> Self {
        self.lifecycle = Some(xml.to_owned());
        self
    }

    pub fn object_lock(mut self, xml: &str) -> Self {
        self.object_lock = Some(xml.to_owned());
        self
    }

    pub fn replication(mut self, xml: &str) -> Self {
        self.replication = Some(xml.to_owned());
        self
    }

    pub fn policy(mut self, json: &str) -> Self {
        self.policy = Some(json.to_owned());
        self
    }

    pub fn shared_with(mut self, account: &str) -> Self {
        self.shared_with.push(account.to_owned());
        self
    }

    pub fn encryption(mut self, xml: &str) -> Self {
        self.encryption = Some(xml.to_owned());
        self
    }

    pub fn ownership(mut self, value: &str) -> Self {
        self.ownership = Some(value.to_owned());
        self
    }

    pub fn version(mut self, version: Version) -> Self {
        self.versions.push(version);
        self
    }

    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.get_or_insert_default().push((key.to_owned(), value.to_owned()));
        self
    }

    pub fn logging(mut self, bucket: &str, prefix: &str) -> Self {
        self.logging = Some((bucket.to_owned(), prefix.to_owned()));
        self
    }

    /// A grant of the ACL, as in [`Bucket::acl`].
    pub fn grant(mut self, to: &str, permission: &str) -> Self {
        self.acl.push((to.to_owned(), permission.to_owned()));
        self
    }

    pub fn notification(mut self, xml: &str) -> Self {
        self.notification = Some(xml.to_owned());
        self
    }

    pub fn inventory(mut self, xml: &str) -> Self {
        self.inventory.push(xml.to_owned());
        self
    }

    pub fn tiering(mut self, xml: &str) -> Self {
        self.tiering.push(xml.to_owned());
        self
    }

    pub fn upload(mut self, key: &str, begun: &str) -> Self {
        self.uploads.push((key.to_owned(), begun.to_owned()));
        self
    }

    pub fn access_point(mut self, point: AccessPoint) -> Self {
        self.access_points.push(point);
        self
    }

    pub fn public_access_block(mut self, settings: [bool; 4]) -> Self {
        self.public_access_block = Some(settings);
        self
    }

    /// All four settings of the bucket's public access block.
    pub fn blocked(self) -> Self {
        self.public_access_block([true; 4])
    }
}

/// A bucket policy that refuses every request without TLS.
pub(crate) fn tls_only(bucket: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"TlsOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::{bucket}","arn:aws:s3:::{bucket}/*"],"Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}]}}"#
    )
}
