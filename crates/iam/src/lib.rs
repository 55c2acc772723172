//! IAM policy documents.

pub mod admin;
pub mod document;
mod fit;
pub mod grants;
pub mod json;
pub mod may;
pub mod model;
pub mod pattern;
pub mod principal;
pub mod tls;
pub mod trust;

pub use model::Document;
