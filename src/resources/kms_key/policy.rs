//! The key policy, as text. A key always has one.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The IAM policy document `default` of the key, the only one that a key can have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct KeyPolicy(pub String);

impl FactType for KeyPolicy {
    const EMPTY: bool = false;
    const SPEC: FactId = &FactSpec {
        id: "kms-key.policy",
        kind: Kind::KmsKey,
        operation: "kms:GetKeyPolicy",
        also: &[],
        actions: &["kms:GetKeyPolicy"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::KeyReader> for KeyPolicy {
    async fn read(from: &crate::aws::KeyReader) -> crate::aws::Reading<Self> {
        #[cfg(feature = "kms")]
        {
            let ask =
                |kms: aws_sdk_kms::Client, id| async move { kms.get_key_policy().key_id(id).policy_name("default").send().await };
            match from.ask("kms:GetKeyPolicy", ask).await?.policy {
                Some(text) => Ok(Some(Self(text))),
                None => Err(crate::aws::Failure::malformed("no Policy in the answer")),
            }
        }
        #[cfg(not(feature = "kms"))]
        {
            let _ = from;
            Err(crate::aws::Failure::not_compiled("kms"))
        }
    }
}
