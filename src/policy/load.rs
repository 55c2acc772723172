//! Policy files → [`Policy`], or every problem that they have.
//!
//! It must never stop at the first problem, and never give a policy that has one.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, Grade, tidy};
use super::packs::{Pack, pack};
use super::parameters::{self, Setting};
use super::source::{Place, Source, SourceFile};
use super::tree::{Node, Value};
use super::{Policy, accounts, contradictions, controls, schema, stores, structure, tree, waivers};
use crate::estate::Estate;
use crate::snapshot::file::hex;

/// A policy that can be used, and what somebody should look at.
#[derive(Debug)]
pub struct Loaded {
    /// The policy.
    pub policy: Policy,
    /// Never errors.
    pub warnings: Vec<Diagnostic>,
}

struct Document {
    source: Arc<Source>,
    root: Node,
}

impl Document {
    fn file(&mut self, pack: bool) -> parameters::File<'_> {
        parameters::File { source: &self.source, root: &mut self.root, pack }
    }
}

/// Reads several files as one policy. The errors are all that could be found, with warnings among them, sorted by place.
pub fn load(files: &[SourceFile]) -> Result<Loaded, Vec<Diagnostic>> {
    load_with(files, &[])
}

/// The same, with values of parameters that outweigh those of the files.
pub fn load_with(files: &[SourceFile], settings: &[Setting]) -> Result<Loaded, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut documents = Vec::new();
    for file in files {
        let (source, root, found) = tree::read(file);
        problems.extend(found);
        if let Some(root) = root {
            documents.push(Document { source, root });
        } else if problems.iter().all(|problem| problem.grade != Grade::Error || !Arc::ptr_eq(&problem.source, &source)) {
            problems.push(Diagnostic::error(&source, source.point(0), "the file is empty").hint("begin with `lastcopy: v1`"));
        }
    }
    // Names may be declared in a file that could not be read.
    let whole = documents.len() == files.len();
    let wanted = wanted(&documents);
    let mut packs: Vec<Document> = wanted.iter().filter_map(|pack| shipped(pack, &mut problems)).collect();
    let filled = {
        let packs = packs.iter_mut().map(|document| document.file(true));
        let mut all: Vec<parameters::File<'_>> = packs.chain(documents.iter_mut().map(|document| document.file(false))).collect();
        parameters::fill(&mut all, settings, whole, &mut problems)
    };
    for document in packs.iter().chain(&documents) {
        problems.extend(structure_of(&document.source, &document.root));
    }
    let roots: Vec<Cursor<'_>> = documents.iter().map(|document| Cursor::new(&document.source, &document.root)).collect();
    let packed: Vec<Cursor<'_>> = packs.iter().map(|pack| Cursor::new(&pack.source, &pack.root)).collect();

    let name = name(files, &roots, whole, &mut problems);
    let declared = accounts::read(&roots, &mut problems);
    let stores = stores::read(&roots, &declared, whole, &mut problems);
    let estate = Estate { accounts: declared, stores };
    let controls::Found { placed, ids, dropped } = controls::read(&packed, &roots, &estate, whole, &mut problems);
    let waivers = waivers::waivers(&roots, &placed, &ids, &estate, whole, &mut problems);
    let attestations = waivers::attestations(&roots, &estate, whole, &mut problems);
    problems.extend(contradictions::find(&placed, &estate));
    if whole && problems.iter().all(|problem| problem.grade == Grade::Warning) {
        problems.extend(contradictions::idle(&placed, &estate));
    }
    if whole && ids.is_empty() && problems.is_empty() {
        problems.extend(
            roots
                .first()
                .map(|root| root.warning("the policy has no controls").note("an audit that judges nothing is incomplete")),
        );
    }

    // What follows cannot happen while the schema and the readers agree; nothing may be lost if they do not.
    let read = [("controls", placed.len(), ids.len()), ("waivers", waivers.len(), 0), ("attestations", attestations.len(), 0)];
    if problems.iter().all(|problem| problem.grade == Grade::Warning) {
        for (list, read, wanted) in read {
            let written: usize = roots.iter().map(|root| root.items(list).count()).sum();
            let wanted = if list == "controls" { wanted } else { written };
            if read != wanted
                && let Some(root) = roots.first()
            {
                problems.push(root.error(format!("only {read} of {wanted} {list} could be read; please report this")));
            }
        }
    }

    parameters::explain(&filled, &mut problems);
    tidy(&mut problems);
    let controls: Vec<_> = placed.into_iter().map(|placed| placed.control).collect();
    match name {
        Some(name) if problems.iter().all(|problem| problem.grade == Grade::Warning) => {
            let policy =
                Policy { name, estate, controls, waivers, attestations, dropped, digest: digest(files, &wanted, settings) };
            Ok(Loaded { policy, warnings: problems })
        }
        Some(_) | None => Err(problems),
    }
}

fn structure_of(source: &Arc<Source>, root: &Node) -> Vec<Diagnostic> {
    match schema::validator() {
        Some(validator) => structure::problems(validator, schema::schema(), source, root, "a policy file"),
        None => vec![Diagnostic::error(source, root.place, "lastcopy's own schema is broken; please report this")],
    }
}

/// The packs that files extend, each once.
fn wanted(documents: &[Document]) -> Vec<&'static Pack> {
    let roots = documents.iter().map(|document| Cursor::new(&document.source, &document.root));
    let mut wanted: Vec<&'static Pack> = Vec::new();
    for pack in roots.flat_map(|root| root.texts("extends")).filter_map(|(_, name)| pack(name)) {
        if !wanted.contains(&pack) {
            wanted.push(pack);
        }
    }
    wanted
}

fn shipped(pack: &Pack, problems: &mut Vec<Diagnostic>) -> Option<Document> {
    let file = SourceFile { path: pack.path.to_owned(), bytes: pack.text.as_bytes().to_vec() };
    let (source, root, found) = tree::read(&file);
    problems.extend(found);
    Some(Document { source, root: root? })
}

/// The name, which exactly one file gives.
fn name(files: &[SourceFile], roots: &[Cursor<'_>], whole: bool, problems: &mut Vec<Diagnostic>) -> Option<String> {
    let mut name: Option<(Cursor<'_>, Option<&str>)> = None;
    for root in roots {
        let Some(key) = root.key("name") else { continue };
        match name {
            Some((first, _)) => problems.push(
                key.error("the policy is named twice")
                    .label("here again")
                    .also(first.source, first.node.place, "first here")
                    .note("all files together are one policy")
                    .hint("remove one of them"),
            ),
            None => name = Some((key, root.get("name").and_then(Cursor::text))),
        }
    }
    let readable = roots.iter().all(|root| matches!(root.node.value, Value::Map(_)));
    if name.is_none() && whole && readable {
        let hint = "write for example: name: customer-documents";
        problems.push(match roots.first() {
            Some(root) => {
                let at = root.node.entries().next().map_or(*root, |(key, _)| Cursor::new(root.source, key));
                let title = match files {
                    [_] => "the policy has no name".to_owned(),
                    _ => format!("none of the {} files gives the policy a name", files.len()),
                };
                at.error(title).note("findings are identified by the name of the policy").hint(hint)
            }
            None => {
                let nothing = Arc::new(Source::new("(no file)", String::new()));
                Diagnostic::error(&nothing, Place { line: 1, column: 1, ..Place::default() }, "no policy file was given")
            }
        });
    }
    let (_, name) = name?;
    name.map(str::to_owned)
}

/// Over the base names and texts of files, and of packs that they extend, in order; and over what the command line set.
fn digest(files: &[SourceFile], packs: &[&Pack], settings: &[Setting]) -> String {
    let files = files.iter().map(|file| (file.path.as_str(), file.bytes.as_slice()));
    let packs = packs.iter().map(|pack| (pack.path, pack.text.as_bytes()));
    let mut sha = Sha256::new();
    let settings = settings.iter().map(|setting| (setting.name.as_str(), setting.value.as_bytes()));
    for (path, bytes) in files.chain(packs).chain(settings) {
        let base = path.rsplit(['/', '\\']).next().unwrap_or(path);
        // Lengths keep the end of one apart from the beginning of the next.
        for part in [base.as_bytes(), bytes] {
            sha.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            sha.update(part);
        }
    }
    hex(&sha.finalize())
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
