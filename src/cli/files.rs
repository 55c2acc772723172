//! Reading policy files and writing reports and snapshots.
//!
//! Files that hold the state of an account are made readable by their owner alone, and replace an old one whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::{Failed, Global};
use crate::policy::diagnostic::{Look, render};
use crate::policy::load::{Loaded, load_with};
use crate::policy::parameters::Setting;
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
    checked(&gathered(&paths)?, global)
}

/// The texts of policy files and folders.
pub(super) fn gathered(paths: &[PathBuf]) -> Result<Vec<SourceFile>, Failed> {
    let mut files = Vec::new();
    for path in paths {
        gather(path, &mut files)?;
    }
    Ok(files)
}

/// Checks policy texts.
pub(super) fn checked(files: &[SourceFile], global: &Global) -> Result<Loaded, Failed> {
    let look = if global.stderr_colors() { Look::Styled } else { Look::Plain };
    match load_with(files, &settings(global)?) {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() {
                global.say_rendered(render(&loaded.warnings, look).trim_end());
            }
            Ok(loaded)
        }
        Err(diagnostics) => Err(Failed::Policy(render(&diagnostics, look))),
    }
}

/// What `--set` says.
fn settings(global: &Global) -> Result<Vec<Setting>, Failed> {
    let one = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok(Setting { name: name.to_owned(), value: value.to_owned() }),
        Some(_) | None => Err(Failed::Usage(format!("--set {text}: write it as NAME=VALUE"))),
    };
    global.set.iter().map(one).collect()
}

/// A file of policy tests, which is no policy.
fn is_test(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.ends_with(".test.yaml") || name.ends_with(".test.yml")
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Folders within folders.
const DEEPEST: usize = 16;

/// The policy files under a folder. Links to folders are not followed: they may lead back.
fn under(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Failed> {
    let failed = |error: io::Error| Failed::Usage(format!("cannot read folder {}: {error}", folder.display()));
    if depth > DEEPEST {
        return Err(Failed::Usage(format!("folder {} is nested more than {DEEPEST} deep", folder.display())));
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if is_hidden(&path) {
            continue;
        } else if kind.is_dir() {
            under(&path, depth + 1, found)?;
        } else if yaml && !is_test(&path) && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

fn gather(path: &Path, files: &mut Vec<SourceFile>) -> Result<(), Failed> {
    let shown = path.display();
    let meta = fs::metadata(path).map_err(|error| Failed::Usage(format!("cannot read policy {shown}: {error}")))?;
    if !meta.is_dir() {
        if is_test(path) {
            return Err(Failed::Usage(format!("{shown} holds tests of policies: run `lastcopy policy test {shown}`")));
        }
        files.push(source(path)?);
        return Ok(());
    }
    let mut found = Vec::new();
    under(path, 0, &mut found)?;
    if found.is_empty() {
        return Err(Failed::Usage(format!("folder {shown} holds no policy: no file ends in .yaml or .yml")));
    }
    found.sort();
    for file in found {
        files.push(source(&file)?);
    }
    Ok(())
}

/// Reads one file as it is: a policy, or tests of policies.
pub(super) fn source(path: &Path) -> Result<SourceFile, Failed> {
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
