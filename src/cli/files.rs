//! Reading policy files and writing reports and snapshots.
//!
//! Files that hold the state of an account are made readable by their owner alone, and replace an old one whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::{Failed, Global};
use crate::policy::diagnostic::{Look, render};
use crate::policy::load::{Loaded, load};
use crate::policy::source::SourceFile;
use crate::snapshot::Snapshot;
use crate::snapshot::file as snapshot_file;

/// More than this in one policy file is refused before it is read.
const MAX_POLICY: u64 = 8 << 20;

/// Reads policies from files and folders and checks all of them.
pub(super) fn policies(paths: &[PathBuf], global: &Global) -> Result<Loaded, Failed> {
    let default = PathBuf::from("lastcopy.yaml");
    let paths = match paths {
        [] if default.is_file() => vec![default],
        [] => {
            return Err(Failed::Usage(
                "no policy given, and there is no lastcopy.yaml here\nhint: name a policy file or folder, or try `lastcopy audit --demo`"
                    .to_owned(),
            ));
        }
        some => some.to_vec(),
    };
    let mut files = Vec::new();
    for path in &paths {
        gather(path, &mut files)?;
    }
    checked(&files, global)
}

/// Checks policy texts.
pub(super) fn checked(files: &[SourceFile], global: &Global) -> Result<Loaded, Failed> {
    let look = if global.stderr_colors() { Look::Styled } else { Look::Plain };
    match load(files) {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() {
                global.say_rendered(render(&loaded.warnings, look).trim_end());
            }
            Ok(loaded)
        }
        Err(diagnostics) => Err(Failed::Policy(render(&diagnostics, look))),
    }
}

fn gather(path: &Path, files: &mut Vec<SourceFile>) -> Result<(), Failed> {
    let shown = path.display();
    let meta = fs::metadata(path).map_err(|error| Failed::Usage(format!("cannot read policy {shown}: {error}")))?;
    if !meta.is_dir() {
        files.push(source(path)?);
        return Ok(());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| Failed::Usage(format!("cannot read folder {shown}: {error}")))? {
        let entry = entry.map_err(|error| Failed::Usage(format!("cannot read folder {shown}: {error}")))?.path();
        let yaml = entry.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if yaml && entry.is_file() {
            found.push(entry);
        }
    }
    if found.is_empty() {
        return Err(Failed::Usage(format!("folder {shown} holds no policy: no file ends in .yaml or .yml")));
    }
    found.sort();
    for file in found {
        files.push(source(&file)?);
    }
    Ok(())
}

fn source(path: &Path) -> Result<SourceFile, Failed> {
    let shown = path.display();
    let bad = |error: io::Error| Failed::Usage(format!("cannot read policy {shown}: {error}"));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(bad)?;
    file.take(MAX_POLICY + 1).read_to_end(&mut bytes).map_err(bad)?;
    if bytes.len() as u64 > MAX_POLICY {
        return Err(Failed::Usage(format!("policy {shown} is larger than {} MiB; that is no policy", MAX_POLICY >> 20)));
    }
    Ok(SourceFile { path: shown.to_string(), bytes })
}

/// Reads a snapshot file.
pub(super) fn snapshot(path: &Path) -> Result<Snapshot, Failed> {
    let file = File::open(path).with_context(|| format!("cannot read snapshot {}", path.display()))?;
    let read = snapshot_file::read(BufReader::new(file));
    Ok(read.map_err(|error| anyhow!(error)).with_context(|| format!("snapshot {}", path.display()))?)
}

/// Writes a file that holds the state of an account: for its owner alone (mode 0600), whole or not at all.
pub(super) fn write_private(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failed> {
    if fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
        // A device or a pipe has nothing to keep whole, and must not be replaced.
        let written = (|| {
            let mut out = BufWriter::new(OpenOptions::new().write(true).open(path)?);
            write(&mut out)?;
            out.flush()
        })();
        return Ok(written.with_context(|| format!("cannot write {}", path.display()))?);
    }
    // A link stays a link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.file_name().ok_or_else(|| Failed::Usage(format!("{} is not a file name", path.display())))?.to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = (|| {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = BufWriter::new(options.open(&part)?);
        write(&mut out)?;
        out.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        fs::rename(&part, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    Ok(written.with_context(|| format!("cannot write {}", path.display()))?)
}
