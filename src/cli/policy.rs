//! `lastcopy policy`: check policies, print their schema, explain checks.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

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
    /// Print the JSON Schema of policy files, for editors
    Schema,
    /// Print what a check requires, why, when it fails and how to fix it
    Explain {
        /// The id of a check, or of a control of the policies; without it, all checks are listed
        id: Option<String>,
        /// Policies whose controls may be named
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
                format!(
                    "{}: valid · accounts {} · stores {} · copies {copies} · controls {} · waivers {}",
                    policy.name,
                    policy.estate.accounts.len(),
                    policy.estate.stores.len(),
                    policy.controls.len(),
                    policy.waivers.len()
                )
            }
            Command::Schema => crate::policy::schema::text().trim_end().to_owned(),
            Command::Explain { id: None, .. } => {
                CHECKS.iter().map(|entry| format!("{:<32} {}", entry.meta.id, entry.meta.title)).collect::<Vec<_>>().join("\n")
            }
            Command::Explain { id: Some(id), policies } => explain(id, policies, global)?,
        };
        writeln!(std::io::stdout(), "{text}").context("cannot write")?;
        Ok(Exit::Compliant)
    }
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
