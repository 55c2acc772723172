//! Documents generated from the program: completions, man page, reference.

use std::io::Write;

use anyhow::Context;
use clap::Args;

use super::{Failed, command};
use crate::exit::Exit;

/// Print shell completions.
#[derive(Debug, Args)]
pub(super) struct Completions {
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<Exit, Failed> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command(), "lastcopy", &mut text);
        std::io::stdout().write_all(&text).context("cannot write")?;
        Ok(Exit::Compliant)
    }
}

/// Prints the man page.
pub(super) fn man() -> Result<Exit, Failed> {
    clap_mangen::Man::new(command()).render(&mut std::io::stdout()).context("cannot write")?;
    Ok(Exit::Compliant)
}

/// The reference of the whole command line, from its help.
#[cfg(feature = "demo")]
pub(crate) fn reference() -> String {
    format!("<!-- Generated: just generate -->\n# Command line\n\n{}", help())
}

/// The long help of every command, one after the other.
#[cfg(feature = "demo")]
fn help() -> String {
    let mut text = String::new();
    let mut root = command().term_width(100);
    root.build();
    collect_help(&mut root, "lastcopy", &mut text);
    text
}

#[cfg(feature = "demo")]
fn collect_help(of: &mut clap::Command, path: &str, text: &mut String) {
    text.push_str(&format!("## `{path}`\n\n```text\n{}\n```\n\n", of.render_long_help().to_string().trim_end()));
    let names: Vec<String> = of
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        if let Some(sub) = of.find_subcommand_mut(&name) {
            collect_help(sub, &format!("{path} {name}"), text);
        }
    }
}
