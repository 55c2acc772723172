//! Runs a collection: enters the accounts, lists, reads facts in rounds, and keeps every gap.
//!
//! It must never stop because one account, bucket or call fails, and never leave out what it could not read.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::aws::bucket::Bucket;
use crate::aws::failure::is_region;
use crate::aws::pages::MAX_PAGES;
use crate::aws::session::{Connection, Session, Shared};
use crate::aws::{AccountReader, BucketReader, Failure, KeyReader, PrincipalReader};
use crate::collect::plan::{self, Jobs};
use crate::demand::Want;
use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::{Fact, FactId, Gap, Kind, Per, Why};
use crate::keys::KeyArn;
use crate::resources::account::root_credentials::RootCredentials;
use crate::resources::capability::{Capability, capability};
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::credentials::ROOT;
use crate::resources::iam_user::permissions::{AUTHORIZATION, UserPermissions};
use crate::resources::s3_bucket::region::Region;
use crate::resources::{FactType, Stored, account, iam_role, iam_user, kms_key, s3_bucket, spec};
use crate::snapshot::{AccountRecord, Existence, Snapshot};

/// What a collection is told besides the policy.
#[derive(Debug)]
pub struct Options {
    /// By account; accounts without an entry are reached as the policy says.
    pub connections: BTreeMap<AccountKey, Connection>,
    pub shared: Shared,
    /// At most so many calls in flight.
    pub concurrency: usize,
    pub policy_digest: Option<String>,
    /// The time; the command line owns the clock.
    pub clock: fn() -> Timestamp,
}

/// How somebody asks a collection to end early.
#[derive(Debug, Default)]
pub struct Stop {
    asked: AtomicBool,
    wake: Notify,
}

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
        self.wake.notify_waiters();
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    async fn asked(&self) {
        let wake = self.wake.notified();
        if !self.is_asked() {
            wake.await;
        }
    }
}

/// Hears of progress.
pub trait Watch: Sync {
    /// A phase begins with so many steps.
    fn phase(&self, what: &str, steps: usize);
    /// One step is done.
    fn step(&self);
}

/// What an answer changes in the snapshot.
pub type Put = Box<dyn FnOnce(&mut Snapshot, Timestamp) + Send>;
/// A future is made only when its turn comes: futures of the SDK are large.
type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = Put> + Send>> + Send>;

/// A task that ends when nobody waits for it any more.
struct Task(tokio::task::JoinHandle<Put>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Future for Task {
    type Output = Result<Put, tokio::task::JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

/// Collects what the wants demand. Everything that could not be read is in the snapshot as a gap.
pub async fn collect(wants: &[Want], estate: &Estate, options: &Options, watch: &dyn Watch, stop: &Stop) -> Snapshot {
    let mut snapshot = Snapshot::empty((options.clock)());
    snapshot.policy_digest.clone_from(&options.policy_digest);
    let mut run = Run { estate, options, watch, stop, snapshot, sessions: BTreeMap::new(), buckets: BTreeMap::new() };
    let lists = plan::lists(wants, estate);
    run.enter(run.accounts_of(wants, &lists)).await;
    run.list(&lists).await;
    run.read(&plan::scopes(wants, estate, &run.snapshot), Round::Early).await;
    // What a fact says may lead to further resources, until nothing new is found.
    for _ in 0..MAX_ROUNDS {
        run.note_regions();
        if !run.read(&plan::members(wants, estate, &run.snapshot), Round::Early).await {
            break;
        }
    }
    run.read(&plan::members(wants, estate, &run.snapshot), Round::Last).await;
    run.settle();
    run.snapshot.complete = !stop.is_asked();
    run.snapshot.calls = options.shared.ledger.calls();
    run.snapshot
}

/// From a bucket to its mirror's key is three steps; more are none that a demand can say.
const MAX_ROUNDS: usize = 5;

/// Facts that are read once in each Region wait until all Regions are known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Early,
    Last,
}

struct Run<'a> {
    estate: &'a Estate,
    options: &'a Options,
    watch: &'a dyn Watch,
    stop: &'a Stop,
    snapshot: Snapshot,
    sessions: BTreeMap<AccountKey, Arc<Session>>,
    buckets: BTreeMap<ResourceId, Arc<Bucket>>,
}

impl Run<'_> {
    /// The accounts that are needed in any case.
    fn accounts_of(&self, wants: &[Want], lists: &Jobs) -> BTreeSet<AccountKey> {
        let named = plan::possible(wants, self.estate, &self.snapshot);
        let mut needed: BTreeSet<AccountKey> = lists.listings.iter().cloned().collect();
        needed.extend(lists.bulk.iter().chain(&named.bulk).map(|(account, _)| account.clone()));
        needed.extend(named.facts.keys().map(|id| id.account.clone()));
        needed.extend(plan::led_to(wants, self.estate).into_iter().map(|(account, _)| account));
        needed
    }

    async fn enter(&mut self, needed: BTreeSet<AccountKey>) {
        self.watch.phase("entering accounts", needed.len());
        let (estate, options, watch) = (self.estate, self.options, self.watch);
        let opened = needed.into_iter().filter_map(|key| {
            let account = estate.accounts.get(&key)?;
            let connection = options.connections.get(&key).cloned().unwrap_or_default();
            Some(async move {
                let session = Session::open(&key, account, &connection, &options.shared).await;
                watch.step();
                (key, account, connection, session)
            })
        });
        let mut opened = stream::iter(opened).buffer_unordered(options.concurrency);
        loop {
            let next = tokio::select! {
                biased;
                () = self.stop.asked() => None,
                next = opened.next() => next,
            };
            let Some((key, account, connection, session)) = next else { break };
            let mut record = AccountRecord {
                pinned: account.id.is_some(),
                endpoint: connection.endpoint.or_else(|| account.endpoint.clone()),
                provider: account.provider.clone(),
                ..AccountRecord::default()
            };
            match session {
                Ok(session) => {
                    if let Some(identity) = &session.identity {
                        record.id = Some(identity.account.clone());
                        record.partition = identity.arn.split(':').nth(1).map(str::to_owned);
                        self.snapshot.put(&ResourceId::account(&key), Fact::Known(identity.clone()), (self.options.clock)());
                    }
                    self.sessions.insert(key.clone(), Arc::new(session));
                }
                Err(gap) => record.gap = Some(gap),
            }
            self.snapshot.accounts.insert(key, record);
        }
    }

    async fn list(&mut self, lists: &Jobs) {
        let mut jobs: Vec<Job> = Vec::new();
        for account in &lists.listings {
            if let Some(session) = self.sessions.get(account) {
                let (account, session) = (account.clone(), session.clone());
                jobs.push(Box::new(|| Box::pin(list_buckets(account, session))));
            }
        }
        for (account, operation) in &lists.bulk {
            jobs.extend(self.bulk(account, operation));
        }
        self.run("listing", jobs).await;
    }

    fn bulk(&self, account: &AccountKey, operation: &'static str) -> Option<Job> {
        let session = self.sessions.get(account)?.clone();
        let done = self.snapshot.listings().any(|(of, done, _)| of == account && done == operation);
        if done {
            return None;
        }
        let account = account.clone();
        if operation == AUTHORIZATION {
            return Some(Box::new(|| Box::pin(authorization(account, session))));
        }
        (operation == RootCredentials::SPEC.operation)
            .then(|| -> Job { Box::new(|| Box::pin(credential_report(account, session))) })
    }

    /// False: there was nothing left to read.
    async fn read(&mut self, jobs: &Jobs, round: Round) -> bool {
        // A key may lead to an account that nothing else is asked of.
        let led_to = jobs.bulk.iter().map(|(account, _)| account).chain(jobs.facts.keys().map(|id| &id.account));
        let new: BTreeSet<AccountKey> = led_to.filter(|key| !self.snapshot.accounts.contains_key(*key)).cloned().collect();
        if !new.is_empty() && !self.stop.is_asked() {
            self.enter(new).await;
        }
        let mut work: Vec<Job> = jobs.bulk.iter().filter_map(|(account, operation)| self.bulk(account, operation)).collect();
        for (id, facts) in &jobs.facts {
            let Some(declared) = self.estate.accounts.get(&id.account) else { continue };
            let Some(session) = self.sessions.get(&id.account).cloned() else { continue };
            for fact in facts {
                if self.has(id, fact) || (fact.per == Per::Region) != (round == Round::Last) {
                    continue;
                }
                if capability(declared, fact) == Capability::Lacks {
                    let (id, fact) = (id.clone(), *fact);
                    work.push(Box::new(move || Box::pin(std::future::ready(put_absent(id, fact)))));
                    continue;
                }
                if id.kind == Kind::S3Bucket {
                    let reader = BucketReader::new(self.bucket(id, &session), fact);
                    let (id, fact) = (id.clone(), *fact);
                    work.push(Box::new(move || Box::pin(s3_bucket::read(id, fact, reader))));
                } else if id.kind == Kind::Account {
                    let regions = if fact.per == Per::Region { self.regions(&session) } else { Ok(vec![session.region.clone()]) };
                    let regions = match regions {
                        Ok(regions) => regions,
                        Err(failure) => {
                            let (id, fact, gap) = (id.clone(), *fact, failure.gap(fact));
                            work.push(Box::new(move || Box::pin(std::future::ready(put_gap(id, fact, gap)))));
                            continue;
                        }
                    };
                    let reader = AccountReader::new(session.clone(), fact)
                        .with_regions(regions)
                        .at((self.options.clock)(), self.everywhere(&session));
                    let (id, fact) = (id.clone(), *fact);
                    work.push(Box::new(move || Box::pin(account::read(id, fact, reader))));
                } else if id.kind == Kind::IamUser || id.kind == Kind::IamRole {
                    let reader = PrincipalReader::new(AccountReader::new(session.clone(), fact), self.principal(id));
                    let (id, fact) = (id.clone(), *fact);
                    work.push(Box::new(move || {
                        if id.kind == Kind::IamUser {
                            Box::pin(iam_user::read(id, fact, reader))
                        } else {
                            Box::pin(iam_role::read(id, fact, reader))
                        }
                    }));
                } else if let (Kind::KmsKey, Some(arn)) = (id.kind, KeyArn::parse(&id.name)) {
                    let (id, fact, reader) = (id.clone(), *fact, KeyReader::new(session.clone(), fact, arn));
                    work.push(Box::new(move || Box::pin(kms_key::read(id, fact, reader))));
                }
            }
        }
        let any = !work.is_empty();
        if any {
            self.run("reading", work).await;
        }
        any
    }

    /// Where any account has buckets in question, and where the account's calls begin.
    fn everywhere(&self, session: &Session) -> Vec<String> {
        let mut regions: BTreeSet<String> = self.buckets.values().filter_map(|bucket| bucket.region()).collect();
        regions.insert(session.region.clone());
        regions.into_iter().collect()
    }

    /// Where the account has buckets in question, and where its calls begin. The failure: one of them lies nobody knows where.
    fn regions(&self, session: &Session) -> Result<Vec<String>, Failure> {
        let mut regions = BTreeSet::from([session.region.clone()]);
        for (id, bucket) in self.buckets.iter().filter(|(id, _)| id.account == session.key) {
            match bucket.region() {
                Some(region) => {
                    regions.insert(region);
                }
                None if bucket.is_missing() || bucket.is_foreign() => {}
                None => {
                    let detail = format!("the Region of bucket {} is not known, and each Region would have to be asked", id.name);
                    return Err(Failure { detail: Some(detail), ..Failure::new(Why::NotCollected) });
                }
            }
        }
        Ok(regions.into_iter().collect())
    }

    /// The ARN of a user or role, path included, if an answer told it.
    fn principal(&self, id: &ResourceId) -> Option<String> {
        let user = self.snapshot.read::<UserPermissions>(id).map(|user| user.arn.clone());
        let role = self.snapshot.read::<RolePermissions>(id).map(|role| role.arn.clone());
        [user, role].into_iter().find_map(|arn| arn.read().ok().flatten())
    }

    fn has(&self, id: &ResourceId, fact: FactId) -> bool {
        self.snapshot.resource(id).is_some_and(|resource| resource.times.iter().any(|(known, _)| *known == fact))
    }

    fn bucket(&mut self, id: &ResourceId, session: &Arc<Session>) -> Arc<Bucket> {
        if let Some(bucket) = self.buckets.get(id) {
            return bucket.clone();
        }
        let listed = self.snapshot.resource(id).is_some_and(|resource| resource.listed);
        let region = match self.snapshot.read::<Region>(id) {
            Fact::Known(region) => Some(region.0.clone()),
            Fact::Absent | Fact::Unreadable(_) => None,
        };
        let bucket = Arc::new(Bucket::new(session.clone(), &id.name, region, listed));
        self.buckets.insert(id.clone(), bucket.clone());
        bucket
    }

    async fn run(&mut self, what: &str, jobs: Vec<Job>) {
        self.watch.phase(what, jobs.len());
        // Each call is a task of its own, so that all cores work; a few more than the ceiling are ready to go.
        let mut answers = stream::iter(jobs).map(|job| Task(tokio::spawn(job()))).buffer_unordered(self.options.concurrency + 8);
        loop {
            let next = tokio::select! {
                biased;
                () = self.stop.asked() => None,
                next = answers.next() => next,
            };
            match next {
                Some(Ok(put)) => put(&mut self.snapshot, (self.options.clock)()),
                // A panic in a task; what it should have read stays "not collected".
                Some(Err(_)) => {}
                None => break,
            }
            self.watch.step();
        }
    }

    /// The Regions that buckets showed so far: keys are resolved by them.
    fn note_regions(&mut self) {
        let now = (self.options.clock)();
        for (id, region) in self.buckets.iter().filter_map(|(id, bucket)| Some((id, bucket.region()?))) {
            self.snapshot.put(id, Fact::Known(Region(region)), now);
        }
    }

    /// Decides whether each declared bucket exists, and notes the Region that was found.
    fn settle(&mut self) {
        let now = (self.options.clock)();
        // Off AWS nobody asks who the credentials are: whether the account could be entered shows only now.
        for (key, session) in self.sessions.iter().filter(|(_, session)| session.identity.is_none()) {
            if let (Some(failure), Some(record)) = (session.never_answered(), self.snapshot.accounts.get_mut(key)) {
                record.gap = Some(failure.gap_of("enter account", None));
            }
        }
        for (id, bucket) in std::mem::take(&mut self.buckets) {
            let gap = if bucket.is_known() { None } else { self.first_gap(&id) };
            let Some(resource) = self.snapshot.resource_mut(&id) else { continue };
            resource.exists = if bucket.is_foreign() {
                Fact::Known(Existence::Foreign)
            } else if bucket.is_missing() && !bucket.listed {
                Fact::Absent
            } else if bucket.is_known() {
                Fact::Known(Existence::Here)
            } else {
                Fact::Unreadable(Box::new(gap.unwrap_or_else(|| Gap::new(Why::NotCollected, "collect"))))
            };
            if let Some(region) = bucket.region() {
                Region::store(&mut resource.facts, Fact::Known(Region(region)));
                resource.stamp(Region::SPEC, now);
            }
        }
    }

    fn first_gap(&self, id: &ResourceId) -> Option<Gap> {
        let resource = self.snapshot.resource(id)?;
        let mut gap = None;
        let _ = resource.facts.each(&mut |_, value| {
            if gap.is_none() {
                gap = value.get("unreadable").cloned().and_then(|value| serde_json::from_value(value).ok());
            }
        });
        gap
    }
}

fn put_gap(id: ResourceId, fact: FactId, gap: Gap) -> Put {
    Box::new(move |snapshot, at| {
        if let Some(resource) = snapshot.resource_mut(&id) {
            resource.facts.put_gap(fact, &gap);
            resource.stamp(fact, at);
        }
    })
}

fn put_absent(id: ResourceId, fact: FactId) -> Put {
    Box::new(move |snapshot, at| {
        if let Some(resource) = snapshot.resource_mut(&id) {
            let _ = resource.facts.put_json(fact.id, serde_json::json!("absent"));
            resource.stamp(fact, at);
        }
    })
}

/// Stores a reading: the value, absence, or the gap.
pub fn put_reading<T: FactType + Send>(id: ResourceId, reading: Result<Option<T>, Failure>) -> Put {
    let fact = match reading {
        Ok(Some(value)) => Fact::Known(value),
        Ok(None) => Fact::Absent,
        Err(failure) => Fact::Unreadable(Box::new(failure.gap(T::SPEC))),
    };
    Box::new(move |snapshot, at| snapshot.put(&id, fact, at))
}

async fn list_buckets(account: AccountKey, session: Arc<Session>) -> Put {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let mut token: Option<String> = None;
    let mut seen = BTreeSet::new();
    let operation = Region::SPEC.operation;
    let state = loop {
        let answer = {
            let _room = session.room(&session.region, "s3:ListBuckets").await;
            let request = session.s3(&session.region).list_buckets().max_buckets(1000).set_continuation_token(token.clone());
            let answer = request.send().await.map_err(|error| Failure::of(&error));
            session.heard(&answer);
            answer
        };
        match answer {
            Err(failure) => break Fact::Unreadable(Box::new(failure.gap(Region::SPEC))),
            Ok(page) => {
                let before = found.len();
                let buckets = page.buckets.unwrap_or_default();
                let all = buckets.len();
                let named = buckets.into_iter().filter_map(|b| Some((b.name.filter(|name| !name.is_empty())?, b.bucket_region)));
                found.extend(named.map(|(name, region)| (name, region.filter(|region| is_region(region)))));
                if found.len() - before < all {
                    let gap = Gap::new(Why::Malformed, operation).with_detail("the list holds a bucket without a name");
                    break Fact::Unreadable(Box::new(gap));
                }
                token = page.continuation_token.filter(|token| !token.is_empty());
                match &token {
                    None => break Fact::Known(found.len()),
                    Some(next) if !seen.insert(next.clone()) => {
                        let gap = Gap::new(Why::Truncated, operation).with_detail("the service repeated a page token");
                        break Fact::Unreadable(Box::new(gap));
                    }
                    Some(_) if seen.len() > MAX_PAGES => {
                        let gap = Gap::new(Why::Truncated, operation).with_detail("the list does not end");
                        break Fact::Unreadable(Box::new(gap));
                    }
                    Some(_) => {}
                }
            }
        }
    };
    Box::new(move |snapshot, at| {
        for (name, region) in found {
            let id = ResourceId::bucket(&account, &name);
            if let Some(resource) = snapshot.resource_mut(&id) {
                resource.exists = Fact::Known(Existence::Here);
                resource.listed = true;
            }
            if let Some(region) = region {
                snapshot.put(&id, Fact::Known(Region(region)), at);
            }
        }
        snapshot.put_listing(&account, operation, state);
    })
}

async fn authorization(key: AccountKey, session: Arc<Session>) -> Put {
    let Some(of) = spec("iam-user.permissions") else { return Box::new(|_, _| {}) };
    let (all, failure) = AccountReader::new(session, of).authorization().await;
    Box::new(move |snapshot, at| {
        let count = all.users.len() + all.groups.len() + all.roles.len() + all.policies.len();
        for (name, found) in all.users {
            snapshot.put(&ResourceId::new(&key, Kind::IamUser, &name), Fact::Known(found), at);
        }
        for (name, found) in all.groups {
            snapshot.put(&ResourceId::new(&key, Kind::IamGroup, &name), Fact::Known(found), at);
        }
        for (name, found) in all.roles {
            snapshot.put(&ResourceId::new(&key, Kind::IamRole, &name), Fact::Known(found), at);
        }
        for (name, found) in all.policies {
            snapshot.put(&ResourceId::new(&key, Kind::IamPolicy, &name), Fact::Known(found), at);
        }
        let state = failure.map_or(Fact::Known(count), |failure| Fact::Unreadable(Box::new(failure.gap(of))));
        snapshot.put_listing(&key, AUTHORIZATION, state);
    })
}

async fn credential_report(key: AccountKey, session: Arc<Session>) -> Put {
    let of = RootCredentials::SPEC;
    let report = AccountReader::new(session, of).credential_report().await;
    Box::new(move |snapshot, at| match report {
        Ok(mut rows) => {
            let lacks = || Failure::malformed("the credential report has no row of the root user").gap(of);
            let root =
                rows.remove(ROOT).map_or_else(|| Fact::Unreadable(Box::new(lacks())), |row| Fact::Known(RootCredentials(row)));
            snapshot.put(&ResourceId::account(&key), root, at);
            snapshot.put_listing(&key, of.operation, Fact::Known(rows.len()));
            for (name, row) in rows {
                snapshot.put(&ResourceId::new(&key, Kind::IamUser, &name), Fact::Known(row), at);
            }
        }
        Err(failure) => snapshot.put_listing(&key, of.operation, Fact::Unreadable(Box::new(failure.gap(of)))),
    })
}
