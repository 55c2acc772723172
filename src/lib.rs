//! lastcopy proves, from YAML policies, that a recoverable copy of the documents kept in S3 survives, or shows what would
//! destroy the last one.
//!
//! The flow goes one way: load ([`policy`]) → collect (`collect`, feature `aws`) → [`evaluate`] → render ([`reporters`]).
//! Every step is also a function on values, so that each can be replayed, tested and used alone.

pub mod access;
pub mod assessment;
pub mod authorization;
#[cfg(feature = "aws")]
pub mod aws;
pub mod checks;
pub mod cli;
pub mod collect;
pub mod coverage;
pub mod demand;
pub mod document;
pub mod estate;
pub mod evaluate;
pub mod exit;
pub mod expression;
pub mod fact;
pub mod generate;
pub mod guardrails;
pub mod judgement;
pub mod keys;
pub mod outputs;
pub mod policy;
pub mod principals;
pub mod reporters;
pub mod resources;
pub mod scope;
pub mod snapshot;
pub mod trails;
pub mod trial;
pub mod units;
pub mod view;
pub mod visible;
pub mod windows;
pub mod world;
