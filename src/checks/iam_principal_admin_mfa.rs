use std::collections::HashMap;

use lastcopy_iam::assume::{Assumer, assumers_without_mfa};
use lastcopy_iam::{Administers, Caller, Case, GranteeKind, Pattern, administers};
use serde::Deserialize;

use super::example::{Example, PRODUCTION, production, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{FactId, Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::{self, Doubts, FACTS, Holder, PolicySet};
use crate::resources::FactType;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::credentials::{AccessKey, UserCredentials};
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::view::View;

const REQUIRED: &str = "nobody administers without MFA";

/// Nobody administers an account with a password, a key or a session alone.
///
/// # Why
/// Whoever administers can lift every other protection of the documents. A password that was phished or a key that was found must
/// not be enough for that.
///
/// # Fails when
/// The policies of a user or role give everything on everything, and leave it the power over permissions once Deny statements and
/// boundary are counted, whatever the policy is called; and
/// - a user with a password has no MFA device;
/// - a user has an active access key: a device beside it does not protect a key, only a policy that demands
///   `aws:MultiFactorAuthPresent` does (with `keys: false` such a user passes);
/// - a role can be assumed without MFA by anybody but an AWS service.
///
/// Conditions on MFA are not counted but tried: a Deny of `Bool aws:MultiFactorAuthPresent false` does not stop an access key, a
/// Deny of `BoolIfExists` does. Whether an identity provider asks for a second factor cannot be seen: a role that it vouches for is
/// unknown unless the provider is among `providers`. Narrower statements that together amount to administration, and steps
/// to it, are for `s3-bucket-no-escalation`. The root user is for `account-root-mfa`.
///
/// # Fix
/// Demand MFA in the role's trust policy, or Deny everything if `aws:MultiFactorAuthPresent` is false or absent
/// (`BoolIfExists`). Name machines that must administer under `allowed`.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamPrincipalAdminMfa {
    /// Principals that are not judged: `role/deploy`, or an ARN. `*` and `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
    /// ARNs of identity providers that ask for a second factor. `*` and `?` are wildcards.
    #[serde(default)]
    providers: Vec<String>,
    /// Whether an active access key that works without MFA fails.
    #[serde(default = "yes")]
    keys: bool,
}

fn yes() -> bool {
    true
}

impl CheckType for IamPrincipalAdminMfa {
    const META: &'static Meta = &Meta {
        id: "iam-principal-admin-mfa",
        unit: Kind::Account,
        severity: Severity::High,
        title: "Nobody administers without MFA",
        fix: "demand MFA in the trust policy of the role, or in the policies of the user",
        references: &[
            "Prowler:iam_administrator_access_with_mfa",
            "NIST-800-53:IA-2(1)",
            "ISO-27001:A.8.5",
            "PCI-DSS:8.4.1",
            "HIPAA:164.312(d)",
            "NIS2:11.7.2",
        ],
    };

    fn examples() -> Vec<Example> {
        let unit = production();
        let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let inline = |statements: &str| {
            let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
            vec![Inline { name: "own".to_owned(), document }]
        };
        let person = |example: Example, statements: &str, password, mfa_active, key: bool| {
            let keys = if key { vec![AccessKey { number: 1, active: true, ..AccessKey::default() }] } else { Vec::new() };
            let row = UserCredentials { password_enabled: password, mfa_active, keys, ..UserCredentials::default() };
            example
                .listed("production", AUTHORIZATION)
                .known(&user("alice"), row)
                .known(&user("alice"), UserPermissions { inline: inline(statements), ..UserPermissions::default() })
        };
        let ops = ResourceId::new(&unit.account, Kind::IamRole, "ops");
        let role = |example: Example, statements: &str, principal: &str, condition: &str| {
            let trust = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":
                ["sts:AssumeRole","sts:AssumeRoleWithSAML"],"Condition":{condition}}}]}}"#
            );
            let found = RolePermissions { inline: inline(statements), trust, ..RolePermissions::default() };
            example.listed("production", AUTHORIZATION).known(&ops, found)
        };
        let demands = format!(
            r#"{all},{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"BoolIfExists":{{"aws:MultiFactorAuthPresent":"false"}}}}}}"#
        );
        let forgets_keys = demands.replace("BoolIfExists", "Bool");
        let reads = r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#;
        let own = format!(r#"{{"AWS":"{PRODUCTION}"}}"#);
        let okta = format!(r#"{{"Federated":"arn:aws:iam::{PRODUCTION}:saml-provider/okta"}}"#);
        let mfa = r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
        let (yes, no) = (Some(true), Some(false));
        vec![
            person(Example::pass("MFA and password", unit.clone()), all, yes, true, false),
            person(Example::pass("no credentials", unit.clone()), all, no, false, false),
            person(Example::pass("no administrator", unit.clone()), reads, yes, false, true),
            person(Example::pass("the policies demand MFA", unit.clone()), &demands, yes, false, true),
            person(Example::pass("keys do not count", unit.clone()), all, yes, true, true)
                .with(serde_json::json!({ "keys": false })),
            person(Example::pass("allowed", unit.clone()), all, yes, false, true)
                .with(serde_json::json!({ "allowed": ["user/alice"] })),
            role(Example::pass("a role with MFA", unit.clone()), all, &own, mfa),
            role(Example::pass("a role of a service", unit.clone()), all, r#"{"Service":"ec2.amazonaws.com"}"#, "{}"),
            role(Example::pass("a provider that asks", unit.clone()), all, &okta, "{}")
                .with(serde_json::json!({ "providers": ["*:saml-provider/okta"] })),
            role(Example::pass("a role that reads", unit.clone()), reads, &own, "{}"),
            person(Example::fail("a password alone", unit.clone()), all, yes, false, false),
            person(Example::fail("a key beside a device", unit.clone()), all, yes, true, true),
            person(Example::fail("a demand that keys pass", unit.clone()), &forgets_keys, no, true, true),
            role(Example::fail("a role without MFA", unit.clone()), all, &own, "{}"),
            role(Example::unknown("a provider", unit.clone()), all, &okta, "{}"),
            person(Example::unknown("password not said", unit.clone()), all, None, false, false),
            person(Example::unknown("not a policy", unit.clone()), "{", yes, false, false),
            Example::unknown("no credential report", unit.clone())
                .listed("production", AUTHORIZATION)
                .denied::<UserCredentials>(&user("alice"))
                .known(&user("alice"), UserPermissions { inline: inline(all), ..UserPermissions::default() }),
            Example::unknown("the list of principals was denied", unit).denied::<UserPermissions>(&user("alice")),
        ]
    }
}

impl Check for IamPrincipalAdminMfa {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        let facts: Vec<FactId> = FACTS.iter().copied().chain([UserCredentials::SPEC]).collect();
        vec![Demand::account(&facts), principals::rails()]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(account) = view.principals().of_account(&unit.account) else {
            tally.gap(Gap::not_collected(UserPermissions::SPEC));
            return tally.finish();
        };
        account.gaps.iter().for_each(|gap| tally.gap(gap.clone()));
        let allowed: Vec<Pattern> = self.allowed.iter().map(|glob| Pattern::new(glob, Case::Sensitive)).collect();
        let mut doubts = Doubts::default();
        let mut answers: HashMap<(usize, Kind), Administers> = HashMap::new();
        let apart: Vec<bool> = account.sets.iter().map(PolicySet::tells_holders_apart).collect();
        let mut judged = 0usize;
        for holder in account.holders.iter().filter(|holder| holder.id.kind != Kind::IamGroup && !holder.is_among(&allowed)) {
            let Some(set) = account.set_of(holder) else { continue };
            let who = holder.label();
            set.doubts().for_each(|gap| doubts.add(gap.clone(), &who));
            let Some(arn) = holder.arn.as_deref() else {
                if set.gaps.is_empty() {
                    doubts.add(Gap::not_collected(UserPermissions::SPEC), &who);
                }
                continue;
            };
            let caller = Caller::Aws { arn, account: arn.split(':').nth(4).unwrap_or_default() };
            if caller.is_service_linked() {
                continue;
            }
            judged += 1;
            let power = if apart.get(holder.set).is_none_or(|apart| *apart) {
                administers(caller, &set.policies())
            } else {
                answers.entry((holder.set, holder.id.kind)).or_insert_with(|| administers(caller, &set.policies())).clone()
            };
            let can = match power {
                Administers::No | Administers::WithMfa => continue,
                Administers::Yes(can) if !set.is_unread() => can,
                Administers::Yes(can) | Administers::Unclear(can) => {
                    let gap = Gap::new(Why::NotEvaluated, AUTHORIZATION);
                    doubts.add(gap.with_detail(format!("perhaps administers without MFA by {can}")), &who);
                    continue;
                }
            };
            if holder.id.kind == Kind::IamRole {
                self.role(holder, arn, &can, view, &mut tally, &mut doubts);
            } else {
                self.user(holder, arn, &can, view, &mut tally, &mut doubts);
            }
        }
        doubts.into_gaps().for_each(|gap| tally.gap(gap));
        tally.pass::<UserPermissions>(unit, format!("{judged} users and roles judged"), REQUIRED);
        tally.finish()
    }
}

impl IamPrincipalAdminMfa {
    fn user(&self, holder: &Holder, arn: &str, can: &str, view: &View<'_>, tally: &mut Tally, doubts: &mut Doubts) {
        let (id, who) = (&holder.id, holder.label());
        let gap = |detail: &str| {
            let spec = UserCredentials::SPEC;
            Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied()).with_detail(detail)
        };
        let user = match view.read::<UserCredentials>(id).read() {
            Ok(Some(user)) => user,
            Ok(None) => return doubts.add(gap("the credential report, which may be hours old, has no row"), &who),
            Err(gap) => return doubts.add(gap, &who),
        };
        for key in user.keys.iter().filter(|key| self.keys && key.active) {
            let says = format!("{who} administers with access key {} alone: {can}", key.number);
            let _ = tally.fail::<UserCredentials>(id, says, "an active access key", REQUIRED).subject(arn);
        }
        match (user.mfa_active, user.password_enabled) {
            (true, _) | (false, Some(false)) => {}
            (false, Some(true)) => {
                let says = format!("{who} administers with a password alone: {can}");
                let _ = tally.fail::<UserCredentials>(id, says, "a password, no MFA device", REQUIRED).subject(arn);
            }
            (false, None) => doubts.add(gap("the credential report does not say whether there is a password"), &who),
        }
    }

    fn role(&self, holder: &Holder, arn: &str, can: &str, view: &View<'_>, tally: &mut Tally, doubts: &mut Doubts) {
        let (id, who) = (&holder.id, holder.label());
        let trust = match &holder.trust {
            Some(Ok(trust)) => trust,
            Some(Err(gap)) => return doubts.add(gap.clone(), &who),
            None => return doubts.add(Gap::not_collected(RolePermissions::SPEC), &who),
        };
        let Some(own) = view.account_number(&id.account) else {
            return doubts.add(Gap::new(Why::NotCollected, "GetCallerIdentity"), &who);
        };
        let known: Vec<Pattern> = self.providers.iter().map(|glob| Pattern::new(glob, Case::Sensitive)).collect();
        let named = |assumer: &Assumer| {
            let name = assumer.name.strip_prefix("identity provider ").unwrap_or(&assumer.name);
            known.iter().any(|glob| glob.matches(name))
        };
        for assumer in assumers_without_mfa(&trust.document, arn, own) {
            let by = assumer.by.join(", ");
            if assumer.kind != GranteeKind::Federated {
                let says = format!(
                    "{who} administers ({can}) and can be assumed by {} without MFA ({by} of its trust policy)",
                    assumer.name
                );
                let seen = format!("{} by {by}", assumer.name);
                let _ = tally.fail::<RolePermissions>(id, says, seen, REQUIRED).subject(arn);
            } else if !named(&assumer) {
                let detail = format!("administers for {}, which may ask for a second factor or not", assumer.name);
                doubts.add(Gap::new(Why::NotEvaluated, AUTHORIZATION).with_detail(detail), &who);
            }
        }
    }
}
