//! `lastcopy policy test`: judges the cases of test files. It reads no account.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::page::{BOLD, PLAIN, Page, RED};
use crate::cli::{Failed, Global, files};
use crate::exit::Exit;
use crate::policy::cases::{controls_of, outline};
use crate::policy::diagnostic::{Diagnostic, Look, render_of};
use crate::policy::load;
use crate::policy::source::SourceFile;
use crate::reporters::text::xml;
use crate::trial::{Outcome, judge, uncovered};

/// Judge the cases of test files and say which controls no case makes fail.
#[derive(Debug, Args)]
#[command(after_help = "A test file:\n  lastcopy: v1\n  cases:\n    - name: all in order\n      based-on: well-kept\n      \
    everything-else: pass\n    - name: versioning is suspended\n      based-on: well-kept\n      copies:\n        \
    documents/primary: { versioning: { status: suspended } }\n      expect:\n        \
    documents-versioned: { documents/primary: fail }")]
pub(super) struct Test {
    /// Test files, policies with a test file beside them, and folders; without any, the tests of lastcopy.yaml
    paths: Vec<PathBuf>,
    /// Exit 1 if no case makes some control fail
    #[arg(long)]
    require_coverage: bool,
    /// The format of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Human,
    Json,
    Junit,
}

/// What came of one test file.
struct Ran {
    file: String,
    outcomes: Vec<Outcome>,
}

/// The controls of one set of policies, and what all of its test files make fail.
struct Covered {
    policy: String,
    controls: Vec<String>,
    outcomes: Vec<Outcome>,
}

impl Covered {
    fn without(&self) -> Vec<&str> {
        uncovered(&self.controls.iter().map(String::as_str).collect::<Vec<_>>(), &self.outcomes)
    }
}

impl Test {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failed> {
        let mut ran = Vec::new();
        let mut coverage: BTreeMap<Vec<String>, Covered> = BTreeMap::new();
        let mut refused = Vec::new();
        for file in self.files()? {
            match run(&file, &mut coverage, global) {
                Ok(done) => ran.push(done),
                Err(Failed::Policy(text)) => refused.push(text.trim_end().to_owned()),
                Err(other) => return Err(other),
            }
        }
        let coverage: Vec<Covered> = coverage.into_values().collect();
        match self.format {
            Format::Human if ran.is_empty() => Ok(()),
            Format::Human => human(&ran, &coverage, global),
            Format::Json => print(&format!("{:#}\n", as_json(&ran, &coverage))),
            Format::Junit => print(&as_junit(&ran)),
        }
        .context("cannot write")?;
        if !refused.is_empty() {
            return Err(Failed::Policy(refused.join("\n\n")));
        }
        let failed = ran.iter().flat_map(|file| &file.outcomes).any(|outcome| !outcome.mismatches.is_empty());
        let bare = self.require_coverage && coverage.iter().any(|covered| !covered.without().is_empty());
        Ok(if failed || bare { Exit::Failures } else { Exit::Compliant })
    }

    /// The test files, each once.
    fn files(&self) -> Result<Vec<PathBuf>, Failed> {
        let default = [PathBuf::from("lastcopy.yaml")];
        let mut found = Vec::new();
        for path in if self.paths.is_empty() { &default } else { self.paths.as_slice() } {
            if path.is_dir() {
                let before = found.len();
                walk(path, &mut found)?;
                if found.len() == before {
                    let text = format!("folder {} holds no tests: no file ends in .test.yaml", path.display());
                    return Err(Failed::Usage(text));
                }
            } else if is_test(path) {
                found.push(path.clone());
            } else {
                let beside = path.with_extension("test.yaml");
                let other = path.with_extension("test.yml");
                found.push(match (beside.is_file(), other.is_file()) {
                    (true, _) => beside,
                    (false, true) => other,
                    (false, false) => {
                        return Err(Failed::Usage(format!(
                            "{} has no tests\nhint: write them into {}; `lastcopy policy test --help` shows how",
                            path.display(),
                            beside.display()
                        )));
                    }
                });
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|path| seen.insert(path.clone()));
        Ok(found)
    }
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".test.yaml") || name.ends_with(".test.yml")
}

/// Test files of a folder and the folders in it, in the order of their names; hidden ones are left out.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failed> {
    let bad = |error: std::io::Error| Failed::Usage(format!("cannot read folder {}: {error}", folder.display()));
    let mut entries =
        fs::read_dir(folder).map_err(bad)?.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(bad)?;
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if hidden || path.is_symlink() && path.is_dir() {
            continue;
        }
        if path.is_dir() {
            walk(&path, found)?;
        } else if is_test(&path) {
            found.push(path);
        }
    }
    Ok(())
}

fn run(path: &Path, coverage: &mut BTreeMap<Vec<String>, Covered>, global: &Global) -> Result<Ran, Failed> {
    let look = if global.stderr_colors() { Look::Styled } else { Look::Plain };
    let refuse = |problems: Vec<Diagnostic>| Failed::Policy(render_of(&problems, look, "the test file"));
    let test = files::source(path)?;
    let outline = outline(&test).map_err(refuse)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let packs = outline.packs();
    let paths: Vec<PathBuf> = match outline.policies() {
        Some(names) => names.iter().map(|name| folder.join(name)).collect(),
        None => {
            let own = path.file_name().unwrap_or_default().to_string_lossy();
            let own = own.split_once(".test.").map_or("", |(own, _)| own);
            let beside = ["yaml", "yml"].map(|ending| folder.join(format!("{own}.{ending}")));
            let found: Vec<PathBuf> = beside.into_iter().filter(|path| path.is_file()).take(1).collect();
            if found.is_empty() && packs.is_empty() {
                let title = format!("there is no {own}.yaml beside the test file");
                return Err(refuse(vec![outline.problem(&title, "say which policies are tested: policies: [lastcopy.yaml]")]));
            }
            found
        }
    };
    let tested = files::gathered(&paths)?;
    let shipped = packs.iter().map(|pack| SourceFile { path: pack.path.to_owned(), bytes: pack.text.as_bytes().to_vec() });
    let written: Vec<String> = controls_of(&tested.iter().cloned().chain(shipped).collect::<Vec<_>>());
    let mut all = tested;
    all.extend(outline.declarations());
    if paths.is_empty() {
        // A policy has a name, and packs by name leave it to whoever extends them.
        all.push(SourceFile { path: "(name)".to_owned(), bytes: b"lastcopy: v1\nname: tests\n".to_vec() });
    }
    let policy = load(&all).map_err(refuse)?.policy;
    let mut open = |name: &str| files::snapshot(&folder.join(name)).map_err(|failed| failed.to_string());
    let cases = outline.read(&policy, &mut open).map_err(refuse)?;
    let outcomes: Vec<Outcome> = cases.iter().map(|case| judge(&policy, case)).collect();
    let mut key: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    key.extend(packs.iter().map(|pack| pack.path.to_owned()));
    let covered = coverage.entry(key).or_insert_with(|| Covered {
        policy: if paths.is_empty() {
            packs.iter().map(|pack| pack.name).collect::<Vec<_>>().join(", ")
        } else {
            policy.name.clone()
        },
        controls: Vec::new(),
        outcomes: Vec::new(),
    });
    covered.outcomes.extend(outcomes.clone());
    let judged = written.into_iter().filter(|id| policy.controls.iter().any(|control| control.id == *id));
    for id in judged.collect::<Vec<_>>() {
        if !covered.controls.contains(&id) {
            covered.controls.push(id);
        }
    }
    Ok(Ran { file: test.path, outcomes })
}

fn human(ran: &[Ran], coverage: &[Covered], global: &Global) -> std::io::Result<()> {
    let mut page = Page::new(global);
    let (mut cases, mut failed) = (0, 0);
    for file in ran {
        page.line("", 0, PLAIN, &file.file, BOLD);
        for outcome in &file.outcomes {
            cases += 1;
            if outcome.mismatches.is_empty() {
                page.line("  ok", 8, PLAIN, &outcome.case, PLAIN);
                continue;
            }
            failed += 1;
            page.line("  FAIL", 8, RED, &outcome.case, BOLD);
            for wrong in &outcome.mismatches {
                let on = wrong.on.as_deref().map(|on| format!(" of {on}")).unwrap_or_default();
                let place = format!("{}:{}:{}", file.file, wrong.line, wrong.column);
                let text = format!("{}{on}: expected {}, is {} ({place})", wrong.control, wrong.expected, wrong.actual);
                page.line("", 8, PLAIN, &text, PLAIN);
                wrong.says.iter().for_each(|line| page.line("", 10, PLAIN, line, PLAIN));
            }
        }
    }
    for covered in coverage {
        let without = covered.without();
        let all = covered.controls.len();
        let of = if coverage.len() > 1 { format!(" of {}", covered.policy) } else { String::new() };
        let tail = if without.is_empty() { String::new() } else { format!("; without: {}", without.join(", ")) };
        page.line(
            "",
            0,
            PLAIN,
            &format!("coverage{of}: {} of {all} controls have a failing case{tail}", all - without.len()),
            PLAIN,
        );
    }
    let plural = if cases == 1 { "case" } else { "cases" };
    page.line("", 0, PLAIN, &format!("{cases} {plural}: {} ok, {failed} failed", cases - failed), PLAIN);
    page.print()
}

fn as_json(ran: &[Ran], coverage: &[Covered]) -> serde_json::Value {
    let case = |outcome: &Outcome| {
        json!({
            "name": outcome.case, "line": outcome.at.line, "column": outcome.at.column,
            "ok": outcome.mismatches.is_empty(), "mismatches": outcome.mismatches,
        })
    };
    let file = |file: &Ran| json!({ "file": file.file, "cases": file.outcomes.iter().map(case).collect::<Vec<_>>() });
    let cover = |of: &Covered| json!({ "policy": of.policy, "controls": of.controls.len(), "without": of.without() });
    json!({
        "schema_version": 1,
        "files": ran.iter().map(file).collect::<Vec<_>>(),
        "coverage": coverage.iter().map(cover).collect::<Vec<_>>(),
    })
}

fn as_junit(ran: &[Ran]) -> String {
    let failures = |outcomes: &[Outcome]| outcomes.iter().filter(|outcome| !outcome.mismatches.is_empty()).count();
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for file in ran {
        let name = xml(&file.file);
        let (tests, failed) = (file.outcomes.len(), failures(&file.outcomes));
        text.push_str(&format!(
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" time=\"0\">\n"
        ));
        for outcome in &file.outcomes {
            let case = format!("    <testcase name=\"{}\" classname=\"{name}\" time=\"0\"", xml(&outcome.case));
            if outcome.mismatches.is_empty() {
                text.push_str(&format!("{case}/>\n"));
                continue;
            }
            text.push_str(&format!("{case}>\n"));
            for wrong in &outcome.mismatches {
                let on = wrong.on.as_deref().map(|on| format!(" of {on}")).unwrap_or_default();
                let message = format!("{}{on}: expected {}, is {}", wrong.control, wrong.expected, wrong.actual);
                let says = xml(&wrong.says.join("\n")).into_owned();
                text.push_str(&format!("      <failure message=\"{}\">{says}</failure>\n", xml(&message)));
            }
            text.push_str("    </testcase>\n");
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn print(text: &str) -> std::io::Result<()> {
    std::io::stdout().write_all(text.as_bytes())
}
