use lastcopy_iam::{Case, FullAdmin, Pattern, full_admin};
use serde::Deserialize;

use super::example::{Example, production, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::{Doubts, FACTS};
use crate::resources::FactType;
use crate::resources::iam_policy::document::ManagedDocument;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::view::View;

/// No user, group or role of the account may do everything on everything, except those that are allowed to.
///
/// # Why
/// Whoever holds such a policy can remove every protection in the account and then every document in it.
///
/// # Fails when
/// A policy of a user, group or role, inline or attached, allows every action on every resource without a condition. A
/// statement that does so under conditions, or for all but what it excludes, makes the verdict unknown.
///
/// Each policy is judged by itself: narrower policies are not added up, and boundaries, SCPs and Deny statements of other
/// policies are not subtracted. Policies that are attached to nobody do not count. The root user is not judged here.
///
/// # Fix
/// Attach policies that give what the work needs. Name what has to stay, such as a break-glass role, under `allowed`.
///
/// # References
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamPolicyNoFullAdmin {
    /// Principals (`role/break-glass`, or an ARN) and policies (an ARN, or `inline policy NAME`) that may give it. `*` and
    /// `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
}

impl CheckType for IamPolicyNoFullAdmin {
    const META: &'static Meta = &Meta {
        id: "iam-policy-no-full-admin",
        unit: Kind::Account,
        severity: Severity::High,
        title: "Nobody may do everything on everything",
        fix: "replace the policy by one that gives what the work needs, or name the principal under `allowed`",
        references: &[
            "CIS-AWS-3.0:1.16",
            "CIS-AWS-5.0:1.15",
            "CIS-AWS-7.0:2.14",
            "SecurityHub:IAM.1",
            "NIST-800-53:AC-6",
            "SOC2:CC6.3",
            "ISO-27001:A.8.2",
            "HIPAA:164.308(a)(4)",
            "NIS2:11.4.2(b)",
            "DORA:Art.30",
        ],
    };

    fn examples() -> Vec<Example> {
        let unit = production();
        let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
        let document =
            |rest: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Resource":"*",{rest}}}]}}"#);
        let stars = || document(r#""Action":"*""#);
        let case = |example: Example, inline: &[String], attached: &[&str]| {
            let inline = inline.iter().map(|text| Inline { name: "own".to_owned(), document: text.clone() }).collect();
            let attached = attached.iter().map(|arn| (*arn).to_owned()).collect();
            example
                .listed("production", AUTHORIZATION)
                .known(&user("alice"), UserPermissions { inline, attached, ..UserPermissions::default() })
        };
        let managed = |example: Example| {
            let on = ResourceId::new(&production().account, Kind::IamPolicy, admin);
            example.known(&on, ManagedDocument { document: stars(), attachments: 1 })
        };
        let conditional = document(r#""Action":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#);
        let nobody =
            Example::unknown("the list of principals was denied", unit.clone()).denied::<UserPermissions>(&user("alice"));
        vec![
            case(Example::pass("narrow", unit.clone()), &[document(r#""Action":"s3:Get*""#)], &[]),
            managed(case(Example::pass("attached to nobody", unit.clone()), &[], &[])),
            managed(case(Example::pass("allowed", unit.clone()), &[], &[admin]))
                .with(serde_json::json!({ "allowed": ["user/al*"] })),
            case(Example::fail("inline", unit.clone()), &[stars()], &[]),
            managed(case(Example::fail("attached", unit.clone()), &[], &[admin])),
            case(Example::unknown("under a condition", unit.clone()), &[conditional], &[]),
            case(Example::unknown("the attached document is missing", unit.clone()), &[], &[admin]),
            case(Example::unknown("not a policy", unit), &["{".to_owned()], &[]),
            nobody,
        ]
    }
}

impl Check for IamPolicyNoFullAdmin {
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
        for holder in &account.holders {
            let who = holder.label();
            let Some(set) = account.set_of(holder).filter(|_| !holder.is_among(&allowed)) else { continue };
            set.gaps.iter().for_each(|gap| doubts.add(gap.clone(), &who));
            // What a group gives is reported at the group.
            let judged = |policy: &str| !allowed.iter().any(|glob| glob.matches(policy));
            for held in set.held.iter().filter(|held| held.group.is_none() && judged(&held.name)) {
                match full_admin(&held.policy.document) {
                    FullAdmin::No => {}
                    FullAdmin::Yes(statement) => {
                        let says = format!("{who} may do everything on everything by {}, {statement}", held.name);
                        let _ = tally
                            .fail::<UserPermissions>(
                                &holder.id,
                                says,
                                format!("{}, {statement}", held.name),
                                "no full administration",
                            )
                            .subject(&format!("{who} via {}", held.name));
                    }
                    FullAdmin::Unknown(statement) => {
                        let detail =
                            format!("may do everything by {}, {statement}, under conditions or with exclusions", held.name);
                        doubts.add(Gap::new(Why::NotEvaluated, AUTHORIZATION).with_detail(detail), &who);
                    }
                }
            }
        }
        doubts.into_gaps().for_each(|gap| tally.gap(gap));
        let seen = format!("{} users, groups and roles", account.holders.len());
        tally.pass::<UserPermissions>(unit, seen, "no full administration besides what is allowed");
        tally.finish()
    }
}
