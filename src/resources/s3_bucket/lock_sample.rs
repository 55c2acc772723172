//! Until when current versions of a bucket are locked: all of them in a small bucket, else a sample spread over the keys.
//! Absent: the bucket has no Object Lock configuration, so no version can be locked.
//!
//! It must never hold the name of a document: only counts leave the reader.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::object_lock::LockMode;
use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The most versions whose lock is read.
pub const MOST: usize = 200;

/// Locks of current versions, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LockSample {
    /// Every current version was looked at.
    pub whole: bool,
    /// Versions that are locked alike; none of them twice.
    pub groups: Vec<Group>,
}

/// Versions that are locked alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Group {
    pub versions: u32,
    /// Their retention; the earliest end of those that end on the same day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// A legal hold or an event hold is on: no end is known.
    #[serde(default)]
    pub held: bool,
}

/// A retention that may still run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Retention {
    pub mode: LockMode,
    #[schemars(with = "String")]
    pub until: Timestamp,
}

impl Group {
    /// Whether these versions stay until then, in the mode or a stronger one. A hold counts as governance: somebody can lift it.
    pub fn covers(&self, until: Timestamp, mode: LockMode) -> bool {
        let retained = self.retention.is_some_and(|retention| retention.until >= until && retention.mode >= mode);
        retained || (self.held && mode == LockMode::Governance)
    }
}

impl LockSample {
    /// How many versions were looked at.
    pub fn seen(&self) -> u32 {
        self.groups.iter().fold(0, |sum, group| sum.saturating_add(group.versions))
    }
}

impl FactType for LockSample {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.lock-sample",
        kind: Kind::S3Bucket,
        operation: "ListObjectVersions",
        also: &["GetObjectRetention", "GetObjectLegalHold"],
        actions: &["s3:ListBucketVersions", "s3:GetObjectRetention", "s3:GetObjectLegalHold"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
mod read {
    use std::collections::{BTreeMap, BTreeSet};

    use aws_sdk_s3::types::{EncodingType, ObjectLockEventHold, ObjectLockLegalHoldStatus, ObjectLockRetentionMode};
    use futures_util::{StreamExt, TryStreamExt, stream};
    use jiff::Timestamp;

    use super::{Group, LockMode, LockSample, MOST, Retention};
    use crate::aws::{BucketReader, Failure, Reading, absent_on};

    /// Pages that are followed from the first key on.
    const PAGES: usize = 5;
    /// How many key prefixes are looked into in a bucket that is larger.
    const SPREAD: usize = 10;
    /// Levels of folders that are gone down while there is but one.
    const DEPTH: usize = 8;
    /// Where to look in a bucket without folders: letters and digits, spread.
    const MARKERS: [&str; 8] = ["2", "5", "9", "H", "T", "a", "h", "r"];

    /// Key and version of a document.
    type Version = (String, Option<String>);

    #[derive(Default)]
    struct Page {
        current: Vec<Version>,
        folders: Vec<String>,
        /// Where the next page begins.
        next: Option<(String, Option<String>)>,
    }

    impl crate::aws::Read<BucketReader> for LockSample {
        async fn read(from: &BucketReader) -> Reading<Self> {
            let (versions, whole) = versions(from).await?;
            let answers = stream::iter(versions).map(|version| lock(from, version)).buffer_unordered(16);
            let answers: Vec<Lock> = answers.try_collect().await?;
            if answers.iter().any(|lock| matches!(lock, Lock::NoneInBucket)) {
                return Ok(None);
            }
            // Versions may go away while they are read; then not every one was looked at.
            let whole = whole && answers.iter().all(|lock| matches!(lock, Lock::Is(..)));
            let mut days: BTreeMap<(Option<(LockMode, i64)>, bool), Group> = BTreeMap::new();
            for (retention, held) in answers.into_iter().filter_map(Lock::read) {
                let day = retention.map(|retention| (retention.mode, retention.until.as_second().div_euclid(86_400)));
                let group = days.entry((day, held)).or_insert(Group { versions: 0, retention, held });
                group.versions = group.versions.saturating_add(1);
                group.retention = group.retention.min(retention);
            }
            Ok(Some(Self { whole, groups: days.into_values().collect() }))
        }
    }

    /// At most [`MOST`] current versions, and whether that is all of them.
    async fn versions(from: &BucketReader) -> Result<(Vec<Version>, bool), Failure> {
        let mut found = BTreeSet::new();
        let (mut next, mut whole) = (None, false);
        for _ in 0..PAGES {
            let page = page(from, "", next.take(), false).await?;
            found.extend(page.current);
            whole = page.next.is_none();
            next = page.next;
            if whole || found.len() > MOST {
                break;
            }
        }
        if !whole {
            // Most of the choice comes from elsewhere than the first keys.
            found = evenly(found.into_iter().collect(), MOST / 4).into_iter().collect();
            found.extend(spread(from).await?);
        }
        let whole = whole && found.len() <= MOST;
        Ok((evenly(found.into_iter().collect(), MOST), whole))
    }

    /// Current versions from places spread over the keys.
    async fn spread(from: &BucketReader) -> Result<Vec<Version>, Failure> {
        let (mut prefix, mut top) = (String::new(), Page::default());
        for _ in 0..DEPTH {
            top = page(from, &prefix, None, true).await?;
            match top.folders.as_slice() {
                [only] if top.current.is_empty() && top.next.is_none() => prefix.clone_from(only),
                _ => break,
            }
        }
        let mut found = evenly(top.current, MOST / SPREAD);
        if top.folders.len() > 1 {
            for folder in evenly(top.folders, SPREAD) {
                found.extend(evenly(page(from, &folder, None, false).await?.current, MOST / SPREAD));
            }
        } else {
            for marker in MARKERS {
                let after = Some((format!("{prefix}{marker}"), None));
                found.extend(evenly(page(from, &prefix, after, false).await?.current, MOST / SPREAD));
            }
        }
        Ok(found)
    }

    fn evenly<T>(all: Vec<T>, most: usize) -> Vec<T> {
        let count = all.len();
        let chosen: BTreeSet<usize> = (0..most).map(|at| at * count / most.max(1)).collect();
        all.into_iter().enumerate().filter(|(at, _)| count <= most || chosen.contains(at)).map(|(_, one)| one).collect()
    }

    async fn page(from: &BucketReader, prefix: &str, after: Option<Version>, folders: bool) -> Result<Page, Failure> {
        let (key, version) = after.map_or((None, None), |(key, version)| (Some(key), version));
        let answer = from
            .ask(|s3, of| {
                // Keys may hold characters that XML cannot carry.
                let ask = s3.list_object_versions().bucket(of.name).set_expected_bucket_owner(of.owner);
                let ask = ask.encoding_type(EncodingType::Url).set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()));
                let ask = ask.set_delimiter(folders.then(|| "/".to_owned()));
                ask.set_key_marker(key.clone()).set_version_id_marker(version.clone()).send()
            })
            .await?;
        let encoded = answer.encoding_type == Some(EncodingType::Url);
        let decoded = |text: String| {
            if !encoded {
                return Ok(text);
            }
            let text = text.replace('+', " ");
            let plain = percent_encoding::percent_decode_str(&text).decode_utf8();
            plain.map(std::borrow::Cow::into_owned).map_err(|_| Failure::malformed("a key that is not UTF-8"))
        };
        let mut found = Page::default();
        for version in answer.versions.unwrap_or_default() {
            let (Some(key), Some(latest)) = (version.key, version.is_latest) else {
                return Err(Failure::malformed("a version without a key, or that does not say whether it is current"));
            };
            if latest {
                found.current.push((decoded(key)?, version.version_id));
            }
        }
        for folder in answer.common_prefixes.unwrap_or_default() {
            found.folders.push(decoded(folder.prefix.unwrap_or_default())?);
        }
        let Some(more) = answer.is_truncated else {
            return Err(Failure::malformed("a page of versions that does not say whether it is the last"));
        };
        if more {
            let Some(next) = answer.next_key_marker.filter(|next| !next.is_empty()) else {
                return Err(Failure::malformed("a page of versions that does not say where the next begins"));
            };
            let next = (decoded(next)?, answer.next_version_id_marker.filter(|version| !version.is_empty()));
            if Some(&next.0) == key.as_ref() && next.1 == version {
                return Err(Failure::malformed("a page of versions that leads to itself"));
            }
            found.next = Some(next);
        }
        Ok(found)
    }

    enum Lock {
        Is(Option<Retention>, bool),
        /// The version was deleted while it was read.
        Vanished,
        /// The bucket has no Object Lock.
        NoneInBucket,
    }

    impl Lock {
        fn read(self) -> Option<(Option<Retention>, bool)> {
            match self {
                Self::Is(retention, held) => Some((retention, held)),
                Self::Vanished | Self::NoneInBucket => None,
            }
        }
    }

    const UNLOCKED: &[&str] = &["NoSuchObjectLockConfiguration"];
    const GONE: &[&str] = &["NoSuchKey", "NoSuchVersion"];

    async fn lock(from: &BucketReader, (key, version): Version) -> Result<Lock, Failure> {
        let ask = |answer| of(absent_on(answer, UNLOCKED), "GetObjectRetention");
        let answer = from
            .ask(|s3, of| {
                let ask = s3.get_object_retention().bucket(of.name).set_expected_bucket_owner(of.owner).key(&key);
                ask.set_version_id(version.clone()).send()
            })
            .await;
        let (mut retention, mut held) = (None, false);
        match ask(answer)? {
            Answer::Not(lock) => return Ok(lock),
            Answer::Is(found) => {
                if let Some(found) = found.and_then(|found| found.retention) {
                    held = match &found.event_hold {
                        None | Some(ObjectLockEventHold::Off) => false,
                        Some(ObjectLockEventHold::On) => true,
                        Some(other) => return Err(Failure::malformed(format!("unknown event hold `{other}`"))),
                    };
                    let mode = match &found.mode {
                        None => None,
                        Some(ObjectLockRetentionMode::Compliance) => Some(LockMode::Compliance),
                        Some(ObjectLockRetentionMode::Governance) => Some(LockMode::Governance),
                        Some(other) => return Err(Failure::malformed(format!("unknown lock mode `{other}`"))),
                    };
                    let until = found.retain_until_date.map(|until| Timestamp::from_second(until.secs())).transpose();
                    let until = until.map_err(|_| Failure::malformed("a retention that ends at no possible time"))?;
                    retention = match (mode, until) {
                        (Some(mode), Some(until)) => Some(Retention { mode, until }),
                        (_, None) if held => None,
                        _ => return Err(Failure::malformed("a retention without its mode or its end")),
                    };
                }
            }
        }
        let answer = from
            .ask(|s3, of| {
                let ask = s3.get_object_legal_hold().bucket(of.name).set_expected_bucket_owner(of.owner).key(&key);
                ask.set_version_id(version.clone()).send()
            })
            .await;
        match of(absent_on(answer, UNLOCKED), "GetObjectLegalHold")? {
            Answer::Not(lock) => Ok(lock),
            Answer::Is(found) => {
                held |= match found.and_then(|found| found.legal_hold).and_then(|hold| hold.status) {
                    None | Some(ObjectLockLegalHoldStatus::Off) => false,
                    Some(ObjectLockLegalHoldStatus::On) => true,
                    Some(other) => return Err(Failure::malformed(format!("unknown legal hold `{other}`"))),
                };
                Ok(Lock::Is(retention, held))
            }
        }
    }

    enum Answer<T> {
        Is(Option<T>),
        Not(Lock),
    }

    /// Tells what an error means for one version; names the operation, as the gap names the first one.
    fn of<T>(answer: Result<Option<T>, Failure>, operation: &str) -> Result<Answer<T>, Failure> {
        match absent_on(answer, GONE) {
            Ok(Some(found)) => Ok(Answer::Is(found)),
            Ok(None) => Ok(Answer::Not(Lock::Vanished)),
            Err(failure) if failure.status == Some(400) && failure.code.as_deref() == Some("InvalidRequest") => {
                let none = failure.detail.as_deref().is_some_and(|detail| detail.contains("missing Object Lock Configuration"));
                if none { Ok(Answer::Not(Lock::NoneInBucket)) } else { Err(failure) }
            }
            Err(mut failure) => {
                let said = failure.detail.take().map(|detail| format!(": {detail}")).unwrap_or_default();
                failure.detail = Some(format!("{operation} (needs s3:{operation}){said}"));
                Err(failure)
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::evenly;

        #[test]
        fn a_choice_is_spread() {
            assert_eq!(evenly((0..5).collect(), 10), [0, 1, 2, 3, 4]);
            assert_eq!(evenly((0..100).collect(), 4), [0, 25, 50, 75]);
            assert!(evenly(Vec::<u8>::new(), 4).is_empty());
        }
    }
}
