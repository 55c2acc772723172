//! A user's row of the credential report: password, MFA and access keys.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// One row. AWS may answer a report that is up to four hours old.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct UserCredentials {
    pub arn: String,
    /// `None`: the report does not say (`not_supported`).
    pub password_enabled: Option<bool>,
    pub mfa_active: bool,
    pub keys: Vec<AccessKey>,
}

/// One of the two access keys a user can have. The report names no key ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AccessKey {
    /// 1 or 2, the report's column.
    pub number: u8,
    pub active: bool,
    /// When it was made or last rotated.
    pub rotated: Option<Timestamp>,
    pub last_used: Option<Timestamp>,
}

impl FactType for UserCredentials {
    const SPEC: FactId = &FactSpec {
        id: "iam-user.credentials",
        kind: Kind::IamUser,
        operation: "GetCredentialReport",
        also: &["GenerateCredentialReport"],
        actions: &["iam:GetCredentialReport", "iam:GenerateCredentialReport"],
        per: Per::Account,
    };
}
