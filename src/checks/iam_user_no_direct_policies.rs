use lastcopy_iam::{Case, Pattern};
use serde::Deserialize;

use super::example::{Example, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::iam_user::permissions::{Inline, UserPermissions};
use crate::view::View;

/// IAM users get their permissions from groups.
///
/// # Why
/// What is given to one person stays when the person changes jobs. A group has a purpose that somebody can review.
///
/// # Fails when
/// A policy is attached to the user itself or written into it. What the policy says is not judged here, and a permissions boundary
/// gives nothing and does not count.
///
/// # Fix
/// Attach the policy to a group and put the user into it; better, replace IAM users by roles.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamUserNoDirectPolicies {
    /// Policies that users may have: ARNs of managed ones, names of inline ones. `*` and `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
}

impl CheckType for IamUserNoDirectPolicies {
    const META: &'static Meta = &Meta {
        id: "iam-user-no-direct-policies",
        unit: Kind::IamUser,
        severity: Severity::Low,
        title: "Users get their permissions from groups",
        fix: "attach the policy to a group of which the user is a member",
        references: &["SecurityHub:IAM.2", "Prowler:iam_policy_attached_only_to_group_or_roles"],
    };

    fn examples() -> Vec<Example> {
        let on = user("alice");
        let case = |example: Example, inline: &[&str], attached: &[&str]| {
            let inline = inline.iter().map(|name| Inline { name: (*name).to_owned(), document: "{}".to_owned() }).collect();
            let attached = attached.iter().map(|arn| (*arn).to_owned()).collect();
            let found = UserPermissions { inline, attached, groups: vec!["ops".to_owned()], ..UserPermissions::default() };
            example.known(&user("alice"), found)
        };
        let own = "arn:aws:iam::111111111111:policy/own-mfa";
        vec![
            case(Example::pass("by groups", on.clone()), &[], &[]),
            case(Example::pass("allowed", on.clone()), &["own-keys"], &[own])
                .with(serde_json::json!({ "allowed": ["own-*", "arn:aws:iam::*:policy/own-mfa"] })),
            case(Example::fail("inline", on.clone()), &["own"], &[]),
            case(Example::fail("attached", on.clone()), &[], &[own]),
            Example::unknown("not in the answer", on.clone()).absent::<UserPermissions>(&on),
            Example::unknown("denied", on.clone()).denied::<UserPermissions>(&on),
        ]
    }
}

impl Check for IamUserNoDirectPolicies {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[UserPermissions::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<UserPermissions>(unit)) else { return tally.finish() };
        let Some(user) = found else {
            let spec = UserPermissions::SPEC;
            let gap = Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied());
            tally.gap(gap.with_detail(format!("the answer says nothing of user {}", unit.name)));
            return tally.finish();
        };
        let required = "policies by groups only";
        let allowed: Vec<Pattern> = self.allowed.iter().map(|glob| Pattern::new(glob, Case::Sensitive)).collect();
        let inline = user.inline.iter().map(|policy| ("inline policy", policy.name.as_str()));
        let attached = user.attached.iter().map(|arn| ("attached policy", arn.as_str()));
        for (how, name) in inline.chain(attached).filter(|(_, name)| !allowed.iter().any(|glob| glob.matches(name))) {
            let says = format!("user {} has the {how} {name}", unit.name);
            let _ = tally.fail::<UserPermissions>(unit, says, format!("{how} {name}"), required).subject(name);
        }
        tally.pass::<UserPermissions>(unit, "no policy of its own but those allowed", required);
        tally.finish()
    }
}
