use std::collections::BTreeMap;

use lastcopy_iam::lint::findings;
use lastcopy_iam::{Case, Effect, Pattern, StatementRef};
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
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::view::View;

const REQUIRED: &str = "every statement can apply";

/// No statement of a policy is there in vain.
///
/// # Why
/// A Deny with a misspelt action protects nothing, and nobody sees it. A dead Allow hides what a policy really gives.
///
/// # Fails when
/// A policy of a user, group or role, inline or customer managed, holds something that can never apply: an action that AWS does
/// not have (with what was probably meant), the name of an API call where the action is called otherwise, an action that acts on
/// none of the statement's resources (`s3:ListBucket` on `arn:aws:s3:::docs/*`), a resource on which none of its actions acts,
/// two conditions that no request meets both, a condition without values, an Allow that an unconditional Deny of the same
/// document wholly takes away.
///
/// Which actions AWS has is known as of the data in `crates/iam/data/actions.txt`; a service that is not in it is never judged.
/// Policies written by AWS and policies that are attached to nobody do not count.
///
/// # Fix
/// Correct the name, the resource or the condition; remove what is not needed.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamPolicyNoDeadStatements {
    /// Principals (`role/break-glass`, or an ARN) and policies (an ARN, or `inline policy NAME`) that are not judged. `*` and
    /// `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
    /// Only Deny statements, the dead ones of which protect nothing.
    #[serde(default)]
    only_deny: bool,
}

impl CheckType for IamPolicyNoDeadStatements {
    const META: &'static Meta = &Meta {
        id: "iam-policy-no-dead-statements",
        unit: Kind::Account,
        severity: Severity::Low,
        title: "Every statement of a policy can apply",
        fix: "correct the action, resource or condition, or remove it",
        references: &["NIST-800-53:CM-6", "ISO-27001:A.8.9"],
    };

    fn examples() -> Vec<Example> {
        let unit = production();
        let of_aws = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
        let misspelt = r#""Action":"s3:GetObjekt","Resource":"*""#;
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
        let narrow = r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::docs/*""#;
        vec![
            case(Example::pass("narrow", unit.clone()), narrow),
            attached(Example::pass("attached and narrow", unit.clone()), ours, Some(narrow)),
            case(Example::pass("allowed", unit.clone()), misspelt).with(serde_json::json!({ "allowed": ["user/*"] })),
            case(Example::pass("only Deny statements", unit.clone()), misspelt).with(serde_json::json!({ "only-deny": true })),
            attached(Example::pass("written by AWS", unit.clone()), of_aws, Some(misspelt)),
            case(Example::fail("a misspelt action", unit.clone()), misspelt),
            case(
                Example::fail("a dead Deny", unit.clone()),
                &format!(r#"{narrow}}},{{"Effect":"Deny","Action":"s3:DeleteObjects","Resource":"*""#),
            )
            .with(serde_json::json!({ "only-deny": true })),
            attached(
                Example::fail("the wrong resource", unit.clone()),
                ours,
                Some(r#""Action":"s3:ListBucket","Resource":"arn:aws:s3:::docs/*""#),
            ),
            case(
                Example::fail("denied again", unit.clone()),
                &format!(r#"{narrow}}},{{"Effect":"Deny","Action":"s3:*","Resource":"*""#),
            ),
            attached(Example::unknown("the attached document is missing", unit.clone()), ours, None),
            Example::unknown("the list of principals was denied", unit).denied::<UserPermissions>(&user("alice")),
        ]
    }
}

impl Check for IamPolicyNoDeadStatements {
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
            let mut dead: BTreeMap<(StatementRef, &str), Vec<String>> = BTreeMap::new();
            for finding in findings(policy.document()) {
                match finding.effect {
                    Effect::Deny => dead.entry((finding.statement, "Deny")).or_default().push(finding.kind.to_string()),
                    Effect::Allow if self.only_deny => {}
                    Effect::Allow => dead.entry((finding.statement, "Allow")).or_default().push(finding.kind.to_string()),
                }
            }
            for ((statement, effect), why) in dead {
                let why = why.join("; ");
                let says = format!("{statement} ({effect}) of {}: {why}", policy.title());
                let _ = tally
                    .fail::<UserPermissions>(&policy.resource(&unit.account), says, format!("{statement}: {why}"), REQUIRED)
                    .subject(&format!("{} {statement}", policy.title()));
            }
        }
        doubts.into_gaps().for_each(|gap| tally.gap(gap));
        let seen = format!("{} policies of {} users, groups and roles", policies.len(), account.holders.len());
        tally.pass::<UserPermissions>(unit, seen, REQUIRED);
        tally.finish()
    }
}
