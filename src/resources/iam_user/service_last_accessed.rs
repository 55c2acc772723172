//! When a user last used the services that can destroy documents. AWS looks back 400 days, and lags by some hours.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html>
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;
use crate::resources::iam_user::credentials::LastUsed;

/// The services whose use is kept, by IAM prefix.
pub const SERVICES: [&str; 3] = ["backup", "kms", "s3"];

/// AWS looks back so many days.
pub const TRACKED_DAYS: u64 = 400;

/// What AWS found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct LastAccessed {
    /// When AWS had found it.
    #[schemars(with = "String")]
    pub generated: Timestamp,
    /// By service, of [`SERVICES`]. A service that is missing is one that the policies do not give, as AWS reads them.
    pub services: BTreeMap<String, LastUsed>,
}

/// Of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct UserLastAccessed(pub LastAccessed);

impl FactType for UserLastAccessed {
    const SPEC: FactId = &FactSpec {
        id: "iam-user.service-last-accessed",
        kind: Kind::IamUser,
        operation: "GetServiceLastAccessedDetails",
        also: &["GenerateServiceLastAccessedDetails"],
        actions: &["iam:GetServiceLastAccessedDetails", "iam:GenerateServiceLastAccessedDetails"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::PrincipalReader> for UserLastAccessed {
    async fn read(from: &crate::aws::PrincipalReader) -> crate::aws::Reading<Self> {
        from.last_accessed().await.map(|found| Some(Self(found)))
    }
}
