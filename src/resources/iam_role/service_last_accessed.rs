//! When a role last used the services that can destroy documents.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;
use crate::resources::iam_user::service_last_accessed::LastAccessed;

/// Of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct RoleLastAccessed(pub LastAccessed);

impl FactType for RoleLastAccessed {
    const SPEC: FactId = &FactSpec {
        id: "iam-role.service-last-accessed",
        kind: Kind::IamRole,
        operation: "GetServiceLastAccessedDetails",
        also: &["GenerateServiceLastAccessedDetails"],
        actions: &["iam:GetServiceLastAccessedDetails", "iam:GenerateServiceLastAccessedDetails"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::PrincipalReader> for RoleLastAccessed {
    async fn read(from: &crate::aws::PrincipalReader) -> crate::aws::Reading<Self> {
        from.last_accessed().await.map(|found| Some(Self(found)))
    }
}
