use std::collections::BTreeMap;

use lastcopy_iam::excess::exclusions;
use lastcopy_iam::{Case, Document, Pattern, StatementRef};
use serde::Deserialize;

use super::example::{Example, production, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind};
use crate::judgement::{Judgement, Tally};
use crate::principals::{Doubts, FACTS};
use crate::resources::FactType;
use crate::resources::iam_policy::document::ManagedDocument;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::view::View;

const REQUIRED: &str = "no Allow by exclusion";

/// No policy allows by exclusion.
///
/// # Why
/// An Allow with `NotAction` or `NotResource` gives everything that it does not list: other services, future actions, buckets
/// that do not exist yet. `NotPrincipal` gives to everybody else.
///
/// # Fails when
/// A policy of a user, group or role, inline or customer managed, has an Allow with `NotAction`, `NotResource` or `NotPrincipal`,
/// or the trust policy of a role has one. Conditions do not excuse it. A Deny by exclusion is what exclusions are for.
///
/// Policies written by AWS and policies that are attached to nobody do not count.
///
/// # Fix
/// List what is needed. To keep something out of a wide Allow, add a Deny.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamPolicyNoNotAction {
    /// Principals (`role/break-glass`, or an ARN) and policies (an ARN, or `inline policy NAME`) that may give it. `*` and
    /// `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
}

impl CheckType for IamPolicyNoNotAction {
    const META: &'static Meta = &Meta {
        id: "iam-policy-no-not-action",
        unit: Kind::Account,
        severity: Severity::Medium,
        title: "No policy allows by exclusion",
        fix: "list the actions and resources that are needed, or name the principal or policy under `allowed`",
        references: &["NIST-800-53:AC-6", "SOC2:CC6.3", "ISO-27001:A.5.18", "PCI-DSS:7.2.1"],
    };

    fn examples() -> Vec<Example> {
        let unit = production();
        let of_aws = "arn:aws:iam::aws:policy/PowerUserAccess";
        let ours = "arn:aws:iam::111111111111:policy/documents";
        let document = |rest: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{rest}}}]}}"#);
        let case = |example: Example, rest: &str| {
            let inline = vec![Inline { name: "own".to_owned(), document: document(rest) }];
            example
                .listed("production", AUTHORIZATION)
                .known(&user("alice"), UserPermissions { inline, ..UserPermissions::default() })
        };
        let attached = |example: Example, arn: &str, rest: Option<&str>| {
            let on = ResourceId::new(&production().account, Kind::IamPolicy, arn);
            let attached = vec![arn.to_owned()];
            let example = example
                .listed("production", AUTHORIZATION)
                .known(&user("alice"), UserPermissions { attached, ..UserPermissions::default() });
            match rest {
                Some(rest) => example.known(&on, ManagedDocument { document: document(rest), attachments: 1 }),
                None => example,
            }
        };
        let trusting = |example: Example, who: &str| {
            let trust = format!(r#"{{"Statement":{{"Effect":"Allow",{who},"Action":"sts:AssumeRole"}}}}"#);
            let role = ResourceId::new(&production().account, Kind::IamRole, "ops");
            example.listed("production", AUTHORIZATION).known(&role, RolePermissions { trust, ..RolePermissions::default() })
        };
        let narrow = r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::docs/*""#;
        vec![
            case(Example::pass("narrow", unit.clone()), narrow),
            attached(Example::pass("attached and narrow", unit.clone()), ours, Some(narrow)),
            case(Example::pass("allowed", unit.clone()), r#""NotAction":"iam:*","Resource":"*""#)
                .with(serde_json::json!({ "allowed": ["inline policy own"] })),
            attached(Example::pass("written by AWS", unit.clone()), of_aws, Some(r#""NotAction":"iam:*","Resource":"*""#)),
            case(
                Example::pass("a Deny", unit.clone()),
                &format!(r#"{narrow}}},{{"Effect":"Deny","NotAction":"s3:*","Resource":"*""#),
            ),
            case(Example::fail("all but one service", unit.clone()), r#""NotAction":"iam:*","Resource":"*""#),
            attached(
                Example::fail("all but one bucket", unit.clone()),
                ours,
                Some(r#""Action":"s3:*","NotResource":"arn:aws:s3:::a""#),
            ),
            trusting(Example::fail("a role for everybody but one", unit.clone()), r#""NotPrincipal":{"AWS":"111111111111"}"#),
            trusting(Example::pass("a role for one", unit.clone()), r#""Principal":{"AWS":"111111111111"}"#),
            attached(Example::unknown("the attached document is missing", unit.clone()), ours, None),
            Example::unknown("the list of principals was denied", unit).denied::<UserPermissions>(&user("alice")),
        ]
    }
}

impl Check for IamPolicyNoNotAction {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::account(FACTS)]
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
        let policies = account.in_force(&allowed, &mut doubts);
        for policy in policies.iter().filter(|policy| !policy.is_of_aws()) {
            for (statement, element) in by_statement(policy.document()) {
                let says = format!("{statement} of {} allows by {element} (in force on {})", policy.title(), policy.whom());
                let _ = tally
                    .fail::<UserPermissions>(&policy.resource(&unit.account), says, format!("Allow with {element}"), REQUIRED)
                    .subject(&format!("{} {statement}", policy.title()));
            }
        }
        for holder in account.holders.iter().filter(|holder| !holder.is_among(&allowed)) {
            match &holder.trust {
                None => {}
                Some(Err(gap)) => doubts.add(gap.clone(), &holder.label()),
                Some(Ok(trust)) => {
                    for (statement, element) in by_statement(&trust.document) {
                        let says = format!("{statement} of the trust policy of {} allows by {element}", holder.label());
                        let _ = tally
                            .fail::<RolePermissions>(&holder.id, says, format!("Allow with {element}"), REQUIRED)
                            .subject(&format!("trust policy of {} {statement}", holder.label()));
                    }
                }
            }
        }
        doubts.into_gaps().for_each(|gap| tally.gap(gap));
        let seen = format!("{} policies of {} users, groups and roles", policies.len(), account.holders.len());
        tally.pass::<UserPermissions>(unit, seen, REQUIRED);
        tally.finish()
    }
}

fn by_statement(document: &Document) -> BTreeMap<StatementRef, String> {
    let mut out: BTreeMap<StatementRef, String> = BTreeMap::new();
    for (statement, element) in exclusions(document) {
        let text = out.entry(statement).or_default();
        *text = if text.is_empty() { element.to_owned() } else { format!("{text} and {element}") };
    }
    out
}
