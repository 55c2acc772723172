//! Files of the AWS CLI in place of live accounts: a folder of them, or one `get-account-authorization-details.json`.
//!
//! It must never follow a link out of the folder, nor read what is no plain file.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use super::{Failed, Global, sources, wall};
use crate::authorization;
use crate::outputs::{File, Folder, read};
use crate::policy::Policy;
use crate::snapshot::Snapshot;

/// More is no answer of an API.
const MOST: u64 = 256 << 20;

/// A folder of outputs as a snapshot.
pub(super) fn folder(path: &Path, policy: &Policy, global: &Global) -> Result<Snapshot, Failed> {
    let what = || format!("cannot read folder {}", path.display());
    if !fs::metadata(path).with_context(what)?.is_dir() {
        return Err(Failed::Work(anyhow!("{} is not a folder", path.display())));
    }
    let (mut snapshot, notes) =
        read(&Disk(path.to_owned()), &policy.estate, wall()).map_err(|why| anyhow!(why)).with_context(what)?;
    for note in notes {
        global.say(&format!("note: {}: {note}", path.display()));
    }
    snapshot.policy_digest = Some(policy.digest.clone());
    Ok(snapshot)
}

/// The output of `aws iam get-account-authorization-details` as a snapshot: of that account nothing else is known, of the others
/// nothing at all.
pub(super) fn details(path: &Path, policy: &Policy, global: &Global) -> Result<Snapshot, Failed> {
    let what = || format!("authorization details {}", path.display());
    let details = authorization::read(&sources::bytes(path)?).map_err(|error| anyhow!(error)).with_context(what)?;
    let Some(number) = details.account.clone() else {
        return Err(Failed::Usage(format!("{} names no account", what())));
    };
    let aws = || policy.estate.accounts.iter().filter(|(_, account)| account.is_aws());
    let pinned = aws().find(|(_, account)| account.id.as_deref() == Some(&number));
    let only = aws().next().filter(|(_, account)| account.id.is_none() && aws().count() == 1);
    let Some((key, account)) = pinned.or(only) else {
        return Err(Failed::Usage(format!("{} is of account {number}, and the policy has no account with this id", what())));
    };
    let modified = fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let taken = modified.and_then(|time| Timestamp::try_from(time).ok()).unwrap_or_else(wall);
    global.say(&format!("note: {} is taken to be of {taken}, when it was written", path.display()));
    let mut snapshot = Snapshot::empty(taken);
    snapshot.policy_digest = Some(policy.digest.clone());
    snapshot.accounts.entry(key.clone()).or_default().pinned = account.id.is_some();
    details.put(&mut snapshot, key, &number, taken);
    Ok(snapshot)
}

/// A folder on this machine.
struct Disk(PathBuf);

impl Disk {
    fn at(&self, path: &[&str]) -> PathBuf {
        path.iter().fold(self.0.clone(), |at, name| at.join(name))
    }

    fn newest(at: &Path, newest: &mut Option<Timestamp>, depth: u8) {
        for entry in fs::read_dir(at).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() && depth > 0 {
                Self::newest(&entry.path(), newest, depth - 1);
            } else if meta.is_file() {
                let time = meta.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
                *newest = (*newest).max(time);
            }
        }
    }
}

impl Folder for Disk {
    fn folders(&self, path: &[&str]) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.at(path)).map_err(|error| error.to_string())? {
            let entry = entry.map_err(|error| error.to_string())?;
            // Of a link this is the link itself.
            if entry.file_type().map_err(|error| error.to_string())?.is_dir() {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn file(&self, path: &[&str], name: &str) -> File {
        let at = self.at(path).join(name);
        let bad = |why: &str| File::Unusable(format!("{name} {why}"));
        match fs::symlink_metadata(&at) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return File::Missing,
            Err(error) => return bad(&format!("cannot be read: {}", error.kind())),
            Ok(meta) if meta.is_symlink() => return bad("is a link, and links are not followed"),
            Ok(meta) if !meta.is_file() => return bad("is not a plain file"),
            Ok(_) => {}
        }
        let mut text = Vec::new();
        match fs::File::open(&at).and_then(|file| file.take(MOST + 1).read_to_end(&mut text)) {
            Ok(_) if text.len() as u64 > MOST => bad(&format!("is larger than {} MiB", MOST >> 20)),
            Ok(_) => File::Text(text),
            Err(error) => bad(&format!("cannot be read: {}", error.kind())),
        }
    }

    fn newest(&self, path: &[&str]) -> Option<Timestamp> {
        let mut newest = None;
        Self::newest(&self.at(path), &mut newest, 1);
        newest
    }
}
