//! `lastcopy policy init`: drafts a policy from a snapshot, the demo, or the live accounts, which it only reads.
//!
//! It must never replace a file unasked, and never write a policy that does not load.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use crate::cli::accounts::Accounts;
use crate::cli::{Failed, Global, files};
use crate::demand::{Demand, Want};
use crate::estate::{Account, AccountKey};
use crate::evaluate::evaluate;
use crate::exit::Exit;
use crate::fact::Kind;
use crate::judgement::Judgement;
use crate::policy::diagnostic::{Grade, Look, render};
use crate::policy::draft::{Sketch, Today, sketch, write};
use crate::policy::source::SourceFile;
use crate::policy::{Policy, load};
use crate::resources::FactType;
use crate::resources::s3_bucket::lifecycle::Lifecycle;
use crate::resources::s3_bucket::object_lock::ObjectLock;
use crate::resources::s3_bucket::public_access_block::PublicAccessBlock;
use crate::resources::s3_bucket::replication::Replication;
use crate::resources::s3_bucket::tags::Tags;
use crate::resources::s3_bucket::versioning::Versioning;
use crate::scope::Scope;
use crate::snapshot::Snapshot;

/// Draft a policy that fits the accounts as they are, with comments on what was guessed and what fails today.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lastcopy policy init --demo\n  lastcopy policy init --account production=profile:prod \
    --account vault=profile:vault --output lastcopy.yaml\n  lastcopy policy init --snapshot state.jsonl > lastcopy.yaml\n\
    On a terminal it asks; without one, and at the end of the input, it takes what it would have offered.")]
pub(super) struct Init {
    /// Draft for the embedded demo accounts: nothing to configure
    #[cfg(feature = "demo")]
    #[arg(long, conflicts_with_all = ["snapshot", "how"])]
    demo: bool,
    /// Draft from a snapshot file instead of the live accounts
    #[arg(long, value_name = "FILE", conflicts_with = "how")]
    snapshot: Option<PathBuf>,
    /// The name of the policy
    #[arg(long, value_name = "NAME", default_value = "documents")]
    name: String,
    /// The file to write, readable by others as any policy; without it, or as `-`, stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Ask even when stdin is no terminal
    #[arg(long)]
    ask: bool,
    #[command(flatten)]
    accounts: Accounts,
}

/// The accounts with what was seen of them.
type Seen = (BTreeMap<AccountKey, Account>, Snapshot);

impl Init {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failed> {
        let mut output = self.output.clone().filter(|path| path.as_os_str() != "-");
        if let Some(path) = &output {
            self.may_write(path)?;
        }
        let (accounts, snapshot) = self.seen(global)?;
        let mut sketch = sketch(&self.name, &accounts, &snapshot);
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal() && !global.quiet;
        if self.ask || terminal {
            let mut asker = Asker { input: io::stdin().lock(), over: false };
            asker.sketch(&mut sketch);
            if self.output.is_none() && (self.ask || io::stdout().is_terminal()) {
                output = self.where_to(&mut asker);
            }
        }
        let policy = loaded(&write(&sketch, &[]))?;
        let text = write(&sketch, &today(&policy, &snapshot));
        loaded(&text)?;
        match &output {
            None => io::stdout().write_all(text.as_bytes()).context("cannot write the policy")?,
            Some(path) => {
                self.may_write(path)?;
                let mut options = OpenOptions::new();
                options.write(true).create_new(!self.force).create(self.force).truncate(self.force);
                let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
                written.with_context(|| format!("cannot write {}", path.display()))?;
                let shown = path.display();
                global.say(&format!("written: {shown}\nnext: read it · lastcopy policy check {shown} · lastcopy audit {shown}"));
            }
        }
        let unread = !snapshot.accounts.is_empty() && snapshot.accounts.values().all(|record| record.gap.is_some());
        Ok(if unread { Exit::CouldNotWork } else { Exit::Compliant })
    }

    fn may_write(&self, path: &Path) -> Result<(), Failed> {
        if !self.force && path.exists() {
            let text =
                format!("{} is there already\nhint: --force replaces it; name another file, or none for stdout", path.display());
            return Err(Failed::Usage(text));
        }
        Ok(())
    }

    fn where_to(&self, asker: &mut Asker<impl BufRead>) -> Option<PathBuf> {
        let usual = Path::new("lastcopy.yaml");
        let offered = if usual.exists() && !self.force { "-" } else { "lastcopy.yaml" };
        let answer = asker.ask("Write it to which file? `-` shows it only", offered);
        Some(PathBuf::from(answer)).filter(|path| path.as_os_str() != "-")
    }

    fn seen(&self, global: &Global) -> Result<Seen, Failed> {
        #[cfg(feature = "demo")]
        if self.demo {
            let (policy, snapshot) = crate::cli::demo::collect_wants(&[], &self.accounts, global, &|_| wants())?;
            return Ok((policy.estate.accounts, snapshot));
        }
        if let Some(path) = &self.snapshot {
            let snapshot = files::snapshot(path)?;
            return Ok((accounts_of(&snapshot), snapshot));
        }
        self.live(global)
    }

    #[cfg(feature = "aws")]
    fn live(&self, global: &Global) -> Result<Seen, Failed> {
        let mut policy = loaded(&self.declared()?)?;
        let runtime = crate::cli::accounts::runtime()?;
        let snapshot = self.accounts.read_wants(&policy, &wants(), BTreeMap::new(), None, &runtime, global);
        runtime.shutdown_background();
        Ok((std::mem::take(&mut policy.estate.accounts), snapshot))
    }

    #[cfg(not(feature = "aws"))]
    fn live(&self, _: &Global) -> Result<Seen, Failed> {
        Err(Failed::Usage("this lastcopy was built without the feature `aws`; give it a --snapshot".to_owned()))
    }

    /// The accounts that the flags name, as a policy; without flags, one account of the ambient credentials.
    #[cfg(feature = "aws")]
    fn declared(&self) -> Result<String, Failed> {
        let mut fields: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for flag in &self.accounts.how {
            let wrong = || {
                let shown = flag.split_once('=').map_or("…", |(name, _)| name);
                Failed::Usage(format!(
                    "--account {shown}=…: write NAME=profile:X, NAME=role:ARN, NAME=endpoint:URL or NAME=ambient"
                ))
            };
            let (name, how) = flag.split_once('=').ok_or_else(wrong)?;
            let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !plain {
                return Err(Failed::Usage(format!(
                    "--account {name}=…: a name has lower-case letters, digits and single hyphens"
                )));
            }
            let of = fields.entry(name).or_default();
            match how.split_once(':') {
                None if how == "ambient" => {}
                Some((key @ ("profile" | "role" | "endpoint"), value)) if !value.is_empty() => {
                    let key = if key == "role" { "role-arn" } else { key };
                    of.push(format!("{key}: {}", serde_json::Value::from(value)));
                }
                None | Some(_) => return Err(wrong()),
            }
        }
        if fields.is_empty() {
            fields.insert("main", Vec::new());
        }
        let accounts = fields.iter().map(|(name, fields)| format!("  \"{name}\": {{ {} }}\n", fields.join(", ")));
        Ok(format!("lastcopy: v1\nname: draft\naccounts:\n{}", accounts.collect::<String>()))
    }
}

/// What a draft is made of: the buckets of every account, and what they say of copies and protection.
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only a live account is asked"))]
fn wants() -> Vec<Want> {
    let facts = &[Versioning::SPEC, Replication::SPEC, Lifecycle::SPEC, ObjectLock::SPEC, PublicAccessBlock::SPEC, Tags::SPEC];
    vec![Want { scope: Scope::default(), unit: Kind::S3Bucket, demands: vec![Demand::unit(facts)] }]
}

/// The accounts of a snapshot, as a policy would declare them.
fn accounts_of(snapshot: &Snapshot) -> BTreeMap<AccountKey, Account> {
    let account = |record: &crate::snapshot::AccountRecord| {
        let aws = record.partition.is_some() || record.provider.is_none() && record.endpoint.is_none();
        let endpoint = record.endpoint.clone().filter(|url| crate::policy::endpoint_problem(url).is_none());
        Account {
            id: record.id.clone(),
            // A provider cannot be without an endpoint; whoever reads the draft knows it.
            endpoint: (!aws).then(|| endpoint.unwrap_or_else(|| "https://TODO.example".to_owned())),
            provider: record.provider.clone().filter(|_| !aws),
            ..Account::default()
        }
    };
    snapshot.accounts.iter().map(|(key, record)| (key.clone(), account(record))).collect()
}

/// A draft must load: that it does not is a mistake of lastcopy's or of a flag.
fn loaded(text: &str) -> Result<Policy, Failed> {
    let file = SourceFile { path: "(draft)".to_owned(), bytes: text.as_bytes().to_vec() };
    load(&[file]).map(|loaded| loaded.policy).map_err(|problems| {
        let errors: Vec<_> = problems.into_iter().filter(|problem| problem.grade == Grade::Error).collect();
        Failed::Work(anyhow!("the draft would not be a valid policy:\n{}", render(&errors, Look::Plain).trim_end()))
    })
}

/// The controls that are seen to fail. What the draft did not read is not told: the audit reads it.
fn today(policy: &Policy, snapshot: &Snapshot) -> Vec<Today> {
    let assessment = evaluate(policy, snapshot, snapshot.taken);
    let mut today: Vec<Today> = Vec::new();
    for finding in &assessment.findings {
        let (Some(control), Judgement::Fail(violations)) = (assessment.control(finding), &finding.judgement) else { continue };
        let on = assessment.resource(finding).map_or("", |resource| &resource.id.name);
        let says = violations.iter().map(|violation| format!("{on}: {}", violation.says));
        match today.iter_mut().find(|known| known.control == control.id) {
            Some(known) => known.says.extend(says),
            None => today.push(Today { control: control.id.clone(), severity: control.severity.as_str(), says: says.collect() }),
        }
    }
    today
}

/// Asks on stderr, reads lines from stdin. Where the input ends, the offer is taken.
struct Asker<R> {
    input: R,
    over: bool,
}

impl<R: BufRead> Asker<R> {
    fn ask(&mut self, question: &str, offered: &str) -> String {
        if self.over {
            return offered.to_owned();
        }
        let mut err = anstream::stderr();
        let _ = write!(err, "{} [{offered}] ", crate::visible::visible(question));
        let _ = err.flush();
        let mut line = String::new();
        match self.input.by_ref().take(4096).read_line(&mut line) {
            Ok(read) if read > 0 => {}
            Ok(_) | Err(_) => {
                self.over = true;
                let _ = writeln!(err);
            }
        }
        match line.trim() {
            "" => offered.to_owned(),
            some => some.to_owned(),
        }
    }

    fn sketch(&mut self, sketch: &mut Sketch) {
        let name = self.ask("What is the policy called?", &sketch.name);
        sketch.rename(&name);
        let stores = std::mem::take(&mut sketch.stores);
        for mut store in stores {
            let copies: Vec<String> = store.copies.iter().map(|copy| format!("{}/{}", copy.account, copy.bucket)).collect();
            let question =
                format!("Store {} ({}): {}. Keep it? yes, no, or another name", store.name, store.why, copies.join(" → "));
            match self.ask(&question, "yes").to_lowercase().as_str() {
                "n" | "no" => sketch.leave_out(store),
                "y" | "yes" => sketch.stores.push(store),
                other => {
                    store.name = sketch.free_name(other);
                    sketch.stores.push(store);
                }
            }
        }
    }
}
