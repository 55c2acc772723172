//! The principals of every account with their policies, parsed once.
//!
//! It must never leave out a principal whose policies could not be parsed.

use crate::snapshot::Snapshot;

/// All principals.
#[derive(Debug, Default)]
pub struct Principals {}

impl Principals {
    /// From a snapshot.
    pub fn of(_: &Snapshot) -> Self {
        Self {}
    }
}
