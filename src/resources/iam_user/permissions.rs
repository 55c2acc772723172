//! The policies that give a user its permissions, its groups and its boundary.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// A policy document that lives inside its principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Inline {
    pub name: String,
    /// The IAM policy document, URL-decoded.
    pub document: String,
}

/// What a user may do comes from here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct UserPermissions {
    pub arn: String,
    pub inline: Vec<Inline>,
    /// ARNs of managed policies.
    pub attached: Vec<String>,
    /// Names of groups.
    pub groups: Vec<String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// `None`: the answer does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
}

/// The one answer that holds all principals and managed policies of an account.
pub const AUTHORIZATION: &str = "GetAccountAuthorizationDetails";

impl FactType for UserPermissions {
    const SPEC: FactId = &FactSpec {
        id: "iam-user.permissions",
        kind: Kind::IamUser,
        operation: AUTHORIZATION,
        also: &[],
        actions: &["iam:GetAccountAuthorizationDetails"],
        per: Per::Account,
    };
}

/// It comes with another answer.
#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::PrincipalReader> for UserPermissions {}
