//! Unit tests of policies: a test file → cases, each with the world that it is about and the verdicts that it expects.
//!
//! Every problem of a test file is told with its place. It must never judge, and never invent a fact: what a case does not
//! state was not collected, unless the case is based on the well-kept world.

mod read;
mod schema;
mod state;
mod well_kept;
mod world;

pub use read::{Open, Outline, controls_of, outline};
pub use schema::text as schema_text;

use jiff::Timestamp;

use crate::assessment::At;
use crate::judgement::Verdict;
use crate::snapshot::Snapshot;

/// The name of the world that comes with lastcopy: every fact of every declared copy and account has a safe value.
pub const WELL_KEPT: &str = "well-kept";

/// One case, ready to be judged.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub at: At,
    /// What was observed in the case.
    pub snapshot: Snapshot,
    /// The time that is judged at.
    pub now: Timestamp,
    pub expected: Vec<Expected>,
    /// Every control that is not named must pass or not apply.
    pub rest_passes: bool,
}

/// What a case expects of one control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub control: String,
    /// The resource: `store/copy`, a name, `account/name` or `kind/name`. Without it: the worst verdict of the control.
    pub on: Option<String>,
    pub verdict: Verdict,
    /// Globs; each must match the subject of a violation.
    pub subjects: Vec<String>,
    /// A part of what the check says.
    pub says: Option<String>,
    pub at: At,
}

#[cfg(test)]
mod tests;
