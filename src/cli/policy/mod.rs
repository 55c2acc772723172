//! `lastcopy policy`: everything around writing policies.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};

mod init;
mod test;

use super::page::{BOLD, PLAIN, Page};
use super::{Failed, Global, files};
use crate::checks::{CHECKS, check};
use crate::exit::Exit;

/// Check policies, print their schema, explain checks.
#[derive(Debug, Args)]
pub(super) struct Policy {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show every problem of every file, with its place and a hint; reads no account
    Check {
        /// Policy files and folders; without any, lastcopy.yaml
        policies: Vec<PathBuf>,
    },
    /// Judge the cases of test files (NAME.test.yaml beside NAME.yaml) and say which controls no case makes fail
    Test(test::Test),
    /// Print the JSON Schema of policy files, for editors
    Schema {
        /// That of test files instead
        #[arg(long)]
        tests: bool,
    },
    /// Draft a policy that fits the accounts as they are, with comments on what was guessed and what fails today
    Init(Box<init::Init>),
    /// Say in plain words what a policy requires; or what a check requires, why, when it fails and how to fix it
    Explain {
        /// A policy file or folder, the id of a check, or of a control of the policies; without it, the policies, or else all
        /// checks
        #[arg(value_name = "POLICY|ID")]
        id: Option<String>,
        /// Policies to explain, or whose controls may be named
        #[arg(long = "policy", value_name = "FILE")]
        policies: Vec<PathBuf>,
    },
}

impl Policy {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failed> {
        let text = match &self.command {
            Command::Check { policies } => {
                let policy = files::policies(policies, global)?.policy;
                for waiver in policy.waivers.iter().filter(|waiver| !waiver.holds(super::wall())) {
                    let at = &waiver.at;
                    global.say(&format!(
                        "warning: {}:{}: the waiver of {} expired on {}",
                        at.file, at.line, waiver.control, waiver.expires
                    ));
                }
                let copies: usize = policy.estate.stores.values().map(|store| store.copies.len()).sum();
                for dropped in &policy.dropped {
                    let at = &dropped.at;
                    global
                        .say(&format!("note: {}:{}: {} is not required: {}", at.file, at.line, dropped.control, dropped.reason));
                }
                let dropped = match policy.dropped.len() {
                    0 => String::new(),
                    some => format!(" · not required {some}"),
                };
                format!(
                    "{}: valid · accounts {} · stores {} · copies {copies} · controls {} · waivers {}{dropped}",
                    policy.name,
                    policy.estate.accounts.len(),
                    policy.estate.stores.len(),
                    policy.controls.len(),
                    policy.waivers.len()
                )
            }
            Command::Test(test) => return test.run(global),
            Command::Schema { tests: false } => crate::policy::schema::text().trim_end().to_owned(),
            Command::Schema { tests: true } => crate::policy::cases::schema_text().trim_end().to_owned(),
            Command::Init(init) => return init.run(global),
            Command::Explain { id: None, policies } if !policies.is_empty() => return explain_policy(policies, global),
            Command::Explain { id: Some(path), policies } if check(path).is_none() && Path::new(path).exists() => {
                let paths: Vec<PathBuf> = std::iter::once(PathBuf::from(path)).chain(policies.iter().cloned()).collect();
                return explain_policy(&paths, global);
            }
            Command::Explain { id: None, .. } => {
                CHECKS.iter().map(|entry| format!("{:<32} {}", entry.meta.id, entry.meta.title)).collect::<Vec<_>>().join("\n")
            }
            Command::Explain { id: Some(id), policies } => explain(id, policies, global)?,
        };
        writeln!(std::io::stdout(), "{text}").context("cannot write")?;
        Ok(Exit::Compliant)
    }
}

/// What policies require, in plain words.
fn explain_policy(paths: &[PathBuf], global: &Global) -> Result<Exit, Failed> {
    let files = files::gathered(paths)?;
    let policy = files::checked(&files, global)?.policy;
    let mut page = Page::new(global);
    for (at, line) in crate::policy::explain::explain(&policy, &files, super::wall()).iter().enumerate() {
        if line.level == 0 && at > 0 {
            page.blank();
        }
        page.line("", 2 * line.level, PLAIN, &line.text, if line.level == 0 { BOLD } else { PLAIN });
    }
    page.print().context("cannot write")?;
    Ok(Exit::Compliant)
}

fn explain(id: &str, policies: &[PathBuf], global: &Global) -> Result<String, Failed> {
    if let Some(entry) = check(id) {
        return Ok(crate::generate::check_page(entry));
    }
    if !policies.is_empty() || PathBuf::from("lastcopy.yaml").is_file() {
        let policy = files::policies(policies, global)?.policy;
        if let Some(control) = policy.controls.iter().find(|control| control.id == id) {
            let meta = control.check.meta();
            let page = check(meta.id).map(crate::generate::check_page).unwrap_or_default();
            let at = &control.at;
            let note = control.description.as_deref().unwrap_or(meta.title);
            return Ok(format!("{id} ({}:{}), severity {}: {note}\n\n{page}", at.file, at.line, control.severity));
        }
    }
    let near = CHECKS.iter().map(|entry| (strsim::jaro_winkler(entry.meta.id, id), entry.meta.id));
    let near = near.filter(|(likeness, _)| *likeness > 0.85).max_by(|(a, _), (b, _)| a.total_cmp(b));
    let near = near.map(|(_, near)| format!(" (did you mean {near}?)")).unwrap_or_default();
    Err(Failed::Usage(format!(
        "there is no check or control {id}{near}\nhint: `lastcopy policy explain` lists the checks; name the policy of a control with --policy"
    )))
}
