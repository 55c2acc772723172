//! IAM policy documents.

pub mod json;
pub mod pattern;
