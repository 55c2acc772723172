//! Where the commands about access take their facts from: live accounts, a snapshot, the demo, or files of the AWS CLI.
//!
//! A layer that is in none of them is not read, which is never the same as none.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use lastcopy_iam::{Document, Layer};

use super::accounts::Accounts;
use super::{Failed, Global, files, wall};
use crate::access::{AttachedLevel, Given, Guarded, Material, Stated, is_account};
use crate::authorization;
use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::Fact;
use crate::resources::s3_bucket::ownership::Ownership;
use crate::snapshot::Snapshot;

/// Flags of commands that ask who may do what.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where the facts come from")]
pub(super) struct Sources {
    /// Ask about the embedded demo accounts: nothing to configure
    #[cfg(feature = "demo")]
    #[arg(long, conflicts_with_all = ["snapshot", "how", "authorization_details"])]
    demo: bool,
    /// Ask about a snapshot file instead of the live accounts
    #[arg(long, value_name = "FILE", conflicts_with = "authorization_details")]
    snapshot: Option<PathBuf>,
    /// Ask about the output of `aws iam get-account-authorization-details`; the account follows from its ARNs, or is given
    /// as --account ID
    #[arg(long, value_name = "FILE")]
    authorization_details: Option<PathBuf>,
    /// The policy of the resource (a bucket policy, the policy of a key), or `none`: it has none. Without it, and where no
    /// snapshot holds it, answers that it could change are unknown
    #[arg(long, visible_alias = "resource-policy", value_name = "FILE")]
    bucket_policy: Option<PathBuf>,
    /// The bucket's object ownership: BucketOwnerEnforced turns ACLs off
    #[arg(long, value_name = "OWNERSHIP", requires = "authorization_details", value_parser = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"])]
    object_ownership: Option<String>,
    /// A service control policy that binds the account, or `none`: no SCP does. Repeatable; give the level (root, unit or
    /// account) that it is attached to as LEVEL=FILE, root first
    #[arg(long, value_name = "[LEVEL=]FILE")]
    scp: Vec<String>,
    /// A resource control policy that binds the account, or `none`; as --scp
    #[arg(long, value_name = "[LEVEL=]FILE")]
    rcp: Vec<String>,
    #[command(flatten)]
    accounts: Accounts,
}

/// A snapshot with what the policies say of its accounts.
pub(super) struct Facts {
    pub(super) snapshot: Snapshot,
    pub(super) estate: Estate,
}

impl Sources {
    /// The same sources for another command line, each with a space before it.
    pub(super) fn again(&self) -> String {
        let mut out = String::new();
        #[cfg(feature = "demo")]
        if self.demo {
            out.push_str(" --demo");
        }
        let files = [
            ("--snapshot", &self.snapshot),
            ("--authorization-details", &self.authorization_details),
            ("--bucket-policy", &self.bucket_policy),
        ];
        for (flag, file) in files {
            if let Some(file) = file {
                out.push_str(&format!(" {flag} {}", quoted(&file.to_string_lossy())));
            }
        }
        let ownership = self.object_ownership.iter().map(|value| ("--object-ownership", value));
        let levels = self.scp.iter().map(|value| ("--scp", value)).chain(self.rcp.iter().map(|value| ("--rcp", value)));
        for (flag, value) in ownership.chain(levels) {
            out.push_str(&format!(" {flag} {}", quoted(value)));
        }
        out
    }

    /// Reads the facts that a question about the resource needs.
    pub(super) fn facts(&self, policies: &[PathBuf], given: &Given, global: &Global) -> Result<Facts, Failed> {
        #[cfg(feature = "demo")]
        if self.demo {
            let wants = |policy: &crate::policy::Policy| crate::access::wants(given, &policy.estate);
            let (policy, snapshot) = super::demo::collect_wants(policies, &self.accounts, global, &wants)?;
            return Ok(Facts { snapshot, estate: policy.estate });
        }
        if let Some(path) = &self.authorization_details {
            if !policies.is_empty() {
                return Err(Failed::Usage("--authorization-details needs no policy file: it is one account".to_owned()));
            }
            return Ok(Facts { snapshot: self.authorization(path, given)?, estate: Estate::default() });
        }
        if let Some(path) = &self.snapshot {
            let estate = match policies {
                [] => Estate::default(),
                some => files::policies(some, global)?.policy.estate,
            };
            return Ok(Facts { snapshot: files::snapshot(path)?, estate });
        }
        self.live(policies, given, global)
    }

    #[cfg(feature = "aws")]
    fn live(&self, policies: &[PathBuf], given: &Given, global: &Global) -> Result<Facts, Failed> {
        let policy = files::policies(policies, global)?.policy;
        let wants = crate::access::wants(given, &policy.estate);
        let connections = self.accounts.connections(&policy.estate)?;
        let runtime = super::accounts::runtime()?;
        let snapshot = self.accounts.read_wants(&policy, &wants, connections, None, &runtime, global);
        // It answers Ctrl-C while the answers are found; the process ends soon after.
        std::mem::forget(runtime);
        Ok(Facts { snapshot, estate: policy.estate })
    }

    #[cfg(not(feature = "aws"))]
    fn live(&self, _: &[PathBuf], _: &Given, _: &Global) -> Result<Facts, Failed> {
        Err(Failed::Usage(
            "this lastcopy was built without the feature `aws`; give it --snapshot or --authorization-details".to_owned(),
        ))
    }

    fn authorization(&self, path: &Path, given: &Given) -> Result<Snapshot, Failed> {
        let what = || format!("authorization details {}", path.display());
        let details = authorization::read(&bytes(path)?).map_err(|error| anyhow!(error)).with_context(what)?;
        let stated = match self.accounts.how.as_slice() {
            [] => None,
            [one] if is_account(one) => Some(one.clone()),
            _ => {
                return Err(Failed::Usage(
                    "--account: with --authorization-details it is the 12 digits of one account".to_owned(),
                ));
            }
        };
        let account = match (&details.account, stated) {
            (Some(found), Some(stated)) if *found != stated => {
                return Err(Failed::Usage(format!("--account {stated}: the file is of account {found}")));
            }
            (Some(found), _) => found.clone(),
            (None, Some(stated)) => stated,
            (None, None) => {
                return Err(Failed::Usage(format!("{} names no account; say which it is with --account ID", what())));
            }
        };
        let mut snapshot = details.into_snapshot(&account, wall());
        if let (Some(ownership), Some(bucket)) = (&self.object_ownership, given.bucket()) {
            let id = ResourceId::bucket(&AccountKey::new(&account), bucket);
            let taken = snapshot.taken;
            snapshot.put(&id, Fact::Known(Ownership(ownership.clone())), taken);
        }
        Ok(snapshot)
    }

    /// Parses what the answers borrow from.
    pub(super) fn material<'s>(&self, facts: &'s Facts) -> Result<Material<'s>, Failed> {
        let mut material = Material::of(&facts.snapshot, &facts.estate);
        if material.accounts.is_empty() {
            return Err(Failed::Work(anyhow!("there is no AWS account in it, and IAM is AWS's")));
        }
        let gaps = material.accounts.iter().map(|account| facts.snapshot.account_gap(&account.key));
        if let Some(Some(gap)) = gaps.reduce(|all, gap| all.and(gap)) {
            return Err(Failed::Work(anyhow!("no account could be read: {gap}")));
        }
        for (flag, given, into) in [("--scp", &self.scp, &mut material.scps), ("--rcp", &self.rcp, &mut material.rcps)] {
            if given.is_empty() {
                continue;
            }
            if material.accounts.len() > 1 {
                let text = format!("{flag} says nothing clear of {} accounts; ask about one", material.accounts.len());
                return Err(Failed::Usage(text));
            }
            *into = Some(Layer::Docs(attached(given)?));
        }
        Ok(material)
    }

    /// What guards the resource.
    pub(super) fn guarded(&self, given: &Given, material: &Material<'_>) -> Result<Guarded, Failed> {
        let policy = match &self.bucket_policy {
            None => None,
            Some(path) if path.as_os_str() == "none" => Some(None),
            Some(path) => Some(Some(document(path)?)),
        };
        Guarded::of(given, material, Stated { policy }).map_err(|error| Failed::Usage(error.to_string()))
    }
}

fn attached(given: &[String]) -> Result<Vec<AttachedLevel>, Failed> {
    let mut levels: Vec<AttachedLevel> = Vec::new();
    for flag in given.iter().filter(|flag| *flag != "none") {
        // A file whose name holds `=` is a file.
        let whole = Path::new(flag).is_file();
        let (level, file) = flag.split_once('=').filter(|_| !whole).unwrap_or(("the organization", flag));
        let policy = (file.to_owned(), document(Path::new(file))?);
        match levels.iter_mut().find(|known| known.id == level) {
            Some(known) => known.policies.push(policy),
            None => levels.push(AttachedLevel { id: level.to_owned(), policies: vec![policy] }),
        }
    }
    Ok(levels)
}

/// One IAM policy document, or what the AWS CLI prints around it.
fn document(path: &Path) -> Result<Document, Failed> {
    let what = || format!("policy document {}", path.display());
    let text = String::from_utf8(bytes(path)?).map_err(|_| anyhow!("it is not UTF-8")).with_context(what)?;
    let parsed = Document::parse(&authorization::document_of(&text));
    Ok(parsed.map_err(|error| anyhow!(error)).with_context(what)?)
}

/// More is no answer of IAM.
const MAX: u64 = 1 << 30;

pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Failed> {
    let what = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(what)?;
    let mut bytes = Vec::new();
    file.take(MAX + 1).read_to_end(&mut bytes).with_context(what)?;
    if bytes.len() as u64 > MAX {
        return Err(Failed::Work(anyhow!("{} is larger than {} MiB", path.display(), MAX >> 20)));
    }
    Ok(bytes)
}

/// For a shell: as it is if that is safe, else in single quotes.
pub(super) fn quoted(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "/._-:=@+,".contains(c);
    if !text.is_empty() && text.chars().all(safe) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
