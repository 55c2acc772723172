//! The reviewed list of actions that destroy documents, or the protection or feed that would let them be recovered.
//!
//! It must never hold a name that is not an IAM action (the API's name often differs), and never lose a kill path silently:
//! a path without an action says why in the data file, `data/destroying-actions.txt`.
//!
//! See <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>.

use std::sync::OnceLock;

const FILE: &str = include_str!("../data/destroying-actions.txt");

/// One destroying action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destroying {
    /// The IAM action, `s3:DeleteObjectVersion`.
    pub action: &'static str,
    /// The kill paths it is part of, `KP04`; none for acts on AWS Backup.
    pub kill_paths: Vec<&'static str>,
    /// What it can do.
    pub capability: Capability,
    /// What it acts on.
    pub resource: ResourceKind,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word of the data file.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().find(|word| word.as_str() == text).copied()
            }
        }
    };
}

words! {
    /// What an action can do to a document or to what protects it.
    Capability {
        /// Delete an object: its content without versioning, a delete marker with it.
        DeleteObject = "delete-object",
        /// Delete a version for good.
        DeleteVersion = "delete-version",
        /// Put other content under the key.
        Overwrite = "overwrite",
        /// Change tags, on which lifecycle rules, replication rules and policies may depend.
        ChangeTags = "change-tags",
        /// Suspend versioning.
        ChangeVersioning = "change-versioning",
        /// Have AWS expire objects and versions.
        ChangeLifecycle = "change-lifecycle",
        /// Rewrite or drop a resource policy.
        ChangePolicy = "change-policy",
        /// Change ACLs, ownership or the public access block.
        ChangeAccess = "change-access",
        /// Change or shorten Object Lock.
        ChangeLock = "change-lock",
        /// Ignore a governance lock.
        BypassLock = "bypass-lock",
        /// Destroy or disable a key, or cut access to it.
        DestroyKey = "destroy-key",
        /// Change under which key objects are, or will be, encrypted.
        ChangeEncryption = "change-encryption",
        /// Stop, pause or redirect replication.
        ChangeReplication = "change-replication",
        /// Delete the bucket.
        DeleteBucket = "delete-bucket",
        /// Delete a backup, or let it expire.
        DeleteBackup = "delete-backup",
        /// Stop backups, or change what protects them.
        ChangeBackup = "change-backup",
        /// Have something else act that may hold any of the above.
        Indirect = "indirect",
        /// Act on a whole account.
        Account = "account",
        /// Leave an organization, or lift its limits.
        Organization = "organization",
        /// Keep others from noticing in time.
        BlindDetection = "blind-detection",
    }
}

words! {
    /// What an action acts on.
    ResourceKind {
        /// An object or version.
        Object = "object",
        /// A bucket.
        Bucket = "bucket",
        /// A KMS key or its alias.
        Key = "key",
        /// An account.
        Account = "account",
        /// An organization.
        Organization = "organization",
        /// Anything else: a role, an access point, a job, a key store, a trail.
        Other = "other",
    }
}

/// The list, sorted by action, each action once.
#[must_use]
pub fn destroying_actions() -> &'static [Destroying] {
    static LIST: OnceLock<Vec<Destroying>> = OnceLock::new();
    LIST.get_or_init(|| match parse(FILE) {
        Ok(list) => list,
        #[expect(
            clippy::panic,
            reason = "the file is part of the program and every test run reads it; an empty list would pass everything"
        )]
        Err(line) => panic!("data/destroying-actions.txt: cannot read {line:?}"),
    })
}

/// The rows, or the first line that is none.
fn parse(file: &'static str) -> Result<Vec<Destroying>, &'static str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| row(line).ok_or(line)).collect()
}

fn row(line: &'static str) -> Option<Destroying> {
    let mut columns = line.split('|').map(str::trim);
    let (action, paths) = (columns.next()?, columns.next()?);
    let (capability, resource) = (Capability::parse(columns.next()?)?, ResourceKind::parse(columns.next()?)?);
    let (service, name) = action.split_once(':')?;
    let well_formed = !service.is_empty() && name.starts_with(|c: char| c.is_ascii_uppercase()) && columns.next().is_none();
    let kill_paths: Vec<&str> = if paths == "-" { Vec::new() } else { paths.split(' ').collect() };
    (well_formed && kill_paths.iter().all(|path| is_path(path))).then_some(Destroying {
        action,
        kill_paths,
        capability,
        resource,
    })
}

/// `KP04`, `KP10b`
fn is_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("KP") else { return false };
    let digits = rest.trim_end_matches(|c: char| c.is_ascii_lowercase());
    digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()) && rest.len() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All numbered paths: direct, bucket, key, mirror, indirect, account and provider.
    fn all_paths() -> Vec<String> {
        let numbers = (1..=27).chain(30..=42).chain(50..=58).chain(60..=68);
        let mut paths: Vec<String> = numbers.map(|n| format!("KP{n:02}")).collect();
        paths.extend(["KP10b", "KP10c", "KP19b"].map(String::from));
        paths
    }

    #[test]
    fn is_sorted_and_unique() {
        let list = destroying_actions();
        assert!(list.len() > 100, "{}", list.len());
        for pair in list.windows(2) {
            assert!(pair[0].action < pair[1].action, "{} before {}", pair[0].action, pair[1].action);
        }
    }

    #[test]
    fn every_kill_path_has_an_action_or_a_reason() {
        let known = all_paths();
        for path in &known {
            let acted = destroying_actions().iter().any(|row| row.kill_paths.contains(&path.as_str()));
            let excused = FILE.lines().any(|line| line.starts_with(&format!("# {path} none: ")));
            assert!(acted != excused, "{path}: acted {acted}, excused {excused}");
        }
        for row in destroying_actions() {
            assert!(row.kill_paths.iter().all(|path| known.iter().any(|k| k == path)), "{}", row.action);
            assert_eq!(
                row.kill_paths.is_empty(),
                row.action.starts_with("backup:") && row.action != "backup:StartRestoreJob",
                "{}",
                row.action
            );
        }
    }

    #[test]
    fn every_word_is_used_and_unlike_the_others() {
        for capability in Capability::ALL {
            assert!(destroying_actions().iter().any(|row| row.capability == *capability), "{}", capability.as_str());
            assert_eq!(Capability::parse(capability.as_str()), Some(*capability));
        }
        for kind in ResourceKind::ALL {
            assert!(destroying_actions().iter().any(|row| row.resource == *kind), "{}", kind.as_str());
        }
    }

    #[test]
    fn api_names_that_are_no_actions_stay_out() {
        let holds = |action: &str| destroying_actions().iter().any(|row| row.action == action);
        for (api, action) in [
            ("s3:DeleteBucketLifecycle", "s3:PutLifecycleConfiguration"),
            ("s3:PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
            ("s3:PutBucketReplication", "s3:PutReplicationConfiguration"),
            ("s3:PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration"),
            ("s3:DeleteObjects", "s3:DeleteObject"),
            ("s3:PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
        ] {
            assert!(!holds(api) && holds(action), "{api}");
        }
    }

    #[test]
    fn a_row_that_is_wrong_is_not_skipped() {
        for line in [
            "s3:X | KP01 | delete-object",
            "s3:X | KP01 | erase | object",
            "s3:X | KP01 | delete-object | thing",
            "s3:X | KP1 | delete-object | object",
            "s3:X |  | delete-object | object",
            "s3X | KP01 | delete-object | object",
            "s3:x | KP01 | delete-object | object",
            "s3:X | KP01 | delete-object | object | more",
        ] {
            assert_eq!(parse(line), Err(line));
        }
        assert_eq!(parse("s3:X | KP01 KP10b | delete-object | object").map(|rows| rows.len()), Ok(1));
    }
}
