//! The policies of a group.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline};

/// What the members of a group get.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct GroupPermissions {
    pub arn: String,
    pub inline: Vec<Inline>,
    pub attached: Vec<String>,
}

impl FactType for GroupPermissions {
    const SPEC: FactId = &FactSpec {
        id: "iam-group.permissions",
        kind: Kind::IamGroup,
        operation: AUTHORIZATION,
        also: &[],
        actions: &["iam:GetAccountAuthorizationDetails"],
        per: Per::Account,
    };
}
