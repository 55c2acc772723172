//! IAM policy documents out of facts: parsed, or the gap that a text leaves which is none.
//!
//! It must never pass over a statement that it does not understand.

use std::sync::OnceLock;

use lastcopy_iam::Document;

use crate::fact::{FactId, Gap, Why};

/// AWS takes 20 KiB for a bucket policy and less for others, but writes longer ones itself: ReadOnlyAccess has 85,000 bytes.
pub const MAX: usize = 512 << 10;

/// An IAM policy document from its text, or the gap that a text leaves which is none.
pub fn parse(text: &str, from: FactId, what: &str) -> Result<Document, Gap> {
    if text.len() > MAX {
        return Err(gap(from, format!("{what} has {} bytes, more than any provider takes", text.len())));
    }
    Document::parse(text).map_err(|error| gap(from, format!("{what} is not a valid IAM policy document: {error}")))
}

/// Allows everything: for the question what other layers leave of it.
pub fn allow_all() -> &'static Document {
    static ALL: OnceLock<Document> = OnceLock::new();
    ALL.get_or_init(|| {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        Document::parse(text).unwrap_or(Document { version: lastcopy_iam::Version::V2012, id: None, statements: Vec::new() })
    })
}

/// An answer that is not what the API documents.
pub fn gap(from: FactId, detail: String) -> Gap {
    Gap::new(Why::Malformed, from.operation).with_action(from.actions.first().copied()).with_detail(detail)
}
