//! Who may do what: from facts to questions of `lastcopy-iam`, and from its answers to something that can be shown.
//!
//! A [`Material`] holds everything parsed; a [`Guarded`] what guards one resource; a [`Cast`] all who might act on it, each with
//! caller and policies. `who_can` asks about all of the cast, `why` about one. It must never leave out a principal whose
//! policies could not be read, nor take a layer that could not be read for one that is not there.

pub mod asked;
pub mod cast;
pub mod lines;
pub mod phrase;
pub mod ways;
pub mod who_can;
pub mod why;

use lastcopy_iam::{Bucket, Document, Guards, KeyGrant, Layer, Level, Named, Setting};

pub use asked::{AskError, Asked, Given};
pub use cast::{Cast, Who};

use crate::demand::{Demand, Want};
use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::{Fact, Gap, Kind, Why};
pub use crate::guardrails::{AttachedLevel, levels};
use crate::keys::KeyArn;
use crate::principals::{self, Principals};
use crate::resources::FactType;
use crate::resources::account::public_access_block::AccountPublicAccessBlock;
use crate::resources::kms_key::grants::{Grant, KeyGrants};
use crate::resources::kms_key::policy::KeyPolicy;
use crate::resources::s3_bucket::ownership::Ownership;
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::resources::s3_bucket::public_access_block::PublicAccessBlock;
use crate::scope::{AccountScope, Scope};
use crate::snapshot::{Existence, Snapshot};

/// What the question is answered from: everything parsed once, for answers to borrow.
#[derive(Debug)]
pub struct Material<'s> {
    pub snapshot: &'s Snapshot,
    estate: &'s Estate,
    pub principals: Principals,
    /// The accounts at AWS.
    pub accounts: Vec<AwsAccount>,
    /// The service control policies of the only account, where somebody states them.
    pub scps: Option<Layer<Vec<AttachedLevel>>>,
    /// Its resource control policies.
    pub rcps: Option<Layer<Vec<AttachedLevel>>>,
}

/// An account at AWS that was to be read.
#[derive(Debug, Clone)]
pub struct AwsAccount {
    pub key: AccountKey,
    /// Its twelve digits; empty if nobody said.
    pub number: String,
    pub partition: String,
}

impl<'s> Material<'s> {
    /// From a snapshot. The estate may be empty; where it pins an account, its number counts.
    pub fn of(snapshot: &'s Snapshot, estate: &'s Estate) -> Self {
        let accounts = snapshot.accounts.iter().filter_map(|(key, record)| {
            let declared = estate.accounts.get(key);
            let elsewhere = record.provider.as_deref().is_some_and(|provider| provider != "aws")
                || declared.is_some_and(|account| !account.is_aws())
                || (record.id.is_none() && record.gap.is_none() && declared.is_none());
            let number = declared.and_then(|account| account.id.clone()).or_else(|| record.id.clone()).unwrap_or_default();
            let partition = record.partition.clone().unwrap_or_else(|| estate.partition(key).to_owned());
            (!elsewhere).then(|| AwsAccount { key: key.clone(), number, partition })
        });
        Self {
            snapshot,
            estate,
            principals: Principals::of(snapshot, estate),
            accounts: accounts.collect(),
            scps: None,
            rcps: None,
        }
    }

    /// The levels of service control policies that allow nothing at all: AWS attaches `FullAWSAccess` where nobody takes it away.
    pub fn levels_without_allow(&self) -> Vec<&str> {
        let allows = |document: &Document| document.statements.iter().any(|s| s.effect == lastcopy_iam::model::Effect::Allow);
        let none = |level: &&AttachedLevel| !level.policies.iter().any(|(_, document)| allows(document));
        self.scps.iter().filter_map(Layer::read).flatten().filter(none).map(|level| level.id.as_str()).collect()
    }

    /// The service control policies above an account: as stated, else as its organization says.
    pub fn scps(&self, account: &AccountKey) -> Layer<Vec<Level<'_>>> {
        let read = || self.principals.of_account(account).map(|of| &of.rails.scps);
        self.scps.as_ref().or_else(read).map_or(Layer::Unread(Vec::new()), levels)
    }

    /// The resource control policies above the account with this number.
    fn rcps(&self, number: Option<&str>) -> Layer<Vec<Level<'_>>> {
        let read = || self.principals.of_account(&self.account(number?)?.key).map(|of| &of.rails.rcps);
        self.rcps.as_ref().or_else(read).map_or(Layer::Unread(Vec::new()), levels)
    }

    /// The account with this number.
    pub fn account(&self, number: &str) -> Option<&AwsAccount> {
        self.accounts.iter().find(|account| account.number == number)
    }
}

/// The facts that a question about a resource needs: principals of every AWS account and, of a bucket, what guards it. Pure.
pub fn wants(given: &Given, estate: &Estate) -> Vec<Want> {
    let aws: Vec<&AccountKey> = estate.accounts.iter().filter(|(_, account)| account.is_aws()).map(|(key, _)| key).collect();
    let mut out: Vec<Want> = Vec::new();
    for account in &aws {
        let scope = Scope { account: AccountScope::One((*account).clone()), ..Scope::default() };
        out.push(Want { scope, unit: Kind::Account, demands: principals::demands().to_vec() });
    }
    if let Given::Arn(arn) = given
        && let Some(key) = KeyArn::parse(arn).filter(|key| !key.is_alias())
    {
        let of = |account: &&&AccountKey| estate.accounts.get(**account).and_then(|a| a.id.as_deref()) == Some(&key.account);
        for account in aws.iter().filter(of) {
            let scope = Scope { account: AccountScope::One((*account).clone()), names: vec![arn.clone()], ..Scope::default() };
            out.push(Want { scope, unit: Kind::KmsKey, demands: vec![Demand::unit(&[KeyPolicy::SPEC, KeyGrants::SPEC])] });
        }
    }
    let Some(bucket) = given.bucket() else { return out };
    // A bucket that a store declares is looked for where the store says, any other one in every account.
    let declared: Vec<&AccountKey> =
        aws.iter().copied().filter(|account| estate.copies_of(&ResourceId::bucket(account, bucket)).next().is_some()).collect();
    for account in if declared.is_empty() { aws } else { declared } {
        let scope = Scope { account: AccountScope::One(account.clone()), names: vec![bucket.to_owned()], ..Scope::default() };
        let demands = vec![
            Demand::unit(&[BucketPolicy::SPEC, Ownership::SPEC, PublicAccessBlock::SPEC]),
            Demand::account(&[AccountPublicAccessBlock::SPEC]),
        ];
        out.push(Want { scope, unit: Kind::S3Bucket, demands });
    }
    out
}

/// What guards the resource of a question, parsed.
#[derive(Debug)]
pub struct Guarded {
    /// The number of the account that owns it, where it is known.
    pub account: Option<String>,
    /// `bucket policy of acme-documents`.
    pub name: String,
    policy: Layer<Vec<Document>>,
    restrict_public: Setting,
    /// ACLs may be in force. No reader of facts makes them.
    acls: bool,
    /// The grants, of a KMS key; `None`: it is one, and they could not be read.
    key_grants: Option<Vec<Grant>>,
    /// Why the policy could not be read.
    pub policy_gap: Option<Gap>,
    /// Why it is not known that ACLs are off.
    pub acl_gap: Option<Gap>,
}

/// What was given besides the snapshot, from files.
#[derive(Debug, Default)]
pub struct Stated {
    /// The resource's own policy; `Some(None)`: it has none.
    pub policy: Option<Option<Document>>,
}

impl Guarded {
    /// What guards the resource, by the snapshot.
    pub fn of(given: &Given, material: &Material<'_>, stated: Stated) -> Result<Self, AskError> {
        let mut out = match (given.bucket(), given.role()) {
            (Some(bucket), _) => Self::bucket(bucket, material)?,
            (None, Some(role)) => Self::role(given, role, material),
            (None, None) => Self::other(given, material),
        };
        if let Some(policy) = stated.policy {
            out.policy_gap = None;
            out.policy = policy.map_or(Layer::None, |document| Layer::Docs(vec![document]));
        }
        Ok(out)
    }

    fn new(name: String, account: Option<String>) -> Self {
        Self {
            account,
            name,
            policy: Layer::None,
            restrict_public: Setting::Off,
            acls: false,
            key_grants: Some(Vec::new()),
            policy_gap: None,
            acl_gap: None,
        }
    }

    fn bucket(name: &str, material: &Material<'_>) -> Result<Self, AskError> {
        if name.contains(['*', '?']) {
            return Err(AskError::Resource(format!("{name} may be many buckets, and each has its own policy: name one")));
        }
        let snapshot = material.snapshot;
        let ids = material.accounts.iter().map(|account| (account, ResourceId::bucket(&account.key, name)));
        let mut found: Vec<(&AwsAccount, ResourceId)> = ids.filter(|(_, id)| snapshot.resource(id).is_some()).collect();
        let is = |id: &ResourceId, of: Existence| matches!(snapshot.exists(id), Fact::Known(found) if found == of);
        if found.iter().any(|(_, id)| is(id, Existence::Here)) {
            found.retain(|(_, id)| is(id, Existence::Here));
        } else if found.len() > 1 {
            found.retain(|(_, id)| !matches!(snapshot.exists(id), Fact::Absent) && !is(id, Existence::Foreign));
        }
        let declares =
            |account: &&AwsAccount| material.estate.copies_of(&ResourceId::bucket(&account.key, name)).next().is_some();
        let declared: Vec<&AwsAccount> = material.accounts.iter().filter(declares).collect();
        let (account, id) = match (found.as_slice(), material.accounts.as_slice()) {
            ([(_, id)], _) if matches!(snapshot.exists(id), Fact::Absent) => {
                return Err(AskError::Resource(format!("there is no bucket {name} in {}", id.account)));
            }
            ([(_, id)], _) if is(id, Existence::Foreign) => {
                return Err(AskError::Resource(format!(
                    "bucket {name} belongs to another account than {}; ask with that account's facts",
                    id.account
                )));
            }
            ([(account, id)], _) => (*account, id.clone()),
            ([], [only]) => (only, ResourceId::bucket(&only.key, name)),
            _ => match declared.as_slice() {
                [only] => (*only, ResourceId::bucket(&only.key, name)),
                _ => return Err(unknown_bucket(name, material)),
            },
        };
        let mut out = Self::new(format!("bucket policy of {name}"), Some(account.number.clone()).filter(|n| !n.is_empty()));
        match snapshot.read::<BucketPolicy>(&id) {
            Fact::Absent => {}
            Fact::Known(text) => match principals::parse(&text.0, BucketPolicy::SPEC, "it") {
                Ok(document) => out.policy = Layer::Docs(vec![document]),
                Err(gap) => out.unread(gap),
            },
            Fact::Unreadable(gap) => out.unread(*gap),
        }
        match snapshot.read::<Ownership>(&id) {
            Fact::Known(ownership) => out.acls = !ownership.is_enforced(),
            Fact::Absent => out.acls = true,
            Fact::Unreadable(gap) => {
                out.acls = true;
                out.acl_gap = Some(*gap);
            }
        }
        let of_bucket = snapshot.read::<PublicAccessBlock>(&id).map(|block| block.restrict_public_buckets);
        let of_account = snapshot
            .read::<AccountPublicAccessBlock>(&ResourceId::account(&account.key))
            .map(|block| block.0.restrict_public_buckets);
        out.restrict_public = match (of_bucket, of_account) {
            (Fact::Known(true), _) | (_, Fact::Known(true)) => Setting::On,
            (Fact::Unreadable(_), _) | (_, Fact::Unreadable(_)) => Setting::Unread,
            (Fact::Known(false) | Fact::Absent, Fact::Known(false) | Fact::Absent) => Setting::Off,
        };
        Ok(out)
    }

    /// A role's own policy says who may assume it; for all else it has none.
    fn role(given: &Given, role: &str, material: &Material<'_>) -> Self {
        let arn = given.label();
        let number = asked::account_in(&arn).map(str::to_owned);
        let mut out = Self::new(format!("trust policy of {role}"), number.clone());
        let account = number.as_deref().and_then(|number| material.account(number));
        let all = account.and_then(|account| material.principals.of_account(&account.key));
        let holder =
            all.and_then(|all| all.holders.iter().find(|holder| holder.id.kind == Kind::IamRole && *holder.id.name == *role));
        match holder.and_then(|holder| holder.trust.as_ref()) {
            Some(Ok(parsed)) => out.policy = Layer::Docs(vec![parsed.document.clone()]),
            Some(Err(gap)) => out.unread(gap.clone()),
            None => {
                let spec = crate::resources::iam_role::permissions::RolePermissions::SPEC;
                out.unread(Gap::not_collected(spec).with_detail(format!("the trust policy of {arn}")));
            }
        }
        out
    }

    /// No fact holds the policies of other resources, but for KMS keys.
    fn other(given: &Given, material: &Material<'_>) -> Self {
        let arn = given.label();
        let service = arn.split(':').nth(2).unwrap_or_default();
        let mut number = asked::account_in(&arn).map(str::to_owned);
        if let (None, [only]) = (&number, material.accounts.as_slice()) {
            number = Some(only.number.clone()).filter(|number| !number.is_empty());
        }
        let mut out = Self::new(format!("policy of {arn}"), number);
        if service == "kms" {
            out.key(&arn, material);
            return out;
        }
        // Of these, only roles have a policy of their own, which is another case.
        if arn != "*" && !matches!(service, "iam" | "sts" | "ec2" | "organizations" | "account") {
            out.unread(Gap::new(Why::NotCollected, "collect").with_detail(format!("the policy of {arn}")));
        }
        out
    }

    /// Key policy and grants, where the account's facts hold them.
    fn key(&mut self, arn: &str, material: &Material<'_>) {
        let place = |key: KeyArn| Some(ResourceId::new(&material.account(&key.account)?.key, Kind::KmsKey, arn));
        let Some(id) = KeyArn::parse(arn).filter(|key| !key.is_alias()).and_then(place) else {
            self.key_grants = None;
            self.unread(Gap::not_collected(KeyPolicy::SPEC).with_detail(format!("the policy of {arn}")));
            return;
        };
        let policy = material.snapshot.read::<KeyPolicy>(&id).read();
        match policy.and_then(|text| text.ok_or_else(|| Gap::not_collected(KeyPolicy::SPEC))) {
            Ok(text) => match principals::parse(&text.0, KeyPolicy::SPEC, "it") {
                Ok(document) => self.policy = Layer::Docs(vec![document]),
                Err(gap) => self.unread(gap),
            },
            Err(gap) => self.unread(if gap.detail.is_some() { gap } else { gap.with_detail(format!("the policy of {arn}")) }),
        }
        self.key_grants = match material.snapshot.read::<KeyGrants>(&id) {
            Fact::Known(grants) => Some(grants.0.clone()),
            Fact::Absent => Some(Vec::new()),
            Fact::Unreadable(_) => None,
        };
    }

    fn unread(&mut self, gap: Gap) {
        self.policy = Layer::Unread(Vec::new());
        self.policy_gap = Some(gap);
    }

    /// The documents of the resource's policy that were read.
    pub fn documents(&self) -> &[Document] {
        self.policy.read().map_or(&[], Vec::as_slice)
    }

    /// As the questions of `lastcopy-iam` want it, for one action.
    pub fn guards<'a>(&'a self, action: &str, material: &'a Material<'_>) -> Guards<'a> {
        // Of roles, a policy bears on who may assume them, and on nothing else.
        let bears =
            !self.name.starts_with("trust policy") || action.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("sts:"));
        let named =
            |documents: &'a Vec<Document>| documents.iter().map(|document| Named { name: &self.name, document }).collect();
        let resource = match &self.policy {
            _ if !bears => Layer::None,
            Layer::None => Layer::None,
            Layer::Docs(documents) => Layer::Docs(named(documents)),
            Layer::Unread(documents) => Layer::Unread(named(documents)),
        };
        let acl = if self.acls && is_given_by_acls(action) { Layer::Unread(Vec::new()) } else { Layer::None };
        Guards {
            resource,
            rcps: material.rcps(self.account.as_deref()),
            endpoint: Layer::None,
            bucket: Bucket { restrict_public: self.restrict_public, acl, object_owner: None },
            key_grants: match self.key_grants.as_deref() {
                None => Layer::Unread(Vec::new()),
                Some([]) => Layer::None,
                Some(grants) => Layer::Docs(grants.iter().map(key_grant).collect()),
            },
        }
    }
}

fn key_grant(grant: &Grant) -> KeyGrant<'_> {
    let operations = grant.operations.iter().map(String::as_str).collect();
    KeyGrant { id: &grant.id, grantee: &grant.grantee, operations, constrained: grant.constrained }
}

fn unknown_bucket(name: &str, material: &Material<'_>) -> AskError {
    let here =
        |id: &ResourceId| id.kind == Kind::S3Bucket && matches!(material.snapshot.exists(id), Fact::Known(Existence::Here));
    let known = material.snapshot.resources().filter(|(id, _)| here(id) && *id.name != *name).map(|(id, _)| &*id.name);
    let near = known.map(|known| (strsim::jaro_winkler(known, name), known)).filter(|(likeness, _)| *likeness > 0.85);
    let near = near.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, near)| format!(" (did you mean {near}?)"));
    AskError::Resource(format!(
        "nothing is known of bucket {name}{}, not even which account it lies in",
        near.unwrap_or_default()
    ))
}

/// Whether an ACL can give the action to somebody.
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions>.
fn is_given_by_acls(action: &str) -> bool {
    const GIVEN: [&str; 15] = [
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:ListBucketMultipartUploads",
        "s3:PutObject",
        // An object's writer may delete it where ACLs are on.
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:GetBucketAcl",
        "s3:PutBucketAcl",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:GetObjectAcl",
        "s3:GetObjectVersionAcl",
        "s3:PutObjectAcl",
        "s3:PutObjectVersionAcl",
        "s3:GetObjectTorrent",
    ];
    GIVEN.iter().any(|given| given.eq_ignore_ascii_case(action))
}

/// Twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
