//! `lastcopy collect`: the live state into a snapshot file, or what that would take.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::accounts::Accounts;
use super::{Failed, Global, files, outputs, wall};
use crate::collect::plan::{Times, forecast};
use crate::exit::Exit;
use crate::policy::Policy;
use crate::snapshot::Snapshot;

/// Read the accounts and keep what was seen in a snapshot file (readable by you alone), to be judged later or elsewhere.
#[derive(Debug, Args)]
pub(super) struct Collect {
    /// Policy files and folders; without any, lastcopy.yaml
    policies: Vec<PathBuf>,
    /// The snapshot file to write; `-` is stdout
    #[arg(long, short, value_name = "FILE", required_unless_present = "dry_run")]
    output: Option<PathBuf>,
    /// Send nothing: print the calls that the policies need
    #[arg(long)]
    dry_run: bool,
    /// Read what the AWS CLI printed into a folder instead of the live accounts; see docs/cli-outputs.md
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dry_run", "how"])]
    cli_outputs: Option<PathBuf>,
    #[command(flatten)]
    accounts: Accounts,
}

impl Collect {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failed> {
        let policy = files::policies(&self.policies, global)?.policy;
        if self.dry_run {
            return dry_run(&policy);
        }
        let Some(output) = &self.output else { return Err(Failed::Usage("--output is missing".to_owned())) };
        let snapshot = match &self.cli_outputs {
            Some(folder) => outputs::folder(folder, &policy, global)?,
            None => self.live(&policy, global)?,
        };
        write(&snapshot, output, global)
    }

    #[cfg(feature = "aws")]
    fn live(&self, policy: &Policy, global: &Global) -> Result<Snapshot, Failed> {
        let connections = self.accounts.connections(&policy.estate)?;
        let runtime = super::accounts::runtime()?;
        let snapshot = self.accounts.read(policy, connections, None, &runtime, global);
        runtime.shutdown_background();
        Ok(snapshot)
    }

    #[cfg(not(feature = "aws"))]
    fn live(&self, _: &Policy, _: &Global) -> Result<Snapshot, Failed> {
        Err(Failed::Usage(
            "this lastcopy was built without the feature `aws` and cannot read accounts; give it --cli-outputs".to_owned(),
        ))
    }
}

fn write(snapshot: &Snapshot, output: &Path, global: &Global) -> Result<Exit, Failed> {
    if output.as_os_str() == "-" {
        crate::snapshot::file::write(snapshot, &mut std::io::stdout().lock()).context("cannot write the snapshot")?;
    } else {
        files::write_private(output, |out| crate::snapshot::file::write(snapshot, out))?;
    }
    for (key, record) in &snapshot.accounts {
        if let Some(gap) = &record.gap {
            global.say(&format!("account {key} could not be read: {gap}"));
        }
    }
    let calls: u64 = snapshot.calls.values().sum();
    global.say(&format!("{} resources, {calls} calls → {}", snapshot.resources().count(), output.display()));
    let entered = snapshot.accounts.values().any(|record| record.gap.is_none());
    Ok(if !entered {
        Exit::CouldNotWork
    } else if snapshot.complete && snapshot.accounts.values().all(|record| record.gap.is_none()) {
        Exit::Compliant
    } else {
        Exit::Incomplete
    })
}

fn dry_run(policy: &Policy) -> Result<Exit, Failed> {
    let mut out = std::io::stdout().lock();
    let mut write = || -> std::io::Result<()> {
        for line in forecast(&policy.wants(), &policy.estate, wall()) {
            let times = match line.times {
                Times::Exactly(times) => times.to_string(),
                Times::Pages => "once for each page".to_owned(),
                Times::PerRegion => "in each Region of the buckets in question, once for each page".to_owned(),
                Times::AsFound => "as often as the answer before it says".to_owned(),
                Times::PerBucket => "once for each bucket in scope".to_owned(),
            };
            writeln!(out, "{}\t{}\t{times}", line.account, line.call)?;
        }
        Ok(())
    };
    write().context("cannot write the forecast")?;
    Ok(Exit::Compliant)
}
