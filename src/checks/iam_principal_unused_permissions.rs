use std::collections::HashMap;

use jiff::Timestamp;
use lastcopy_iam::{Caller, Case, Context, Guards, Limit, May, Pattern, Question, Target, destroying_actions, limit, may};
use serde::Deserialize;

use super::example::{Example, now, production, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::{Demand, On};
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::{self, Doubts, Holder, PolicySet};
use crate::resources::FactType;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_role::service_last_accessed::RoleLastAccessed;
use crate::resources::iam_user::credentials::LastUsed;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::resources::iam_user::service_last_accessed::{LastAccessed, SERVICES, TRACKED_DAYS, UserLastAccessed};
use crate::units::Span;
use crate::view::View;

/// Nobody keeps a power to destroy that it does not use.
///
/// # Why
/// A permission that nobody uses serves only whoever takes the principal over. Taking it away breaks nothing.
///
/// # Fails when
/// The policies of a user or role, its boundary counted, allow an action on the list of destroying actions
/// (`crates/iam/data/destroying-actions.txt`) of S3, KMS or AWS Backup, under conditions too, and the principal has not used that
/// service for `unused-for`, or never, if it is older than that. AWS tells the last use of a service, not of an action: who reads
/// from S3 every day and could delete passes here, and is for `s3-bucket-least-privilege`.
///
/// AWS looks back 400 days at most, and some hours pass before a use shows. What a principal is given by a bucket or key policy
/// alone is not judged, nor are roles that AWS made for its services. Two calls are made for each user and role.
///
/// # Fix
/// Take the permission away, or delete the principal. Name who must keep it, such as a break-glass role, under `allowed`.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamPrincipalUnusedPermissions {
    /// The longest time that the power may lie unused.
    #[serde(default = "quarter")]
    unused_for: Span,
    /// Principals that are not judged: `role/break-glass`, or an ARN. `*` and `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
}

fn quarter() -> Span {
    Span::days(90)
}

impl CheckType for IamPrincipalUnusedPermissions {
    const META: &'static Meta = &Meta {
        id: "iam-principal-unused-permissions",
        unit: Kind::Account,
        severity: Severity::Medium,
        title: "Nobody keeps a power to destroy unused",
        fix: "take the permission that is not used away, or name the principal under `allowed`",
        references: &["NIST-800-53:AC-6", "NIST-800-53:AC-2(3)", "ISO-27001:A.5.18", "PCI-DSS:7.2.4", "NIS2:11.2.1"],
    };

    fn examples() -> Vec<Example> {
        let unit = production();
        let before = |days: i64| Timestamp::from_second(now().as_second() - days * 86_400).ok();
        let deletes = r#""Action":"s3:DeleteObject","Resource":"*""#;
        let case = |example: Example, statement: &str, created: Option<Timestamp>, s3: Option<LastUsed>| {
            let document = format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{statement}}}]}}"#);
            let inline = vec![Inline { name: "own".to_owned(), document }];
            let services = s3.into_iter().map(|used| ("s3".to_owned(), used)).collect();
            let found = LastAccessed { generated: now(), services };
            example
                .listed("production", AUTHORIZATION)
                .known(&user("alice"), UserPermissions { inline, created, ..UserPermissions::default() })
                .known(&user("alice"), UserLastAccessed(found))
        };
        let at = |days: i64| before(days).map(LastUsed::At);
        let never = Some(LastUsed::Never);
        let (old, new) = (before(900), before(3));
        let role = ResourceId::new(&unit.account, Kind::IamRole, "old");
        let schedules =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:ScheduleKeyDeletion","Resource":"*"}]}"#;
        let of_role = |example: Example, kms: LastUsed| {
            let inline = vec![Inline { name: "own".to_owned(), document: schedules.to_owned() }];
            let found = LastAccessed { generated: now(), services: [("kms".to_owned(), kms)].into() };
            example
                .listed("production", AUTHORIZATION)
                .known(&role, RolePermissions { inline, created: old, ..RolePermissions::default() })
                .known(&role, RoleLastAccessed(found))
        };
        vec![
            case(Example::pass("used", unit.clone()), deletes, old, at(1)),
            case(Example::pass("reads", unit.clone()), r#""Action":"s3:GetObject","Resource":"*""#, old, never),
            case(Example::pass("new", unit.clone()), deletes, new, never),
            case(Example::pass("allowed", unit.clone()), deletes, old, never).with(serde_json::json!({ "allowed": ["user/*"] })),
            case(Example::pass("a longer time", unit.clone()), deletes, old, at(100))
                .with(serde_json::json!({ "unused-for": "180d" })),
            of_role(Example::pass("a role that uses keys", unit.clone()), LastUsed::At(now())),
            case(Example::fail("not used", unit.clone()), deletes, old, at(91)),
            case(Example::fail("never used", unit.clone()), deletes, old, never),
            of_role(Example::fail("a role that uses no key", unit.clone()), LastUsed::Never),
            case(Example::unknown("never used, age not said", unit.clone()), deletes, None, never),
            case(Example::unknown("used after the answer", unit.clone()), deletes, old, at(-2)),
            case(Example::unknown("AWS does not list the service", unit.clone()), deletes, old, None),
            case(Example::unknown("not a policy", unit.clone()), "{", old, at(1)),
            case(Example::unknown("denied", unit.clone()), deletes, old, at(1)).denied::<UserLastAccessed>(&user("alice")),
            Example::unknown("the list of principals was denied", unit).denied::<UserPermissions>(&user("alice")),
        ]
    }
}

impl Check for IamPrincipalUnusedPermissions {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        let used = Demand::of(On::Principals, &[UserLastAccessed::SPEC, RoleLastAccessed::SPEC]);
        principals::demands().into_iter().chain([used]).collect()
    }

    fn problems(&self) -> Vec<String> {
        let too_long = self.unused_for > Span::days(TRACKED_DAYS);
        too_long
            .then(|| format!("`unused-for: {}` is impossible; AWS looks back {TRACKED_DAYS} days", self.unused_for))
            .into_iter()
            .collect()
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
        let mut answers: HashMap<(usize, Kind), Vec<Power>> = HashMap::new();
        let apart: Vec<bool> = account.sets.iter().map(PolicySet::tells_holders_apart).collect();
        let mut judged = 0usize;
        for holder in account.holders.iter().filter(|holder| holder.id.kind != Kind::IamGroup && !holder.is_among(&allowed)) {
            let Some(set) = account.set_of(holder) else { continue };
            set.doubts().for_each(|gap| doubts.add(gap.clone(), &holder.label()));
            let Some(arn) = holder.arn.as_deref() else {
                if set.gaps.is_empty() {
                    doubts.add(Gap::not_collected(UserPermissions::SPEC), &holder.label());
                }
                continue;
            };
            let caller = Caller::Aws { arn, account: arn.split(':').nth(4).unwrap_or_default() };
            if caller.is_service_linked() {
                continue;
            }
            judged += 1;
            let powers = if apart.get(holder.set).is_none_or(|apart| *apart) {
                powers(caller, set)
            } else {
                answers.entry((holder.set, holder.id.kind)).or_insert_with(|| powers(caller, set)).clone()
            };
            for power in powers {
                self.power(&power, holder, arn, view, &mut tally, &mut doubts);
            }
        }
        doubts.into_gaps().for_each(|gap| tally.gap(gap));
        tally.pass::<UserPermissions>(unit, format!("{judged} users and roles judged"), self.required());
        tally.finish()
    }
}

impl IamPrincipalUnusedPermissions {
    fn required(&self) -> String {
        format!("powers to destroy used within {}", self.unused_for)
    }

    fn power(&self, power: &Power, holder: &Holder, arn: &str, view: &View<'_>, tally: &mut Tally, doubts: &mut Doubts) {
        let (id, who, service) = (&holder.id, holder.label(), power.service);
        let role = id.kind == Kind::IamRole;
        let found = if role {
            view.read::<RoleLastAccessed>(id).map(|found| &found.0)
        } else {
            view.read::<UserLastAccessed>(id).map(|found| &found.0)
        };
        let gap = |why, detail: String| {
            let spec = UserLastAccessed::SPEC;
            Gap::new(why, spec.operation).with_action(spec.actions.first().copied()).with_detail(detail)
        };
        let found = match found.read() {
            Ok(Some(found)) => found,
            Ok(None) => return doubts.add(gap(Why::Malformed, "the answer says nothing".to_owned()), &who),
            Err(gap) => return doubts.add(gap, &who),
        };
        let created = if role {
            view.read::<RolePermissions>(id).map(|role| role.created)
        } else {
            view.read::<UserPermissions>(id).map(|user| user.created)
        };
        let (since, seen) = match (found.services.get(service), created.read().ok().flatten().flatten()) {
            (Some(LastUsed::At(at)), _) => (*at, format!("{service} last used at {at}")),
            (Some(LastUsed::Never), Some(made)) => (made, format!("{service} never used")),
            (Some(LastUsed::Never), None) => {
                return doubts.add(gap(Why::Malformed, format!("never used {service}, and nothing says how old it is")), &who);
            }
            (None, _) => {
                let detail = format!("can {}, and AWS does not list {service} among its services", power.can);
                return doubts.add(gap(Why::NotEvaluated, detail), &who);
            }
        };
        let age = found.generated.min(view.now).duration_since(since).as_secs();
        if age < -86_400 {
            return doubts.add(gap(Why::Malformed, format!("{seen}, after AWS had found that out")), &who);
        }
        if age <= self.unused_for.seconds() {
            return;
        }
        if !power.surely {
            return doubts
                .add(Gap::new(Why::NotEvaluated, AUTHORIZATION).with_detail(format!("perhaps can {}", power.can)), &who);
        }
        let says = format!("{who} can {} and has not used {service} for {}: {seen}", power.can, self.unused_for);
        let blame = if role {
            tally.fail::<RoleLastAccessed>(id, says, seen, self.required())
        } else {
            tally.fail::<UserLastAccessed>(id, says, seen, self.required())
        };
        let _ = blame.subject(arn);
    }
}

/// The first destroying act of a service that the policies give.
#[derive(Clone)]
struct Power {
    service: &'static str,
    can: String,
    /// False: it hangs on what cannot be told.
    surely: bool,
}

fn powers(caller: Caller<'_>, set: &PolicySet) -> Vec<Power> {
    SERVICES.iter().filter_map(|service| power(caller, set, service)).collect()
}

fn power(caller: Caller<'_>, set: &PolicySet, service: &'static str) -> Option<Power> {
    let (context, target, guards, policies) = (Context::open(), Target::Any.pattern(), Guards::default(), set.policies());
    let mut perhaps = None;
    let of_service = |action: &str| action.strip_prefix(service).is_some_and(|rest| rest.starts_with(':'));
    for row in destroying_actions().iter().filter(|row| of_service(row.action)) {
        let question = Question { caller, action: row.action, target: &target, resource_account: None, context: &context };
        let ways = match may(&question, &policies, &guards) {
            May::No(_) | May::Unknown(_) => continue,
            May::Yes(way) => vec![way],
            May::OnlyIf(ways) => ways,
        };
        let told = |way: &lastcopy_iam::Way<'_>, surely| {
            let by = way.grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
            Power { service, can: format!("{} ({by})", row.action), surely }
        };
        match ways.iter().find(|way| limit(way, &[]) == Limit::Open) {
            Some(way) => return Some(told(way, !set.is_unread())),
            None => perhaps = perhaps.or_else(|| ways.first().map(|way| told(way, false))),
        }
    }
    perhaps
}
