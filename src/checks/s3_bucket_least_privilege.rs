use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use lastcopy_iam::grantees::{Grantee, mentions, names_directly, tells_callers_apart};
use lastcopy_iam::{
    Caller, Capability, Case, Clause, Context, Document, GranteeKind, Guards, Layer, LayerName, Limit, May, Named, Pattern,
    Policies, Principal, Question, ResourceKind, Setting, Target, Topic, Way, destroying_actions, grantees, limit, may,
    who_can_assume,
};
use serde::Deserialize;

use super::example::{Example, PRODUCTION, VAULT, primary, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Account, Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::{self, AccountPrincipals, Doubts, Holder, PolicySet, parse};
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
/// A user or role of the bucket's account may do one of `actions` on the bucket or on some of its objects, by its policies,
/// those of its groups, its boundary and the bucket policy together; or the bucket policy gives it to somebody outside the
/// account, to a service, to everybody, or to a principal by name.
///
/// Conditions are evaluated. One that every caller can meet, TLS, changes nothing. A permission that holds only under other
/// conditions is one too: the finding says which. `accept` names the kinds of conditions that are limit enough; a principal
/// passes by them only if every way that it has meets one.
///
/// What hangs on something that is not known makes the verdict unknown: a policy that could not be read, a boundary and the
/// bucket policy included, a tag of the principal in a policy variable, its unique id in a condition, a Principal element of an
/// unusual form. An allowed role that others than AWS services and allowed principals may assume makes it unknown too.
///
/// On a copy that is fed by replication the feed itself (`s3:Replicate*`) is not asked for: `store-mirror-grants` judges it.
///
/// SCPs count where the policy names the account that manages the organization; without one, and of RCPs and Block Public Access in
/// any case, a principal counts as able even where one forbids it. Somebody of
/// another account counts as able where the bucket policy gives it. Not seen: the root user, who may do everything; who may give
/// itself more; ACLs, access points and access grants; who may destroy the KMS key. Require `s3-bucket-ownership` and
/// `s3-bucket-public-access-block` too.
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
    /// Kinds of conditions that are limit enough: `mfa` lets pass who may only with multi-factor authentication.
    #[serde(default)]
    accept: Vec<Accept>,
}

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Accept {
    Mfa,
    SourceIp,
    Vpc,
    Organization,
    Tag,
    Time,
    Source,
    Request,
}

impl Accept {
    pub(super) fn topic(self) -> Topic {
        match self {
            Self::Mfa => Topic::Mfa,
            Self::SourceIp => Topic::SourceIp,
            Self::Vpc => Topic::Vpc,
            Self::Organization => Topic::Organization,
            Self::Tag => Topic::Tag,
            Self::Time => Topic::Time,
            Self::Source => Topic::Source,
            Self::Request => Topic::Request,
        }
    }
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
        let no_mfa = r#""Principal":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}},"#;
        let but_ops = r#""Principal":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/ops"}},"#;
        let but_id = r#""Principal":"*","Condition":{"StringNotLike":{"aws:userid":"AIDAEXAMPLE"}},"#;
        let logs =
            r#""Principal":{"Service":"logging.s3.amazonaws.com"},"Condition":{"StringEquals":{"aws:SourceAccount":"1"}},"#;
        let (home, team) =
            ("arn:aws:s3:::acme-documents/${aws:username}/*", "arn:aws:s3:::acme-documents/${aws:PrincipalTag/team}/*");
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
            world(fail("under a condition", on.clone()), &[statement("Allow", mfa, "s3:Delete*", objects)]),
            world(pass("under a condition that is accepted", on.clone()), &[statement("Allow", mfa, "s3:Delete*", objects)])
                .with(serde_json::json!({ "accept": ["mfa"] })),
            policy(world(pass("denied without MFA, which is accepted", on.clone()), &[delete()]), &[deny(no_mfa)])
                .with(serde_json::json!({ "accept": ["mfa"] })),
            world(
                fail("two ways, one of them without the accepted condition", on.clone()),
                &[statement("Allow", mfa, "s3:Delete*", objects), delete()],
            )
            .with(serde_json::json!({ "accept": ["mfa"] })),
            policy(world(pass("denied to all but an allowed role", on.clone()), &[delete()]), &[deny(but_ops)])
                .with(serde_json::json!({ "allowed": ["role/ops"] })),
            policy(world(unknown("denied to all but a unique id", on.clone()), &[delete()]), &[deny(but_id)]),
            world(fail("a variable that is known", on.clone()), &[statement("Allow", "", "s3:Delete*", home)]),
            world(unknown("a variable that is not known", on.clone()), &[statement("Allow", "", "s3:Delete*", team)]),
            policy(
                world(fail("a service under a condition", on.clone()), &[]),
                &[statement("Allow", logs, "s3:PutObject", objects)],
            ),
            policy(
                world(pass("a service for an accepted source", on.clone()), &[]),
                &[statement("Allow", logs, "s3:PutObject", objects)],
            )
            .with(serde_json::json!({ "accept": ["source"] })),
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
pub(super) struct Ask<'a> {
    pub(super) action: &'a str,
    pub(super) can: &'a str,
    pub(super) targets: Vec<Pattern>,
}

/// Acts under what they hang on; the empty text is nothing at all.
type Acts<'a> = BTreeMap<String, BTreeSet<&'a str>>;

/// What somebody can do, and by which statements.
#[derive(Clone, Default)]
pub(super) struct Can<'a> {
    does: Acts<'a>,
    by: BTreeSet<String>,
    /// Acts that nobody can tell about, under what they hang on.
    unclear: Acts<'a>,
    /// Acts that the boundary or the bucket policy, which could not be read, may take away.
    unread: BTreeMap<LayerName, BTreeSet<&'a str>>,
    /// What is not readable from here and may take them away.
    unless: BTreeSet<&'static str>,
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

/// The worst first, and not all of many.
pub(super) fn worst(acts: &BTreeSet<&str>) -> String {
    let mut acts: Vec<&str> = acts.iter().copied().collect();
    acts.sort_by_key(|act| WORST.iter().position(|worst| worst == act).unwrap_or(WORST.len()));
    match acts.get(..FEW) {
        Some(few) if acts.len() > FEW + 1 => format!("{} and do {} more destroying acts", few.join(", "), acts.len() - FEW),
        Some(_) | None => acts.join(", "),
    }
}

pub(super) fn every(acts: &BTreeSet<&str>) -> String {
    acts.iter().copied().collect::<Vec<_>>().join(", ")
}

impl<'a> Can<'a> {
    /// `can delete versions; can delete objects only if ...`
    pub(super) fn says(&self, list: fn(&BTreeSet<&str>) -> String) -> String {
        let told = self.does.iter().map(|(when, acts)| match when.as_str() {
            "" => format!("can {}", list(acts)),
            when => format!("can {} only if {when}", list(acts)),
        });
        let told = told.collect::<Vec<_>>().join("; ");
        let unless = if self.unless.is_empty() {
            String::new()
        } else {
            let layers = self.unless.iter().copied().collect::<Vec<_>>().join(" or ");
            format!(", unless {layers} forbids it (not readable from here)")
        };
        format!("{told} ({}){unless}", self.by())
    }

    fn by(&self) -> String {
        self.by.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
    }

    fn add(&mut self, other: Self) {
        for (mine, theirs) in [(&mut self.does, other.does), (&mut self.unclear, other.unclear)] {
            theirs.into_iter().for_each(|(when, acts)| mine.entry(when).or_default().extend(acts));
        }
        other.unread.into_iter().for_each(|(layer, acts)| self.unread.entry(layer).or_default().extend(acts));
        self.by.extend(other.by);
        self.unless.extend(other.unless);
        self.tidy();
    }

    /// What can be done in any case need not be told with conditions.
    fn tidy(&mut self) {
        let plain = self.does.get("").cloned().unwrap_or_default();
        for (when, acts) in self.does.iter_mut().chain(&mut self.unclear) {
            if !when.is_empty() {
                acts.retain(|act| !plain.contains(act));
            }
        }
        let told: BTreeSet<&str> = self.does.values().flatten().copied().collect();
        self.unclear.values_mut().chain(self.unread.values_mut()).for_each(|acts| acts.retain(|act| !told.contains(act)));
        self.does.retain(|_, acts| !acts.is_empty());
        self.unclear.retain(|_, acts| !acts.is_empty());
        self.unread.retain(|_, acts| !acts.is_empty());
    }

    fn note(&mut self, can: &'a str, when: String, way: &Way<'_>) {
        let missing = way.unless.iter().find(|layer| unless(**layer).is_none());
        self.by.extend(way.grants.iter().filter(|by| by.statement.is_some()).map(ToString::to_string));
        self.unless.extend(way.unless.iter().filter_map(|layer| unless(*layer)));
        match missing {
            Some(layer) => self.unread.entry(*layer).or_default().insert(can),
            None => self.does.entry(when).or_default().insert(can),
        };
    }

    /// Why it is not known what else can be done.
    fn doubts(&self, set: Option<&PolicySet>) -> Vec<Gap> {
        let by = self.by();
        let unclear = self
            .unclear
            .iter()
            .map(|(when, acts)| not_evaluated(&format!("can {} if {when}, which cannot be told ({by})", worst(acts))));
        let unread = self.unread.iter().map(|(layer, acts)| {
            let what = if *layer == LayerName::Resource { "the bucket policy".to_owned() } else { layer.to_string() };
            let detail = format!("can {} ({by}), unless {what}, which could not be read, forbids it", worst(acts));
            // The gap of a boundary names the permission that would help.
            let boundary = set.and_then(|set| set.boundary.as_ref()).and_then(|(_, read)| read.as_ref().err());
            match boundary.filter(|_| *layer == LayerName::Boundary) {
                Some(gap) => gap.clone().with_detail(detail),
                None => not_evaluated(&detail),
            }
        });
        unclear.chain(unread).collect()
    }
}

/// Of a layer that is never read here: how it is called. The others are read, or their gap decides.
fn unless(layer: LayerName) -> Option<&'static str> {
    match layer {
        LayerName::Scp => Some("an SCP"),
        LayerName::Rcp => Some("an RCP"),
        LayerName::PublicAccessBlock => Some("Block Public Access"),
        LayerName::Resource
        | LayerName::KeyGrant
        | LayerName::Acl
        | LayerName::Identity
        | LayerName::Boundary
        | LayerName::Session
        | LayerName::Endpoint
        | LayerName::Protected => None,
    }
}

impl Check for S3BucketLeastPrivilege {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        std::iter::once(Demand::unit(&[BucketPolicy::SPEC])).chain(principals::demands()).collect()
    }

    fn problems(&self) -> Vec<String> {
        problems(self.actions.as_deref(), &self.allowed)
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
        let policy = policy.as_ref().map(Option::as_ref);
        let bucket = Bucket {
            arn: &arn,
            own,
            title: TITLE,
            policy: policy.flatten(),
            guards: guards(policy),
            asks: self.asks(&arn, fed),
            reach: Some(self.actions.is_none()),
            accept: self.accept.iter().map(|accept| accept.topic()).collect(),
            allowed: self.allowed.iter().map(|glob| Pattern::new(glob, Case::Sensitive)).collect(),
        };
        let mut found = Found::default();
        let account = view.principals().of_account(&unit.account);
        let everyone = bucket.grants(account, &mut found);
        match account {
            Some(account) => {
                account.gaps.iter().for_each(|gap| tally.gap(gap.clone()));
                bucket.holders(account, &everyone, &mut found);
                tally.pass::<UserPermissions>(unit, format!("{} principals", account.holders.len()), "only allowed principals");
            }
            None => tally.gap(Gap::not_collected(UserPermissions::SPEC)),
        }
        for (subject, (who, can)) in &found.can {
            let _ = tally
                .fail::<UserPermissions>(unit, format!("{who} {}", can.says(worst)), can.says(every), "only allowed principals")
                .subject(subject);
        }
        found.doubts.into_gaps().for_each(|gap| tally.gap(gap));
        tally.finish()
    }
}

/// What is wrong with lists of actions and of allowed principals.
pub(super) fn problems(actions: Option<&[String]>, allowed: &[String]) -> Vec<String> {
    let known = |asked: &&String| {
        let asked = Pattern::new(asked, Case::Insensitive);
        destroying_actions().iter().any(|row| row.action.starts_with("s3:") && asked.matches(row.action))
    };
    let none = actions.filter(|actions| actions.is_empty());
    let none = none.map(|_| "`actions` of nothing asks for nothing; leave it out to ask for every destroying action".to_owned());
    let bad = actions.into_iter().flatten().filter(|action| !known(action));
    let bad = bad.map(|action| {
        format!("`{action}` is no IAM action of S3 that destroys, such as s3:DeleteObjectVersion or s3:PutLifecycleConfiguration")
    });
    let names =
        |glob: &&String| glob.contains(['/', '*', ':']) || glob.len() == 12 && glob.bytes().all(|byte| byte.is_ascii_digit());
    let nobody = allowed.iter().filter(|glob| !names(glob));
    none.into_iter()
        .chain(bad)
        .chain(nobody.map(|glob| format!("`{glob}` under `allowed` names nobody; write an ARN, or for example `role/{glob}`")))
        .collect()
}

impl S3BucketLeastPrivilege {
    fn asks<'a>(&self, arn: &str, fed_by_replication: bool) -> Vec<Ask<'a>> {
        let (bucket, objects) = (Target::One(arn).pattern(), Target::ObjectsOf(arn).pattern());
        let named: Option<Vec<Pattern>> =
            self.actions.as_ref().map(|list| list.iter().map(|action| Pattern::new(action, Case::Insensitive)).collect());
        let rows = destroying_actions().iter().filter(|row| row.action.starts_with("s3:"));
        rows.filter_map(|row| {
            let can = match &named {
                Some(list) if list.iter().any(|action| action.matches(row.action)) => row.action,
                Some(_) => return None,
                None if fed_by_replication && row.action.starts_with("s3:Replicate") => return None,
                None => verb(row.capability),
            };
            let targets = match row.resource {
                ResourceKind::Object => vec![objects.clone()],
                ResourceKind::Bucket => vec![bucket.clone()],
                _elsewhere if named.is_some() => vec![bucket.clone(), objects.clone()],
                ResourceKind::Key | ResourceKind::Account | ResourceKind::Organization | ResourceKind::Other => return None,
            };
            Some(Ask { action: row.action, can, targets })
        })
        .collect()
    }
}

const TITLE: &str = "the bucket policy";

/// `None`: the bucket policy could not be read.
fn guards(policy: Option<Option<&Document>>) -> Guards<'_> {
    let resource = match policy {
        None => Layer::Unread(Vec::new()),
        Some(None) => Layer::None,
        Some(Some(document)) => Layer::Docs(vec![Named { name: TITLE, document }]),
    };
    let bucket = lastcopy_iam::Bucket { restrict_public: Setting::Unread, ..lastcopy_iam::Bucket::default() };
    Guards { resource, rcps: Layer::Unread(Vec::new()), bucket, ..Guards::default() }
}

/// Who can, by subject, and what is not known about whom.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub(super) can: BTreeMap<String, (String, Can<'a>)>,
    pub(super) doubts: Doubts,
}

fn not_evaluated(why: &str) -> Gap {
    Gap::new(Why::NotEvaluated, AUTHORIZATION).with_detail(why)
}

/// The bucket, or its key, as a question to its account.
pub(super) struct Bucket<'a> {
    pub(super) arn: &'a str,
    /// The number of its account.
    pub(super) own: &'a str,
    /// What its policy is called in `guards`.
    pub(super) title: &'static str,
    /// `None`: there is none, or it could not be read.
    pub(super) policy: Option<&'a Document>,
    pub(super) guards: Guards<'a>,
    pub(super) asks: Vec<Ask<'a>>,
    /// Holders whose policies reach nothing in S3 like it need not be asked; whether only destroying actions count as reach.
    pub(super) reach: Option<bool>,
    pub(super) accept: Vec<Topic>,
    pub(super) allowed: Vec<Pattern>,
}

impl<'a> Bucket<'a> {
    fn ask(&self, caller: Caller<'_>, policies: &Policies<'_>, named: bool, everyone: &Can<'a>) -> Can<'a> {
        let (mut can, context) = (Can::default(), Context::open());
        for ask in &self.asks {
            for target in &ask.targets {
                let question =
                    Question { caller, action: ask.action, target, resource_account: Some(self.own), context: &context };
                let mut ways = match may(&question, policies, &self.guards) {
                    // The gaps of what could not be read are noted where it was read.
                    May::No(_) | May::Unknown(_) => continue,
                    May::Yes(way) => vec![way],
                    May::OnlyIf(ways) => ways,
                };
                if named {
                    ways.iter_mut().for_each(|way| way.conditions.retain(|clause| !matches!(clause, Clause::Names(_))));
                }
                self.weigh(ask.can, &ways, everyone, &mut can);
            }
        }
        can.tidy();
        can
    }

    fn weigh(&self, act: &'a str, ways: &[Way<'_>], everyone: &Can<'a>, can: &mut Can<'a>) {
        let of = |kind| ways.iter().filter(move |way| limit(way, &self.accept) == kind);
        let when = |ways: &[&Way<'_>]| {
            let mut texts: Vec<String> = ways.iter().map(|way| conditions(way)).collect();
            texts.dedup();
            let more = texts.len().saturating_sub(FEW);
            texts.truncate(FEW);
            let told = texts.join(", or ");
            if more == 0 { told } else { format!("{told}, or in {more} more ways") }
        };
        let open: Vec<&Way<'_>> = of(Limit::Open).collect();
        let Some(least) = open.iter().min_by_key(|way| way.conditions.len()) else {
            let unclear: Vec<&Way<'_>> = of(Limit::Unclear).collect();
            if let Some(first) = unclear.first() {
                can.unclear.entry(when(&unclear)).or_default().insert(act);
                can.by.extend(first.grants.iter().filter(|by| by.statement.is_some()).map(ToString::to_string));
            }
            return;
        };
        let when = if least.conditions.is_empty() { String::new() } else { when(&open) };
        // What everybody can is told once.
        let to_all = least.grants.iter().all(|by| by.statement.is_some_and(|statement| statement.principals.anyone()));
        if !(to_all && everyone.does.get(&when).is_some_and(|acts| acts.contains(act))) {
            can.note(act, when, least);
        }
    }

    fn is_allowed(&self, who: &str) -> bool {
        self.allowed.iter().any(|glob| aliases(who, self.own).iter().any(|alias| glob.matches(alias)))
    }

    /// What the users and roles of the account can. Groups are nobody.
    pub(super) fn holders(&self, account: &AccountPrincipals, everyone: &Can<'a>, found: &mut Found<'a>) {
        let by_caller = self.policy.is_some_and(tells_callers_apart);
        let apart: Vec<bool> = account.sets.iter().map(|set| by_caller || set.tells_holders_apart()).collect();
        // Holders with the same policies get the same answer, unless a document tells them apart.
        let mut answers: HashMap<(usize, Kind, bool), Can<'a>> = HashMap::new();
        for holder in account.holders.iter().filter(|holder| holder.id.kind != Kind::IamGroup) {
            let Some(set) = account.set_of(holder) else { continue };
            let (who, arn) = (holder.label(), holder.arn.as_deref().unwrap_or_default());
            let caller = Caller::Aws { arn, account: arn.split(':').nth(4).unwrap_or_default() };
            let given = self.policy.is_some_and(|doc| names_directly(doc, &caller));
            if set.gaps.is_empty() && !given && self.reach.is_some_and(|destroying| !set.may_reach(self.arn, destroying)) {
                continue;
            }
            if holder.is_among(&self.allowed) {
                assumers(holder, self, found);
                continue;
            }
            if set.doubts().next().is_some() {
                set.doubts().for_each(|gap| found.doubts.add(gap.clone(), &who));
                continue;
            }
            let own = apart.get(holder.set).is_none_or(|apart| *apart) || self.policy.is_some_and(|doc| mentions(doc, &caller));
            let can = if own {
                self.ask(caller, &set.policies(), false, everyone)
            } else {
                let key = (holder.set, holder.id.kind, caller.is_service_linked());
                answers.entry(key).or_insert_with(|| self.ask(caller, &set.policies(), false, everyone)).clone()
            };
            can.doubts(Some(set)).into_iter().for_each(|gap| found.doubts.add(gap, &who));
            if !can.does.is_empty() {
                found.can.insert(arn.to_owned(), (who, can));
            }
        }
    }

    /// What the bucket policy itself gives to those it names. Returns what everybody can.
    pub(super) fn grants(&self, account: Option<&AccountPrincipals>, found: &mut Found<'a>) -> Can<'a> {
        let mut everyone = Can::default();
        let mut list = self.policy.map(|doc| grantees(doc, self.own)).unwrap_or_default();
        list.sort_by_key(|grantee| grantee.kind);
        for grantee in &list {
            if self.is_allowed(&grantee.name) {
                continue;
            }
            let mut can = Can::default();
            for caller in grantee.callers() {
                if grantee.kind == GranteeKind::Own {
                    self.own_grantee(grantee, caller, account, &everyone, &mut can, found);
                } else {
                    can.add(self.ask(caller, &grantee.policies(), grantee.kind == GranteeKind::Unseen, &everyone));
                }
            }
            can.by.retain(|by| by.ends_with(self.title));
            can.doubts(None).into_iter().for_each(|gap| found.doubts.add(gap, &grantee.name));
            if grantee.kind == GranteeKind::Everyone {
                everyone.add(can.clone());
            }
            if !can.does.is_empty() {
                found.can.insert(grantee.name.clone(), (grantee.name.clone(), can));
            }
        }
        everyone
    }

    /// A user or role whose policies were read is asked with them, elsewhere. What is left is a session, or somebody who is not
    /// in the list.
    fn own_grantee(
        &self,
        grantee: &Grantee,
        caller: Caller<'_>,
        account: Option<&AccountPrincipals>,
        everyone: &Can<'a>,
        can: &mut Can<'a>,
        found: &mut Found<'a>,
    ) {
        let label = label(&grantee.name);
        let holders = || account.into_iter().flat_map(|account| &account.holders);
        if holders().any(|holder| holder.arn.as_deref() == Some(&grantee.name)) {
            return;
        }
        let holder = holders().find(|holder| holder.label() == label);
        let set = holder.and_then(|holder| account.and_then(|account| account.set_of(holder)));
        let none = PolicySet::default();
        let asked = self.ask(caller, &set.unwrap_or(&none).policies(), false, everyone);
        let whole = account.is_some_and(|account| account.gaps.is_empty()) && set.is_none_or(|set| set.doubts().next().is_none());
        if whole {
            can.add(asked);
        } else if !asked.does.is_empty() {
            let detail = format!("{}, unless its own policies, which could not be read, forbid it", asked.says(worst));
            found.doubts.add(not_evaluated(&detail), &grantee.name);
        }
    }
}

/// `user/bob` or `role/ops` of an ARN, of a session too.
fn label(arn: &str) -> String {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let mut parts = resource.split('/');
    match (parts.next(), parts.clone().next(), parts.next_back()) {
        (Some("assumed-role"), Some(role), _) => format!("role/{role}"),
        (Some("federated-user"), _, Some(name)) => format!("user/{name}"),
        (Some(kind), _, Some(name)) => format!("{kind}/{name}"),
        _other => resource.to_owned(),
    }
}

fn conditions(way: &Way<'_>) -> String {
    way.conditions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// Whoever may assume an allowed role can do what it can. Who that is depends on trust, which is not evaluated here.
fn assumers(role: &Holder, bucket: &Bucket<'_>, found: &mut Found<'_>) {
    let trust = match &role.trust {
        None => return,
        Some(Err(gap)) => return found.doubts.add(gap.clone(), &role.label()),
        Some(Ok(trust)) => trust,
    };
    for trusted in who_can_assume(&trust.document, bucket.own) {
        let who = trusted.principal.to_string();
        // A service acts for whoever set it up; these hand sessions to machines and devices outside AWS.
        let lends = |name: &str| ["rolesanywhere.", "credentials.iot.", "ssm."].iter().any(|service| name.starts_with(service));
        let of_aws = |name: &str| name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn");
        let known = matches!(&trusted.principal, Principal::Service(name) if of_aws(name) && !name.contains('*') && !lends(name));
        if known || bucket.is_allowed(&who) {
            continue;
        }
        let doubt = format!("may be assumed by {who} (trust policy, {}), who is not among `allowed`", trusted.statement);
        found.doubts.add(not_evaluated(&doubt), &role.label());
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

pub(super) fn verb(capability: Capability) -> &'static str {
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
