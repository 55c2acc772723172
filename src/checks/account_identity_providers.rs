use jiff::Timestamp;
use lastcopy_iam::{Case, Pattern};
use serde::Deserialize;

use super::example::{Example, now, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::identity_providers::{IdentityProviders, OidcProvider, SamlProvider};
use crate::view::View;

/// Only known identity providers vouch for people and programs.
///
/// # Why
/// Whoever runs an identity provider that a role trusts can be anybody in that role. A provider that nobody remembers, or that was
/// added by an intruder, is a door that no password change closes.
///
/// # Fails when
/// The account has a SAML or OpenID Connect provider that is not among `allow`, or a SAML provider whose metadata has expired:
/// nobody can sign in through it, which shows on the day it is needed. A provider that no role trusts counts, too: it takes one
/// edit of a trust policy. Who may assume which role is judged by `iam-role-trust`.
///
/// # Fix
/// Delete the provider, or name it under `allow`. Renew expired metadata (UpdateSAMLProvider).
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountIdentityProviders {
    /// Providers that may be there: ARNs, or of OpenID Connect the issuer without `https://`. `*` and `?` are wildcards.
    #[serde(default)]
    allow: Vec<String>,
}

impl CheckType for AccountIdentityProviders {
    const META: &'static Meta = &Meta {
        id: "account-identity-providers",
        unit: Kind::Account,
        severity: Severity::High,
        title: "Only known identity providers vouch",
        fix: "delete the identity provider or name it under `allow`; renew expired SAML metadata",
        references: &["NIST-800-53:AC-3", "NIST-800-53:AC-6", "ISO-27001:A.5.19", "DORA:Art.28"],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let saml = |days: Option<i64>| SamlProvider {
            arn: "arn:aws:iam::111111111111:saml-provider/okta".to_owned(),
            valid_until: days.and_then(|days| Timestamp::from_second(now().as_second() + days * 86_400).ok()),
        };
        let github = || OidcProvider {
            arn: "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com".to_owned(),
            url: "token.actions.githubusercontent.com".to_owned(),
            ..OidcProvider::default()
        };
        let case = |example: Example, saml: Vec<SamlProvider>, oidc: Vec<OidcProvider>| {
            example.known(&production(), IdentityProviders { saml, oidc }).with(
                serde_json::json!({ "allow": ["arn:aws:iam::*:saml-provider/okta", "token.actions.githubusercontent.com"] }),
            )
        };
        let none = serde_json::json!({});
        vec![
            case(Example::pass("known", on.clone()), vec![saml(Some(30))], vec![github()]),
            case(Example::pass("none", on.clone()), vec![], vec![]).with(none.clone()),
            case(Example::fail("not allowed", on.clone()), vec![], vec![github()]).with(none.clone()),
            case(Example::fail("a SAML provider not allowed", on.clone()), vec![saml(Some(30))], vec![]).with(none),
            case(Example::fail("expired", on.clone()), vec![saml(Some(-1))], vec![]),
            case(Example::unknown("expiry not said", on.clone()), vec![saml(None)], vec![]),
            Example::unknown("absent", on.clone()).absent::<IdentityProviders>(&on),
            Example::unknown("denied", on.clone()).denied::<IdentityProviders>(&on),
        ]
    }
}

impl Check for AccountIdentityProviders {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[IdentityProviders::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<IdentityProviders>(unit)) else { return tally.finish() };
        let spec = IdentityProviders::SPEC;
        let gap = |detail: String| {
            Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied()).with_detail(detail)
        };
        let Some(found) = found else {
            tally.gap(gap("the answer says nothing of providers".to_owned()));
            return tally.finish();
        };
        let allow: Vec<Pattern> = self.allow.iter().map(|glob| Pattern::new(glob, Case::Sensitive)).collect();
        let allowed = |names: &[&str]| names.iter().any(|name| allow.iter().any(|glob| glob.matches(name)));
        let required = "the providers under `allow`";
        let oidc = found.oidc.iter().filter(|provider| !allowed(&[&provider.arn, &provider.url])).map(|provider| &provider.arn);
        let saml = found.saml.iter().filter(|provider| !allowed(&[&provider.arn])).map(|provider| &provider.arn);
        for arn in oidc.chain(saml) {
            let says = format!("identity provider {arn} is not among `allow`");
            let _ = tally.fail::<IdentityProviders>(unit, says, arn.clone(), required).subject(arn);
        }
        for provider in &found.saml {
            let arn = &provider.arn;
            match provider.valid_until {
                Some(until) if until <= view.now => {
                    let says =
                        format!("the metadata of identity provider {arn} expired at {until}: nobody can sign in through it");
                    let seen = format!("{arn} expired at {until}");
                    let blame = tally.fail::<IdentityProviders>(unit, says, seen, "SAML metadata that is valid").subject(arn);
                    let _ = blame.fix("renew the provider's metadata (UpdateSAMLProvider), or delete the provider");
                }
                Some(_) => {}
                None => tally.gap(gap(format!("the answer does not say until when the metadata of {arn} is valid"))),
            }
        }
        let count = found.saml.len() + found.oidc.len();
        tally.pass::<IdentityProviders>(unit, format!("{count} identity providers judged"), required);
        tally.finish()
    }
}
