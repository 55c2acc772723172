//! The account summary: counts and the state of the root user.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::{FactType, Printed, parsed};

/// The map as AWS answers it; a key that is missing was not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Summary(pub BTreeMap<String, i32>);

impl Summary {
    /// Whether the root user has an MFA device.
    pub fn root_mfa(&self) -> Option<bool> {
        self.0.get("AccountMFAEnabled").map(|n| *n > 0)
    }

    /// How many access keys the root user has.
    pub fn root_keys(&self) -> Option<i32> {
        self.0.get("AccountAccessKeysPresent").copied()
    }

    /// Whether the root user has signing certificates, where the answer says so.
    pub fn root_certificates(&self) -> bool {
        self.0.get("AccountSigningCertificatesPresent").is_some_and(|n| *n > 0)
    }

    /// Whether the root user can sign in. False: its credentials were removed centrally.
    pub fn root_password(&self) -> Option<bool> {
        self.0.get("AccountPasswordPresent").map(|n| *n > 0)
    }
}

impl FactType for Summary {
    const EMPTY: bool = false;
    const SPEC: FactId = &FactSpec {
        id: "account.summary",
        kind: Kind::Account,
        operation: "GetAccountSummary",
        also: &[],
        actions: &["iam:GetAccountSummary"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for Summary {
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        let answer = from.iam(|iam| async move { iam.get_account_summary().send().await }).await?;
        let map = answer.summary_map.unwrap_or_default();
        let map = map.into_iter().map(|(key, n)| (key.as_str().to_owned(), n)).collect();
        Self::answered(map).map(Some).map_err(crate::aws::Failure::malformed)
    }
}

impl Printed for Summary {
    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Answer {
            summary_map: BTreeMap<String, i32>,
        }
        Self::answered(parsed::<Answer>(answer)?.summary_map).map(Some)
    }
}

impl Summary {
    fn answered(map: BTreeMap<String, i32>) -> Result<Self, String> {
        if map.is_empty() { Err("an empty summary map".to_owned()) } else { Ok(Self(map)) }
    }
}
