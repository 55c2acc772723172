//! The password policy of IAM users. Absent: AWS's default applies (`NoSuchEntity`).
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountPasswordPolicy.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// The policy as AWS answers it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct PasswordPolicy {
    pub minimum_length: i32,
    pub symbols: bool,
    pub numbers: bool,
    pub uppercase: bool,
    pub lowercase: bool,
    /// So many earlier passwords may not be used again.
    pub reuse_prevention: Option<i32>,
    pub max_age_days: Option<i32>,
}

impl FactType for PasswordPolicy {
    const SPEC: FactId = &FactSpec {
        id: "account.password-policy",
        kind: Kind::Account,
        operation: "GetAccountPasswordPolicy",
        also: &[],
        actions: &["iam:GetAccountPasswordPolicy"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for PasswordPolicy {
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        let answer = from.iam(|iam| async move { iam.get_account_password_policy().send().await }).await;
        let Some(answer) = crate::aws::absent_on(answer, Self::ABSENT)? else { return Ok(None) };
        let Some(found) = answer.password_policy else {
            return Err(crate::aws::Failure::malformed("no PasswordPolicy in the answer"));
        };
        let Some(minimum_length) = found.minimum_password_length else {
            return Err(crate::aws::Failure::malformed("no MinimumPasswordLength in the answer"));
        };
        Ok(Some(Self {
            minimum_length,
            symbols: found.require_symbols,
            numbers: found.require_numbers,
            uppercase: found.require_uppercase_characters,
            lowercase: found.require_lowercase_characters,
            reuse_prevention: found.password_reuse_prevention,
            max_age_days: found.max_password_age,
        }))
    }
}

impl Printed for PasswordPolicy {
    const ABSENT: &'static [&'static str] = &["NoSuchEntity"];

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            password_policy: Policy,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Policy {
            minimum_password_length: i32,
            #[serde(default)]
            require_symbols: bool,
            #[serde(default)]
            require_numbers: bool,
            #[serde(default)]
            require_uppercase_characters: bool,
            #[serde(default)]
            require_lowercase_characters: bool,
            password_reuse_prevention: Option<i32>,
            max_password_age: Option<i32>,
        }
        let found = parsed::<Answer>(answer)?.password_policy;
        Ok(Some(Self {
            minimum_length: found.minimum_password_length,
            symbols: found.require_symbols,
            numbers: found.require_numbers,
            uppercase: found.require_uppercase_characters,
            lowercase: found.require_lowercase_characters,
            reuse_prevention: found.password_reuse_prevention,
            max_age_days: found.max_password_age,
        }))
    }
}
