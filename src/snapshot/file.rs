//! The file form of a snapshot: JSON Lines with a header, one record for each fact, and a trailer with count and digest.
//!
//! It must never read a file without a trailer as complete, nor a newer schema as if it were known.

use std::io::{BufRead, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{AccountRecord, Existence, SCHEMA, Snapshot};
use crate::estate::{AccountKey, ResourceId};
use crate::fact::{Fact, Gap, Why};
use crate::resources;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line<State> {
    Snapshot(Header),
    Account {
        key: AccountKey,
        record: AccountRecord,
    },
    Listing {
        account: AccountKey,
        operation: String,
        state: Fact<usize>,
    },
    Exists {
        resource: ResourceId,
        state: Fact<Existence>,
        #[serde(default)]
        listed: bool,
    },
    Fact {
        resource: ResourceId,
        fact: String,
        at: Timestamp,
        state: State,
    },
    Calls(std::collections::BTreeMap<String, u64>),
    End {
        records: u64,
        sha256: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Header {
    schema: u32,
    tool: String,
    taken: Timestamp,
    policy_digest: Option<String>,
    complete: bool,
}

/// Why a snapshot cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read: {0}")]
    Io(#[from] std::io::Error),
    #[error("line {line}: not a snapshot record: {why}")]
    Line { line: u64, why: String },
    #[error("line 1: this is not a lastcopy snapshot (the first line must be its header)")]
    NotASnapshot,
    #[error("the snapshot has schema {found}, and this lastcopy reads up to {SCHEMA}; use a newer lastcopy")]
    Newer { found: u32 },
    #[error("the trailer does not fit: {0}; the file was changed after it was written")]
    Digest(String),
}

const MAX_LINE: u64 = 64 << 20;

/// Writes a snapshot.
pub fn write(snapshot: &Snapshot, out: &mut dyn Write) -> std::io::Result<()> {
    let mut out = Digesting { out, sha: Sha256::new(), records: 0 };
    out.line(&Line::Snapshot(Header {
        schema: SCHEMA,
        tool: snapshot.tool.clone(),
        taken: snapshot.taken,
        policy_digest: snapshot.policy_digest.clone(),
        complete: snapshot.complete,
    }))?;
    for (key, record) in &snapshot.accounts {
        out.line(&Line::Account { key: key.clone(), record: record.clone() })?;
    }
    for (account, operation, state) in snapshot.listings() {
        out.line(&Line::Listing { account: account.clone(), operation: operation.to_owned(), state: state.clone() })?;
    }
    for (id, resource) in snapshot.resources() {
        out.line(&Line::Exists { resource: id.clone(), state: resource.exists.clone(), listed: resource.listed })?;
        let mut facts = Vec::new();
        resource.facts.each(&mut |spec, state| facts.push((spec, state)))?;
        for (spec, state) in facts {
            let at = resource.times.iter().find(|(known, _)| *known == spec).map_or(snapshot.taken, |(_, at)| *at);
            out.line(&Line::Fact { resource: id.clone(), fact: spec.id.to_owned(), at, state })?;
        }
    }
    out.line(&Line::Calls(snapshot.calls.clone()))?;
    let (records, sha256) = (out.records, hex(&out.sha.clone().finalize()));
    out.line(&Line::End { records, sha256 })?;
    out.out.flush()
}

struct Digesting<'a> {
    out: &'a mut dyn Write,
    sha: Sha256,
    records: u64,
}

impl Digesting<'_> {
    fn line(&mut self, line: &Line<serde_json::Value>) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.sha.update(&text);
        self.records += 1;
        self.out.write_all(&text)
    }
}

/// Reads a snapshot. Without a trailer it is partial: what it holds counts, what it lacks was not collected.
pub fn read(mut from: impl BufRead) -> Result<Snapshot, ReadError> {
    let mut sha = Sha256::new();
    let mut text = Vec::new();
    let mut snapshot: Option<Snapshot> = None;
    let mut ended = false;
    let mut number = 0u64;
    loop {
        text.clear();
        let read = std::io::Read::take(&mut from, MAX_LINE).read_until(b'\n', &mut text)?;
        if read == 0 {
            break;
        }
        number += 1;
        if ended {
            return Err(ReadError::Digest(format!("there is a line {number} after it")));
        }
        if read as u64 == MAX_LINE {
            return Err(ReadError::Line { line: number, why: format!("longer than {} MiB", MAX_LINE >> 20) });
        }
        let torn = !text.ends_with(b"\n");
        let line: Line<&RawValue> = match serde_json::from_slice(&text) {
            Ok(line) => line,
            // The last line of an interrupted write.
            Err(_) if torn && snapshot.is_some() => break,
            Err(_) if number == 1 => return Err(ReadError::NotASnapshot),
            Err(why) => return Err(ReadError::Line { line: number, why: why.to_string() }),
        };
        let Some(into) = snapshot.as_mut() else {
            let Line::Snapshot(header) = line else { return Err(ReadError::NotASnapshot) };
            if header.schema == 0 {
                return Err(ReadError::NotASnapshot);
            }
            if header.schema > SCHEMA {
                return Err(ReadError::Newer { found: header.schema });
            }
            let mut started = Snapshot::empty(header.taken);
            started.tool = header.tool;
            started.policy_digest = header.policy_digest;
            started.complete = header.complete;
            snapshot = Some(started);
            sha.update(&text);
            continue;
        };
        let bad = |why: String| ReadError::Line { line: number, why };
        match line {
            Line::Snapshot(_) => return Err(bad("a second header".into())),
            Line::Account { key, record } => {
                into.accounts.insert(key, record);
            }
            Line::Listing { account, operation, state } => into.put_listing(&account, &operation, state),
            Line::Exists { resource, state, listed } => {
                let into = into.resource_mut(&resource).ok_or_else(|| bad(format!("{} is not observed", resource.kind)))?;
                into.exists = state;
                into.listed = listed;
            }
            Line::Fact { resource, fact, at, state } => {
                let spec = resources::spec(&fact).ok_or_else(|| bad(format!("unknown fact `{fact}`")))?;
                let into = into.resource_mut(&resource).ok_or_else(|| bad(format!("{} is not observed", resource.kind)))?;
                if into.times.iter().any(|(known, _)| *known == spec) {
                    return Err(bad(format!("{fact} of one resource twice")));
                }
                let known = into.facts.put_json(spec.id, state).map_err(|why| bad(format!("{fact}: {why}")))?;
                if !known {
                    return Err(bad(format!("{} has no fact `{fact}`", resource.kind)));
                }
                into.stamp(spec, at);
            }
            Line::Calls(calls) => into.calls = calls,
            Line::End { records, sha256 } => {
                if records != number - 1 {
                    return Err(ReadError::Digest(format!("it counts {records} records, the file has {}", number - 1)));
                }
                if sha256 != hex(&sha.clone().finalize()) {
                    return Err(ReadError::Digest("its digest is not that of the records".into()));
                }
                ended = true;
            }
        }
        sha.update(&text);
    }
    let mut snapshot = snapshot.ok_or(ReadError::NotASnapshot)?;
    snapshot.complete &= ended;
    if !ended {
        let gap = Gap::new(Why::Truncated, "snapshot").with_detail("the file ends before its trailer");
        let listings: Vec<_> =
            snapshot.listings().map(|(account, operation, _)| (account.clone(), operation.to_owned())).collect();
        for (account, operation) in listings {
            snapshot.put_listing(&account, &operation, Fact::Unreadable(Box::new(gap.clone())));
        }
    }
    Ok(snapshot)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or_default();
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checks::CHECKS;

    /// Every fact of every example, there and back.
    #[test]
    fn what_is_written_is_read() {
        for entry in CHECKS {
            for example in (entry.examples)() {
                let mut text = Vec::new();
                write(&example.snapshot, &mut text).unwrap();
                assert_eq!(read(text.as_slice()).unwrap(), example.snapshot, "{}: {}", entry.meta.id, example.name);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn damage_is_an_error_or_partial_never_a_panic(at in 0usize..4000, byte in any::<u8>(), cut in any::<bool>()) {
            let example = &(CHECKS[0].examples)()[0];
            let mut text = Vec::new();
            write(&example.snapshot, &mut text).unwrap();
            let at = at % text.len();
            let before = text[at];
            if cut {
                // Without its last newline the file is still whole.
                text.truncate(at.min(text.len() - 2));
            } else {
                text[at] = byte;
            }
            if let Ok(snapshot) = read(text.as_slice()) {
                prop_assert!(!snapshot.complete || (!cut && before == byte));
            }
        }

        #[test]
        fn noise_is_no_snapshot(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read(noise.as_slice()).is_err());
        }
    }
}
