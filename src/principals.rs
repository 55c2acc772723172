//! The principals of every account with their policies, parsed once.
//!
//! It must never leave out a principal whose policies could not be read or parsed: such a principal carries the gap.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use lastcopy_iam::destroy::{ResourceKind, destroying_actions};
use lastcopy_iam::grantees::tells_callers_apart;
use lastcopy_iam::{Actions, Case, Document, Effect, Layer, Named, Pattern, Policies, Resources};

use crate::demand::{Demand, On};
pub use crate::document::parse;
use crate::document::{MAX, gap};
use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::{Fact, FactId, Gap, Kind};
use crate::guardrails::{Guardrails, levels};
use crate::resources::FactType;
use crate::resources::account::organization_policies::OrganizationPolicies;
use crate::resources::iam_group::permissions::GroupPermissions;
use crate::resources::iam_policy::document::ManagedDocument;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::snapshot::Snapshot;

/// The facts that principals are made of, for a demand on an account.
pub const FACTS: &[FactId] = &[UserPermissions::SPEC, GroupPermissions::SPEC, RolePermissions::SPEC, ManagedDocument::SPEC];

/// What decides what the principals of an account can do: they, and what their organization forbids them.
pub fn demands() -> [Demand; 2] {
    [Demand::account(FACTS), rails()]
}

/// What the organization forbids.
pub fn rails() -> Demand {
    Demand::of(On::Managers, &[OrganizationPolicies::SPEC])
}

/// All principals.
#[derive(Debug, Default)]
pub struct Principals {
    accounts: BTreeMap<AccountKey, AccountPrincipals>,
}

/// The users, groups and roles of one account.
#[derive(Debug, Default)]
pub struct AccountPrincipals {
    pub holders: Vec<Holder>,
    /// Many holders share one set.
    pub sets: Vec<PolicySet>,
    /// Why the list of holders may not be whole.
    pub gaps: Vec<Gap>,
    /// What the organization forbids.
    pub rails: Arc<Guardrails>,
}

/// A user, group or role.
#[derive(Debug)]
pub struct Holder {
    pub id: ResourceId,
    /// `None`: its facts could not be read, and the path in its ARN is not known.
    pub arn: Option<String>,
    /// Its place in [`AccountPrincipals::sets`].
    pub set: usize,
    /// Of a role, who may assume it.
    pub trust: Option<Result<Arc<Parsed>, Gap>>,
}

impl Holder {
    /// Whether one of the globs is its ARN or its label. Never, when its facts could not be read.
    pub fn is_among(&self, globs: &[Pattern]) -> bool {
        let label = self.label();
        self.arn.as_deref().is_some_and(|arn| globs.iter().any(|glob| glob.matches(arn) || glob.matches(&label)))
    }

    /// `user/alice`, for a report.
    pub fn label(&self) -> String {
        format!("{}/{}", self.id.kind.as_str().trim_start_matches("iam-"), self.id.name)
    }
}

/// The policies in force on a holder.
#[derive(Debug, Default)]
pub struct PolicySet {
    pub held: Vec<Held>,
    /// The permissions boundary, where there is one.
    pub boundary: Option<(String, Result<Arc<Parsed>, Gap>)>,
    /// Policies that could not be read; they may allow or deny anything.
    pub gaps: Vec<Gap>,
    /// What the organization forbids all of the account.
    pub rails: Arc<Guardrails>,
}

/// One policy of a set.
#[derive(Debug)]
pub struct Held {
    /// Its ARN, or `inline policy NAME`.
    pub name: String,
    pub policy: Arc<Parsed>,
    /// The group that gives it.
    pub group: Option<String>,
}

impl Held {
    /// It lives inside its holder.
    pub fn is_inline(&self) -> bool {
        self.name.starts_with("inline policy ")
    }
}

/// A policy and whom it is in force on.
#[derive(Debug)]
pub struct InForce<'a> {
    pub held: &'a Held,
    pub holders: Vec<&'a Holder>,
}

impl InForce<'_> {
    /// What it says.
    pub fn document(&self) -> &Document {
        &self.held.policy.document
    }

    /// Written by AWS, not by the account.
    pub fn is_of_aws(&self) -> bool {
        self.held.name.contains(":iam::aws:policy/")
    }

    /// `inline policy own of user/alice`, or an ARN.
    pub fn title(&self) -> String {
        match self.holders.first() {
            Some(holder) if self.held.is_inline() => format!("{} of {}", self.held.name, holder.label()),
            Some(_) | None => self.held.name.clone(),
        }
    }

    /// Whom it is in force on, the first ten.
    pub fn whom(&self) -> String {
        let names: Vec<String> = self.holders.iter().take(10).map(|holder| holder.label()).collect();
        let more = self.holders.len() - names.len();
        if more == 0 { names.join(", ") } else { format!("{} and {more} more", names.join(", ")) }
    }

    /// What evidence is about: the holder of an inline policy, or the managed policy.
    pub fn resource(&self, account: &AccountKey) -> ResourceId {
        match self.holders.first() {
            Some(holder) if self.held.is_inline() => holder.id.clone(),
            Some(_) | None => ResourceId::new(account, Kind::IamPolicy, &self.held.name),
        }
    }
}

/// A document with the resources that its Allows may reach in S3.
#[derive(Debug)]
pub struct Parsed {
    pub document: Document,
    reach: Vec<Reach>,
}

#[derive(Debug)]
struct Reach {
    /// What the ARN of every resource begins with.
    prefix: String,
    /// An action on the list of destroying actions may be allowed, not only some other action of S3.
    destroying: bool,
}

impl Principals {
    /// From a snapshot.
    pub fn of(snapshot: &Snapshot, estate: &Estate) -> Self {
        let mut reader = Reader { snapshot, estate, texts: HashMap::new() };
        Self { accounts: snapshot.accounts.keys().map(|account| (account.clone(), reader.account(account))).collect() }
    }

    /// The principals of an account. `None`: nothing is known of the account.
    pub fn of_account(&self, account: &AccountKey) -> Option<&AccountPrincipals> {
        self.accounts.get(account)
    }
}

impl AccountPrincipals {
    /// Every policy in force on somebody who is not among `allowed`, and is not so itself, once each; what a group gives is the
    /// group's. Policies that could not be read are doubts.
    pub fn in_force(&self, allowed: &[Pattern], doubts: &mut Doubts) -> Vec<InForce<'_>> {
        let mut out: BTreeMap<(&str, Option<&ResourceId>), InForce<'_>> = BTreeMap::new();
        for holder in self.holders.iter().filter(|holder| !holder.is_among(allowed)) {
            let Some(set) = self.set_of(holder) else { continue };
            set.gaps.iter().for_each(|gap| doubts.add(gap.clone(), &holder.label()));
            for held in set.held.iter().filter(|held| held.group.is_none()) {
                if allowed.iter().any(|glob| glob.matches(&held.name)) {
                    continue;
                }
                let owner = held.is_inline().then_some(&holder.id);
                let entry = out.entry((&held.name, owner));
                entry.or_insert_with(|| InForce { held, holders: Vec::new() }).holders.push(holder);
            }
        }
        out.into_values().collect()
    }

    /// The policies of a holder.
    pub fn set_of(&self, holder: &Holder) -> Option<&PolicySet> {
        self.sets.get(holder.set)
    }
}

impl PolicySet {
    /// What is not known of them: their own policies, and what the organization forbids.
    pub fn doubts(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().chain(&self.rails.gap)
    }

    /// As the questions of `lastcopy-iam` want it.
    pub fn policies(&self) -> Policies<'_> {
        let docs = self.held.iter().map(|held| Named { name: &held.name, document: &held.policy.document }).collect();
        let boundary = match &self.boundary {
            None => Layer::None,
            Some((name, Ok(policy))) => Layer::Docs(vec![Named { name, document: &policy.document }]),
            Some((_, Err(_))) => Layer::Unread(Vec::new()),
        };
        Policies {
            identity: if self.gaps.is_empty() { Layer::Docs(docs) } else { Layer::Unread(docs) },
            boundary,
            session: Layer::None,
            scps: levels(&self.rails.scps),
            lifted: false,
        }
    }

    /// Whether something that was to be read and was not may take away what the rest gives.
    pub fn is_unread(&self) -> bool {
        self.doubts().next().is_some() || matches!(self.boundary, Some((_, Err(_))))
    }

    /// Whether two holders of the same kind who share these policies may get different answers.
    pub fn tells_holders_apart(&self) -> bool {
        let boundary = self.boundary.as_ref().and_then(|(_, read)| read.as_ref().ok());
        self.held.iter().map(|held| &held.policy).chain(boundary).any(|policy| tells_callers_apart(&policy.document))
    }

    /// Whether an Allow that was read can apply to the bucket or its objects. A quick no for most principals: it only
    /// compares how ARNs begin, and errs towards yes.
    pub fn may_reach(&self, bucket_arn: &str, destroying: bool) -> bool {
        self.held.iter().flat_map(|held| &held.policy.reach).any(|reach| {
            let inside = |rest: &str| rest.is_empty() || rest.starts_with('/');
            let meets = bucket_arn.starts_with(&reach.prefix) || reach.prefix.strip_prefix(bucket_arn).is_some_and(inside);
            meets && (reach.destroying || !destroying)
        })
    }
}

/// What is not known of principals. Equal gaps become one that names all whom it is about.
#[derive(Debug, Default)]
pub struct Doubts(BTreeMap<Gap, BTreeSet<String>>);

impl Doubts {
    /// Notes a gap about somebody.
    pub fn add(&mut self, gap: Gap, who: &str) {
        self.0.entry(gap).or_default().insert(who.to_owned());
    }

    /// One gap for each reason, with the first ten names.
    pub fn into_gaps(self) -> impl Iterator<Item = Gap> {
        self.0.into_iter().map(|(gap, who)| {
            let mut names = who.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
            if who.len() > 10 {
                names = format!("{names} and {} more", who.len() - 10);
            }
            let detail = match &gap.detail {
                Some(detail) => format!("{names}: {detail}"),
                None => format!("the policies of {names}"),
            };
            gap.with_detail(detail)
        })
    }
}

struct Reader<'s> {
    snapshot: &'s Snapshot,
    estate: &'s Estate,
    /// Equal texts are parsed once, over all accounts.
    texts: HashMap<&'s str, Result<Arc<Parsed>, String>>,
}

/// What a fact says about one holder.
struct Sources<'s> {
    arn: &'s str,
    inline: &'s [Inline],
    attached: &'s [String],
    groups: &'s [String],
    boundary: Option<&'s str>,
}

type SetKey = (Vec<(String, usize)>, Option<String>);

impl<'s> Reader<'s> {
    fn account(&mut self, account: &AccountKey) -> AccountPrincipals {
        let rails = Arc::new(Guardrails::over(account, self.estate, self.snapshot));
        let mut out = AccountPrincipals { rails: rails.clone(), ..AccountPrincipals::default() };
        let mut known: HashMap<SetKey, usize> = HashMap::new();
        for kind in [Kind::IamUser, Kind::IamGroup, Kind::IamRole] {
            let listing = self.snapshot.list(account, kind, &[AUTHORIZATION]);
            for gap in listing.gaps {
                if !out.gaps.contains(&gap) {
                    out.gaps.push(gap);
                }
            }
            for id in listing.items {
                let trust = self.trust(id);
                let (arn, mut set) = self.holder(id);
                set.rails = rails.clone();
                let at = match key(&set) {
                    Some(key) => *known.entry(key).or_insert(out.sets.len()),
                    None => out.sets.len(),
                };
                if at == out.sets.len() {
                    out.sets.push(set);
                }
                out.holders.push(Holder { id: id.clone(), arn, set: at, trust });
            }
        }
        out
    }

    fn holder(&mut self, id: &ResourceId) -> (Option<String>, PolicySet) {
        let mut set = PolicySet::default();
        let mut arn = None;
        match self.sources(id) {
            Ok(sources) => {
                arn = Some(if sources.arn.is_empty() { self.snapshot.arn(id) } else { sources.arn.to_owned() });
                self.collect(id, &sources, None, &mut set);
                for name in sources.groups {
                    let group = ResourceId::new(&id.account, Kind::IamGroup, name);
                    match self.sources(&group) {
                        Ok(sources) => self.collect(&group, &sources, Some(name), &mut set),
                        Err(gap) => set.gaps.push(about(gap, &format!("group {name}"))),
                    }
                }
                if let Some(boundary) = sources.boundary {
                    let read = self.managed(&id.account, boundary);
                    set.boundary = Some((boundary.to_owned(), read));
                }
            }
            Err(gap) => set.gaps.push(gap),
        }
        (arn, set)
    }

    fn trust(&mut self, id: &ResourceId) -> Option<Result<Arc<Parsed>, Gap>> {
        let Fact::Known(role) = self.snapshot.read::<RolePermissions>(id) else { return None };
        let of = |error| gap(RolePermissions::SPEC, format!("the trust policy of role {} is not valid: {error}", id.name));
        Some(self.parsed(&role.trust).map_err(of))
    }

    fn sources(&self, id: &ResourceId) -> Result<Sources<'s>, Gap> {
        let missing = |spec| gap(spec, format!("the answer says nothing of {} {}", id.kind, id.name));
        if id.kind == Kind::IamGroup {
            let found = self.snapshot.read::<GroupPermissions>(id).read()?.ok_or_else(|| missing(GroupPermissions::SPEC))?;
            Ok(Sources { arn: &found.arn, inline: &found.inline, attached: &found.attached, groups: &[], boundary: None })
        } else if id.kind == Kind::IamRole {
            let found = self.snapshot.read::<RolePermissions>(id).read()?.ok_or_else(|| missing(RolePermissions::SPEC))?;
            let boundary = found.boundary.as_deref();
            Ok(Sources { arn: &found.arn, inline: &found.inline, attached: &found.attached, groups: &[], boundary })
        } else {
            let found = self.snapshot.read::<UserPermissions>(id).read()?.ok_or_else(|| missing(UserPermissions::SPEC))?;
            let (groups, boundary) = (&found.groups, found.boundary.as_deref());
            Ok(Sources { arn: &found.arn, inline: &found.inline, attached: &found.attached, groups, boundary })
        }
    }

    fn collect(&mut self, id: &ResourceId, sources: &Sources<'s>, group: Option<&String>, set: &mut PolicySet) {
        for inline in sources.inline {
            let name = format!("inline policy {}", inline.name);
            match self.parsed(&inline.document) {
                Ok(policy) => set.held.push(Held { name, policy, group: group.cloned() }),
                Err(error) => set.gaps.push(gap(
                    UserPermissions::SPEC,
                    format!("{name} of {} {} is not a valid IAM policy document: {error}", id.kind, id.name),
                )),
            }
        }
        for arn in sources.attached {
            match self.managed(&id.account, arn) {
                Ok(policy) => set.held.push(Held { name: arn.clone(), policy, group: group.cloned() }),
                Err(gap) => set.gaps.push(gap),
            }
        }
    }

    fn managed(&mut self, account: &AccountKey, arn: &str) -> Result<Arc<Parsed>, Gap> {
        let id = ResourceId::new(account, Kind::IamPolicy, arn);
        match self.snapshot.read::<ManagedDocument>(&id) {
            Fact::Known(found) => self
                .parsed(&found.document)
                .map_err(|error| gap(ManagedDocument::SPEC, format!("{arn} is not a valid IAM policy document: {error}"))),
            Fact::Absent => Err(gap(ManagedDocument::SPEC, format!("the answer holds no document of {arn}"))),
            Fact::Unreadable(gap) => Err(about(*gap, &format!("the document of {arn}"))),
        }
    }

    fn parsed(&mut self, text: &'s str) -> Result<Arc<Parsed>, String> {
        let parse = || match Document::parse(text) {
            _ if text.len() > MAX => Err(format!("it has {} bytes, more than any provider takes", text.len())),
            Ok(document) => Ok(Arc::new(Parsed { reach: reach(&document), document })),
            Err(error) => Err(error.to_string()),
        };
        self.texts.entry(text).or_insert_with(parse).clone()
    }
}

fn about(gap: Gap, what: &str) -> Gap {
    if gap.detail.is_some() { gap } else { gap.with_detail(what.to_owned()) }
}

/// Holders with equal policies share a set; one with gaps has its own.
fn key(set: &PolicySet) -> Option<SetKey> {
    let held = set.held.iter().map(|held| {
        let name = format!("{}\n{}", held.name, held.group.as_deref().unwrap_or_default());
        (name, Arc::as_ptr(&held.policy).addr())
    });
    let boundary = set.boundary.as_ref().map(|(name, _)| name.clone());
    set.gaps.is_empty().then(|| (held.collect(), boundary))
}

fn reach(document: &Document) -> Vec<Reach> {
    let s3 = Pattern::new("s3:*", Case::Insensitive);
    let touches = |actions: &Actions, asked: &Pattern| match actions {
        Actions::In(list) => list.iter().any(|pattern| pattern.intersects(asked)),
        Actions::NotIn(_) => true,
    };
    let mut out = Vec::new();
    for statement in document.statements.iter().filter(|s| s.effect == Effect::Allow && touches(&s.actions, &s3)) {
        let destroying = destroying_in_s3().iter().any(|action| touches(&statement.actions, action));
        match &statement.resources {
            Resources::In(list) => out.extend(list.iter().map(|pattern| {
                let text = pattern.as_str();
                let end = text.find(['*', '?', '$']).unwrap_or(text.len());
                Reach { prefix: text.get(..end).unwrap_or_default().to_owned(), destroying }
            })),
            Resources::None | Resources::NotIn(_) => out.push(Reach { prefix: String::new(), destroying }),
        }
    }
    out
}

fn destroying_in_s3() -> &'static [Pattern] {
    static PATTERNS: OnceLock<Vec<Pattern>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let rows = destroying_actions().iter().filter(|row| matches!(row.resource, ResourceKind::Object | ResourceKind::Bucket));
        let actions = rows.map(|row| row.action).filter(|action| action.starts_with("s3:"));
        actions.map(|action| Pattern::new(action, Case::Insensitive)).collect()
    })
}
