use lastcopy_iam::assume::{Assumer, Lack, assumers};
use lastcopy_iam::{Case, GranteeKind, Pattern};
use serde::Deserialize;

use super::example::{Example, PRODUCTION, VAULT, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::parse;
use crate::resources::FactType;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::view::View;

const REQUIRED: &str = "assumed by its own account, by services, and by who is named under `allowed`";

/// A role is assumed by those who should, and by nobody who only knows its name.
///
/// # Why
/// A trust policy is a door into the account. `*` opens it to every customer of AWS; a vendor's account without an external id
/// opens it to the vendor's other customers; an identity provider without a subject opens it to every repository on GitHub.
///
/// # Fails when
/// The trust policy lets the role be assumed by
/// - everybody, unless only members of one organization can;
/// - a principal or account that is neither the role's own nor among `allowed`;
/// - a foreign account without external id, organization or MFA (with `require-external-id: true`);
/// - an identity provider whose audience and subject are both left open, or, where customers share the provider (GitHub,
///   GitLab, Terraform Cloud, Buildkite), one whose subject is open to strangers: none, or a pattern such as `repo:*`;
/// - an AWS service for anybody, without source or source account (with `require-source: true`);
/// - somebody whom nobody can tell: a deleted principal, a canonical user, a pattern.
///
/// Conditions are not counted but tried: one that a stranger's request would meet, such as `StringLike sts:ExternalId *`, is none.
/// Deny statements are evaluated. Who in the own account may assume the role is for their own policies and not judged here.
///
/// # Fix
/// Name the roles that need it, with `sts:ExternalId`, `<provider>:sub` or `aws:SourceAccount` in a `StringEquals` condition.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamRoleTrust {
    /// Foreign accounts (12 digits) and principals (ARNs) that may. `*` and `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
    /// Whether a foreign account must send an external id, be of an organization, or use MFA.
    #[serde(default)]
    require_external_id: bool,
    /// Whether a service must act for a known source.
    #[serde(default)]
    require_source: bool,
}

impl CheckType for IamRoleTrust {
    const META: &'static Meta = &Meta {
        id: "iam-role-trust",
        unit: Kind::IamRole,
        severity: Severity::High,
        title: "Roles are assumed by those who should",
        fix: "name who needs it in the trust policy, with an external id, a subject or a source; or name them under `allowed`",
        references: &["NIST-800-53:AC-3", "NIST-800-53:AC-6", "SOC2:CC6.1", "ISO-27001:A.5.19", "PCI-DSS:7.2.5", "DORA:Art.28"],
    };

    fn examples() -> Vec<Example> {
        let on = ResourceId::new(&production().account, Kind::IamRole, "ops");
        let case = |example: Example, principal: &str, condition: &str| {
            let condition = if condition.is_empty() { String::new() } else { format!(r#","Condition":{condition}"#) };
            let trust = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":
                ["sts:AssumeRole","sts:AssumeRoleWithWebIdentity"]{condition}}}]}}"#
            );
            example.known(&on, RolePermissions { trust, ..RolePermissions::default() })
        };
        let (pass, fail) = (|name| Example::pass(name, on.clone()), |name| Example::fail(name, on.clone()));
        let vault = format!(r#"{{"AWS":"arn:aws:iam::{VAULT}:role/sync"}}"#);
        let own = format!(r#"{{"AWS":"{PRODUCTION}"}}"#);
        let github = format!(r#"{{"Federated":"arn:aws:iam::{PRODUCTION}:oidc-provider/token.actions.githubusercontent.com"}}"#);
        let subject = |value: &str| format!(r#"{{"StringLike":{{"token.actions.githubusercontent.com:sub":"{value}"}}}}"#);
        let service = r#"{"Service":"backup.amazonaws.com"}"#;
        let external = r#"{"StringEquals":{"sts:ExternalId":"x-17"}}"#;
        let allowed = || serde_json::json!({ "allowed": [VAULT], "require-external-id": true });
        let source = || serde_json::json!({ "require-source": true });
        vec![
            case(pass("its own account"), &own, ""),
            case(pass("a service"), service, ""),
            case(pass("a service for one account"), service, r#"{"StringEquals":{"aws:SourceAccount":"111111111111"}}"#)
                .with(source()),
            case(pass("an allowed account with an external id"), &vault, external).with(allowed()),
            case(pass("one repository owner"), &github, &subject("repo:acme/*")),
            case(pass("members of the organization"), r#""*""#, r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#),
            case(fail("everybody"), r#""*""#, ""),
            case(fail("everybody with MFA"), r#""*""#, r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#),
            case(fail("another account"), &vault, external),
            case(fail("an allowed account without an external id"), &vault, "").with(allowed()),
            case(fail("any external id"), &vault, r#"{"StringLike":{"sts:ExternalId":"*"}}"#).with(allowed()),
            case(fail("every repository"), &github, ""),
            case(fail("every repository by a pattern"), &github, &subject("repo:*")),
            case(fail("a service for anybody"), service, "").with(source()),
            case(fail("a deleted principal"), r#"{"AWS":"AROAEXAMPLEID1234567"}"#, ""),
            Example::unknown("not a policy", on.clone())
                .known(&on, RolePermissions { trust: "{".to_owned(), ..Default::default() }),
            Example::unknown("denied", on.clone()).denied::<RolePermissions>(&on),
        ]
    }
}

impl Check for IamRoleTrust {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[RolePermissions::SPEC])]
    }

    fn problems(&self) -> Vec<String> {
        let names =
            |glob: &&String| glob.contains(['*', ':']) || glob.len() == 12 && glob.bytes().all(|byte| byte.is_ascii_digit());
        let nobody = self.allowed.iter().filter(|glob| !names(glob));
        nobody.map(|glob| format!("`{glob}` under `allowed` is neither an account of 12 digits nor an ARN")).collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<RolePermissions>(unit)) else { return tally.finish() };
        let spec = RolePermissions::SPEC;
        let Some(role) = found else {
            let detail = format!("the answer says nothing of role {}", unit.name);
            tally.gap(Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied()).with_detail(detail));
            return tally.finish();
        };
        let Some(own) = view.account_number(&unit.account) else {
            let detail = "the number of the role's account is not known, so nobody is surely inside it";
            tally.gap(Gap::new(Why::NotCollected, "GetCallerIdentity").with_detail(detail));
            return tally.finish();
        };
        let arn = if role.arn.is_empty() { view.snapshot.arn(unit) } else { role.arn.clone() };
        match parse(&role.trust, spec, &format!("the trust policy of role {}", unit.name)) {
            Ok(trust) => {
                for assumer in assumers(&trust, &arn, own) {
                    let Some(wrong) = self.wrong(&assumer) else { continue };
                    let only = if assumer.conditions.is_empty() { String::new() } else { format!(" if {}", assumer.conditions) };
                    let by = assumer.by.join(", ");
                    let says = format!(
                        "role {} can be assumed by {}{only} ({by} of its trust policy): {wrong}",
                        unit.name, assumer.name
                    );
                    let seen = format!("{} by {by}{only}", assumer.name);
                    let _ = tally.fail::<RolePermissions>(unit, says, seen, REQUIRED).subject(&assumer.name);
                }
                tally.pass::<RolePermissions>(unit, "nobody else in the trust policy", REQUIRED);
            }
            Err(gap) => tally.gap(gap),
        }
        tally.finish()
    }
}

impl IamRoleTrust {
    fn is_allowed(&self, assumer: &Assumer) -> bool {
        let globs = || self.allowed.iter().map(|glob| Pattern::new(glob, Case::Sensitive));
        globs().any(|glob| glob.matches(&assumer.name) || assumer.account.as_deref().is_some_and(|account| glob.matches(account)))
    }

    /// What is wrong with the trust, if something is.
    fn wrong(&self, assumer: &Assumer) -> Option<&'static str> {
        let lacks = |lack| assumer.lacks.contains(&lack);
        match assumer.kind {
            GranteeKind::Everyone if lacks(Lack::Organization) => Some("everybody with an account at AWS can"),
            GranteeKind::Foreign if !self.is_allowed(assumer) => Some("it is not among `allowed`"),
            GranteeKind::Foreign if self.require_external_id && lacks(Lack::ExternalId) => {
                Some("neither an external id, nor an organization, nor MFA is required")
            }
            GranteeKind::Federated if lacks(Lack::Subject) => {
                Some("the provider serves many customers, and a subject of any of them passes")
            }
            GranteeKind::Federated if lacks(Lack::Audience) => Some("neither an audience nor a subject is required"),
            GranteeKind::Service if assumer.name.contains('*') => Some("it is no service of AWS"),
            GranteeKind::Service if self.require_source && lacks(Lack::Source) => {
                Some("neither the source nor its account is required, so it may act for anybody")
            }
            GranteeKind::Unseen if !self.is_allowed(assumer) => Some("nobody can tell who that is"),
            GranteeKind::Everyone
            | GranteeKind::Own
            | GranteeKind::Foreign
            | GranteeKind::Service
            | GranteeKind::Federated
            | GranteeKind::Unseen => None,
        }
    }
}
