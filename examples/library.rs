//! lastcopy as a library: a policy from a text, a snapshot from a file, the JSON report on stdout.
//!
//! No account is read, so it also builds without features:
//! `cargo run --no-default-features --example library -- snapshot.jsonl`

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::process::ExitCode;

use lastcopy::evaluate::evaluate;
use lastcopy::exit::Exit;
use lastcopy::policy::diagnostic::{Look, render};
use lastcopy::policy::load::load;
use lastcopy::policy::source::SourceFile;
use lastcopy::reporters::{Options, reporter};
use lastcopy::snapshot::file::read;

const POLICY: &str = r#"
lastcopy: v1
name: library
accounts:
  production: { id: "111111111111" }
controls:
  - id: documents-versioned
    check: s3-bucket-versioning
    scope: { account: production, buckets: acme-documents }
"#;

fn main() -> ExitCode {
    match run() {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::from(Exit::CouldNotWork.code())
        }
    }
}

fn run() -> Result<Exit, Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: library SNAPSHOT")?;
    let snapshot = read(BufReader::new(File::open(path)?))?;

    // Several files would be one policy. Problems come all at once, each with its place.
    let file = SourceFile { path: "library.yaml".to_owned(), bytes: POLICY.as_bytes().to_vec() };
    let policy = load(&[file]).map_err(|problems| render(&problems, Look::Plain))?.policy;

    // Nothing in here reads a clock: it is judged at the time that is passed in.
    let assessment = evaluate(&policy, &snapshot, snapshot.taken);

    let options = Options::default();
    let json = reporter("json").ok_or("there is no such format")?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    json.render(&assessment, &options, &mut out)?;
    out.flush()?;
    Ok(Exit::of(&assessment, options.fail_on, options.incomplete_as_failure))
}
