//! Who may vouch for people and programs of other systems: the SAML and OpenID Connect providers of an account.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListSAMLProviders.html>
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The providers; none where both lists are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct IdentityProviders {
    pub saml: Vec<SamlProvider>,
    pub oidc: Vec<OidcProvider>,
}

/// A SAML provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct SamlProvider {
    pub arn: String,
    /// When its metadata expires; `None`: AWS does not say.
    #[schemars(with = "Option<String>")]
    pub valid_until: Option<Timestamp>,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct OidcProvider {
    pub arn: String,
    /// The issuer, without `https://`.
    pub url: String,
    /// The audiences.
    pub client_ids: Vec<String>,
    /// Of the certificates of the issuer's server; AWS does not look at them for issuers that it knows.
    pub thumbprints: Vec<String>,
}

impl FactType for IdentityProviders {
    const SPEC: FactId = &FactSpec {
        id: "account.identity-providers",
        kind: Kind::Account,
        operation: "ListSAMLProviders",
        also: &["ListOpenIDConnectProviders", "GetOpenIDConnectProvider"],
        actions: &["iam:ListSAMLProviders", "iam:ListOpenIDConnectProviders", "iam:GetOpenIDConnectProvider"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for IdentityProviders {
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        use crate::aws::Failure;

        let account = from.account_id()?;
        let own = |arn: Option<String>| match arn {
            Some(arn) if arn.split(':').nth(4) == Some(&account) => Ok(arn),
            other => Err(Failure::malformed(format!("a provider has the ARN `{}`", other.unwrap_or_default()))),
        };
        let mut found = Self::default();
        let answer = from.iam(|iam| async move { iam.list_saml_providers().send().await }).await?;
        let Some(list) = answer.saml_provider_list else { return Err(Failure::malformed("no SAMLProviderList in the answer")) };
        for provider in list {
            let valid_until = provider.valid_until.as_ref().map(crate::aws::iam::time).transpose()?;
            found.saml.push(SamlProvider { arn: own(provider.arn)?, valid_until });
        }
        let of_lists = |failure: Failure| failure.during("iam:ListOpenIDConnectProviders");
        let answer = from.iam(|iam| async move { iam.list_open_id_connect_providers().send().await }).await.map_err(of_lists)?;
        let Some(list) = answer.open_id_connect_provider_list else {
            return Err(Failure::malformed("no OpenIDConnectProviderList in the answer"));
        };
        for provider in list {
            let arn = own(provider.arn)?;
            let asked = arn.clone();
            let ask = |iam: aws_sdk_iam::Client| async move {
                iam.get_open_id_connect_provider().open_id_connect_provider_arn(asked).send().await
            };
            let of_one = |failure: Failure| failure.during(&format!("iam:GetOpenIDConnectProvider of {arn}"));
            let answer = from.iam(ask).await.map_err(of_one)?;
            let Some(url) = answer.url.filter(|url| !url.is_empty()) else {
                return Err(Failure::malformed(format!("no Url of {arn} in the answer")));
            };
            found.oidc.push(OidcProvider {
                arn,
                url: url.trim_start_matches("https://").to_owned(),
                client_ids: answer.client_id_list.unwrap_or_default(),
                thumbprints: answer.thumbprint_list.unwrap_or_default(),
            });
        }
        Ok(Some(found))
    }
}
