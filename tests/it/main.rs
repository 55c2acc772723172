//! The whole program against accounts on this machine: one binary, one module for each promise.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod bad_input;
mod calls;
mod demo;
mod denied;
mod faults;
mod guard;
mod hostile;
mod human;
mod iam;
mod laws;
mod moto;
mod pack;
mod permissions;
mod reports;
mod secrets;
mod snapshots;
mod support;
mod tidy;
