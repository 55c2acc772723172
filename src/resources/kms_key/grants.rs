//! The grants of a key: permissions beside the key policy, each to one principal. A key without grants has an empty list.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// All grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct KeyGrants(pub Vec<Grant>);

/// One grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Grant {
    pub id: String,
    /// Whom it is given to: an ARN, or a service.
    pub grantee: String,
    /// `Decrypt`, `GenerateDataKey`, ... without a prefix.
    pub operations: Vec<String>,
    /// It holds only for some encryption contexts.
    pub constrained: bool,
}

impl FactType for KeyGrants {
    const SPEC: FactId = &FactSpec {
        id: "kms-key.grants",
        kind: Kind::KmsKey,
        operation: "kms:ListGrants",
        also: &[],
        actions: &["kms:ListGrants"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::KeyReader> for KeyGrants {
    async fn read(from: &crate::aws::KeyReader) -> crate::aws::Reading<Self> {
        #[cfg(feature = "kms")]
        {
            let all = crate::aws::pages(|marker| async move {
                let ask = |kms: aws_sdk_kms::Client, id| async move {
                    kms.list_grants().key_id(id).limit(100).set_marker(marker).send().await
                };
                let page = from.ask("kms:ListGrants", ask).await?;
                let Some(grants) = page.grants else {
                    return Err(crate::aws::Failure::malformed("no Grants in the answer"));
                };
                match page.next_marker.filter(|next| !next.is_empty()) {
                    None if page.truncated => Err(cut("the list goes on, and the service does not say where")),
                    Some(_) if !page.truncated => Err(cut("the service names a next page of a list that it says is complete")),
                    next => Ok((grants.into_iter().map(grant).collect::<Result<Vec<_>, _>>()?, next)),
                }
            })
            .await?;
            Ok(Some(Self(all)))
        }
        #[cfg(not(feature = "kms"))]
        {
            let _ = from;
            Err(crate::aws::Failure::not_compiled("kms"))
        }
    }
}

#[cfg(feature = "kms")]
fn cut(detail: &str) -> crate::aws::Failure {
    crate::aws::Failure { detail: Some(detail.to_owned()), ..crate::aws::Failure::new(crate::fact::Why::Truncated) }
}

#[cfg(feature = "kms")]
fn grant(found: aws_sdk_kms::types::GrantListEntry) -> Result<Grant, crate::aws::Failure> {
    let missing = |what: &str| crate::aws::Failure::malformed(format!("a grant without {what}"));
    Ok(Grant {
        id: found.grant_id.ok_or_else(|| missing("GrantId"))?,
        grantee: found.grantee_principal.or(found.grantee_service_principal).ok_or_else(|| missing("GranteePrincipal"))?,
        operations: found
            .operations
            .ok_or_else(|| missing("Operations"))?
            .into_iter()
            .map(|operation| operation.as_str().to_owned())
            .collect(),
        constrained: found.constraints.is_some(),
    })
}
