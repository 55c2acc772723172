//! What a bucket seems to hold, by its name and tags. A guess, and said to be one.
//!
//! It must never be used to judge.

use std::collections::BTreeMap;

/// What a bucket seems to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Guess {
    /// Something that people would miss.
    Documents,
    Unclear,
    /// Logs, state of tools, things that can be made again.
    Machinery,
    /// A name that a policy cannot hold.
    Odd,
}

impl Guess {
    /// Above a list of buckets.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Documents => "seem to hold documents too",
            Self::Unclear => "could be anything",
            Self::Machinery => "seem to hold logs, builds or state of tools",
            Self::Odd => "have names that a copy cannot have",
        }
    }
}

const DOCUMENTS: &[&str] = &[
    "document",
    "documents",
    "docs",
    "archive",
    "archives",
    "backup",
    "backups",
    "claims",
    "contracts",
    "content",
    "customer",
    "customers",
    "data",
    "evidence",
    "files",
    "images",
    "invoices",
    "letters",
    "mail",
    "media",
    "originals",
    "photos",
    "records",
    "scans",
    "statements",
    "storage",
    "uploads",
    "vault",
];

const MACHINERY: &[&str] = &[
    "access",
    "artifacts",
    "artifact",
    "athena",
    "audit",
    "build",
    "builds",
    "cache",
    "cdk",
    "cloudformation",
    "cloudtrail",
    "codepipeline",
    "config",
    "deploy",
    "deployment",
    "elasticbeanstalk",
    "flowlogs",
    "inventory",
    "lambda",
    "log",
    "logging",
    "logs",
    "metrics",
    "sandbox",
    "staging",
    "state",
    "temp",
    "templates",
    "terraform",
    "test",
    "tests",
    "tfstate",
    "tmp",
    "trail",
];

/// Values of tags that say that somebody would miss it.
const TAGGED: &[&str] = &["confidential", "customer", "customers", "documents", "personal", "pii", "restricted", "sensitive"];

/// What it seems to hold, and why.
pub(super) fn guess(name: &str, tags: &BTreeMap<String, String>) -> (Guess, String) {
    let lower = name.to_lowercase();
    let words = || lower.split(|c: char| !c.is_ascii_alphanumeric());
    if let Some(word) = words().find(|word| MACHINERY.contains(word)) {
        return (Guess::Machinery, format!("its name says `{word}`"));
    }
    let tag = tags.iter().find(|(_, value)| TAGGED.contains(&value.to_lowercase().as_str()));
    if let Some((key, value)) = tag {
        return (Guess::Documents, format!("its tag {key} is {value}"));
    }
    match words().find(|word| DOCUMENTS.contains(word)) {
        Some(word) => (Guess::Documents, format!("its name says `{word}`")),
        None => (Guess::Unclear, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tags() {
        let tags = |value: &str| BTreeMap::from([("data".to_owned(), value.to_owned())]);
        for (name, tag, expected) in [
            ("acme-documents", "", Guess::Documents),
            ("acme-documents-logs", "customer", Guess::Machinery),
            ("acme.uploads.eu", "", Guess::Documents),
            ("prod-website", "", Guess::Unclear),
            ("prod-website", "Customer", Guess::Documents),
            ("catalogs", "", Guess::Unclear),
            ("terraform-state", "", Guess::Machinery),
        ] {
            assert_eq!(guess(name, &tags(tag)).0, expected, "{name} {tag}");
        }
    }
}
