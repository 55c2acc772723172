//! Policies: text → positioned tree → schema → [`Policy`].
//!
//! Every problem of every file is shown in one run, with its place. It must never run anything that a policy says, and
//! never fetch anything: files are read by the command line.

mod accounts;
pub mod cases;
mod contradictions;
mod controls;
mod cursor;
pub mod diagnostic;
pub mod draft;
pub mod explain;
mod inside;
pub mod load;
pub mod packs;
pub mod parameters;
pub mod schema;
mod scopes;
mod shape;
pub mod source;
mod stores;
mod structure;
mod suggest;
pub mod tree;
mod waivers;

pub use load::{Loaded, load};
pub use source::SourceFile;

use std::sync::Arc;

use jiff::Timestamp;

use crate::assessment::At;
use crate::checks::{Check, Severity};
use crate::estate::{Estate, ResourceId};
use crate::scope::{Scope, glob_matches};

/// What is wrong with an endpoint that is given outside a policy, by the rules of a policy. It never holds the URL's secrets.
pub fn endpoint_problem(url: &str) -> Option<String> {
    let quoted = serde_json::Value::from(url).to_string();
    let text = format!("lastcopy: v1\nname: flag\naccounts:\n  given: {{ endpoint: {quoted} }}\n");
    let file = source::SourceFile { path: "--account".to_owned(), bytes: text.into_bytes() };
    let problems = load::load(&[file]).err()?;
    problems.into_iter().find(|problem| problem.grade == diagnostic::Grade::Error).map(|problem| problem.title)
}

/// What the policy files say, all of it valid.
#[derive(Debug)]
pub struct Policy {
    pub name: String,
    pub estate: Estate,
    pub controls: Vec<Control>,
    pub waivers: Vec<Waiver>,
    pub attestations: Vec<Attestation>,
    /// Controls of packs that are not required, and why.
    pub dropped: Vec<Dropped>,
    /// SHA-256 over the texts of the files, in order.
    pub digest: String,
}

/// A requirement placed on a scope.
#[derive(Debug)]
pub struct Control {
    pub id: String,
    pub check: Box<dyn Check>,
    pub scope: Scope,
    pub severity: Severity,
    pub references: Vec<String>,
    pub description: Option<String>,
    /// A scope that matches nothing is intended.
    pub allow_empty: bool,
    pub at: At,
}

/// A control of a pack that the policy does not require.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    pub control: String,
    pub reason: String,
    pub at: At,
}

/// Accepts violations of a control until a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    pub control: String,
    /// The account; without it the waiver holds only where account, copy or resource need none to be clear.
    pub account: Option<String>,
    /// Store and copy.
    pub copy: Option<(String, String)>,
    /// A glob over the resource's name.
    pub resource: Option<String>,
    pub subject: Option<String>,
    pub accepts: Accepts,
    pub reason: String,
    pub owner: String,
    /// The last day on which it holds (UTC).
    pub expires: jiff::civil::Date,
    pub at: At,
}

/// What a waiver accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepts {
    Fail,
    /// That a fact cannot be read, because it is denied, not supported or not evaluated; named by the operation behind it.
    /// What may pass (throttling, no connection, no credentials) is never accepted.
    Unknown {
        operation: Arc<str>,
    },
}

impl Waiver {
    /// Whether it still holds.
    pub fn holds(&self, now: Timestamp) -> bool {
        now.to_zoned(jiff::tz::TimeZone::UTC).date() <= self.expires
    }

    /// Whether it is about this resource. Waivers never cross accounts unless `account: "*"`.
    pub fn selects(&self, id: &ResourceId, estate: &Estate) -> bool {
        let account = match self.account.as_deref() {
            None | Some("*") => true,
            Some(account) => id.account.as_str() == account,
        };
        let copy =
            self.copy.as_ref().is_none_or(|(store, copy)| estate.copies_of(id).any(|(of, name, _)| of == store && name == copy));
        account && copy && self.resource.as_deref().is_none_or(|glob| glob_matches(glob, &id.name))
    }

    /// One line that tells it from others, free of text that may be reworded.
    pub fn subject_line(&self) -> String {
        let copy = self.copy.as_ref().map(|(store, copy)| format!("{store}/{copy}")).unwrap_or_default();
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        format!("{}|{}|{copy}|{}|{}", self.control, part(&self.account), part(&self.resource), part(&self.subject))
    }
}

/// A fact that no API returns, stated by a named person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    pub fact: String,
    /// Store and copy.
    pub copy: Option<(String, String)>,
    pub account: Option<String>,
    pub value: serde_json::Value,
    pub by: String,
    pub evidence: String,
    pub expires: jiff::civil::Date,
    pub at: At,
}
