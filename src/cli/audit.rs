//! `lastcopy audit`: load, collect, evaluate, render. It has no writing flag.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::accounts::Accounts;
use super::{Failed, Global, files, outputs, wall};
use crate::assessment::Assessment;
use crate::checks::Severity;
use crate::evaluate::evaluate;
use crate::exit::Exit;
use crate::fact::{Gap, Why};
use crate::policy::Policy;
use crate::reporters::{Evidence, Options, REPORTERS, Reporter, reporter};
use crate::snapshot::Snapshot;
use crate::units::Span;

/// Read the accounts, judge them by the policies and report. It cannot write to any account.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lastcopy audit --demo\n  lastcopy audit policies/ --fail-on high\n  \
    lastcopy audit lastcopy.yaml --format human --format sarif --output - --output lastcopy.sarif\n  \
    lastcopy audit lastcopy.yaml --snapshot last-night.jsonl\n  \
    lastcopy audit lastcopy.yaml --cli-outputs outputs/")]
pub(super) struct Audit {
    /// Policy files and folders; without any, lastcopy.yaml
    policies: Vec<PathBuf>,
    /// Audit the embedded demo accounts: nothing to configure
    #[cfg(feature = "demo")]
    #[arg(long, conflicts_with_all = ["stored", "how"])]
    demo: bool,
    /// Judge a snapshot file instead of the live accounts, at the time it was taken
    #[arg(long, value_name = "FILE", group = "stored")]
    snapshot: Option<PathBuf>,
    /// Judge what the AWS CLI printed into a folder, at the time that its file `collected-at` says; see docs/cli-outputs.md
    #[arg(long, value_name = "DIR", group = "stored")]
    cli_outputs: Option<PathBuf>,
    /// Judge the output of `aws iam get-account-authorization-details`, at the time the file was written; what it does not hold
    /// is unknown
    #[arg(long, value_name = "FILE", group = "stored")]
    authorization_details: Option<PathBuf>,
    /// Judge what is stored at this time instead: an RFC 3339 time, or `wall` for now
    #[arg(long, value_name = "TIME", requires = "stored")]
    now: Option<String>,
    /// Treat what was stored longer ago than this as not read at all, for example 24h
    #[arg(long, value_name = "AGE", requires = "stored")]
    max_age: Option<Span>,
    #[command(flatten)]
    report: Report,
    #[command(flatten)]
    accounts: Accounts,
}

/// What is written and what fails.
#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
struct Report {
    /// The format of the report; repeatable
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(REPORTERS.iter().map(|r| r.name())))]
    format: Vec<String>,
    /// Where to write it: the first --output belongs to the first --format, and so on; `-` is stdout
    #[arg(long, short, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Exit 1 only for open failures at or above this severity
    #[arg(long, value_name = "SEVERITY", default_value = "low", value_parser = severity)]
    fail_on: Severity,
    /// Exit 1 instead of 3 when something could not be judged
    #[arg(long)]
    incomplete_as_failure: bool,
    /// Wrap the human report at so many columns, also when it is piped; without it, at the width of the terminal
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(20..=1000))]
    width: Option<u16>,
    /// Show all evidence, of passes too
    #[arg(long, value_name = "WHICH", default_value = "failures", value_parser = PossibleValuesParser::new(["failures", "all"]))]
    evidence: String,
}

fn severity(text: &str) -> Result<Severity, String> {
    [Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|severity| severity.as_str() == text)
        .ok_or_else(|| "one of low, medium, high, critical".to_owned())
}

impl Audit {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failed> {
        let outputs = self.report.outputs()?;
        #[cfg(feature = "demo")]
        if self.demo {
            let (policy, snapshot) = super::demo::collect(&self.policies, &self.accounts, global)?;
            let exit = self.report.write(&outputs, &evaluate(&policy, &snapshot, snapshot.taken), None, global)?;
            global.say(super::demo::AFTER);
            return Ok(exit);
        }
        let policy = files::policies(&self.policies, global)?.policy;
        let (snapshot, now) = match self.stored(&policy, global)? {
            Some(snapshot) => {
                let now = match self.now.as_deref() {
                    None => None,
                    Some("wall") => Some(wall()),
                    Some(time) => Some(time.parse().map_err(|error| Failed::Usage(format!("--now {time}: {error}")))?),
                };
                let snapshot = self.young_enough(snapshot, now.unwrap_or_else(wall));
                let now = now.unwrap_or(snapshot.taken);
                (snapshot, now)
            }
            None => {
                let snapshot = self.live(&policy, global)?;
                let now = snapshot.taken;
                (snapshot, now)
            }
        };
        self.report.write(&outputs, &evaluate(&policy, &snapshot, now), Some(wall()), global)
    }

    /// The state from files, where the flags name any.
    fn stored(&self, policy: &Policy, global: &Global) -> Result<Option<Snapshot>, Failed> {
        Ok(match (&self.snapshot, &self.cli_outputs, &self.authorization_details) {
            (Some(path), _, _) => Some(files::snapshot(path)?),
            (None, Some(path), _) => Some(outputs::folder(path, policy, global)?),
            (None, None, Some(path)) => Some(outputs::details(path, policy, global)?),
            (None, None, None) => None,
        })
    }

    fn young_enough(&self, mut snapshot: Snapshot, now: jiff::Timestamp) -> Snapshot {
        let age = now.duration_since(snapshot.taken);
        if let Some(most) = self.max_age
            && (age.as_secs() > most.seconds() || age.as_secs() < -300)
        {
            let gap = Gap::new(Why::NotCollected, "snapshot")
                .with_detail(format!("the snapshot is {age:#} old, and --max-age allows {most}"));
            snapshot.forget(&gap);
        }
        snapshot
    }

    #[cfg(feature = "aws")]
    fn live(&self, policy: &Policy, global: &Global) -> Result<Snapshot, Failed> {
        let connections = self.accounts.connections(&policy.estate)?;
        let runtime = super::accounts::runtime()?;
        let snapshot = self.accounts.read(policy, connections, None, &runtime, global);
        // It answers Ctrl-C while the snapshot is judged and reported; the process ends soon after.
        std::mem::forget(runtime);
        Ok(snapshot)
    }

    #[cfg(not(feature = "aws"))]
    fn live(&self, _: &Policy, _: &Global) -> Result<Snapshot, Failed> {
        Err(Failed::Usage("this lastcopy was built without the feature `aws`; give it a --snapshot".to_owned()))
    }
}

/// A format and the file that it goes to; `None` is stdout.
type Target = (&'static dyn Reporter, Option<PathBuf>);

impl Report {
    /// Formats with their files; `None` is stdout.
    fn outputs(&self) -> Result<Vec<Target>, Failed> {
        let default = ["human".to_owned()];
        let formats: &[String] = if self.format.is_empty() { &default } else { &self.format };
        if self.output.len() > formats.len() {
            return Err(Failed::Usage(format!("{} times --output for {} --format", self.output.len(), formats.len())));
        }
        let mut outputs = Vec::new();
        for (at, format) in formats.iter().enumerate() {
            let reporter = reporter(format).ok_or_else(|| Failed::Usage(format!("there is no format {format}")))?;
            outputs.push((reporter, self.output.get(at).filter(|path| path.as_os_str() != "-").cloned()));
        }
        let files: Vec<&PathBuf> = outputs.iter().filter_map(|(_, path)| path.as_ref()).collect();
        if let Some(twice) =
            files.iter().enumerate().find_map(|(at, file)| files.iter().skip(at + 1).find(|other| *other == file))
        {
            return Err(Failed::Usage(format!("two formats would go to {}", twice.display())));
        }
        if outputs.iter().filter(|(_, path)| path.is_none()).count() > 1 {
            return Err(Failed::Usage("only one format can go to stdout; name an --output for the others".to_owned()));
        }
        Ok(outputs)
    }

    /// Without a clock no age is told: the demo's time stands still.
    fn write(
        &self,
        outputs: &[Target],
        assessment: &Assessment,
        clock: Option<jiff::Timestamp>,
        global: &Global,
    ) -> Result<Exit, Failed> {
        for (reporter, path) in outputs {
            let terminal = path.is_none() && io::stdout().is_terminal();
            let options = Options {
                terminal,
                width: self.width.or_else(|| terminal.then(width).flatten()),
                color: path.is_none() && global.color.on(terminal),
                fail_on: self.fail_on,
                incomplete_as_failure: self.incomplete_as_failure,
                evidence: if self.evidence == "all" { Evidence::All } else { Evidence::Failures },
                clock,
            };
            match path {
                None => {
                    let mut out = BufWriter::new(io::stdout().lock());
                    let written = reporter.render(assessment, &options, &mut out).and_then(|()| out.flush());
                    match written {
                        // Whoever read the report has seen enough; the other reports and the verdict stand.
                        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                        other => other.context("cannot write the report")?,
                    }
                }
                Some(path) => files::write_private(path, |out| reporter.render(assessment, &options, out))?,
            }
        }
        Ok(Exit::of(assessment, self.fail_on, self.incomplete_as_failure))
    }
}

/// The columns of the terminal.
pub(super) fn width() -> Option<u16> {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    columns.or_else(terminal_width).filter(|columns| *columns >= 20).or(Some(80))
}

fn terminal_width() -> Option<u16> {
    comfy_table::Table::new().width()
}
