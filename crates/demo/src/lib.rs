//! Loopback AWS: S3, S3 Control, IAM and STS on the wire, for several accounts, with fault injection.
//!
//! Purpose: a place where the real AWS SDK can be pointed at, so that `lastcopy audit --demo` shows a believable company
//! without any account, and so that end-to-end tests exercise the same bytes that AWS would send.
//!
//! A [`World`] is plain data; [`Server::start`] serves it, read-only, until [`Running::stop`]. [`company`] is the world of
//! the demo, [`World::many`] a large one. [`Running::set_faults`] makes chosen answers go wrong, reproducibly.
//!
//! What this crate must never do:
//! - bind anything but the loopback interface;
//! - share a type or a constant with the auditor: both sides are written from AWS's documentation, so that a misreading on
//!   one side shows as a failing test instead of as agreement;
//! - change a world while it is served: every write is answered `501 NotImplemented` or `InvalidAction`;
//! - stand in for proof that AWS is read correctly: signatures are not verified and permissions are not evaluated.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use lastcopy_demo::{Fault, FaultKind, Options, Server, company};
//! let running = Server::start(company(), Options::default()).await?;
//! running.set_faults(vec![Fault::new("GetBucketPolicy", FaultKind::Deny).on("acme-documents-mirror")]);
//! let endpoint = running.url(); // point the SDK here
//! # let _ = endpoint;
//! running.stop().await;
//! # Ok(())
//! # }
//! ```

mod cbor;
mod clock;
mod company;
mod faults;
mod iam;
mod iam_access;
mod iam_details;
mod iam_report;
mod json;
mod other;
mod people;
mod reply;
mod route;
mod s3;
mod s3_more;
mod s3_versions;
mod s3control;
mod server;
mod state;
mod sts;
#[cfg(test)]
mod tests;
mod world;
mod xml;

pub use company::{EXTERNAL_ID, NOW, OFFSITE_KEY, PRODUCTION_KEY, company};
pub use faults::{Fault, FaultKind};
pub use other::Canned;
pub use people::{AccessKey, Group, ManagedPolicy, Password, PasswordPolicy, PolicyVersion, Role, Root, RootMfa, User};
pub use server::{Options, Running, Server};
pub use world::{AccessPoint, Account, AccountKind, Bucket, Version, Versioning, World};
