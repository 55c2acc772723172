//! IAM policy documents.

pub mod document;
mod fit;
pub mod json;
pub mod model;
pub mod pattern;
pub mod principal;
pub mod tls;

pub use model::Document;
