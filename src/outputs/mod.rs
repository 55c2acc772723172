//! What the AWS CLI printed, kept in a folder, as a snapshot: for whoever may not hand out credentials.
//!
//! `<account>/<command>.json` holds what a command printed, `<account>/<bucket>/<command>.json` what it printed of a bucket, and
//! `.err` instead of `.json` the error that it ended with. Pure: files are read by whoever implements [`Folder`].
//!
//! It must never take a missing or broken file for "not configured", nor a folder of one account for another's. No name that is
//! written inside a file becomes a path.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use crate::authorization;
use crate::estate::{Account, AccountKey, Estate, ResourceId};
use crate::fact::{Fact, FactId, Gap, Kind, Why};
use crate::resources::account::identity::Identity;
use crate::resources::account::password_policy::PasswordPolicy;
use crate::resources::account::public_access_block::AccountPublicAccessBlock;
use crate::resources::account::root_credentials::RootCredentials;
use crate::resources::account::summary::Summary;
use crate::resources::iam_user::credentials::{ROOT, UserCredentials};
use crate::resources::iam_user::permissions::AUTHORIZATION;
use crate::resources::s3_bucket::S3BucketFacts;
use crate::resources::s3_bucket::encryption::Encryption;
use crate::resources::s3_bucket::lifecycle::Lifecycle;
use crate::resources::s3_bucket::object_lock::ObjectLock;
use crate::resources::s3_bucket::ownership::Ownership;
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::resources::s3_bucket::public_access_block::PublicAccessBlock;
use crate::resources::s3_bucket::region::Region;
use crate::resources::s3_bucket::replication::Replication;
use crate::resources::s3_bucket::tags::Tags;
use crate::resources::s3_bucket::versioning::Versioning;
use crate::resources::{FactType, Printed, parsed};
use crate::snapshot::{AccountRecord, Existence, Snapshot};

#[cfg(test)]
mod tests;

/// Facts that each come from one file; a new one is one line here, after its `impl Printed`.
macro_rules! printed {
    ($($(#[$doc:meta])* $each:ident, $FILES:ident: [$($Fact:ty),* $(,)?])*) => {$(
        fn $each(&self, id: &ResourceId, path: &[&str], into: &mut Snapshot, see: &mut dyn FnMut(&Answer, bool)) {
            $(self.fact::<$Fact>(id, path, into, see);)*
        }

        $(#[$doc])*
        pub const $FILES: &'static [(FactId, &'static str)] =
            &[$((<$Fact as FactType>::SPEC, <$Fact as Printed>::OPERATION)),*];
    )*};
}

impl Reading<'_> {
    printed! {
        /// The facts of a bucket that are read from files, with the operation that a file is of.
        of_bucket, BUCKET: [
            Tags, Versioning, Lifecycle, ObjectLock, Replication, BucketPolicy, PublicAccessBlock, Encryption, Ownership,
        ]
        /// The facts of an account that are read from files of their own.
        of_account, ACCOUNT: [Summary, PasswordPolicy, AccountPublicAccessBlock]
    }

    /// Further files of an account.
    pub const LISTS: &'static [&'static str] =
        &["GetCallerIdentity", "ListBuckets", AUTHORIZATION, RootCredentials::SPEC.operation];
}

/// A folder of files, wherever it is.
pub trait Folder {
    /// The names of the folders in this one, links left out.
    fn folders(&self, path: &[&str]) -> Result<Vec<String>, String>;
    /// A file of this one.
    fn file(&self, path: &[&str], name: &str) -> File;
    /// When the newest file below was written.
    fn newest(&self, path: &[&str]) -> Option<Timestamp>;
}

/// A file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// There is none.
    Missing,
    /// What it holds.
    Text(Vec<u8>),
    /// It is there and must not or cannot be read, for this reason.
    Unusable(String),
}

/// What an operation answered, as its files tell.
enum Answer {
    Missing,
    Printed(Vec<u8>),
    /// The service refused with this code.
    Refused(String),
    /// The command failed without the service.
    Failed(String),
    Odd(String),
}

/// Reads the accounts of the estate. The notes say what a person should know of the folder.
pub fn read(folder: &dyn Folder, estate: &Estate, fallback: Timestamp) -> Result<(Snapshot, Vec<String>), String> {
    let folders: BTreeSet<String> = folder.folders(&[])?.into_iter().collect();
    let (mut notes, mut used, mut oldest) = (Vec::new(), BTreeSet::new(), None::<Timestamp>);
    let mut snapshot = Snapshot::empty(fallback);
    for (key, account) in &estate.accounts {
        let mut record = AccountRecord {
            pinned: account.id.is_some(),
            endpoint: account.endpoint.clone(),
            provider: account.provider.clone(),
            ..AccountRecord::default()
        };
        let names = [Some(key.as_str()), account.id.as_deref()];
        let found: BTreeSet<&str> = names.into_iter().flatten().filter(|name| folders.contains(*name)).collect();
        let gap = match found.iter().copied().collect::<Vec<_>>().as_slice() {
            [] => Some(Gap::new(Why::NotCollected, "collect").with_detail("the folder holds no folder of this account")),
            [name] => {
                used.insert((*name).to_owned());
                let reading = Reading { folder, key, account, name, at: fallback };
                match reading.time(&mut notes) {
                    Ok(at) => {
                        oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
                        Reading { at, ..reading }.account(&mut record, &mut snapshot).err()
                    }
                    Err(gap) => Some(gap),
                }
            }
            _ => {
                used.extend(found.iter().map(|name| (*name).to_owned()));
                let detail = format!("two folders are of this account, {}", found.into_iter().collect::<Vec<_>>().join(" and "));
                Some(Gap::new(Why::Malformed, "collect").with_detail(detail))
            }
        };
        record.gap = gap;
        // The answer of IAM may have told the partition.
        let told = snapshot.accounts.remove(key).unwrap_or_default();
        record.partition = record.partition.or(told.partition);
        snapshot.accounts.insert(key.clone(), record);
    }
    snapshot.taken = oldest.unwrap_or(fallback);
    notes.extend(folders.difference(&used).take(10).map(|name| format!("folder {name} is of no account of the policy")));
    Ok((snapshot, notes))
}

/// The file of an operation, without its ending: `get-bucket-versioning`.
pub fn command(operation: &str) -> String {
    let mut name = String::with_capacity(operation.len() + 4);
    for (at, c) in operation.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// One account's folder.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    folder: &'a dyn Folder,
    key: &'a AccountKey,
    account: &'a Account,
    /// The name of its folder.
    name: &'a str,
    at: Timestamp,
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("key", self.key).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Reading<'_> {
    /// When the commands ran: as the file `collected-at` says, else when the newest file was written.
    fn time(&self, notes: &mut Vec<String>) -> Result<Timestamp, Gap> {
        let bad = |why: &str| Gap::new(Why::Malformed, "collect").with_detail(format!("collected-at {why}"));
        match self.folder.file(&[self.name], "collected-at") {
            File::Text(text) => {
                let text = String::from_utf8(text).map_err(|_| bad("is no text"))?;
                text.trim().parse().map_err(|_| bad("is no time like 2026-11-22T14:00:00Z"))
            }
            File::Unusable(why) => Err(bad(&why)),
            File::Missing => {
                let newest = self.folder.newest(&[self.name]).ok_or_else(|| bad("is missing, and no file tells a time"))?;
                notes.push(format!(
                    "{}: without a file collected-at; taken to be of {newest}, when its newest file was written",
                    self.name
                ));
                Ok(newest)
            }
        }
    }

    fn account(&self, record: &mut AccountRecord, into: &mut Snapshot) -> Result<(), Gap> {
        if self.account.is_aws() {
            self.identity(record, into)?;
            let id = ResourceId::account(self.key);
            self.of_account(&id, &[self.name], into, &mut |_, _| {});
            self.authorization(record.id.as_deref(), into);
            self.credential_report(record.id.as_deref(), into);
        }
        self.buckets(into);
        Ok(())
    }

    /// Whose folder it is: as STS said, and as the twelve digits of its name say. Both must be the account that is pinned.
    fn identity(&self, record: &mut AccountRecord, into: &mut Snapshot) -> Result<(), Gap> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Caller {
            account: String,
            arn: String,
        }
        let operation = Identity::SPEC.operation;
        let named = is_number(self.name).then(|| self.name.to_owned());
        let said = match self.answer(&[self.name], operation) {
            Answer::Missing => None,
            Answer::Printed(text) => match parsed::<Caller>(&text) {
                Ok(caller) if is_number(&caller.account) && caller.arn.split(':').nth(4) == Some(caller.account.as_str()) => {
                    Some(caller)
                }
                Ok(_) => return Err(malformed(Identity::SPEC, operation, "it names no account")),
                Err(why) => return Err(malformed(Identity::SPEC, operation, &why)),
            },
            other @ (Answer::Refused(_) | Answer::Failed(_) | Answer::Odd(_)) => {
                return Err(self.gap(Identity::SPEC, operation, &other));
            }
        };
        let number = said.as_ref().map(|caller| caller.account.clone()).or_else(|| named.clone());
        let wrong = |detail: String| Err(Gap::new(Why::WrongAccount, operation).with_detail(detail));
        match (&number, &named, &self.account.id) {
            (Some(number), Some(named), _) if number != named => return wrong(format!("folder {named} is of account {number}")),
            (Some(number), _, Some(pinned)) if number != pinned => {
                return wrong(format!("folder {} is of account {number}, expected {pinned}", self.name));
            }
            (None, _, Some(pinned)) => {
                return wrong(format!("nothing in folder {} says that it is of account {pinned}", self.name));
            }
            (Some(_) | None, _, _) => {}
        }
        record.partition = said.as_ref().and_then(|caller| caller.arn.split(':').nth(1)).map(str::to_owned);
        record.id = number;
        if let Some(Caller { account, arn }) = said {
            into.put(&ResourceId::account(self.key), Fact::Known(Identity { account, arn }), self.at);
        }
        Ok(())
    }

    fn authorization(&self, number: Option<&str>, into: &mut Snapshot) {
        let Some(of) = crate::resources::spec("iam-user.permissions") else { return };
        let gap = match self.answer(&[self.name], AUTHORIZATION) {
            Answer::Missing => return,
            Answer::Printed(text) => match authorization::read(&text) {
                Ok(details) => match (number, &details.account) {
                    (Some(number), Some(found)) if number != found => Gap::new(Why::WrongAccount, AUTHORIZATION)
                        .with_detail(format!("{}.json is of account {found}", command(AUTHORIZATION))),
                    (Some(number), _) => return details.put(into, self.key, number, self.at),
                    (None, _) => {
                        Gap::new(Why::Malformed, AUTHORIZATION).with_detail("nothing says which account the folder is of")
                    }
                },
                Err(why) => malformed(of, AUTHORIZATION, &why.to_string()),
            },
            other @ (Answer::Refused(_) | Answer::Failed(_) | Answer::Odd(_)) => self.gap(of, AUTHORIZATION, &other),
        };
        into.put_listing(self.key, AUTHORIZATION, Fact::Unreadable(Box::new(gap)));
    }

    fn credential_report(&self, number: Option<&str>, into: &mut Snapshot) {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Report {
            content: String,
            generated_time: Timestamp,
        }
        let of = RootCredentials::SPEC;
        let rows = match self.answer(&[self.name], of.operation) {
            Answer::Missing => return,
            Answer::Printed(text) => parsed::<Report>(&text)
                .and_then(|report| {
                    let rows = base64(&report.content).ok_or("its Content is not base64")?;
                    UserCredentials::rows(&rows, report.generated_time, number)
                })
                .map_err(|why| malformed(of, of.operation, &why)),
            other @ (Answer::Refused(_) | Answer::Failed(_) | Answer::Odd(_)) => Err(self.gap(of, of.operation, &other)),
        };
        let state = rows.map(|mut rows| {
            let root = rows.remove(ROOT).map_or(Fact::Absent, |row| Fact::Known(RootCredentials(row)));
            into.put(&ResourceId::account(self.key), root, self.at);
            let count = rows.len();
            for (name, row) in rows {
                into.put(&ResourceId::new(self.key, Kind::IamUser, &name), Fact::Known(row), self.at);
            }
            count
        });
        into.put_listing(self.key, of.operation, state.map_or_else(|gap| Fact::Unreadable(Box::new(gap)), Fact::Known));
    }

    fn buckets(&self, into: &mut Snapshot) {
        let listed = self.list(into);
        let whole = into.listings().any(|(key, operation, state)| {
            key == self.key && operation == Region::SPEC.operation && matches!(state, Fact::Known(_))
        });
        let folders = match self.folder.folders(&[self.name]) {
            Ok(folders) => folders,
            Err(why) => {
                let gap = Gap::new(Why::Malformed, Region::SPEC.operation).with_detail(why);
                return into.put_listing(self.key, Region::SPEC.operation, Fact::Unreadable(Box::new(gap)));
            }
        };
        for name in folders {
            let id = ResourceId::bucket(self.key, &name);
            let known = listed.contains(&name);
            if whole && !known {
                // Whatever was answered, it was not the account's own bucket that did.
                let gap = malformed(Region::SPEC, Region::SPEC.operation, &format!("it does not name the bucket {name}"));
                if let Some(resource) = into.resource_mut(&id) {
                    resource.exists = Fact::Unreadable(Box::new(gap.clone()));
                    for spec in S3BucketFacts::SPECS {
                        resource.facts.put_gap(spec, &gap);
                        resource.stamp(spec, self.at);
                    }
                }
                continue;
            }
            self.bucket(&id, known, into);
        }
    }

    fn bucket(&self, id: &ResourceId, listed: bool, into: &mut Snapshot) {
        let (mut answered, mut missing, mut refused) = (false, false, None);
        // Only the bucket itself says what it lacks.
        self.of_bucket(id, &[self.name, &id.name], into, &mut |answer, absent| match answer {
            Answer::Printed(_) => answered = true,
            Answer::Refused(_) if absent => answered = true,
            Answer::Refused(code) if code == "NoSuchBucket" => missing = true,
            Answer::Refused(code) if is_denied(code) => {
                refused.get_or_insert_with(|| Gap::new(Why::Denied, "collect"));
            }
            Answer::Refused(_) | Answer::Failed(_) | Answer::Missing | Answer::Odd(_) => {}
        });
        let exists = match (listed || answered, missing) {
            (true, false) => Fact::Known(Existence::Here),
            (false, true) => Fact::Absent,
            (true, true) => {
                let gap = Gap::new(Why::Vanished, "collect").with_detail("some of its files say that it does not exist");
                Fact::Unreadable(Box::new(gap))
            }
            (false, false) => Fact::Unreadable(Box::new(refused.unwrap_or_else(|| Gap::new(Why::NotCollected, "collect")))),
        };
        if let Some(resource) = into.resource_mut(id) {
            resource.exists = exists;
        }
    }

    /// The names in `list-buckets.json`.
    fn list(&self, into: &mut Snapshot) -> BTreeSet<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Page {
            buckets: Vec<Bucket>,
            prefix: Option<String>,
            continuation_token: Option<String>,
            next_token: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Bucket {
            name: String,
            bucket_region: Option<String>,
        }
        let of = Region::SPEC;
        let page = match self.answer(&[self.name], of.operation) {
            Answer::Missing => return BTreeSet::new(),
            Answer::Printed(text) => parsed::<Page>(&text).map_err(|why| malformed(of, of.operation, &why)),
            other @ (Answer::Refused(_) | Answer::Failed(_) | Answer::Odd(_)) => Err(self.gap(of, of.operation, &other)),
        };
        let mut names = BTreeSet::new();
        let state = match page {
            Err(gap) => Fact::Unreadable(Box::new(gap)),
            Ok(page) => {
                let more =
                    [page.prefix, page.continuation_token, page.next_token].iter().flatten().any(|token| !token.is_empty());
                let nameless = page.buckets.iter().any(|bucket| bucket.name.is_empty());
                for Bucket { name, bucket_region } in page.buckets.into_iter().filter(|bucket| !bucket.name.is_empty()) {
                    let id = ResourceId::bucket(self.key, &name);
                    if let Some(resource) = into.resource_mut(&id) {
                        resource.exists = Fact::Known(Existence::Here);
                        resource.listed = true;
                    }
                    if let Some(region) = bucket_region {
                        into.put(&id, Fact::Known(Region(region)), self.at);
                    }
                    names.insert(name);
                }
                if more {
                    let gap = Gap::new(Why::Truncated, of.operation).with_detail("list-buckets.json is not the whole list");
                    Fact::Unreadable(Box::new(gap))
                } else if nameless {
                    Fact::Unreadable(Box::new(malformed(of, of.operation, "a bucket without a name")))
                } else {
                    Fact::Known(names.len())
                }
            }
        };
        into.put_listing(self.key, of.operation, state);
        names
    }

    fn fact<T: Printed>(&self, id: &ResourceId, path: &[&str], into: &mut Snapshot, see: &mut dyn FnMut(&Answer, bool)) {
        let answer = self.answer(path, T::OPERATION);
        see(&answer, matches!(&answer, Answer::Refused(code) if T::ABSENT.contains(&code.as_str())));
        let fact = match &answer {
            Answer::Missing => return,
            Answer::Printed(text) if text.trim_ascii().is_empty() && T::SILENT => Fact::Absent,
            Answer::Printed(text) => match T::printed(text) {
                Ok(Some(value)) => Fact::Known(value),
                Ok(None) => Fact::Absent,
                Err(why) => Fact::Unreadable(Box::new(malformed(T::SPEC, T::OPERATION, &why))),
            },
            Answer::Refused(code) if T::ABSENT.contains(&code.as_str()) => Fact::Absent,
            Answer::Refused(_) | Answer::Failed(_) | Answer::Odd(_) => {
                Fact::Unreadable(Box::new(self.gap(T::SPEC, T::OPERATION, &answer)))
            }
        };
        into.put(id, fact, self.at);
    }

    /// The gap of an answer without a value.
    fn gap(&self, of: FactId, operation: &str, answer: &Answer) -> Gap {
        match answer {
            Answer::Refused(code) => {
                let why = match code.as_str() {
                    _ if is_denied(code) => Why::Denied,
                    "NoSuchBucket" => Why::Vanished,
                    _ => Why::Failed,
                };
                let mut gap = Gap::new(why, of.operation).with_action(of.actions.first().copied());
                gap.code = Some(code.clone());
                gap
            }
            Answer::Failed(detail) => {
                Gap::new(Why::Failed, of.operation).with_action(of.actions.first().copied()).with_detail(detail.as_str())
            }
            Answer::Odd(why) => malformed(of, operation, why),
            Answer::Missing | Answer::Printed(_) => Gap::not_collected(of),
        }
    }

    fn answer(&self, path: &[&str], operation: &str) -> Answer {
        let name = command(operation);
        let file = |ending: &str| self.folder.file(path, &format!("{name}.{ending}"));
        match (file("json"), file("err")) {
            (File::Missing, File::Missing) => Answer::Missing,
            (File::Unusable(why), _) | (_, File::Unusable(why)) => Answer::Odd(why),
            (File::Text(text), File::Missing) if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") => {
                Answer::Odd("it is UTF-16; it must be UTF-8".to_owned())
            }
            (File::Text(text), File::Missing) => {
                Answer::Printed(text.strip_prefix(b"\xef\xbb\xbf").map_or_else(|| text.clone(), <[u8]>::to_vec))
            }
            (File::Text(text), File::Text(_)) if !text.trim_ascii().is_empty() => {
                Answer::Odd(format!("there is {name}.json and {name}.err; only one can be right"))
            }
            (File::Missing | File::Text(_), File::Text(text)) => match code(&text, operation) {
                Some(code) => Answer::Refused(code),
                // The command never reached the service: what it says may hold an endpoint, and is not told.
                None => Answer::Failed(format!("see {name}.err")),
            },
        }
    }
}

fn is_denied(code: &str) -> bool {
    [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "UnauthorizedAccess",
        "AllAccessDisabled",
        "AccountProblem",
    ]
    .contains(&code)
}

fn is_number(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn malformed(of: FactId, operation: &str, why: &str) -> Gap {
    let why: String = why.chars().take(200).collect();
    Gap::new(Why::Malformed, of.operation)
        .with_action(of.actions.first().copied())
        .with_detail(format!("{}.json: {why}", command(operation)))
}

/// The code in `An error occurred (CODE) when calling the OPERATION operation: …`; the message is not looked at.
fn code(text: &[u8], operation: &str) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let (code, rest) = text.split_once("An error occurred (")?.1.split_once(')')?;
    let of = rest.strip_prefix(" when calling the ")?.split(' ').next()?;
    let word =
        !code.is_empty() && code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
    (word && of == operation).then(|| code.to_owned())
}

/// The bytes behind a base64 text (RFC 4648), white space aside.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits, mut padding) = (0u32, 0u32, false);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let six = match byte {
            b'=' => {
                padding = true;
                continue;
            }
            _ if padding => return None,
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(six)) & 0x00ff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(out)
}
