//! The policies that bear on a request, by layer, each as it was found: none, these, or not read.
//!
//! It must never let a layer that could not be read pass for one that is not there.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.

use std::fmt;

use crate::model::{Document, Statement, StatementRef};

/// One kind of policy as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Layer<T> {
    /// Surely none.
    #[default]
    None,
    /// These, and no others.
    Docs(T),
    /// Could not be read, wholly or in part: what was read of it.
    Unread(T),
}

impl<T> Layer<T> {
    /// What was read.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::None => None,
            Self::Docs(read) | Self::Unread(read) => Some(read),
        }
    }

    /// Is some of it unread?
    pub fn is_unread(&self) -> bool {
        matches!(self, Self::Unread(_))
    }
}

/// A document with what it is called: its ARN, or the name of an inline policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'a> {
    /// What it is called.
    pub name: &'a str,
    /// What it says.
    pub document: &'a Document,
}

/// The policies attached at one level of an organization: the root, a unit, or the account. Each level must allow; within one,
/// any policy may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level<'a> {
    /// Whose level it is: the id of the root, unit or account.
    pub id: &'a str,
    /// What is attached there.
    pub policies: Vec<Named<'a>>,
}

/// The policies that bind a principal.
#[derive(Debug, Clone, Default)]
pub struct Policies<'a> {
    /// Its own, inline and attached, and those of its groups.
    pub identity: Layer<Vec<Named<'a>>>,
    /// Its permissions boundary: it grants nothing, it only limits.
    pub boundary: Layer<Vec<Named<'a>>>,
    /// The session policies of an assumed role or federated user: they only limit.
    pub session: Layer<Vec<Named<'a>>>,
    /// The service control policies of its account, root first: they only limit.
    pub scps: Layer<Vec<Level<'a>>>,
    /// The Deny statements of its identity policies do not count: it may take such policies away.
    pub lifted: bool,
}

/// What guards a resource.
#[derive(Debug, Clone, Default)]
pub struct Guards<'a> {
    /// Its own policy: bucket policy, key policy, trust policy.
    pub resource: Layer<Vec<Named<'a>>>,
    /// The resource control policies of its account, root first: they only limit. What AWS attaches at each level,
    /// `RCPFullAWSAccess`, is taken to be there.
    pub rcps: Layer<Vec<Level<'a>>>,
    /// The policies of the VPC endpoint that the request passes through: they only limit.
    pub endpoint: Layer<Vec<Named<'a>>>,
    /// Of a bucket: what applies besides its policy.
    pub bucket: Bucket<'a>,
    /// Of a KMS key: its grants.
    pub key_grants: Layer<Vec<KeyGrant<'a>>>,
}

/// What S3 applies besides policies.
#[derive(Debug, Clone, Default)]
pub struct Bucket<'a> {
    /// `RestrictPublicBuckets` of the bucket or its account. `Unread` restricts perhaps.
    pub restrict_public: Setting,
    /// The grants of ACLs that apply: `None` where ownership is `BucketOwnerEnforced`, or where `IgnorePublicAcls` leaves none.
    pub acl: Layer<Vec<AclGrant<'a>>>,
    /// The account that owns the object, where ACLs are enabled and it is not the bucket's.
    pub object_owner: Option<&'a str>,
}

/// A switch that may be unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Setting {
    /// Off.
    #[default]
    Off,
    /// On.
    On,
    /// Could not be read.
    Unread,
}

/// One grant of an ACL of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AclGrant<'a> {
    /// To whom.
    pub to: Grantee<'a>,
    /// What for: `s3:ListBucket`, `s3:PutObject`, ...: the action that the ACL permission stands for.
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions>.
    pub action: &'a str,
}

/// Whom an ACL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grantee<'a> {
    /// Everybody.
    Everyone,
    /// Everybody with credentials of any AWS account.
    Authenticated,
    /// An account.
    Account(&'a str),
}

/// One grant on a KMS key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant<'a> {
    /// The id of the grant.
    pub id: &'a str,
    /// The grantee, an ARN.
    pub grantee: &'a str,
    /// What it may do: `Decrypt`, `GenerateDataKey`, without a prefix.
    pub operations: Vec<&'a str>,
    /// It holds only for some encryption contexts.
    pub constrained: bool,
}

/// The layers, in the order in which AWS evaluates them.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerName {
    /// Resource control policies.
    Rcp,
    /// Service control policies.
    Scp,
    /// The policy of the resource.
    Resource,
    /// Grants of a KMS key.
    KeyGrant,
    /// ACLs of S3.
    Acl,
    /// S3 Block Public Access.
    PublicAccessBlock,
    /// The principal's policies.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
    /// The policy of the VPC endpoint.
    Endpoint,
    /// What AWS itself does not let anybody change.
    Protected,
}

impl LayerName {
    /// The word in answers for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rcp => "rcp",
            Self::Scp => "scp",
            Self::Resource => "resource",
            Self::KeyGrant => "key-grant",
            Self::Acl => "acl",
            Self::PublicAccessBlock => "public-access-block",
            Self::Identity => "identity",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Endpoint => "endpoint",
            Self::Protected => "protected",
        }
    }
}

impl fmt::Display for LayerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rcp => "resource control policies",
            Self::Scp => "service control policies",
            Self::Resource => "the resource's policy",
            Self::KeyGrant => "the grants of the key",
            Self::Acl => "ACLs",
            Self::PublicAccessBlock => "Block Public Access",
            Self::Identity => "the principal's policies",
            Self::Boundary => "the permissions boundary",
            Self::Session => "session policies",
            Self::Endpoint => "the VPC endpoint's policy",
            Self::Protected => "AWS, which protects it",
        })
    }
}

/// A statement that decides, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deciding<'a> {
    /// The layer.
    pub layer: LayerName,
    /// Of a level, whose it is.
    pub level: Option<&'a str>,
    /// What the policy is called.
    pub policy: &'a str,
    /// The statement; none for what decides without one (a grant of a key, an ACL, the root user).
    pub statement: Option<&'a Statement>,
}

impl Deciding<'_> {
    /// Names the statement, for those who outlive it.
    #[must_use]
    pub fn reference(&self) -> Option<StatementRef> {
        self.statement.map(Statement::reference)
    }
}

impl fmt::Display for Deciding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.statement {
            Some(statement) => write!(f, "{} of {}", statement.reference(), self.policy),
            None => f.write_str(self.policy),
        }
    }
}
