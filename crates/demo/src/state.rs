//! The world indexed for answering: who owns a key, where a bucket is, and the little that changes while serving.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::clock;
use crate::faults::Faults;
use crate::reply::{Fail, RequestId, hash, mix};
use crate::route::{Call, Service};
use crate::server::Options;
use crate::world::{Account, AccountKind, Bucket, World};

/// Who signed a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Index of the account.
    pub(crate) account: usize,
    pub(crate) arn: String,
    pub(crate) user_id: String,
}

#[derive(Debug)]
struct Session {
    caller: Arc<Caller>,
    token: String,
    expires: i64,
}

/// What AssumeRole hands out.
pub(crate) struct Minted {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) expires: i64,
}

/// Everything a request handler needs. Shared by all connections; the world in it never changes.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) options: Options,
    pub(crate) faults: Faults,
    keys: HashMap<String, Arc<Caller>>,
    /// Account and position of AWS buckets, one namespace for all.
    buckets: HashMap<String, (usize, usize)>,
    /// Per account, positions of its buckets by name.
    by_name: Vec<Vec<usize>>,
    /// Per account: 0 no credential report, 1 being made, 2 there.
    pub(crate) reports: Vec<AtomicU8>,
    /// Jobs of IAM that somebody has asked about.
    pub(crate) jobs: Mutex<BTreeSet<String>>,
    sessions: RwLock<HashMap<String, Session>>,
    known: HashMap<&'static str, AtomicU64>,
    other: Mutex<BTreeMap<String, u64>>,
    requests: AtomicU64,
}

impl State {
    pub(crate) fn new(world: World, options: Options) -> Self {
        let mut keys = HashMap::new();
        let mut buckets = HashMap::new();
        let mut by_name = Vec::new();
        for (at, account) in world.accounts.iter().enumerate() {
            index_keys(at, account, &mut keys);
            if account.kind == AccountKind::Aws {
                buckets.extend(account.buckets.iter().enumerate().map(|(i, bucket)| (bucket.name.clone(), (at, i))));
            }
            let mut order: Vec<usize> = (0..account.buckets.len()).collect();
            order.sort_by(|a, b| account.buckets[*a].name.cmp(&account.buckets[*b].name));
            by_name.push(order);
        }
        let known = KNOWN.iter().map(|name| (*name, AtomicU64::new(0))).collect();
        Self {
            reports: world.accounts.iter().map(|_| AtomicU8::new(0)).collect(),
            world,
            options,
            faults: Faults::default(),
            keys,
            buckets,
            by_name,
            jobs: Mutex::default(),
            sessions: RwLock::default(),
            known,
            other: Mutex::default(),
            requests: AtomicU64::new(0),
        }
    }

    pub(crate) fn next_request(&self) -> RequestId {
        RequestId(self.requests.fetch_add(8, Ordering::Relaxed))
    }

    pub(crate) fn count(&self, call: &Call) {
        let name = call.ledger_name();
        match self.known.get(&*name) {
            Some(counter) => {
                counter.fetch_add(1, Ordering::Relaxed);
            }
            None => *self.other.lock().unwrap_or_else(PoisonError::into_inner).entry(name.into_owned()).or_default() += 1,
        }
    }

    pub(crate) fn calls(&self) -> BTreeMap<String, u64> {
        let mut calls = self.other.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let counted = self.known.iter().map(|(name, counter)| ((*name).to_owned(), counter.load(Ordering::Relaxed)));
        calls.extend(counted.filter(|(_, count)| *count > 0));
        calls
    }

    pub(crate) fn account(&self, caller: &Caller) -> &Account {
        &self.world.accounts[caller.account]
    }

    /// Buckets of an account, by name.
    pub(crate) fn buckets(&self, account: usize) -> impl Iterator<Item = &Bucket> {
        self.by_name[account].iter().map(move |at| &self.world.accounts[account].buckets[*at])
    }

    /// The bucket of that name as this caller's S3 knows it, and the index of its owner.
    pub(crate) fn find_bucket(&self, caller: &Caller, name: &str) -> Option<(usize, &Bucket)> {
        let account = self.account(caller);
        if account.kind == AccountKind::Aws {
            let (owner, at) = *self.buckets.get(name)?;
            return Some((owner, &self.world.accounts[owner].buckets[at]));
        }
        let order = &self.by_name[caller.account];
        let at = order.binary_search_by(|at| account.buckets[*at].name.as_str().cmp(name)).ok()?;
        Some((caller.account, &account.buckets[order[at]]))
    }

    /// Who signed, or the error AWS answers to an unknown, expired or missing signature.
    pub(crate) fn caller(&self, call: &Call) -> Result<Arc<Caller>, Fail> {
        let query = matches!(call.service, Service::Iam | Service::Sts | Service::Other(_));
        let Some(scope) = &call.scope else {
            return Err(if query {
                Fail::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
            } else {
                Fail::new(403, "AccessDenied", "Access Denied")
            });
        };
        if let Some(caller) = self.keys.get(&scope.key) {
            return Ok(Arc::clone(caller));
        }
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        match sessions.get(&scope.key) {
            Some(session) if call.token.as_deref() == Some(&session.token) => {
                if session.expires > clock::real_now() {
                    Ok(Arc::clone(&session.caller))
                } else if query {
                    Err(Fail::new(403, "ExpiredToken", "The security token included in the request is expired"))
                } else {
                    Err(Fail::new(400, "ExpiredToken", "The provided token has expired."))
                }
            }
            Some(_) if !query => Err(Fail::new(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")),
            _ if query => Err(Fail::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")),
            _ => Err(Fail::new(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
                .detail("AWSAccessKeyId", &scope.key)),
        }
    }

    /// New credentials for a caller.
    pub(crate) fn mint(&self, caller: Caller, seconds: i64) -> Minted {
        let seed = mix(self.requests.fetch_add(8, Ordering::Relaxed) ^ 0xa5a5);
        let minted = Minted {
            key: format!("ASIA{}", letters(seed, 16)),
            secret: letters(mix(seed ^ 1), 40),
            token: format!("demo-session-{}", letters(mix(seed ^ 2), 64)),
            expires: clock::real_now() + seconds,
        };
        let session = Session { caller: Arc::new(caller), token: minted.token.clone(), expires: minted.expires };
        self.sessions.write().unwrap_or_else(PoisonError::into_inner).insert(minted.key.clone(), session);
        minted
    }
}

fn index_keys(at: usize, account: &Account, keys: &mut HashMap<String, Arc<Caller>>) {
    let root = Arc::new(Caller { account: at, arn: format!("arn:aws:iam::{}:root", account.id), user_id: account.id.clone() });
    let roots = account.access_keys.iter().map(|(id, _)| id).chain(account.root.keys.iter().filter(|k| k.active).map(|k| &k.id));
    keys.extend(roots.map(|id| (id.clone(), Arc::clone(&root))));
    for user in &account.users {
        let arn = format!("arn:aws:iam::{}:user/{}", account.id, user.name);
        let user_id = unique_id("AIDA", &arn);
        let caller = Arc::new(Caller { account: at, arn, user_id });
        keys.extend(user.keys.iter().filter(|key| key.active).map(|key| (key.id.clone(), Arc::clone(&caller))));
    }
}

/// An IAM unique id: a prefix that tells the kind, and 17 characters that follow from the ARN.
pub(crate) fn unique_id(prefix: &str, arn: &str) -> String {
    format!("{prefix}{}", letters(hash(arn.as_bytes()), 17))
}

/// `count` characters A-Z and 2-7 that follow from a seed.
fn letters(seed: u64, count: u64) -> String {
    let letter = |i: u64| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from(mix(seed ^ mix(i)).to_le_bytes()[0] & 31)]);
    (0..count).map(letter).collect()
}

/// Operations that are served, by the name in the ledger.
const KNOWN: &[&str] = &[
    "ListBuckets",
    "HeadBucket",
    "GetBucketLocation",
    "GetBucketVersioning",
    "GetBucketTagging",
    "GetBucketLifecycleConfiguration",
    "GetObjectLockConfiguration",
    "ListObjectVersions",
    "GetObjectRetention",
    "GetObjectLegalHold",
    "GetBucketReplication",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
    "GetPublicAccessBlock",
    "GetBucketEncryption",
    "GetBucketOwnershipControls",
    "GetBucketAcl",
    "GetBucketLogging",
    "GetBucketNotificationConfiguration",
    "ListBucketInventoryConfigurations",
    "ListBucketIntelligentTieringConfigurations",
    "ListMultipartUploads",
    "s3control:GetPublicAccessBlock",
    "s3control:ListAccessPoints",
    "s3control:GetAccessPoint",
    "s3control:GetAccessPointPolicy",
    "GetAccountAuthorizationDetails",
    "GetAccountSummary",
    "GetAccountPasswordPolicy",
    "GenerateCredentialReport",
    "GetCredentialReport",
    "ListUsers",
    "ListVirtualMFADevices",
    "ListAccountAliases",
    "GetCallerIdentity",
    "AssumeRole",
];
