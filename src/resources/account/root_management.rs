//! Whether the organization manages the root users of its member accounts: then they need no credentials of their own.
//!
//! Only the management account, or the administrator that it delegates, is told. Absent: there is no organization, or IAM may
//! do nothing in it, so nothing is managed centrally.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOrganizationsFeatures.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// What is switched on for the organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct RootManagement {
    pub organization: String,
    /// Root credentials of member accounts can be removed centrally.
    pub credentials_management: bool,
    /// The management account can act as the root user of members, for single tasks.
    pub root_sessions: bool,
}

impl FactType for RootManagement {
    const SPEC: FactId = &FactSpec {
        id: "account.root-management",
        kind: Kind::Account,
        operation: "ListOrganizationsFeatures",
        also: &[],
        actions: &["iam:ListOrganizationsFeatures"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for RootManagement {
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        use crate::aws::Failure;

        const NOTHING: [&str; 3] =
            ["OrganizationNotFoundException", "OrganizationNotInAllFeaturesModeException", "ServiceAccessNotEnabledException"];
        let answer = match from.iam(|iam| async move { iam.list_organizations_features().send().await }).await {
            Err(failure) if failure.code.as_deref().is_some_and(|code| NOTHING.contains(&code)) => return Ok(None),
            answer => answer?,
        };
        let Some(organization) = answer.organization_id.filter(|id| id.starts_with("o-")) else {
            return Err(Failure::malformed("no OrganizationId in the answer"));
        };
        let mut found = Self { organization, ..Self::default() };
        for feature in answer.enabled_features.unwrap_or_default() {
            match feature.as_str() {
                "RootCredentialsManagement" => found.credentials_management = true,
                "RootSessions" => found.root_sessions = true,
                other => return Err(Failure::malformed(format!("the feature `{other}` is not known"))),
            }
        }
        Ok(Some(found))
    }
}
