//! The policies of a role, who may assume it and its boundary.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline};

/// What a role may do, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct RolePermissions {
    pub arn: String,
    pub inline: Vec<Inline>,
    pub attached: Vec<String>,
    pub boundary: Option<String>,
    /// `None`: the answer does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
    /// The trust policy, URL-decoded.
    pub trust: String,
}

impl FactType for RolePermissions {
    const SPEC: FactId = &FactSpec {
        id: "iam-role.permissions",
        kind: Kind::IamRole,
        operation: AUTHORIZATION,
        also: &[],
        actions: &["iam:GetAccountAuthorizationDetails"],
        per: Per::Account,
    };
}

/// It comes with another answer.
#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::PrincipalReader> for RolePermissions {}
