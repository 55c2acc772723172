//! Which calls the controls demand, from the estate alone or from what was already observed. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::demand::{On, Want};
use crate::estate::{AccountKey, Copy, Estate, ResourceId};
use crate::fact::{Fact, FactId, Kind, Per};
use crate::keys;
use crate::resources::FactType;
use crate::resources::capability::{Capability, capability};
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::kms_key::state::KeyState;
use crate::resources::s3_bucket::logging::Logging;
use crate::resources::s3_bucket::replication::Replication;
use crate::scope::{Member, Search, list_operations};
use crate::snapshot::Snapshot;

/// What to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jobs {
    /// Accounts whose buckets must be listed.
    pub listings: BTreeSet<AccountKey>,
    /// Account-wide answers: account and operation.
    pub bulk: BTreeSet<(AccountKey, &'static str)>,
    /// Facts of single resources.
    pub facts: BTreeMap<ResourceId, BTreeSet<FactId>>,
}

impl Jobs {
    fn add(&mut self, estate: &Estate, id: &ResourceId, fact: FactId) {
        let Some(account) = estate.accounts.get(&id.account) else { return };
        if matches!(capability(account, fact), Capability::NotApplicable(_)) {
            return;
        }
        match fact.per {
            Per::Free => {}
            Per::Account => {
                self.bulk.insert((id.account.clone(), fact.operation));
            }
            Per::Resource | Per::Region => {
                self.facts.entry(id.clone()).or_default().insert(fact);
            }
        }
    }
}

/// Lists and account-wide answers that every further round rests on.
pub fn lists(wants: &[Want], estate: &Estate) -> Jobs {
    let mut jobs = Jobs::default();
    for want in wants {
        let Search::Listed(accounts) = want.scope.search(estate, want.unit) else { continue };
        for account in accounts {
            if want.unit == Kind::S3Bucket {
                jobs.listings.insert(account);
            } else if estate.accounts.get(&account).is_some_and(crate::estate::Account::is_aws) {
                for operation in list_operations(want.unit, &want.unit_facts()) {
                    jobs.bulk.insert((account.clone(), operation));
                }
            }
        }
    }
    jobs
}

/// Facts that decide who is in scope, of everyone who may be.
pub fn scopes(wants: &[Want], estate: &Estate, snapshot: &Snapshot) -> Jobs {
    let mut jobs = Jobs::default();
    for want in wants {
        for fact in want.scope.facts() {
            let found = want.scope.members(estate, want.unit, &want.unit_facts(), snapshot);
            for member in found.members {
                let (Member::In(id) | Member::Unknown(id, _)) = member;
                jobs.add(estate, &id, fact);
            }
        }
    }
    jobs
}

/// Facts of members, and of what is around them.
pub fn members(wants: &[Want], estate: &Estate, snapshot: &Snapshot) -> Jobs {
    gather(wants, estate, snapshot, false)
}

/// The same of everything that may turn out to be a member.
pub fn possible(wants: &[Want], estate: &Estate, snapshot: &Snapshot) -> Jobs {
    let mut jobs = gather(wants, estate, snapshot, true);
    for (id, facts) in scopes(wants, estate, snapshot).facts {
        jobs.facts.entry(id).or_default().extend(facts);
    }
    jobs
}

fn gather(wants: &[Want], estate: &Estate, snapshot: &Snapshot, unsure: bool) -> Jobs {
    let mut jobs = Jobs::default();
    for want in wants {
        let found = want.scope.members(estate, want.unit, &want.unit_facts(), snapshot);
        for member in found.members {
            let id = match member {
                Member::In(id) => id,
                Member::Unknown(id, _) if unsure => id,
                Member::Unknown(..) => continue,
            };
            for demand in &want.demands {
                for target in targets(estate, snapshot, &id, demand.on) {
                    // An alias has no facts but the state of its key.
                    let alias = target.kind == Kind::KmsKey && keys::is_alias(&target.name);
                    let fits = |fact: &&FactId| {
                        (demand.on != On::Principals || fact.kind == target.kind) && (!alias || **fact == KeyState::SPEC)
                    };
                    for fact in demand.facts.iter().filter(fits) {
                        jobs.add(estate, &target, fact);
                    }
                }
            }
        }
    }
    jobs
}

fn targets(estate: &Estate, snapshot: &Snapshot, id: &ResourceId, on: On) -> Vec<ResourceId> {
    let of = |wanted: fn(&Copy) -> bool| -> Vec<ResourceId> {
        let copies = estate.stores.get(&*id.name).into_iter().flat_map(|store| store.copies.values());
        copies.filter(|copy| wanted(copy)).flat_map(Copy::resources).collect()
    };
    let keys = || {
        let buckets = if id.kind == Kind::Store { of(|_| true) } else { vec![id.clone()] };
        keys::asked(estate, snapshot, &buckets)
    };
    match on {
        On::Unit => vec![id.clone()],
        On::Account => vec![ResourceId::account(&id.account)],
        On::Managers => estate.managers().collect(),
        On::Copies => of(|_| true),
        On::Origins => of(Copy::is_origin),
        On::Replicas => of(Copy::is_replica),
        On::Principals => principals(snapshot, &id.account),
        On::Destinations => match snapshot.read::<Replication>(id) {
            Fact::Known(found) => found.rules.iter().filter_map(|rule| rule.destination(id, estate)).collect(),
            Fact::Absent | Fact::Unreadable(_) => Vec::new(),
        },
        On::LogTarget => match snapshot.read::<Logging>(id) {
            Fact::Known(found) => vec![ResourceId::bucket(&id.account, &found.bucket)],
            Fact::Absent | Fact::Unreadable(_) => Vec::new(),
        },
        On::Keys => keys().into_iter().collect(),
        On::KeyAccounts => {
            let accounts: BTreeSet<ResourceId> = keys().iter().map(|key| ResourceId::account(&key.account)).collect();
            accounts.into_iter().collect()
        }
    }
}

/// Facts of buckets that only an answer will name, and in which accounts these may lie.
pub fn led_to(wants: &[Want], estate: &Estate) -> BTreeSet<(AccountKey, FactId)> {
    let mut found = BTreeSet::new();
    for want in wants {
        for demand in want.demands.iter().filter(|demand| matches!(demand.on, On::Destinations | On::LogTarget)) {
            let mut accounts: BTreeSet<AccountKey> = match want.scope.search(estate, want.unit) {
                Search::Named(ids) => ids.into_iter().map(|id| id.account).collect(),
                Search::Listed(accounts) => accounts.into_iter().collect(),
            };
            if demand.on == On::Destinations && !accounts.is_empty() {
                accounts.extend(estate.accounts.iter().filter(|(_, account)| account.is_aws()).map(|(key, _)| key.clone()));
            }
            for account in accounts {
                let asks = |fact: &&FactId| {
                    let declared = estate.accounts.get(&account);
                    fact.per != Per::Free && declared.is_some_and(|declared| capability(declared, fact) == Capability::Ask)
                };
                found.extend(demand.facts.iter().filter(asks).map(|fact| (account.clone(), *fact)));
            }
        }
    }
    found
}

fn principals(snapshot: &Snapshot, account: &AccountKey) -> Vec<ResourceId> {
    let of = |kind| snapshot.list(account, kind, &[]).items.into_iter();
    let made_by_aws = |id: &&ResourceId| match snapshot.read::<RolePermissions>(id) {
        Fact::Known(role) => role.arn.contains(":role/aws-service-role/"),
        Fact::Absent | Fact::Unreadable(_) => false,
    };
    of(Kind::IamUser).chain(of(Kind::IamRole).filter(|id| !made_by_aws(id))).cloned().collect()
}

/// Facts of keys and of the accounts they lie in. Which accounts these are nobody knows before: any at AWS may be one.
fn of_keys(wants: &[Want], estate: &Estate) -> BTreeSet<(AccountKey, FactId)> {
    let demands = wants.iter().flat_map(|want| &want.demands).filter(|demand| demand.on.is_of_keys());
    let facts: BTreeSet<FactId> = demands.flat_map(|demand| demand.facts.iter().copied()).collect();
    let aws = estate.accounts.iter().filter(|(_, account)| account.is_aws()).map(|(key, _)| key);
    aws.flat_map(|key| facts.iter().map(|fact| (key.clone(), *fact))).collect()
}

/// One line of what a collection would send.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Forecast {
    pub account: AccountKey,
    /// `service:Operation`.
    pub call: String,
    pub times: Times,
}

/// How often.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Times {
    /// Exactly, not counting retries and redirects.
    Exactly(usize),
    /// Once for each page of the answer.
    Pages,
    /// For each bucket in scope that the listing finds.
    PerBucket,
    /// As often as the answer before it says.
    AsFound,
    /// In each Region of the buckets in question, once for each page.
    PerRegion,
}

/// What a collection would send, from the policy alone.
pub fn forecast(wants: &[Want], estate: &Estate, now: jiff::Timestamp) -> Vec<Forecast> {
    let nothing = Snapshot::empty(now);
    let lists = lists(wants, estate);
    let mut jobs = possible(wants, estate, &nothing);
    jobs.bulk.extend(lists.bulk.iter().cloned());
    let mut lines: BTreeMap<(AccountKey, String), Times> = BTreeMap::new();
    let mut accounts: BTreeSet<&AccountKey> = lists.listings.iter().chain(jobs.bulk.iter().map(|(account, _)| account)).collect();
    accounts.extend(jobs.facts.keys().map(|id| &id.account));
    let led = led_to(wants, estate);
    accounts.extend(led.iter().map(|(account, _)| account));
    for key in &accounts {
        let Some(account) = estate.accounts.get(*key) else { continue };
        if account.is_aws() {
            lines.insert(((*key).clone(), "sts:GetCallerIdentity".to_owned()), Times::Exactly(1));
        }
        if account.role_arn.is_some() {
            lines.insert(((*key).clone(), "sts:AssumeRole".to_owned()), Times::Exactly(1));
        }
    }
    for account in &lists.listings {
        lines.insert((account.clone(), "s3:ListBuckets".to_owned()), Times::Pages);
    }
    for (account, operation) in &jobs.bulk {
        let Some(spec) = crate::resources::all_specs().find(|spec| spec.operation == *operation) else { continue };
        for operation in std::iter::once(spec.operation).chain(spec.also.iter().copied()) {
            lines.insert((account.clone(), call_of(spec, operation)), Times::Pages);
        }
    }
    for (id, facts) in &jobs.facts {
        for fact in facts.iter().filter(|fact| asks(estate, id, fact)) {
            for operation in std::iter::once(fact.operation).chain(fact.also.iter().copied()) {
                let line = (id.account.clone(), call_of(fact, operation));
                if fact.per == Per::Region {
                    lines.insert(line, Times::PerRegion);
                } else if operation != fact.operation {
                    lines.insert(line, Times::AsFound);
                } else if operation.rsplit(':').next().is_some_and(|name| name.starts_with("List")) {
                    lines.insert(line, Times::Pages);
                } else if let Times::Exactly(times) = lines.entry(line).or_insert(Times::Exactly(0)) {
                    *times += 1;
                }
            }
        }
    }
    for (account, fact) in listed(wants, estate) {
        if fact.per == Per::Resource && matches!(fact.kind, Kind::IamUser | Kind::IamRole) {
            for operation in std::iter::once(fact.operation).chain(fact.also.iter().copied()) {
                lines.insert((account.clone(), call_of(fact, operation)), Times::AsFound);
            }
            continue;
        }
        let line = (account, call_of(fact, fact.operation));
        match (fact.per, fact.kind) {
            (Per::Resource, Kind::S3Bucket) => {
                for also in fact.also {
                    lines.entry((line.0.clone(), call_of(fact, also))).or_insert(Times::AsFound);
                }
                lines.insert(line, Times::PerBucket);
            }
            (Per::Resource, _) => {
                lines.entry(line).or_insert(Times::Exactly(1));
            }
            (Per::Region, _) => {
                lines.insert(line, Times::PerRegion);
            }
            (Per::Account | Per::Free, _) => {
                lines.entry(line).or_insert(Times::Pages);
            }
        }
    }
    for (account, fact) in &led {
        lines.insert((account.clone(), call_of(fact, fact.operation)), Times::AsFound);
    }
    for (account, fact) in of_keys(wants, estate) {
        let declared = estate.accounts.get(&account);
        let entering = [Some("sts:GetCallerIdentity"), declared.and_then(|a| a.role_arn.as_ref()).map(|_| "sts:AssumeRole")];
        let calls = entering.into_iter().flatten().map(str::to_owned);
        for call in calls.chain(std::iter::once(fact.operation).chain(fact.also.iter().copied()).map(|call| call_of(fact, call)))
        {
            lines.entry((account.clone(), call)).or_insert(Times::AsFound);
        }
    }
    lines.into_iter().map(|((account, call), times)| Forecast { account, call, times }).collect()
}

fn asks(estate: &Estate, id: &ResourceId, fact: FactId) -> bool {
    estate.accounts.get(&id.account).is_some_and(|account| capability(account, fact) == Capability::Ask)
}

/// `service:Operation` of a fact's read.
pub fn call_of(spec: FactId, operation: &str) -> String {
    if operation.contains(':') {
        operation.to_owned()
    } else if operation == "GetAccountPublicAccessBlock" {
        // Named apart from the bucket's in evidence; on the wire both are GetPublicAccessBlock.
        "s3control:GetPublicAccessBlock".to_owned()
    } else if spec.kind == Kind::S3Bucket {
        format!("s3:{operation}")
    } else if operation == "GetCallerIdentity" {
        format!("sts:{operation}")
    } else {
        format!("iam:{operation}")
    }
}

/// An IAM action that a collection needs, and on which buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub action: &'static str,
    /// The buckets by name; `None` where the action knows no resource or any bucket may be asked for.
    pub buckets: Option<BTreeSet<String>>,
}

/// The IAM actions that a collection needs, by account and sorted by action.
pub fn needs(wants: &[Want], estate: &Estate) -> BTreeMap<AccountKey, Vec<Need>> {
    let mut found: BTreeMap<(AccountKey, &'static str), Option<BTreeSet<String>>> = BTreeMap::new();
    let mut need = |account: &AccountKey, actions: &[&'static str], bucket: Option<&str>| {
        for action in actions {
            let buckets = found.entry((account.clone(), action)).or_insert_with(|| Some(BTreeSet::new()));
            match (bucket, buckets.as_mut()) {
                (Some(bucket), Some(buckets)) => {
                    buckets.insert(bucket.to_owned());
                }
                (None, _) => *buckets = None,
                (Some(_), None) => {}
            }
        }
    };
    let nothing = Snapshot::empty(jiff::Timestamp::UNIX_EPOCH);
    for account in lists(wants, estate).listings {
        need(&account, &["s3:ListAllMyBuckets"], None);
    }
    let jobs = possible(wants, estate, &nothing);
    for (id, facts) in &jobs.facts {
        for fact in facts.iter().filter(|fact| asks(estate, id, fact)) {
            // Actions of other services than S3 know no bucket.
            let on_bucket = id.kind == Kind::S3Bucket && !fact.operation.contains(':');
            need(&id.account, fact.actions, on_bucket.then_some(&*id.name));
        }
    }
    let bulk = jobs.bulk.into_iter().chain(lists(wants, estate).bulk);
    for (account, operation) in bulk {
        if let Some(spec) = crate::resources::all_specs().find(|spec| spec.operation == operation) {
            need(&account, spec.actions, None);
        }
    }
    // Facts of whatever a listing or another answer will find.
    for (account, fact) in listed(wants, estate).into_iter().chain(led_to(wants, estate)).chain(of_keys(wants, estate)) {
        need(&account, fact.actions, None);
    }
    let mut by_account: BTreeMap<AccountKey, Vec<Need>> = BTreeMap::new();
    for ((account, action), buckets) in found {
        by_account.entry(account).or_default().push(Need { action, buckets });
    }
    by_account
}

/// Facts that are asked of every bucket that a listing finds, and of the accounts that they lie in; and of every principal.
fn listed(wants: &[Want], estate: &Estate) -> BTreeSet<(AccountKey, FactId)> {
    let mut found = BTreeSet::new();
    for want in wants.iter().filter(|want| want.unit == Kind::S3Bucket) {
        let Search::Listed(accounts) = want.scope.search(estate, want.unit) else { continue };
        for account in accounts {
            let Some(declared) = estate.accounts.get(&account) else { continue };
            let demands = want.demands.iter().filter(|demand| !demand.on.is_of_keys());
            let facts = want.scope.facts().into_iter().chain(demands.flat_map(|demand| demand.facts.iter().copied()));
            found.extend(
                facts
                    .filter(|fact| fact.per != Per::Free && capability(declared, fact) == Capability::Ask)
                    .map(|fact| (account.clone(), fact)),
            );
        }
    }
    for want in wants {
        let facts: Vec<FactId> =
            want.demands.iter().filter(|demand| demand.on == On::Principals).flat_map(|demand| demand.facts.clone()).collect();
        let accounts = want.scope.accounts(estate).into_iter();
        for account in accounts.filter(|key| estate.accounts.get(key).is_some_and(crate::estate::Account::is_aws)) {
            found.extend(facts.iter().map(|fact| (account.clone(), *fact)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::example::{Example, documents, now, primary};

    fn want(check: &str, scope: crate::scope::Scope, estate: &Estate) -> Want {
        let check = (crate::checks::check(check).unwrap().parse)(&serde_json::json!({})).unwrap();
        Want { scope, unit: check.meta().unit, demands: check.demands(estate) }
    }

    #[test]
    fn exactly_the_demanded_calls() {
        let estate = Example::pass("", documents()).estate;
        let of_store = crate::scope::Scope { store: Some("documents".to_owned()), ..Default::default() };
        let wants =
            [want("s3-bucket-versioning", of_store.clone(), &estate), want("store-cross-account-mirror", of_store, &estate)];
        let lines: Vec<String> = forecast(&wants, &estate, now())
            .into_iter()
            .map(|line| format!("{} {} {:?}", line.account, line.call, line.times))
            .collect();
        assert_eq!(
            lines,
            [
                "production s3:GetBucketEncryption Exactly(1)",
                "production s3:GetBucketReplication Exactly(1)",
                "production s3:GetBucketVersioning Exactly(1)",
                "production sts:GetCallerIdentity Exactly(1)",
                "vault s3:GetBucketOwnershipControls Exactly(1)",
                "vault s3:GetBucketVersioning Exactly(1)",
                "vault sts:GetCallerIdentity Exactly(1)",
            ]
        );
        let needed = needs(&wants, &estate);
        let actions: Vec<&str> = needed[&primary().account].iter().map(|need| need.action).collect();
        assert_eq!(actions, ["s3:GetBucketVersioning", "s3:GetEncryptionConfiguration", "s3:GetReplicationConfiguration"]);
        let buckets = needed[&primary().account][0].buckets.clone().unwrap();
        assert_eq!(buckets.into_iter().collect::<Vec<_>>(), [primary().name.to_string()]);
    }
}
