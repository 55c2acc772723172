//! `lastcopy iam`: the IAM engine by hand. It reads no account.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::{Failed, Global};
use crate::access::lines;
use crate::exit::Exit;

/// The IAM engine by hand.
#[derive(Debug, Args)]
pub(super) struct Iam {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Decide requests, each given with all its policies as one line of JSON: one answer a line, in order
    #[command(after_help = SIMULATE)]
    Simulate {
        /// The requests, one JSON object a line; `-` is stdin
        #[arg(long, value_name = "FILE.jsonl")]
        requests: PathBuf,
    },
}

const SIMULATE: &str = r#"A request (a policy may be one document or a list; what is absent or null is not there):
  {"id": "1",
   "request": {"principal": "arn:aws:iam::111111111111:user/alice", "action": "s3:GetObject",
               "resource": "arn:aws:s3:::docs/a", "resource_account": "111111111111",
               "context": {"aws:SecureTransport": "true"}},
   "identity_policies": [{...}], "permission_boundaries": null, "session_policy": null,
   "resource_policy": null, "endpoint_policies": null,
   "scps": [{"id": "root", "policies": [{...}]}], "rcps": []}
An answer (one of both; `statement` is the first of `statements`, an index counts from 0):
  {"id": "1", "decision": "allow" | "explicit_deny" | "implicit_deny", "blocked_by": ["scp"],
   "statement": {"layer", "policy", "index", "sid"} | null, "statements": [...]}
  {"id": "1", "error": "line 1: ..."}
Exit codes: 0 every line was decided · 2 some line could not be (the others were) · 4 the file could not be read

Examples:
  lastcopy iam simulate --requests requests.jsonl
  generate-requests | lastcopy iam simulate --requests - | jq -r 'select(.decision == "allow").id'"#;

impl Iam {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failed> {
        let Command::Simulate { requests } = &self.command;
        let shown = requests.display();
        let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let from: Box<dyn Read> = if requests.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(requests).with_context(|| format!("cannot read requests {shown}"))?)
        };
        let from = BufReader::with_capacity(1 << 18, from);
        let tally = lines::answer(from, &mut out).and_then(|tally| out.flush().map(|()| tally));
        let tally = tally.with_context(|| format!("cannot answer the requests of {shown}"))?;
        if tally.errors == 0 {
            return Ok(Exit::Compliant);
        }
        let all = tally.errors + tally.decided;
        global.say(&format!("{} of {all} requests could not be evaluated; their answers say why", tally.errors));
        Ok(Exit::Usage)
    }
}
