//! The reporters: one file for each format, listed once below. A `--format` value, its help and its tests follow from the
//! list.
//!
//! A reporter must never judge: it tells what an assessment holds, and an unknown never reads like a pass. It writes as it
//! goes and never builds the whole report in memory.

use std::fmt;
use std::io;

use jiff::Timestamp;

use crate::assessment::Assessment;
use crate::checks::Severity;

pub mod tell;
pub mod text;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

/// Writes an assessment in one format.
pub trait Reporter: fmt::Debug + Send + Sync {
    /// The value of `--format`.
    fn name(&self) -> &'static str;
    /// One line of help.
    fn description(&self) -> &'static str;
    /// The usual ending of a file in this format.
    fn extension(&self) -> &'static str;
    /// Writes the report.
    fn render(&self, assessment: &Assessment, options: &Options, out: &mut dyn io::Write) -> io::Result<()>;
}

/// How much evidence is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Evidence {
    /// Everything about what is wrong or not known; passes briefly.
    #[default]
    Failures,
    /// Everything.
    All,
}

/// What is the same for every reporter.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Lines are wrapped at so many columns; without it they are not.
    pub width: Option<u16>,
    /// A person looks at a terminal: tables may be drawn.
    pub terminal: bool,
    /// Whether ANSI colours may be written.
    pub color: bool,
    /// Failures below it do not count for the exit code.
    pub fail_on: Severity,
    /// An incomplete run counts as a failed one.
    pub incomplete_as_failure: bool,
    /// How much evidence is shown.
    pub evidence: Evidence,
    /// The time on the wall, to tell the age of a snapshot; without it the time that was judged at.
    pub clock: Option<Timestamp>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: None,
            terminal: false,
            color: false,
            fail_on: Severity::Low,
            incomplete_as_failure: false,
            evidence: Evidence::Failures,
            clock: None,
        }
    }
}

macro_rules! reporters {
    ($($module:ident::$Reporter:ident),* $(,)?) => {
        $(pub mod $module;)*

        /// Every reporter, the default first.
        pub const REPORTERS: &[&dyn Reporter] = &[$(&$module::$Reporter),*];
    };
}

reporters! {
    human::Human,
    json::Json,
    sarif::Sarif,
    junit::Junit,
    markdown::Markdown,
    github::Github,
    gitlab::Gitlab,
    csv::Csv,
}

/// A reporter by its name.
pub fn reporter(name: &str) -> Option<&'static dyn Reporter> {
    REPORTERS.iter().copied().find(|reporter| reporter.name() == name)
}
