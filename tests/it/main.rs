//! The whole program against accounts on this machine: one binary, one module for each promise.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod authoring;
mod backup_and_metrics;
mod bad_input;
mod calls;
mod demo;
mod denied;
mod faults;
mod guard;
mod hostile;
mod human;
mod iam;
mod iam_facts;
mod keys_and_trails;
mod laws;
mod lifecycle_table;
mod lock_sample;
mod mistakes;
mod moto;
mod moto_iam;
mod moto_keys;
mod moto_s3_more;
mod organizations;
mod outputs;
mod pack;
mod permissions;
mod policy_tests;
mod reports;
mod s3_more;
mod secrets;
mod snapshots;
mod support;
mod tidy;
mod tls_table;
