//! Who the credentials are. It is always known to whoever has credentials and needs no permission.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The account of the credentials, and the principal that reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Identity {
    pub account: String,
    pub arn: String,
}

impl FactType for Identity {
    const EMPTY: bool = false;
    const SPEC: FactId = &FactSpec {
        id: "account.identity",
        kind: Kind::Account,
        operation: "GetCallerIdentity",
        also: &[],
        actions: &[],
        per: Per::Free,
    };
}

/// It comes with another answer.
#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for Identity {}
