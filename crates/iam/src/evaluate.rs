//! The engine behind both questions: may this request pass, and under what.
//!
//! It must never allow what a statement surely denies, and never deny for what is only unknown: a layer that only takes away
//! and could not be read is named in `unless`, one that grants and could not be read makes the answer unknown.
//!
//! The order and the rules are those of
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>,
//! across accounts of <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>.
//!
//! The order in which layers decide is one argument from top to bottom; it is kept in one file so that it can be read against
//! those pages.

use crate::actions;
use crate::context::{Context, Keys};
use crate::layer::{Deciding, Grantee, Guards, Layer, LayerName, Level, Named, Policies, Setting};
use crate::model::{Effect, Operator};
use crate::principal::{By, Caller, Form};
use crate::public;
use crate::statement::{Asked, Clause, Fit, Place, Probe, Topic};

/// Who wants to do what to which resource.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who.
    pub caller: Caller<'a>,
    /// The IAM action, `s3:DeleteObject`; any case, no wildcards.
    pub action: &'a str,
    /// The resource's ARN, or `*` for actions that have none.
    pub resource: &'a str,
    /// The account that owns the resource. `None`: as its ARN says, or else the caller's.
    pub resource_account: Option<&'a str>,
    /// The condition keys.
    pub context: &'a Context,
}

/// One way in which a request passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way<'a> {
    /// What grants it: of the resource's policy, of the principal's, or both.
    pub grants: Vec<Deciding<'a>>,
    /// What must hold besides; none: it passes.
    pub conditions: Vec<Clause<'a>>,
    /// Layers that could not be read and might take it away.
    pub unless: Vec<LayerName>,
}

impl Way<'_> {
    /// Does it need a layer to grant that could not be read?
    #[must_use]
    pub fn hangs_on_unread(&self) -> bool {
        self.conditions.iter().any(|clause| matches!(clause, Clause::Unread(_)))
    }
}

/// What the policies say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    /// In these ways, the least conditional first.
    Passes(Vec<Way<'a>>),
    /// Statements deny it, in the order of AWS's evaluation.
    Refused(Vec<Deciding<'a>>),
    /// Nothing allows it: these layers lack it.
    Lacking(Vec<LayerName>),
}

/// How the policy of a resource and those of the principal share the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharing {
    /// Either may grant, within one account.
    Either,
    /// The resource's policy must name the principal, or leave it to the account: keys and roles.
    ResourceDecides,
}

/// What one layer says.
#[derive(Debug, Default)]
struct Says<'a> {
    denies: Option<Deciding<'a>>,
    perhaps_denies: Vec<(Deciding<'a>, Vec<Clause<'a>>)>,
    allows: Vec<Allow<'a>>,
}

#[derive(Debug, Clone)]
struct Allow<'a> {
    by: By,
    deciding: Deciding<'a>,
    clauses: Vec<Clause<'a>>,
}

/// Evaluates a request, whose resource may be many.
pub(crate) fn weigh<'a>(request: &Request<'_>, asked: Asked<'_>, policies: &Policies<'a>, guards: &Guards<'a>) -> Outcome<'a> {
    Weighing::new(request, asked, policies, guards).outcome()
}

struct Weighing<'a, 'q> {
    request: &'q Request<'q>,
    policies: &'q Policies<'a>,
    guards: &'q Guards<'a>,
    probe: Probe<'q>,
    same_account: bool,
    /// The object is another account's than the bucket.
    foreign: bool,
    sharing: Sharing,
}

/// The layers that only limit, as far as they bear on this caller.
struct Limits<'a> {
    boundary: Option<Says<'a>>,
    session: Option<Says<'a>>,
    scps: Vec<Says<'a>>,
    rcps: Vec<Says<'a>>,
    endpoint: Option<Says<'a>>,
}

impl<'a, 'q> Weighing<'a, 'q> {
    fn new(request: &'q Request<'q>, asked: Asked<'q>, policies: &'q Policies<'a>, guards: &'q Guards<'a>) -> Self {
        let own = request.caller.account();
        let account = owner(request);
        // Where ACLs are on, an object is its writer's: the bucket's policy gives nothing on it, though its owner may delete it.
        // See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>.
        let foreign = guards.bucket.object_owner.filter(|_| !is_delete(request.action));
        let keys = Keys { context: request.context, caller: request.caller, resource_account: account };
        let bounded = !matches!(policies.boundary, Layer::None);
        let probe = Probe { action: request.action, asked, keys, bounded };
        let same_account = own.is_some() && own == foreign.or(account);
        Self { request, policies, guards, probe, same_account, foreign: foreign.is_some(), sharing: sharing(request) }
    }

    fn outcome(&self) -> Outcome<'a> {
        if self.request.action.eq_ignore_ascii_case("sts:GetCallerIdentity") {
            // See <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.
            return Outcome::Passes(vec![Way { grants: Vec::new(), conditions: Vec::new(), unless: Vec::new() }]);
        }
        let lasting = matches!(self.request.caller.form(), Form::Root | Form::User(_));
        if lasting && self.request.action.eq_ignore_ascii_case("sts:GetSessionToken") {
            // See <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html>.
            return Outcome::Passes(vec![Way { grants: Vec::new(), conditions: Vec::new(), unless: Vec::new() }]);
        }
        if is_protected(self.request) {
            return Outcome::Lacking(vec![LayerName::Protected]);
        }
        let aws = self.has_policies();
        let mut identity = if aws { self.docs(&self.policies.identity, LayerName::Identity) } else { Says::default() };
        let mut resource = self.docs(&self.guards.resource, LayerName::Resource);
        if self.policies.lifted {
            identity.denies = None;
            identity.perhaps_denies.clear();
        }
        if self.is_root() && self.same_account && is_policy_rescue(self.request.action) {
            // See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html>.
            resource.denies = None;
            resource.perhaps_denies.clear();
        }
        if self.foreign {
            resource.allows.clear();
        }
        let limits = self.limits(aws);
        let refused = self.refusals(&limits, &resource, &identity);
        if !refused.is_empty() {
            return Outcome::Refused(refused);
        }
        self.add_unread_and_implicit(aws, &mut identity, &mut resource);
        let blocked = self.restrict_public(&mut resource);
        self.ways(&limits, &resource, &identity, blocked)
    }

    fn limits(&self, aws: bool) -> Limits<'a> {
        let bound = aws && !self.request.caller.is_service_linked();
        let present = |layer: &Layer<Vec<Named<'a>>>, name| match layer {
            Layer::None => None,
            Layer::Docs(_) | Layer::Unread(_) => Some(self.docs(layer, name)),
        };
        let session = if aws { present(&self.policies.session, LayerName::Session) } else { None };
        Limits {
            boundary: if bound { present(&self.policies.boundary, LayerName::Boundary) } else { None },
            session,
            scps: if bound { self.levels(&self.policies.scps, LayerName::Scp) } else { Vec::new() },
            rcps: if self.bound_by_rcps() { self.levels(&self.guards.rcps, LayerName::Rcp) } else { Vec::new() },
            endpoint: present(&self.guards.endpoint, LayerName::Endpoint),
        }
    }

    /// Of the services that RCPs do not cover, none is bound by them.
    fn bound_by_rcps(&self) -> bool {
        !self.request.caller.is_service_linked() && actions::is_under_rcps(service(self.request.action))
    }

    fn refusals(&self, limits: &Limits<'a>, resource: &Says<'a>, identity: &Says<'a>) -> Vec<Deciding<'a>> {
        let levels = limits.rcps.iter().chain(&limits.scps);
        let rest = [Some(resource), Some(identity), limits.boundary.as_ref(), limits.session.as_ref(), limits.endpoint.as_ref()];
        levels.chain(rest.into_iter().flatten()).filter_map(|says| says.denies).collect()
    }

    fn docs(&self, layer: &Layer<Vec<Named<'a>>>, name: LayerName) -> Says<'a> {
        layer.read().map_or_else(Says::default, |docs| self.says(docs, name, None))
    }

    fn levels(&self, levels: &Layer<Vec<Level<'a>>>, name: LayerName) -> Vec<Says<'a>> {
        levels.read().into_iter().flatten().map(|level| self.says(&level.policies, name, Some(level.id))).collect()
    }

    fn says(&self, docs: &[Named<'a>], layer: LayerName, level: Option<&'a str>) -> Says<'a> {
        let place = match layer {
            LayerName::Resource if self.sharing == Sharing::ResourceDecides && is_trust(self.request) => Place::Trust,
            LayerName::Resource | LayerName::Rcp | LayerName::Endpoint => Place::Resource,
            LayerName::Scp
            | LayerName::Identity
            | LayerName::Boundary
            | LayerName::Session
            | LayerName::KeyGrant
            | LayerName::Acl
            | LayerName::PublicAccessBlock
            | LayerName::Protected => Place::Principal,
        };
        let mut out = Says::default();
        let mut sure = false;
        for named in docs {
            for statement in &named.document.statements {
                // One sure Allow is enough, where it does not matter how it names the caller.
                if sure && statement.effect == Effect::Allow {
                    continue;
                }
                let deciding = Deciding { layer, level, policy: named.name, statement: Some(statement) };
                let Fit::If(by, clauses) = self.probe.fit(statement, named.document.version, place, deciding) else { continue };
                match statement.effect {
                    Effect::Allow => {
                        sure |= clauses.is_empty() && (layer != LayerName::Resource || by == By::Direct);
                        out.allows.push(Allow { by, deciding, clauses });
                    }
                    Effect::Deny if clauses.is_empty() => out.denies = out.denies.or(Some(deciding)),
                    Effect::Deny => out.perhaps_denies.push((deciding, clauses)),
                }
            }
        }
        out
    }

    /// A user, role or session, which policies of its own account bind.
    fn has_policies(&self) -> bool {
        matches!(self.request.caller, Caller::Aws { .. } | Caller::Someone { .. })
    }

    fn is_root(&self) -> bool {
        self.request.caller.form() == Form::Root
    }

    /// What grants without a statement that was read.
    fn add_unread_and_implicit(&self, aws: bool, identity: &mut Says<'a>, resource: &mut Says<'a>) {
        let plain = |layer, policy| Deciding { layer, level: None, policy, statement: None };
        let unread = |layer| Allow {
            by: By::Direct,
            deciding: plain(layer, "what could not be read"),
            clauses: vec![Clause::Unread(layer)],
        };
        if aws && self.is_root() {
            let deciding = plain(LayerName::Identity, "the root user's own rights");
            identity.allows.push(Allow { by: By::Direct, deciding, clauses: Vec::new() });
        } else if aws && self.policies.identity.is_unread() {
            identity.allows.push(unread(LayerName::Identity));
        }
        if self.guards.resource.is_unread() {
            resource.allows.push(unread(LayerName::Resource));
        }
        self.add_key_grants(resource, unread(LayerName::KeyGrant));
        if !self.same_account {
            for grant in self.guards.bucket.acl.read().into_iter().flatten() {
                let to = match grant.to {
                    Grantee::Everyone => true,
                    Grantee::Authenticated => aws,
                    Grantee::Account(account) => self.request.caller.account() == Some(account),
                };
                if to && grant.action.eq_ignore_ascii_case(self.request.action) {
                    let deciding = plain(LayerName::Acl, "an ACL");
                    resource.allows.push(Allow { by: By::Direct, deciding, clauses: Vec::new() });
                }
            }
            if self.guards.bucket.acl.is_unread()
                && is_of(self.request.action, "s3")
                && !matches!(self.request.caller, Caller::Service(_))
            {
                resource.allows.push(unread(LayerName::Acl));
            }
        }
    }

    /// See <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>.
    fn add_key_grants(&self, resource: &mut Says<'a>, unread: Allow<'a>) {
        if !is_of(self.request.action, "kms") {
            return;
        }
        let operation = self.request.action.split_once(':').map_or("", |(_, operation)| operation);
        for grant in self.guards.key_grants.read().into_iter().flatten() {
            let arn = match self.request.caller {
                Caller::Aws { arn, .. } => arn,
                Caller::Service(name) => name,
                Caller::Someone { .. } | Caller::Federated(_) | Caller::Anonymous => break,
            };
            let named = crate::principal::Principal::aws(grant.grantee);
            let to = grant.grantee == arn || crate::principal::Principals::Any(vec![named]).gives(&self.request.caller).is_some();
            if to && grant.operations.iter().any(|granted| granted.eq_ignore_ascii_case(operation)) {
                let deciding = Deciding { layer: LayerName::KeyGrant, level: None, policy: grant.id, statement: None };
                let clauses = if grant.constrained { vec![Clause::Form(deciding)] } else { Vec::new() };
                if clauses.is_empty() || self.request.context.is_open() {
                    resource.allows.push(Allow { by: By::Direct, deciding, clauses });
                }
            }
        }
        if self.guards.key_grants.is_unread() && is_grantable(operation) {
            resource.allows.push(unread);
        }
    }

    /// `RestrictPublicBuckets`: a public policy gives nothing to outsiders who are no AWS service.
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>.
    fn restrict_public(&self, resource: &mut Says<'a>) -> Blocked {
        let setting = self.guards.bucket.restrict_public;
        if setting == Setting::Off || self.same_account || matches!(self.request.caller, Caller::Service(_)) {
            return Blocked::default();
        }
        let documents = || self.guards.resource.read().into_iter().flatten().map(|named| named.document);
        if !documents().any(public::is_public) {
            return Blocked::default();
        }
        let setting = if documents().any(public::is_surely_public) { setting } else { Setting::Unread };
        let given =
            resource.allows.iter().any(|allow| allow.deciding.layer == LayerName::Resource && allow.deciding.statement.is_some());
        if setting == Setting::On {
            resource.allows.retain(|allow| allow.deciding.layer != LayerName::Resource || allow.deciding.statement.is_none());
        }
        Blocked { on: given && setting == Setting::On, perhaps: given && setting == Setting::Unread }
    }

    fn ways(&self, limits: &Limits<'a>, resource: &Says<'a>, identity: &Says<'a>, blocked: Blocked) -> Outcome<'a> {
        let mut tried = self.pairs(resource, identity);
        tried.sort_by_key(|pair| pair.clauses.len());
        let mut ways: Vec<Way<'a>> = Vec::new();
        let mut lacking: Option<Vec<LayerName>> = None;
        let perhaps: Vec<_> =
            [Some(resource), Some(identity), limits.boundary.as_ref(), limits.session.as_ref(), limits.endpoint.as_ref()]
                .into_iter()
                .flatten()
                .chain(&limits.scps)
                .chain(&limits.rcps)
                .flat_map(|says| &says.perhaps_denies)
                .collect();
        'tried: for pair in tried {
            let mut missing = Vec::new();
            let (alternatives, whole) = self.limit(limits, pair.limited, &mut missing);
            if !missing.is_empty() {
                if lacking.as_ref().is_none_or(|best| best.len() > missing.len()) {
                    lacking = Some(missing);
                }
                continue;
            }
            for alternative in alternatives {
                let given: Vec<Clause<'a>> = pair.clauses.iter().chain(&alternative).cloned().collect();
                let mut conditions = given.clone();
                let dead = perhaps.iter().any(|(deciding, clauses)| {
                    if whole && clauses.iter().all(|clause| given.iter().any(|other| implies(other, clause))) {
                        return true;
                    }
                    if !clauses.iter().any(avoidable) {
                        conditions.push(Clause::NotAll(*deciding, clauses.clone()));
                    }
                    false
                });
                if dead {
                    continue;
                }
                conditions.retain(|clause| !harmless(clause));
                conditions.dedup();
                let done = conditions.is_empty();
                ways.push(Way { grants: pair.grants.clone(), conditions, unless: self.unless(blocked) });
                if done || ways.len() == MOST_WAYS {
                    break 'tried;
                }
            }
        }
        if ways.is_empty() {
            return Outcome::Lacking(lacking.unwrap_or_else(|| self.missing(limits, resource, identity, blocked)));
        }
        ways.sort_by_key(|way| (way.hangs_on_unread(), way.conditions.len()));
        Outcome::Passes(ways)
    }

    /// Grants that together suffice.
    fn pairs(&self, resource: &Says<'a>, identity: &Says<'a>) -> Vec<Pair<'a>> {
        let alone = |allow: &Allow<'a>, limited| Pair { grants: vec![allow.deciding], clauses: allow.clauses.clone(), limited };
        let both = |a: &Allow<'a>, b: &Allow<'a>| Pair {
            grants: vec![b.deciding, a.deciding],
            clauses: a.clauses.iter().chain(&b.clauses).cloned().collect(),
            limited: true,
        };
        if !self.has_policies() {
            return resource.allows.iter().map(|allow| alone(allow, false)).collect();
        }
        if !self.same_account {
            return resource.allows.iter().flat_map(|a| identity.allows.iter().map(move |b| both(a, b))).collect();
        }
        let mut out = Vec::new();
        for allow in &resource.allows {
            match allow.by {
                By::Direct => out.push(alone(allow, false)),
                By::Role => out.push(alone(allow, true)),
                By::Account if self.sharing == Sharing::ResourceDecides => {
                    out.extend(identity.allows.iter().map(|b| both(allow, b)))
                }
                By::Account => {}
            }
        }
        if self.sharing == Sharing::Either {
            out.extend(identity.allows.iter().map(|allow| alone(allow, true)));
        }
        out
    }

    /// What the limiting layers ask for, in each of the ways in which they all allow, and whether those are all the ways; and
    /// which of the layers leave it out.
    fn limit(&self, limits: &Limits<'a>, limited: bool, missing: &mut Vec<LayerName>) -> (Vec<Vec<Clause<'a>>>, bool) {
        let (mut ways, mut whole) = (vec![Vec::new()], true);
        let mut ask = |says: &Says<'a>, unread: bool, name| {
            // What was not read of it may allow what the rest leaves out.
            if unread {
                return;
            }
            if says.allows.is_empty() {
                missing.push(name);
                return;
            }
            let mut allows: Vec<&Allow<'a>> = says.allows.iter().collect();
            allows.sort_by_key(|allow| allow.clauses.len());
            if allows.first().is_some_and(|allow| allow.clauses.is_empty()) {
                return;
            }
            whole &= ways.len() * allows.len() <= MOST_WAYS;
            let with = |way: &Vec<Clause<'a>>, allow: &Allow<'a>| way.iter().chain(&allow.clauses).cloned().collect();
            ways = allows.iter().flat_map(|allow| ways.iter().map(move |way| with(way, allow))).take(MOST_WAYS).collect();
        };
        if limited {
            if let Some(says) = &limits.boundary {
                ask(says, self.policies.boundary.is_unread(), LayerName::Boundary);
            }
            if let Some(says) = &limits.session {
                ask(says, self.policies.session.is_unread(), LayerName::Session);
            }
        }
        for says in &limits.scps {
            ask(says, self.policies.scps.is_unread(), LayerName::Scp);
        }
        if let Some(says) = &limits.endpoint {
            ask(says, self.guards.endpoint.is_unread(), LayerName::Endpoint);
        }
        missing.dedup();
        (ways, whole)
    }

    /// Which layers lack an Allow, where no grant was found.
    fn missing(&self, limits: &Limits<'a>, resource: &Says<'a>, identity: &Says<'a>, blocked: Blocked) -> Vec<LayerName> {
        let aws = self.has_policies();
        let mut out = Vec::new();
        let resource_needed = !self.same_account || self.sharing == Sharing::ResourceDecides;
        if resource.allows.is_empty() && resource_needed {
            out.push(if blocked.on { LayerName::PublicAccessBlock } else { LayerName::Resource });
        }
        if aws && identity.allows.is_empty() {
            out.push(LayerName::Identity);
        }
        self.limit(limits, true, &mut out);
        out
    }

    fn unless(&self, blocked: Blocked) -> Vec<LayerName> {
        let aws = self.has_policies();
        let linked = self.request.caller.is_service_linked();
        let unread = [
            (self.bound_by_rcps() && self.guards.rcps.is_unread(), LayerName::Rcp),
            (aws && !linked && self.policies.scps.is_unread(), LayerName::Scp),
            (self.guards.resource.is_unread(), LayerName::Resource),
            (blocked.perhaps, LayerName::PublicAccessBlock),
            (aws && self.policies.identity.is_unread(), LayerName::Identity),
            (aws && self.policies.boundary.is_unread(), LayerName::Boundary),
            (aws && self.policies.session.is_unread(), LayerName::Session),
            (self.guards.endpoint.is_unread(), LayerName::Endpoint),
        ];
        unread.into_iter().filter_map(|(unread, layer)| unread.then_some(layer)).collect()
    }
}

/// So many ways are kept; a further one would only add an alternative to those.
const MOST_WAYS: usize = 64;

#[derive(Debug, Clone, Copy, Default)]
struct Blocked {
    on: bool,
    perhaps: bool,
}

struct Pair<'a> {
    grants: Vec<Deciding<'a>>,
    clauses: Vec<Clause<'a>>,
    /// The boundary and the session policy bear on it.
    limited: bool,
}

/// Whether one that holds makes the other hold: the same comparison, with the same values or fewer.
fn implies(given: &Clause<'_>, asked: &Clause<'_>) -> bool {
    let (Clause::Condition(_, a), Clause::Condition(_, b)) = (given, asked) else { return false };
    let literal = |c: &crate::model::Condition| c.values.iter().all(|value| !value.as_str().contains("${"));
    let positive = !crate::condition::is_negated(&a.operator.name);
    a.operator == b.operator
        && !matches!(a.operator.name, Operator::Unknown(_))
        && a.key == b.key
        && literal(a)
        && literal(b)
        && (a.values == b.values || (positive && a.values.iter().all(|value| b.values.contains(value))))
}

/// A condition of a Deny that every caller can escape, by using TLS of the newest version.
fn avoidable(clause: &Clause<'_>) -> bool {
    let Clause::Condition(_, condition) = clause else { return false };
    match (condition.key.as_str(), &condition.operator.name) {
        ("aws:securetransport", Operator::Bool) => {
            condition.values.iter().all(|value| value.as_str().eq_ignore_ascii_case("false"))
        }
        ("s3:tlsversion", Operator::NumericLessThan) => true,
        _other => false,
    }
}

/// A condition that every caller can meet, by using TLS of the newest version.
fn harmless(clause: &Clause<'_>) -> bool {
    let Clause::Condition(_, condition) = clause else { return false };
    if Topic::of(&condition.key) != Topic::Transport || condition.operator.quantifier.is_some() {
        return false;
    }
    let tls = |value: &crate::model::Scalar| value.as_str().eq_ignore_ascii_case("true");
    condition.operator.name == Operator::NumericGreaterThanEquals
        || condition.operator.name == Operator::Bool && condition.values.iter().any(tls)
}

fn service(action: &str) -> &str {
    action.split_once(':').map_or("", |(service, _)| service)
}

fn is_of(action: &str, name: &str) -> bool {
    service(action).eq_ignore_ascii_case(name)
}

/// The account that owns the resource: as said, as its ARN says, or else the caller's.
pub(crate) fn owner<'a>(request: &Request<'a>) -> Option<&'a str> {
    // A pattern over accounts is of no account; within one's own, most is allowed.
    let digits = |account: &&str| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let in_arn = request.resource.split(':').nth(4).filter(|_| request.resource.starts_with("arn:")).filter(digits);
    request.resource_account.or(in_arn).or(request.caller.account())
}

pub(crate) fn is_trust(request: &Request<'_>) -> bool {
    is_of(request.action, "sts") && request.resource.contains(":role/")
}

fn sharing(request: &Request<'_>) -> Sharing {
    let key = is_of(request.action, "kms") && request.resource.contains(":key/");
    if key || is_trust(request) { Sharing::ResourceDecides } else { Sharing::Either }
}

fn is_delete(action: &str) -> bool {
    ["s3:DeleteObject", "s3:DeleteObjectVersion"].iter().any(|delete| delete.eq_ignore_ascii_case(action))
}

fn is_policy_rescue(action: &str) -> bool {
    ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"].iter().any(|rescue| rescue.eq_ignore_ascii_case(action))
}

/// The operations that a grant may hold.
/// See <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations>.
fn is_grantable(operation: &str) -> bool {
    const GRANTABLE: [&str; 17] = [
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateMac",
        "VerifyMac",
        "ReEncryptFrom",
        "ReEncryptTo",
        "Sign",
        "Verify",
        "GetPublicKey",
        "CreateGrant",
        "RetireGrant",
        "DescribeKey",
        "DeriveSharedSecret",
    ];
    GRANTABLE.iter().any(|name| name.eq_ignore_ascii_case(operation))
}

/// What AWS lets nobody change, whatever policies say: its own managed policies, and roles that a service keeps.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>,
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html> and
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>.
fn is_protected(request: &Request<'_>) -> bool {
    let Some(name) = request.action.get(..4).filter(|head| head.eq_ignore_ascii_case("iam:")).and(request.action.get(4..)) else {
        return false;
    };
    let is = |list: &[&str]| list.iter().any(|action| action.eq_ignore_ascii_case(name));
    let of_aws = request.resource.contains(":iam::aws:policy/");
    let reserved = request.resource.contains(":role/aws-reserved/");
    let linked = request.resource.contains(":role/aws-service-role/");
    (of_aws
        && is(&[
            "CreatePolicyVersion",
            "DeletePolicy",
            "DeletePolicyVersion",
            "SetDefaultPolicyVersion",
            "TagPolicy",
            "UntagPolicy",
        ]))
        || ((reserved || linked)
            && is(&[
                "AttachRolePolicy",
                "DetachRolePolicy",
                "PutRolePolicy",
                "DeleteRolePolicy",
                "UpdateAssumeRolePolicy",
                "DeleteRole",
                "PutRolePermissionsBoundary",
                "DeleteRolePermissionsBoundary",
            ]))
        // The description of a service-linked role can be changed.
        || (reserved && is(&["UpdateRole", "UpdateRoleDescription"]))
}
