use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use lastcopy_iam::{
    Caller, Capability, Case, Document, Effect, May, Pattern, PolicyName, Principal, PrincipalPolicies, ResourceKind, Statement,
    Target, bucket_policy_may, destroying_actions, may, principal::Match, principal::Principals as Named, who_can_assume,
};
use serde::Deserialize;

use super::example::{Example, PRODUCTION, VAULT, primary, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Account, Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::{AccountPrincipals, Doubts, FACTS, Holder, parse};
use crate::resources::FactType;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::view::View;

/// Nobody but the named principals may destroy documents of the bucket, or what protects them.
///
/// # Why
/// Every principal that may delete versions, change lifecycle rules, lift a lock or rewrite the bucket policy is one set of
/// stolen keys, one bug or one mistake away from the loss of the documents.
///
/// # Fails when
/// A user or role of the bucket's account may do one of `actions` on the bucket or on some of its objects by its own policies
/// and those of its groups, within its boundary and unless a Deny of the bucket policy surely stops it; or the bucket policy
/// gives it to somebody outside the account, to a service, to everybody, or to a principal by name. A condition that only asks
/// for TLS, or only refuses requests without it, changes nothing. What depends on another condition, on a policy variable or on an
/// exclusion makes the verdict unknown, and so does a policy that could not be read, a boundary and the bucket policy included.
/// An allowed role that others than AWS services and allowed principals may assume makes it unknown too.
///
/// On a copy that is fed by replication the feed itself (`s3:Replicate*`) is not asked for: `store-mirror-grants` judges it.
///
/// SCPs and RCPs are not read: a principal counts as able even where one forbids it. Not seen either: the root user, who may do
/// everything; who may give itself more; ACLs, access points and access grants; who may destroy the KMS key.
/// A grant of the bucket policy is not weighed against a Deny in the policies of the principal that it names.
///
/// # Fix
/// Take the action away from the principal, or deny it in the bucket policy to everybody but a break-glass role. Name who has
/// to be able under `allowed`: the application for `s3:PutObject`, the role that erases documents for `s3:DeleteObjectVersion`.
///
/// # References
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketLeastPrivilege {
    /// Principals that may: ARNs, or `role/name` for those of the bucket's account. `*` and `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
    /// IAM actions of S3 to ask for, for example `s3:DeleteObjectVersion` or `s3:Delete*`. Without it: every action on a bucket or
    /// an object on the list of destroying actions (`crates/iam/data/destroying-actions.txt`).
    actions: Option<Vec<String>>,
}

impl CheckType for S3BucketLeastPrivilege {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-least-privilege",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "Only named principals may destroy documents",
        fix: "take the action away from the principal, deny it in the bucket policy, or name the principal under `allowed`",
        references: &["NIST-800-53:AC-6", "SOC2:CC6.3", "ISO-27001:A.5.18", "HIPAA:164.308(a)(4)", "NIS2:11.4.2(b)"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let (bob, ops) = (user("bob"), ResourceId::new(&primary().account, Kind::IamRole, "ops"));
        let objects = "arn:aws:s3:::acme-documents/*";
        let statement = |effect: &str, rest: &str, action: &str, resource: &str| {
            format!(r#"{{"Effect":"{effect}",{rest}"Action":"{action}","Resource":"{resource}"}}"#)
        };
        let doc = |statements: &[String]| format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        let inline = |text: String| vec![Inline { name: "own".to_owned(), document: text }];
        let delete = || statement("Allow", "", "s3:Delete*", objects);
        let everyone = r#""Principal":"*","#;
        // A role that reads, and the user in question.
        let world = |example: Example, statements: &[String]| {
            let reader = inline(doc(&[statement("Allow", "", "s3:Get*", "*")]));
            example
                .listed("production", AUTHORIZATION)
                .known(&ops, RolePermissions { inline: reader, ..RolePermissions::default() })
                .known(&bob, UserPermissions { inline: inline(doc(statements)), ..UserPermissions::default() })
                .absent::<BucketPolicy>(&primary())
        };
        let policy = |example: Example, statements: &[String]| example.known(&primary(), BucketPolicy(doc(statements)));
        let tls = r#""Principal":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}},"#;
        let mfa = r#""Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}},"#;
        let vault = format!(r#""Principal":{{"AWS":"arn:aws:iam::{VAULT}:role/sync"}},"#);
        let own = format!(r#""Principal":{{"AWS":"{PRODUCTION}"}},"#);
        let by_bob = format!(r#""Principal":{{"AWS":"arn:aws:iam::{PRODUCTION}:user/bob"}},"#);
        let deny = |who: &str| statement("Deny", who, "s3:Delete*", objects);
        let bounded = |example: Example| {
            let boundary = Some("arn:aws:iam::111111111111:policy/limit".to_owned());
            example.known(&bob, UserPermissions { inline: inline(doc(&[delete()])), boundary, ..UserPermissions::default() })
        };
        let trusting = |example: Example, who: &str| {
            let trust = format!(r#"{{"Statement":{{"Effect":"Allow","Principal":{who},"Action":"sts:AssumeRole"}}}}"#);
            let role = RolePermissions { inline: inline(doc(&[delete()])), trust, ..RolePermissions::default() };
            example.known(&ops, role).with(serde_json::json!({ "allowed": ["role/ops"] }))
        };
        let (pass, fail, unknown) = (Example::pass, Example::fail, Example::unknown);
        vec![
            world(pass("nobody may", on.clone()), &[]),
            world(pass("another bucket", on.clone()), &[statement("Allow", "", "s3:*", "arn:aws:s3:::acme-documents-2*")]),
            world(pass("allowed by name", on.clone()), &[delete()]).with(serde_json::json!({ "allowed": ["user/bob"] })),
            policy(world(pass("allowed in the policy", on.clone()), &[]), &[statement("Allow", &by_bob, "s3:*", objects)])
                .with(serde_json::json!({ "allowed": ["user/bob"] })),
            policy(world(fail("by name in the policy", on.clone()), &[]), &[statement("Allow", &by_bob, "s3:*", objects)]),
            world(pass("not asked for", on.clone()), &[delete()]).with(serde_json::json!({ "actions": ["s3:PutObject"] })),
            policy(world(pass("denied to everybody", on.clone()), &[delete()]), &[deny(everyone)]),
            policy(world(pass("denied by name", on.clone()), &[delete()]), &[deny(&by_bob)]),
            policy(world(pass("its own account in the policy", on.clone()), &[]), &[statement("Allow", &own, "s3:*", objects)]),
            trusting(world(pass("an allowed role of a service", on.clone()), &[]), r#"{"Service":"ecs-tasks.amazonaws.com"}"#),
            trusting(
                world(unknown("an allowed role that others assume", on.clone()), &[]),
                &format!(r#"{{"AWS":"{PRODUCTION}"}}"#),
            ),
            world(fail("a user may delete", on.clone()), &[delete()]),
            world(fail("through everything", on.clone()), &[statement("Allow", "", "*", "*")]),
            policy(world(fail("TLS does not stop it", on.clone()), &[delete()]), &[statement("Deny", tls, "s3:*", "*")]),
            policy(world(fail("another account", on.clone()), &[]), &[statement("Allow", &vault, "s3:PutObject", objects)]),
            policy(world(fail("everybody", on.clone()), &[]), &[statement("Allow", everyone, "s3:*", objects)]),
            world(unknown("under a condition", on.clone()), &[statement("Allow", mfa, "s3:Delete*", objects)]),
            world(unknown("not a policy", on.clone()), &["{".to_owned()]),
            world(unknown("bucket policy denied", on.clone()), &[delete()]).denied::<BucketPolicy>(&on),
            bounded(world(unknown("the boundary is missing", on.clone()), &[])),
            world(unknown("another provider", on), &[]).by_declaration().estate(|estate| {
                let elsewhere = Account { provider: Some("minio".to_owned()), ..Account::default() };
                estate.accounts.insert(primary().account, elsewhere);
            }),
        ]
    }
}

/// What is asked, and how it is called in a sentence.
struct Ask<'a> {
    action: &'a str,
    can: &'a str,
    targets: Vec<Target<'a>>,
}

/// What somebody can do, and by which statements.
#[derive(Default)]
struct Can<'a> {
    does: BTreeSet<&'a str>,
    by: BTreeSet<String>,
}

/// So many acts are told in a sentence; the evidence holds all.
const FEW: usize = 4;
const WORST: &[&str] = &[
    "delete versions",
    "change lifecycle rules",
    "bypass governance locks",
    "change the bucket policy",
    "delete objects",
    "overwrite objects",
];

impl Can<'_> {
    /// The worst first, and not all of many.
    fn says(&self) -> String {
        let mut does: Vec<&str> = self.does.iter().copied().collect();
        does.sort_by_key(|act| WORST.iter().position(|worst| worst == act).unwrap_or(WORST.len()));
        match does.get(..FEW) {
            Some(few) if does.len() > FEW + 1 => format!("{} and do {} more destroying acts", few.join(", "), does.len() - FEW),
            Some(_) | None => does.join(", "),
        }
    }

    fn all(&self) -> String {
        self.does.iter().copied().collect::<Vec<_>>().join(", ")
    }

    fn by(&self) -> String {
        self.by.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
    }
}

impl Check for S3BucketLeastPrivilege {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[BucketPolicy::SPEC]), Demand::account(FACTS)]
    }

    fn problems(&self) -> Vec<String> {
        let known = |asked: &&String| {
            let asked = Pattern::new(asked, Case::Insensitive);
            destroying_actions().iter().any(|row| row.action.starts_with("s3:") && asked.matches(row.action))
        };
        let none = self.actions.as_ref().filter(|actions| actions.is_empty());
        let none =
            none.map(|_| "`actions` of nothing asks for nothing; leave it out to ask for every destroying action".to_owned());
        let bad = self.actions.iter().flatten().filter(|action| !known(action));
        let bad = bad.map(|action| {
            format!(
                "`{action}` is no IAM action of S3 that destroys, such as s3:DeleteObjectVersion or s3:PutLifecycleConfiguration"
            )
        });
        let names =
            |glob: &&String| glob.contains(['/', '*', ':']) || glob.len() == 12 && glob.bytes().all(|byte| byte.is_ascii_digit());
        let nobody = self.allowed.iter().filter(|glob| !names(glob));
        none.into_iter()
            .chain(bad)
            .chain(
                nobody.map(|glob| format!("`{glob}` under `allowed` names nobody; write an ARN, or for example `role/{glob}`")),
            )
            .collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        if view.estate.accounts.get(&unit.account).is_some_and(|account| !account.is_aws()) {
            let detail = "who may do what at another provider than AWS cannot be read";
            tally.gap(Gap::new(Why::Unsupported, AUTHORIZATION).with_detail(detail));
            return tally.finish();
        }
        let arn = view.bucket_arn(unit);
        let fed = view.estate.copies_of(unit).any(|(_, _, copy)| copy.is_replica());
        let asks = self.asks(&arn, fed);
        let allowed: Vec<Pattern> = self.allowed.iter().map(|glob| Pattern::new(glob, Case::Sensitive)).collect();
        let policy = tally.read(view.read::<BucketPolicy>(unit)).and_then(|policy| match policy {
            Some(policy) => {
                parse(&policy.0, BucketPolicy::SPEC, "the bucket policy").map(Some).map_err(|gap| tally.gap(gap)).ok()
            }
            None => Some(None),
        });
        let effective = policy.as_ref().map(|doc| doc.as_ref().map(without_transport));
        let Some(own) = view.account_number(&unit.account) else {
            tally.gap(
                Gap::new(Why::NotCollected, "GetCallerIdentity").with_detail("the number of the bucket's account is not known"),
            );
            return tally.finish();
        };
        let mut found = Found::default();
        if let Some(Some(doc)) = &effective {
            grants(doc, &asks, own, &allowed, &mut found);
        }
        match view.principals().of_account(&unit.account) {
            Some(account) => {
                account.gaps.iter().for_each(|gap| tally.gap(gap.clone()));
                let default = self.actions.is_none();
                holders(account, &asks, &Bucket { arn: &arn, own, policy: effective.as_ref(), default }, &allowed, &mut found);
                tally.pass::<UserPermissions>(unit, format!("{} principals", account.holders.len()), "only allowed principals");
            }
            None => tally.gap(Gap::not_collected(UserPermissions::SPEC)),
        }
        for (subject, (who, can)) in &found.can {
            let says = format!("{who} can {} ({})", can.says(), can.by());
            let seen = format!("can {} ({}); SCPs and RCPs were not read", can.all(), can.by());
            let _ = tally.fail::<UserPermissions>(unit, says, seen, "only allowed principals").subject(subject);
        }
        found.doubts.into_gaps().for_each(|gap| tally.gap(gap));
        tally.finish()
    }
}

impl S3BucketLeastPrivilege {
    fn asks<'a>(&'a self, arn: &'a str, fed_by_replication: bool) -> Vec<Ask<'a>> {
        let both = || vec![Target::Bucket(arn), Target::ObjectsOf(arn)];
        if let Some(actions) = &self.actions {
            return actions.iter().map(|action| Ask { action, can: action, targets: both() }).collect();
        }
        destroying_actions()
            .iter()
            .filter(|row| row.action.starts_with("s3:"))
            .filter(|row| !(fed_by_replication && row.action.starts_with("s3:Replicate")))
            .filter_map(|row| {
                let target = match row.resource {
                    ResourceKind::Object => Target::ObjectsOf(arn),
                    ResourceKind::Bucket => Target::Bucket(arn),
                    ResourceKind::Key | ResourceKind::Account | ResourceKind::Organization | ResourceKind::Other => return None,
                };
                Some(Ask { action: row.action, can: verb(row.capability), targets: vec![target] })
            })
            .collect()
    }
}

/// Who can, by subject, and what is not known about whom.
#[derive(Default)]
struct Found<'a> {
    can: BTreeMap<String, (String, Can<'a>)>,
    doubts: Doubts,
}

fn not_evaluated(why: &str) -> Gap {
    Gap::new(Why::NotEvaluated, AUTHORIZATION).with_detail(why)
}

/// The bucket as a question to its account.
struct Bucket<'a> {
    arn: &'a str,
    /// The number of its account.
    own: &'a str,
    /// `None`: could not be read.
    policy: Option<&'a Option<Document>>,
    default: bool,
}

fn holders<'a>(account: &AccountPrincipals, asks: &[Ask<'a>], bucket: &Bucket<'_>, allowed: &[Pattern], found: &mut Found<'a>) {
    let denies = bucket.policy.and_then(Option::as_ref).filter(|doc| doc.statements.iter().any(|s| s.effect == Effect::Deny));
    // Holders with the same policies get the same answer; only a Deny of the bucket policy tells them apart.
    let mut answers: Vec<Option<(Can<'a>, BTreeSet<String>)>> = Vec::new();
    answers.resize_with(account.sets.len(), || None);
    let mut work = 0usize;
    for holder in account.holders.iter().filter(|holder| holder.id.kind != Kind::IamGroup) {
        let (Some(set), Some(slot)) = (account.set_of(holder), answers.get_mut(holder.set)) else { continue };
        if set.gaps.is_empty() && !set.may_reach(bucket.arn, bucket.default) {
            continue;
        }
        if holder.is_among(allowed) {
            assumers(holder, bucket.own, allowed, found);
            continue;
        }
        let (who, arn) = (holder.label(), holder.arn.as_deref().unwrap_or_default());
        if !set.gaps.is_empty() {
            set.gaps.iter().for_each(|gap| found.doubts.add(gap.clone(), &who));
            continue;
        }
        let shared = slot.get_or_insert_with(|| ask(&set.policies(), asks));
        if shared.0.does.is_empty() && shared.1.is_empty() {
            continue;
        }
        // Comparing patterns of many wildcards is costly, and hostile policies are made of them.
        work += denies.map_or(0, |doc| {
            asks.len() * set.held.iter().map(|held| held.policy.document.statements.len()).sum::<usize>() * weight(doc)
        });
        if work > MOST_WORK {
            found
                .doubts
                .add(not_evaluated("the bucket policy is too complex to compare with the policies of all principals"), &who);
            continue;
        }
        let own = denies.map(|doc| {
            let number = arn.split(':').nth(4).unwrap_or_default();
            let deny = denied_to(doc, &Caller::Aws { arn, account: number });
            let mut policies = set.policies();
            if let lastcopy_iam::Layer::Docs(docs) = &mut policies.identity {
                docs.push((PolicyName("the bucket policy".to_owned()), &deny));
            }
            ask(&policies, asks)
        });
        let (can, doubts) = own.as_ref().unwrap_or(shared);
        let unread = set.boundary.as_ref().and_then(|(_, read)| read.as_ref().err());
        for doubt in doubts {
            // With an unread boundary there is no plain yes; its gap names the permission that would help.
            let gap = unread.map_or_else(|| not_evaluated(doubt), |gap| gap.clone().with_detail(doubt.clone()));
            found.doubts.add(gap, &who);
        }
        if can.does.is_empty() {
            continue;
        }
        if bucket.policy.is_none() {
            let doubt =
                format!("can {} ({}), unless the bucket policy, which could not be read, forbids it", can.says(), can.by());
            found.doubts.add(not_evaluated(&doubt), &who);
            continue;
        }
        let entry = &mut found.can.entry(arn.to_owned()).or_insert_with(|| (who, Can::default())).1;
        entry.does.extend(&can.does);
        entry.by.extend(can.by.iter().cloned());
    }
}

/// So many comparisons of patterns for one bucket; beyond that the answer is not known.
const MOST_WORK: usize = 50_000_000;

/// How costly it is to compare with the Deny statements of a policy.
fn weight(doc: &Document) -> usize {
    let wild = |text: &str| if text.bytes().filter(|byte| matches!(byte, b'*' | b'?')).count() > 2 { 2000 } else { 1 };
    let patterns = |statement: &Statement| -> usize {
        match &statement.resources {
            lastcopy_iam::Resources::In(list) | lastcopy_iam::Resources::NotIn(list) => {
                list.iter().map(|p| wild(p.as_str())).sum()
            }
            lastcopy_iam::Resources::None => 1,
        }
    };
    doc.statements.iter().filter(|statement| statement.effect == Effect::Deny).map(patterns).sum()
}

/// Whoever may assume an allowed role can do what it can. Who that is depends on trust, which is not evaluated here.
fn assumers(role: &Holder, own: &str, allowed: &[Pattern], found: &mut Found<'_>) {
    let trust = match &role.trust {
        None => return,
        Some(Err(gap)) => return found.doubts.add(gap.clone(), &role.label()),
        Some(Ok(trust)) => trust,
    };
    for trusted in who_can_assume(&trust.document, own) {
        let who = trusted.principal.to_string();
        // A service acts for whoever set it up; these hand sessions to machines and devices outside AWS.
        let lends = |name: &str| ["rolesanywhere.", "credentials.iot.", "ssm."].iter().any(|service| name.starts_with(service));
        let of_aws = |name: &str| name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn");
        let known = matches!(&trusted.principal, Principal::Service(name) if of_aws(name) && !name.contains('*') && !lends(name));
        if known || allowed.iter().any(|glob| aliases(&who, own).iter().any(|alias| glob.matches(alias))) {
            continue;
        }
        let doubt = format!("may be assumed by {who} (trust policy, {}), who is not among `allowed`", trusted.statement);
        found.doubts.add(not_evaluated(&doubt), &role.label());
    }
}

fn ask<'a>(policies: &PrincipalPolicies<'_>, asks: &[Ask<'a>]) -> (Can<'a>, BTreeSet<String>) {
    let (mut can, mut doubts) = (Can::default(), BTreeSet::new());
    for ask in asks {
        for target in &ask.targets {
            match may(policies, ask.action, *target) {
                May::No => {}
                May::Yes(because) if because.unless.is_empty() => {
                    can.does.insert(ask.can);
                    can.by.insert(format!("{}, {}", because.policy, because.statement));
                }
                May::Yes(because) => {
                    let unless = because.unless.join(", or ");
                    doubts.insert(format!("{} of {} gives {}, unless {unless}", because.statement, because.policy, ask.can));
                }
                May::Unknown(reasons) => doubts.extend(reasons.iter().map(ToString::to_string)),
            }
        }
    }
    (can, doubts)
}

/// What the bucket policy itself gives, to whomever it names except its own account as a whole.
fn grants<'a>(doc: &Document, asks: &[Ask<'a>], own: &str, allowed: &[Pattern], found: &mut Found<'a>) {
    for ask in asks {
        for grant in ask.targets.iter().flat_map(|target| bucket_policy_may(doc, ask.action, *target)) {
            let statement = format!("the bucket policy, {}", grant.statement.reference());
            let mut doubts: Vec<String> = grant.doubts.iter().map(ToString::to_string).collect();
            if grant.conditional && !is_about_transport(grant.statement) {
                doubts.push(format!("{statement} gives it under conditions"));
            }
            for who in named(grant.to, own) {
                if allowed.iter().any(|glob| aliases(&who, own).iter().any(|alias| glob.matches(alias))) {
                    continue;
                }
                if doubts.is_empty() {
                    let can = &mut found.can.entry(who.clone()).or_insert_with(|| (who, Can::default())).1;
                    can.does.insert(ask.can);
                    can.by.insert(statement.clone());
                } else {
                    doubts.iter().for_each(|doubt| found.doubts.add(not_evaluated(doubt), &who));
                }
            }
        }
    }
}

/// The names under which `allowed` may hold a grantee: an ARN, `role/name` inside the bucket's account, an account's number.
fn aliases<'n>(who: &'n str, own: &str) -> Vec<Cow<'n, str>> {
    let mut names: Vec<Cow<'_, str>> = vec![who.into()];
    names.extend(who.strip_prefix("account ").map(Cow::from));
    let parts: Vec<&str> = who.splitn(6, ':').collect();
    if let ["arn", _, "iam", "", account, resource] = parts[..]
        && account == own
        && let (Some((kind, _)), Some((_, name))) = (resource.split_once('/'), resource.rsplit_once('/'))
    {
        names.push(format!("{kind}/{name}").into());
    }
    names
}

fn named(principals: &Named, own: &str) -> Vec<String> {
    match principals {
        Named::None => Vec::new(),
        Named::Not(_) => vec![principals.to_string()],
        Named::Any(list) => list
            .iter()
            .filter(|principal| !matches!(principal, Principal::Account(number) if number == own))
            .map(ToString::to_string)
            .collect(),
    }
}

/// The Deny statements of a bucket policy as they bind a caller. One that perhaps binds it keeps its Principal, and is then
/// doubtful for `may`.
fn denied_to(doc: &Document, caller: &Caller<'_>) -> Document {
    let bound = |statement: &Statement| match statement.principals.names(caller) {
        Match::No => None,
        Match::Maybe => Some(statement.clone()),
        Match::Yes => Some(Statement { principals: Named::None, ..statement.clone() }),
    };
    let statements = doc.statements.iter().filter(|s| s.effect == Effect::Deny).filter_map(bound).collect();
    Document { version: doc.version, id: None, statements }
}

/// Without the Deny statements that anybody escapes by using TLS.
fn without_transport(doc: &Document) -> Document {
    let keep = |s: &&Statement| s.effect == Effect::Allow || !is_about_transport(s);
    Document { version: doc.version, id: None, statements: doc.statements.iter().filter(keep).cloned().collect() }
}

/// Whether its conditions are about TLS alone, which every caller can use.
fn is_about_transport(statement: &Statement) -> bool {
    let transport = |key: &str| key == "aws:securetransport" || key == "s3:tlsversion";
    !statement.conditions.is_empty() && statement.conditions.iter().all(|condition| transport(&condition.key))
}

fn verb(capability: Capability) -> &'static str {
    match capability {
        Capability::DeleteObject => "delete objects",
        Capability::DeleteVersion => "delete versions",
        Capability::Overwrite => "overwrite objects",
        Capability::ChangeTags => "change tags",
        Capability::ChangeVersioning => "suspend versioning",
        Capability::ChangeLifecycle => "change lifecycle rules",
        Capability::ChangePolicy => "change the bucket policy",
        Capability::ChangeAccess => "change ACLs, ownership or the public access block",
        Capability::ChangeLock => "change Object Lock",
        Capability::BypassLock => "bypass governance locks",
        Capability::ChangeEncryption => "change encryption",
        Capability::ChangeReplication => "change replication",
        Capability::DeleteBucket => "delete the bucket",
        Capability::Indirect => "have something else act on events",
        Capability::BlindDetection => "stop access logs",
        Capability::DestroyKey
        | Capability::DeleteBackup
        | Capability::ChangeBackup
        | Capability::Account
        | Capability::Organization => capability.as_str(),
    }
}
