//! The default version of a managed policy.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;
use crate::resources::iam_user::permissions::AUTHORIZATION;

/// The IAM policy document in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct ManagedDocument {
    /// URL-decoded.
    pub document: String,
    /// How many users, groups and roles it is attached to.
    pub attachments: i32,
}

impl FactType for ManagedDocument {
    const SPEC: FactId = &FactSpec {
        id: "iam-policy.document",
        kind: Kind::IamPolicy,
        operation: AUTHORIZATION,
        also: &[],
        actions: &["iam:GetAccountAuthorizationDetails"],
        per: Per::Account,
    };
}
