use std::collections::HashMap;

use lastcopy_iam::{
    Caller, Case, Context, Guards, Layer, Limit, May, Pattern, Policies, Question, Target, destroying_actions, limit, may,
};
use serde::Deserialize;

use super::example::{Example, production, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::{Doubts, FACTS, Holder, PolicySet};
use crate::resources::FactType;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::view::View;

/// Users and roles that could destroy something are held by a permissions boundary.
///
/// # Why
/// A boundary is the limit that a principal cannot lift by attaching a policy to itself. Without one, whoever may edit a role's
/// policies, or has the role edit its own, gives it everything.
///
/// # Fails when
/// A user or role of the account has no permissions boundary, or not one of `boundaries`, and its policies allow an action on the
/// list of destroying actions (`crates/iam/data/destroying-actions.txt`) on some resource, under conditions too. With `all: true`
/// it fails whatever its policies allow. What the boundary says is not judged: `s3-bucket-least-privilege` subtracts it.
///
/// Roles that AWS made for its services (`aws-service-role`) can have no boundary and are not judged. A permission that hangs on
/// an unknown tag or unique id of the principal makes the verdict unknown.
///
/// # Fix
/// Attach a boundary, and deny `iam:DeleteUserPermissionsBoundary`, `iam:DeleteRolePermissionsBoundary` and edits of the
/// boundary's own policy. Name who must stay without, such as a break-glass role, under `allowed`.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamPrincipalBoundary {
    /// Principals that need none: `role/break-glass`, or an ARN. `*` and `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
    /// Principals that are judged; without it, all.
    only: Option<Vec<String>>,
    /// ARNs of the policies that count as a boundary; without it, any.
    boundaries: Option<Vec<String>>,
    /// Whether those that destroy nothing need one too.
    #[serde(default)]
    all: bool,
}

impl CheckType for IamPrincipalBoundary {
    const META: &'static Meta = &Meta {
        id: "iam-principal-boundary",
        unit: Kind::Account,
        severity: Severity::Medium,
        title: "Whoever could destroy has a permissions boundary",
        fix: "attach a permissions boundary to the principal, or name it under `allowed`",
        references: &["NIST-800-53:AC-6", "SOC2:CC6.3", "ISO-27001:A.8.2"],
    };

    fn examples() -> Vec<Example> {
        let unit = production();
        let limit = "arn:aws:iam::111111111111:policy/limit";
        let case = |example: Example, statement: &str, boundary: Option<&str>| {
            let document = format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{statement}}}]}}"#);
            let inline = vec![Inline { name: "own".to_owned(), document }];
            let boundary = boundary.map(str::to_owned);
            example
                .listed("production", AUTHORIZATION)
                .known(&user("alice"), UserPermissions { inline, boundary, ..UserPermissions::default() })
        };
        let reads = r#""Action":"s3:GetObject","Resource":"*""#;
        let deletes = r#""Action":"s3:DeleteObject","Resource":"*""#;
        let mfa = r#""Action":"s3:DeleteObject","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
        let tagged = r#""Action":"s3:DeleteObject","Resource":"arn:aws:s3:::docs/${aws:PrincipalTag/team}/*""#;
        let linked = ResourceId::new(&unit.account, Kind::IamRole, "AWSServiceRoleForBackup");
        let of_aws = RolePermissions {
            arn: "arn:aws:iam::111111111111:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup".to_owned(),
            ..RolePermissions::default()
        };
        vec![
            case(Example::pass("reads", unit.clone()), reads, None),
            case(Example::pass("with a boundary", unit.clone()), deletes, Some(limit)),
            case(Example::pass("with one of the boundaries", unit.clone()), deletes, Some(limit))
                .with(serde_json::json!({ "boundaries": ["arn:aws:iam::*:policy/limit"] })),
            case(Example::pass("allowed", unit.clone()), deletes, None).with(serde_json::json!({ "allowed": ["user/alice"] })),
            case(Example::pass("not in question", unit.clone()), deletes, None).with(serde_json::json!({ "only": ["role/*"] })),
            case(Example::pass("a role of a service", unit.clone()), deletes, Some(limit))
                .known(&linked, of_aws)
                .with(serde_json::json!({ "all": true })),
            case(Example::fail("without", unit.clone()), deletes, None),
            case(Example::fail("under a condition", unit.clone()), mfa, None),
            case(Example::fail("another boundary", unit.clone()), deletes, Some(limit))
                .with(serde_json::json!({ "boundaries": ["arn:aws:iam::*:policy/strict"] })),
            case(Example::fail("reads, all judged", unit.clone()), reads, None).with(serde_json::json!({ "all": true })),
            case(Example::unknown("a tag that is not known", unit.clone()), tagged, None),
            case(Example::unknown("not a policy", unit.clone()), "{", None),
            Example::unknown("the list of principals was denied", unit).denied::<UserPermissions>(&user("alice")),
        ]
    }
}

impl Check for IamPrincipalBoundary {
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
        let globs = |list: &[String]| -> Vec<Pattern> { list.iter().map(|g| Pattern::new(g, Case::Sensitive)).collect() };
        let (allowed, only, boundaries) =
            (globs(&self.allowed), self.only.as_deref().map(globs), self.boundaries.as_deref().map(globs));
        let required = if self.all { "a permissions boundary" } else { "a permissions boundary for who could destroy" };
        let mut doubts = Doubts::default();
        let mut answers: HashMap<(usize, Kind), Power> = HashMap::new();
        let apart: Vec<bool> = account.sets.iter().map(PolicySet::tells_holders_apart).collect();
        let mut judged = 0usize;
        for holder in account.holders.iter().filter(|holder| holder.id.kind != Kind::IamGroup) {
            let Some(set) = account.set_of(holder) else { continue };
            let Some(arn) = holder.arn.as_deref() else {
                set.gaps.iter().for_each(|gap| doubts.add(gap.clone(), &holder.label()));
                continue;
            };
            let out = only.as_deref().is_some_and(|only| !holder.is_among(only));
            if out || holder.is_among(&allowed) || caller(arn).is_service_linked() {
                continue;
            }
            judged += 1;
            let lacks = match (&set.boundary, &boundaries) {
                (None, _) => "no permissions boundary".to_owned(),
                (Some((name, _)), Some(wanted)) if !wanted.iter().any(|glob| glob.matches(name)) => {
                    format!("the permissions boundary {name}, which is not one of `boundaries`")
                }
                (Some(_), _) => continue,
            };
            let who = holder.label();
            let power = if self.all {
                Power::All
            } else if apart.get(holder.set).is_none_or(|apart| *apart) {
                power(arn, set)
            } else {
                answers.entry((holder.set, holder.id.kind)).or_insert_with(|| power(arn, set)).clone()
            };
            let can = match power {
                Power::All => String::new(),
                Power::Nothing if set.gaps.is_empty() => continue,
                Power::Destroys(what) if set.gaps.is_empty() => format!(" and can {what}"),
                // A policy that could not be read may give it, or take it away.
                Power::Nothing | Power::Destroys(_) => {
                    set.gaps.iter().for_each(|gap| doubts.add(gap.clone(), &who));
                    continue;
                }
                Power::Unclear(what) => {
                    doubts.add(Gap::new(Why::NotEvaluated, AUTHORIZATION).with_detail(format!("perhaps can {what}")), &who);
                    continue;
                }
            };
            let says = format!("{who} has {lacks}{can}");
            let _ = fail(&mut tally, holder, says, format!("{lacks}{can}"), required).subject(arn);
        }
        doubts.into_gaps().for_each(|gap| tally.gap(gap));
        tally.pass::<UserPermissions>(unit, format!("{judged} users and roles judged"), required);
        tally.finish()
    }
}

fn fail<'t>(
    tally: &'t mut Tally,
    holder: &Holder,
    says: String,
    seen: String,
    required: &'static str,
) -> crate::judgement::Blame<'t> {
    if holder.id.kind == Kind::IamRole {
        tally.fail::<RolePermissions>(&holder.id, says, seen, required)
    } else {
        tally.fail::<UserPermissions>(&holder.id, says, seen, required)
    }
}

/// What somebody could do without a boundary.
#[derive(Clone)]
enum Power {
    /// Whatever it is, it counts.
    All,
    /// This, by this statement.
    Destroys(String),
    /// Perhaps this.
    Unclear(String),
    Nothing,
}

fn caller(arn: &str) -> Caller<'_> {
    Caller::Aws { arn, account: arn.split(':').nth(4).unwrap_or_default() }
}

/// The first destroying act that the policies give.
fn power(arn: &str, set: &PolicySet) -> Power {
    let policies = Policies { boundary: Layer::None, scps: Layer::Unread(Vec::new()), ..set.policies() };
    let (context, target, guards) = (Context::open(), Target::Any.pattern(), Guards::default());
    let mut unclear = None;
    for row in destroying_actions() {
        let question =
            Question { caller: caller(arn), action: row.action, target: &target, resource_account: None, context: &context };
        let ways = match may(&question, &policies, &guards) {
            May::No(_) | May::Unknown(_) => continue,
            May::Yes(way) => vec![way],
            May::OnlyIf(ways) => ways,
        };
        let told = |way: &lastcopy_iam::Way<'_>| {
            let by = way.grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
            let only: Vec<String> = way.conditions.iter().map(ToString::to_string).collect();
            let only = if only.is_empty() { String::new() } else { format!(", if {}", only.join(" and ")) };
            format!("{} ({by}{only})", row.action)
        };
        match ways.iter().find(|way| limit(way, &[]) == Limit::Open) {
            Some(way) => return Power::Destroys(told(way)),
            None => unclear = unclear.or_else(|| ways.first().map(told)),
        }
    }
    unclear.map_or(Power::Nothing, Power::Unclear)
}
