//! Live accounts: sessions that cannot write, the ledger of calls, the limiter, and what readers of facts call.
//!
//! It must never send an operation that no fact reader lists, and never log or return a credential.

use std::future::Future;

pub mod account;
pub mod bucket;
pub mod failure;
pub mod guard;
pub mod ledger;
pub mod limiter;
pub mod session;
pub mod whole;

pub use account::AccountReader;
pub use bucket::BucketReader;
pub use failure::{Failure, absent_on};

use crate::resources::FactType;

/// What a reader returns: the value, `None` for "the provider says it is not configured", or why neither is known.
pub type Reading<T> = Result<Option<T>, Failure>;

/// Reads one fact by one call of a [`BucketReader`] or an [`AccountReader`].
pub trait Read<From: Sync>: FactType + Send {
    /// Asks the provider. Facts that come with another answer have no call of their own.
    fn read(from: &From) -> impl Future<Output = Reading<Self>> + Send {
        let _ = from;
        std::future::ready(Err(Failure::new(crate::fact::Why::NotCollected)))
    }
}
