//! Loopback AWS.
