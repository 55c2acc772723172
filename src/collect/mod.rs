//! The rounds of collection: what to list, what to read of whom, and doing it.
//!
//! The policies decide what is fetched. It must never call anything that no control demands.

pub mod plan;

#[cfg(feature = "aws")]
pub mod run;
