use std::collections::BTreeMap;

use lastcopy_iam::excess::{Wildcard, wildcards};
use lastcopy_iam::{Case, Pattern, StatementRef, actions};
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

const REQUIRED: &str = "no whole service, and destroying actions on named resources only";

/// No policy allows everything of a service that documents depend on, or destroys documents on every resource.
///
/// # Why
/// `s3:*` was written to read one bucket and also deletes all versions of all. A wildcard gives what nobody meant to give,
/// and what AWS will add tomorrow.
///
/// # Fails when
/// A policy of a user, group or role, inline or customer managed, has an Allow of all actions of one of `services` (`s3:*`, `*`),
/// or of an action on the list of destroying actions (`crates/iam/data/destroying-actions.txt`) of these services on every
/// resource (`*`, `arn:aws:s3:::*`), unless the action knows no other resource. Conditions do not excuse it, and Deny statements
/// are not subtracted.
///
/// Policies written by AWS count with `aws-managed: true`. Policies that are attached to nobody do not count. An Allow by
/// `NotAction` is judged by `iam-policy-no-not-action`, here for its destroying actions only.
///
/// # Fix
/// Name the actions that the work needs, and the buckets, keys or roles that it needs them on.
///
/// # References
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-21>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamPolicyNoWildcards {
    /// Principals (`role/break-glass`, or an ARN) and policies (an ARN, or `inline policy NAME`) that may give it. `*` and
    /// `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
    /// Prefixes of the services that are judged.
    #[serde(default = "services")]
    services: Vec<String>,
    /// Whether destroying actions on every resource fail too.
    #[serde(default = "yes")]
    destroying: bool,
    /// Whether policies written by AWS are judged.
    #[serde(default)]
    aws_managed: bool,
}

fn services() -> Vec<String> {
    ["s3", "kms", "iam", "sts", "backup", "organizations"].map(str::to_owned).to_vec()
}

fn yes() -> bool {
    true
}

impl CheckType for IamPolicyNoWildcards {
    const META: &'static Meta = &Meta {
        id: "iam-policy-no-wildcards",
        unit: Kind::Account,
        severity: Severity::Medium,
        title: "No policy gives whole services",
        fix: "name the actions and resources that the work needs, or name the principal or policy under `allowed`",
        references: &[
            "SecurityHub:IAM.21",
            "SecurityHub:KMS.1",
            "SecurityHub:KMS.2",
            "NIST-800-53:AC-6",
            "PCI-DSS:7.2.1",
            "SOC2:CC6.3",
            "ISO-27001:A.5.18",
            "HIPAA:164.308(a)(4)",
        ],
    };

    fn examples() -> Vec<Example> {
        let unit = production();
        let of_aws = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
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
            case(Example::pass("another service", unit.clone()), r#""Action":"ec2:*","Resource":"*""#),
            case(Example::pass("allowed", unit.clone()), r#""Action":"s3:*","Resource":"*""#)
                .with(serde_json::json!({ "allowed": ["user/alice"] })),
            case(Example::pass("only whole services", unit.clone()), r#""Action":"s3:DeleteObject","Resource":"*""#)
                .with(serde_json::json!({ "destroying": false })),
            attached(Example::pass("written by AWS", unit.clone()), of_aws, Some(r#""Action":"s3:*","Resource":"*""#)),
            attached(Example::fail("written by AWS, judged", unit.clone()), of_aws, Some(r#""Action":"s3:*","Resource":"*""#))
                .with(serde_json::json!({ "aws-managed": true })),
            case(Example::fail("a whole service", unit.clone()), r#""Action":"s3:*","Resource":"arn:aws:s3:::docs/*""#),
            attached(Example::fail("everything", unit.clone()), ours, Some(r#""Action":"*","Resource":"*""#)),
            case(Example::fail("deletes everywhere", unit.clone()), r#""Action":"s3:DeleteObject","Resource":"*""#),
            attached(Example::unknown("the attached document is missing", unit.clone()), ours, None),
            Example::unknown("the list of principals was denied", unit).denied::<UserPermissions>(&user("alice")),
        ]
    }
}

impl Check for IamPolicyNoWildcards {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::account(FACTS)]
    }

    fn problems(&self) -> Vec<String> {
        let unknown = self.services.iter().filter(|service| !actions::knows_service(service));
        unknown.map(|service| format!("`{service}` is no prefix of an AWS service, such as s3 or kms")).collect()
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
        let services: Vec<&str> = self.services.iter().map(String::as_str).collect();
        for policy in policies.iter().filter(|policy| self.aws_managed || !policy.is_of_aws()) {
            let mut found: BTreeMap<StatementRef, Vec<String>> = BTreeMap::new();
            for (statement, wildcard) in wildcards(policy.document(), &services) {
                if self.destroying || matches!(wildcard, Wildcard::Actions(_)) {
                    found.entry(statement).or_default().push(wildcard.to_string());
                }
            }
            for (statement, given) in found {
                let given = given.join(" and ");
                let says = format!("{statement} of {} {given} (in force on {})", policy.title(), policy.whom());
                let _ = tally
                    .fail::<UserPermissions>(&policy.resource(&unit.account), says, format!("{statement} {given}"), REQUIRED)
                    .subject(&format!("{} {statement}", policy.title()));
            }
        }
        doubts.into_gaps().for_each(|gap| tally.gap(gap));
        let seen = format!("{} policies of {} users, groups and roles", policies.len(), account.holders.len());
        tally.pass::<UserPermissions>(unit, seen, REQUIRED);
        tally.finish()
    }
}
