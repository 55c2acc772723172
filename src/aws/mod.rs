//! Live accounts: sessions that cannot write, the ledger of calls, the limiter, and what readers of facts call.
//!
//! It must never send an operation that no fact reader lists, and never log or return a credential.

use std::future::Future;

pub mod account;
pub mod bucket;
pub mod elements;
pub mod failure;
pub mod guard;
pub mod iam;
pub mod key;
pub mod ledger;
pub mod limiter;
pub mod pages;
mod services;
pub mod session;
pub mod whole;

pub use account::AccountReader;
pub use bucket::BucketReader;
pub use failure::{Failure, absent_on, absent_on_code};
pub use iam::PrincipalReader;
pub use key::KeyReader;
pub use pages::pages;

use crate::resources::FactType;

/// A time as the SDK has it.
pub fn timestamp(time: aws_smithy_types::DateTime) -> Result<jiff::Timestamp, Failure> {
    jiff::Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).unwrap_or_default())
        .map_err(|_| Failure::malformed("a time that no calendar has"))
}

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
