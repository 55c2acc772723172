//! The root user's row of the credential report. Absent: the report has no such row.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;
use crate::resources::iam_user::credentials::UserCredentials;

/// The row of `<root_account>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct RootCredentials(pub UserCredentials);

impl FactType for RootCredentials {
    const EMPTY: bool = false;
    const SPEC: FactId = &FactSpec {
        id: "account.root-credentials",
        kind: Kind::Account,
        operation: "GetCredentialReport",
        also: &["GenerateCredentialReport"],
        actions: &["iam:GetCredentialReport", "iam:GenerateCredentialReport"],
        per: Per::Account,
    };
}

/// It comes with another answer.
#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for RootCredentials {}
