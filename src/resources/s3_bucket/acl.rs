//! The access control list of a bucket. Absent: the provider has no ACLs; AWS always answers one, also where ownership
//! `BucketOwnerEnforced` takes its effect away.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// Owner and grants as the provider answers them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Acl {
    /// The canonical user id of the owner.
    pub owner: String,
    pub grants: Vec<Grant>,
}

/// One grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Grant {
    pub to: Grantee,
    /// The canonical user id or the address of the grantee, when it is no group.
    pub id: Option<String>,
    pub permission: Permission,
}

/// Whom a grant names.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Grantee {
    /// Everybody, without credentials too.
    AllUsers,
    /// Everybody with credentials of any AWS account.
    AuthenticatedUsers,
    /// The service that writes server access logs.
    LogDelivery,
    /// An account, by its canonical user id.
    #[default]
    Canonical,
    /// An account, by the address of its root user.
    Email,
}

/// What a grant gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// List the keys.
    #[default]
    Read,
    /// Create objects, and overwrite and delete existing ones.
    Write,
    ReadAcp,
    /// Rewrite the ACL, and so give oneself the rest.
    WriteAcp,
    FullControl,
}

impl Grant {
    /// It is for the owner itself.
    pub fn is_of(&self, owner: &str) -> bool {
        self.to == Grantee::Canonical && self.id.as_deref() == Some(owner)
    }

    /// It is for everybody, or for everybody with an AWS account.
    pub fn is_public(&self) -> bool {
        matches!(self.to, Grantee::AllUsers | Grantee::AuthenticatedUsers)
    }

    /// Whom, for a report.
    pub fn whom(&self) -> String {
        let id = self.id.as_deref().unwrap_or_default();
        match self.to {
            Grantee::AllUsers => "everybody".to_owned(),
            Grantee::AuthenticatedUsers => "everybody with an AWS account".to_owned(),
            Grantee::LogDelivery => "the log delivery group".to_owned(),
            Grantee::Canonical => format!("canonical user {id}"),
            Grantee::Email => format!("the account of {id}"),
        }
    }
}

impl Permission {
    /// It lets the grantee change objects or the ACL.
    pub fn writes(self) -> bool {
        matches!(self, Self::Write | Self::WriteAcp | Self::FullControl)
    }

    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Write => "WRITE",
            Self::ReadAcp => "READ_ACP",
            Self::WriteAcp => "WRITE_ACP",
            Self::FullControl => "FULL_CONTROL",
        }
    }
}

impl FactType for Acl {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.acl",
        kind: Kind::S3Bucket,
        operation: "GetBucketAcl",
        also: &[],
        actions: &["s3:GetBucketAcl"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Acl {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let found = from
            .ask(|s3, of| async move { s3.get_bucket_acl().bucket(of.name).set_expected_bucket_owner(of.owner).send().await })
            .await?;
        let owner = found.owner.and_then(|owner| owner.id).filter(|id| !id.is_empty());
        let (Some(owner), Some(grants)) = (owner, found.grants) else {
            return Err(crate::aws::Failure::malformed("the ACL has no owner or no list of grants"));
        };
        Ok(Some(Self { owner, grants: grants.into_iter().map(grant).collect::<Result<_, _>>()? }))
    }
}

#[cfg(feature = "aws")]
fn grant(grant: aws_sdk_s3::types::Grant) -> Result<Grant, crate::aws::Failure> {
    use crate::aws::Failure;
    let (Some(grantee), Some(permission)) = (grant.grantee, grant.permission) else {
        return Err(Failure::malformed("a grant without grantee or permission"));
    };
    let permission = match permission.as_str() {
        "READ" => Permission::Read,
        "WRITE" => Permission::Write,
        "READ_ACP" => Permission::ReadAcp,
        "WRITE_ACP" => Permission::WriteAcp,
        "FULL_CONTROL" => Permission::FullControl,
        other => return Err(Failure::malformed(format!("unknown permission `{other}` in the ACL"))),
    };
    let group = |uri: &str| match uri {
        "http://acs.amazonaws.com/groups/global/AllUsers" => Some(Grantee::AllUsers),
        "http://acs.amazonaws.com/groups/global/AuthenticatedUsers" => Some(Grantee::AuthenticatedUsers),
        "http://acs.amazonaws.com/groups/s3/LogDelivery" => Some(Grantee::LogDelivery),
        _ => None,
    };
    let named = |id: Option<String>| id.filter(|id| !id.is_empty()).map(Some);
    let (to, id) = match grantee.r#type.as_str() {
        "Group" => (grantee.uri.as_deref().and_then(group), Some(None)),
        "CanonicalUser" => (Some(Grantee::Canonical), named(grantee.id)),
        "AmazonCustomerByEmail" => (Some(Grantee::Email), named(grantee.email_address)),
        _ => (None, None),
    };
    match (to, id) {
        (Some(to), Some(id)) => Ok(Grant { to, id, permission }),
        _ => Err(Failure::malformed("a grant of the ACL is for somebody of an unknown kind")),
    }
}
