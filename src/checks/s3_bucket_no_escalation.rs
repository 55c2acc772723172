use lastcopy_iam::reach::{Hop, Mode, Reached, Source, Strength, Ways, World};
use lastcopy_iam::{
    Capability, Case, Context, Document, Guards, Layer, Limit, May, Named, Pattern, Question, ResourceKind, Setting, Target,
    Topic, Way, destroying_actions, limit, may,
};
use serde::Deserialize;

use super::example::{Example, PRODUCTION, primary, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Account, Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::{self, Doubts, PolicySet, parse};
use crate::resources::FactType;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::view::View;
use crate::world::Town;

/// Nobody but the named principals can come to destroy documents of the bucket by way of others.
///
/// # Why
/// One who may not delete a version may be able to assume a role that may, to run code under it, to take the keys of a user, or to
/// give himself the permission. Attackers look for these ways first; a list of who holds the permission shows none of them.
///
/// # Fails when
/// A user or role that is not `allowed` cannot do one of `actions` by its own policies but can come to: by assuming roles, by
/// joining a group, or by one of the escalations in `crates/iam/data/escalations.txt`, in any number of steps; or when a role
/// on the way, or one that may itself, trusts somebody who is not audited: an account, an identity provider, everybody.
/// Who can by its own policies is judged by `s3-bucket-least-privilege`.
///
/// A way that holds only under conditions counts, unless one of them is of a kind that `accept` names. What no policy shows, such
/// as whether a function exists that runs as the role, and what could not be read, makes the verdict unknown, with the way.
///
/// SCPs count where the policy names the account that manages the organization; without one, and of RCPs in any case, a step counts as
/// possible even where one forbids it. One who gains any permission is taken to shed
/// the Deny statements of his own policies.
///
/// # Fix
/// Break one step: narrow the trust policy, take `iam:PassRole` or the permission to change policies away, or bound it with a
/// permissions boundary. Name who has to be able under `allowed`.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>
/// <https://pathfinding.cloud/>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketNoEscalation {
    /// Principals that may: ARNs, or `role/name`; account numbers for accounts that are not audited. `*` and `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
    /// IAM actions of S3 to ask for. Without it: those that delete versions, change lifecycle rules, rewrite the bucket policy or
    /// bypass locks.
    actions: Option<Vec<String>>,
    /// Kinds of conditions that are limit enough, as of `s3-bucket-least-privilege`.
    #[serde(default)]
    accept: Vec<super::s3_bucket_least_privilege::Accept>,
}

impl CheckType for S3BucketNoEscalation {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-no-escalation",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "Nobody can come to destroy documents by way of others",
        fix: "break one step: narrow the trust policy or take the permission away; or name the principal under `allowed`",
        references: &["NIST-800-53:AC-6", "SOC2:CC6.3", "ISO-27001:A.8.2"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let (bob, ops) = (user("bob"), ResourceId::new(&primary().account, Kind::IamRole, "ops"));
        let allow = |actions: &str, more: &str| format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":"*"{more}}}"#);
        let doc = |statement: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        let inline = |text: &str| vec![Inline { name: "own".to_owned(), document: doc(text) }];
        // A role that deletes, and a user.
        let world = |example: Example, trust: &str, statements: &str| {
            let trust = format!(r#"{{"Statement":{{"Effect":"Allow","Principal":{trust},"Action":"sts:AssumeRole"}}}}"#);
            let arn = |rest: &str| format!("arn:aws:iam::{PRODUCTION}:{rest}");
            let role = RolePermissions {
                arn: arn("role/ops"),
                inline: inline(&allow(r#""s3:*""#, "")),
                trust,
                ..RolePermissions::default()
            };
            let bob_is = UserPermissions { arn: arn("user/bob"), inline: inline(statements), ..UserPermissions::default() };
            example.listed("production", AUTHORIZATION).known(&ops, role).known(&bob, bob_is).absent::<BucketPolicy>(&primary())
        };
        let (root, lambda) = (format!(r#"{{"AWS":"{PRODUCTION}"}}"#), r#"{"Service":"lambda.amazonaws.com"}"#);
        let mfa = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
        let (assume, pass_role) = (r#""sts:AssumeRole""#, r#""iam:PassRole","lambda:CreateFunction","lambda:InvokeFunction""#);
        let (pass, fail, unknown) = (Example::pass, Example::fail, Example::unknown);
        vec![
            world(pass("nobody can come to it", on.clone()), &root, &allow(r#""s3:Get*""#, "")),
            world(pass("who may by himself is judged elsewhere", on.clone()), lambda, &allow(r#""s3:*""#, "")),
            world(pass("allowed", on.clone()), &root, &allow(assume, "")).with(serde_json::json!({ "allowed": ["user/bob"] })),
            world(fail("a role that may be assumed", on.clone()), &root, &allow(assume, "")),
            world(fail("a function that runs as the role", on.clone()), lambda, &allow(pass_role, "")),
            world(fail("a policy of his own", on.clone()), lambda, &allow(r#""iam:PutUserPolicy""#, "")),
            world(fail("another account is trusted", on.clone()), r#"{"AWS":"999999999999"}"#, ""),
            world(pass("an allowed account is trusted", on.clone()), r#"{"AWS":"999999999999"}"#, "")
                .with(serde_json::json!({ "allowed": ["999999999999"] })),
            world(fail("with MFA", on.clone()), &root, &allow(assume, mfa)),
            world(pass("with MFA, which is accepted", on.clone()), &root, &allow(assume, mfa))
                .with(serde_json::json!({ "accept": ["mfa"] })),
            world(unknown("if a function exists", on.clone()), lambda, &allow(r#""lambda:UpdateFunctionCode""#, "")),
            world(unknown("a trust policy that is none", on.clone()), "{", &allow(assume, "")),
            world(unknown("bucket policy denied", on.clone()), &root, "").denied::<BucketPolicy>(&on),
            world(unknown("another provider", on), &root, "").by_declaration().estate(|estate| {
                let elsewhere = Account { provider: Some("minio".to_owned()), ..Account::default() };
                estate.accounts.insert(primary().account, elsewhere);
            }),
        ]
    }
}

impl Check for S3BucketNoEscalation {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, estate: &Estate) -> Vec<Demand> {
        let _ = estate;
        std::iter::once(Demand::unit(&[BucketPolicy::SPEC])).chain(principals::demands()).collect()
    }

    fn problems(&self) -> Vec<String> {
        super::s3_bucket_least_privilege::problems(self.actions.as_deref(), &self.allowed)
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        if view.estate.accounts.get(&unit.account).is_some_and(|account| !account.is_aws()) {
            let detail = "who may do what at another provider than AWS cannot be read";
            tally.gap(Gap::new(Why::Unsupported, AUTHORIZATION).with_detail(detail));
            return tally.finish();
        }
        let Some(own) = view.account_number(&unit.account) else {
            tally.gap(
                Gap::new(Why::NotCollected, "GetCallerIdentity").with_detail("the number of the bucket's account is not known"),
            );
            return tally.finish();
        };
        let policy = tally.read(view.read::<BucketPolicy>(unit)).and_then(|policy| match policy {
            Some(policy) => {
                parse(&policy.0, BucketPolicy::SPEC, "the bucket policy").map(Some).map_err(|gap| tally.gap(gap)).ok()
            }
            None => Some(None),
        });
        match view.principals().of_account(&unit.account) {
            Some(account) => account.gaps.iter().for_each(|gap| tally.gap(gap.clone())),
            None => tally.gap(Gap::not_collected(UserPermissions::SPEC)),
        }
        let town = Town::of(view.principals(), view.snapshot);
        let world = town.world(None);
        let found = self.search(&world, &view.bucket_arn(unit), own, policy.as_ref().map(Option::as_ref));
        let seen = format!("{} users and roles", world.members.len());
        tally.pass::<UserPermissions>(unit, seen, "only allowed principals can come to it");
        let mut doubts = Doubts::default();
        for account in view.snapshot.accounts.keys().filter_map(|account| view.principals().of_account(account)) {
            for holder in account.holders.iter().filter(|holder| holder.id.kind != Kind::IamGroup) {
                let arn = holder.arn.as_deref().unwrap_or_default();
                let gaps = account.set_of(holder).into_iter().flat_map(PolicySet::doubts);
                gaps.filter(|_| !self.is_allowed(arn, &holder.label())).for_each(|gap| doubts.add(gap.clone(), &holder.label()));
            }
        }
        for reached in &found.members {
            self.member(unit, &world, reached, &mut tally, &mut doubts);
        }
        for source in found.sources.iter().filter(|source| source.external) {
            self.source(unit, &world, source, &mut tally, &mut doubts);
        }
        doubts.into_gaps().for_each(|gap| tally.gap(gap));
        tally.finish()
    }
}

impl S3BucketNoEscalation {
    fn search<'a>(
        &self,
        world: &World<'a>,
        arn: &str,
        own: &str,
        policy: Option<Option<&'a Document>>,
    ) -> lastcopy_iam::reach::Reach<'a> {
        let resource = match policy {
            None => Layer::Unread(Vec::new()),
            Some(None) => Layer::None,
            Some(Some(document)) => Layer::Docs(vec![Named { name: "the bucket policy", document }]),
        };
        let bucket = lastcopy_iam::Bucket { restrict_public: Setting::Unread, ..lastcopy_iam::Bucket::default() };
        let guards = Guards { resource, rcps: Layer::Unread(Vec::new()), bucket, ..Guards::default() };
        let (asks, context) = (self.asks(arn), Context::open());
        let accepted = self.accepted();
        Ways::new(world).accepting(&accepted).to(|caller, policies| {
            let mut best = May::No(lastcopy_iam::WhyNot::NotAllowed(Vec::new()));
            for (action, target) in &asks {
                let question = Question { caller: *caller, action, target, resource_account: Some(own), context: &context };
                match may(&question, policies, &guards) {
                    sure @ May::Yes(_) => return sure,
                    May::OnlyIf(mut ways) => {
                        // A way that meets a condition of an accepted kind is none; one that can surely be gone comes first.
                        ways.retain(|way| limit(way, &accepted) != Limit::Accepted);
                        ways.sort_by_key(|way| limit(way, &accepted) == Limit::Unclear);
                        let open = |ways: &[Way<'_>]| ways.first().is_some_and(|way| limit(way, &accepted) == Limit::Open);
                        let better = match &best {
                            May::OnlyIf(known) => open(&ways) && !open(known),
                            May::Yes(_) => false,
                            May::No(_) | May::Unknown(_) => !ways.is_empty(),
                        };
                        if better {
                            best = May::OnlyIf(ways);
                        }
                    }
                    unknown @ May::Unknown(_) if matches!(best, May::No(_)) => best = unknown,
                    May::Unknown(_) | May::No(_) => {}
                }
            }
            best
        })
    }

    fn accepted(&self) -> Vec<Topic> {
        self.accept.iter().map(|accept| accept.topic()).collect()
    }

    fn asks(&self, arn: &str) -> Vec<(&'static str, Pattern)> {
        let named: Option<Vec<Pattern>> =
            self.actions.as_ref().map(|list| list.iter().map(|action| Pattern::new(action, Case::Insensitive)).collect());
        let worst = [Capability::DeleteVersion, Capability::ChangeLifecycle, Capability::ChangePolicy, Capability::BypassLock];
        let rows = destroying_actions().iter().filter(|row| match &named {
            Some(list) => list.iter().any(|action| action.matches(row.action)),
            None => worst.contains(&row.capability) && row.action.starts_with("s3:"),
        });
        rows.filter_map(|row| match row.resource {
            ResourceKind::Object => Some((row.action, Target::ObjectsOf(arn).pattern())),
            ResourceKind::Bucket => Some((row.action, Target::One(arn).pattern())),
            ResourceKind::Key | ResourceKind::Account | ResourceKind::Organization | ResourceKind::Other => None,
        })
        .collect()
    }

    fn is_allowed(&self, arn: &str, label: &str) -> bool {
        let globs = self.allowed.iter().map(|glob| Pattern::new(glob, Case::Sensitive));
        globs
            .into_iter()
            .any(|glob| glob.matches(arn) || glob.matches(label) || glob.matches(label.trim_start_matches("account ")))
    }

    fn member(&self, unit: &ResourceId, world: &World<'_>, reached: &Reached<'_>, tally: &mut Tally, doubts: &mut Doubts) {
        let arn = world.members.get(reached.member).map_or("", |member| member.arn);
        let label = world.label((reached.member, Mode::PLAIN));
        if reached.path.is_empty() || self.is_allowed(arn, &label) {
            return;
        }
        let row: String = reached.path.iter().map(|hop| step(world, hop)).collect();
        let says = format!("{label} can come to destroy documents: {label}{row}");
        if judged(reached) == Strength::Unknown {
            let detail = format!("may come to destroy documents:{row}");
            doubts.add(Gap::new(Why::NotEvaluated, AUTHORIZATION).with_detail(detail), &label);
            return;
        }
        let _ = tally.fail::<UserPermissions>(unit, says, format!("{label}{row}"), "no way there").subject(arn);
    }

    fn source(&self, unit: &ResourceId, world: &World<'_>, source: &Source<'_>, tally: &mut Tally, doubts: &mut Doubts) {
        let (name, role) = (source.principal.to_string(), world.label((source.role, Mode::PLAIN)));
        if self.is_allowed(&name, &name) {
            return;
        }
        let when = if source.conditions.is_empty() { String::new() } else { format!(" if {}", source.conditions.join(" and ")) };
        let says = format!(
            "{name}, not audited, may become {role}, which can come to destroy documents ({} of its trust policy){when}",
            source.statement
        );
        if source.strength == Strength::Unknown {
            let detail = format!("may become {role}, which may come to destroy documents{when}");
            doubts.add(Gap::new(Why::NotEvaluated, AUTHORIZATION).with_detail(detail), &name);
            return;
        }
        let subject = format!("{name} by {role}");
        let _ = tally.fail::<RolePermissions>(unit, says, format!("{name} → {role}"), "no way there").subject(&subject);
    }
}

/// What the policies show of a way; unknown, if something on it cannot be told.
fn judged(reached: &Reached<'_>) -> Strength {
    let unclear = |conditions: &[lastcopy_iam::Clause<'_>]| {
        let way = Way { grants: Vec::new(), conditions: conditions.to_vec(), unless: Vec::new() };
        limit(&way, &[]) == Limit::Unclear
    };
    let last = match &reached.can {
        May::OnlyIf(ways) => ways.first().is_some_and(|way| unclear(&way.conditions)),
        May::Yes(_) | May::Unknown(_) | May::No(_) => false,
    };
    let hops = reached.path.iter().any(|hop| hop.note.is_some() || unclear(&hop.conditions));
    if last || hops { Strength::Unknown } else { reached.strength }
}

/// ` → role/ops by sts:AssumeRole (statement 1 of own) if ...`
fn step(world: &World<'_>, hop: &Hop<'_>) -> String {
    let mut by: Vec<String> = hop.grants.iter().filter(|by| by.statement.is_some()).map(ToString::to_string).collect();
    by.dedup();
    let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join("; ")) };
    let mut conditions: Vec<String> = hop.conditions.iter().map(ToString::to_string).collect();
    conditions.extend(hop.note.map(|note| note.trim_start_matches("if ").to_owned()));
    let when = if conditions.is_empty() { String::new() } else { format!(" if {}", conditions.join(" and ")) };
    format!(" → {} by {}{by}{when}", world.label(hop.to), hop.how)
}
