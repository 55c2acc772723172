//! The organization that the account belongs to, as any of its accounts may read. Absent: the account is in none
//! (`AWSOrganizationsNotInUseException`).
//!
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// Which organization, and who is above the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Organization {
    pub id: String,
    /// The twelve digits of the management account, which no SCP and no RCP binds.
    pub management_account: String,
    /// All features; without them the organization only shares a bill, and has no SCPs.
    pub all_features: bool,
}

impl FactType for Organization {
    const EMPTY: bool = false;
    const SPEC: FactId = &FactSpec {
        id: "account.organization",
        kind: Kind::Account,
        operation: "organizations:DescribeOrganization",
        also: &[],
        actions: &["organizations:DescribeOrganization"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for Organization {
    #[cfg(not(feature = "organizations"))]
    async fn read(_: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        Err(crate::aws::Failure::not_compiled("organizations"))
    }

    #[cfg(feature = "organizations")]
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        use aws_sdk_organizations::types::OrganizationFeatureSet;

        use crate::aws::Failure;
        let region = from.home().to_owned();
        let call = Self::SPEC.operation;
        let answer = from.organizations(&region, call, |org| async move { org.describe_organization().send().await }).await;
        let answer = match answer {
            Err(failure) if failure.code.as_deref() == Some("AWSOrganizationsNotInUseException") => return Ok(None),
            answer => answer?,
        };
        let Some(found) = answer.organization else { return Err(Failure::malformed("the answer holds no Organization")) };
        let (Some(id), Some(management_account)) = (found.id, found.master_account_id) else {
            return Err(Failure::malformed("the organization lacks its id or its management account"));
        };
        let all_features = match found.feature_set {
            Some(OrganizationFeatureSet::All) => true,
            Some(OrganizationFeatureSet::ConsolidatedBilling) => false,
            other => return Err(Failure::malformed(format!("unknown feature set {other:?} of the organization"))),
        };
        Ok(Some(Self { id, management_account, all_features }))
    }
}
