//! Counts every request that leaves, retries included.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// Requests by `service:Operation`.
#[derive(Debug, Default)]
pub struct Ledger {
    calls: Mutex<BTreeMap<String, u64>>,
}

impl Ledger {
    /// Notes one request.
    pub fn note(&self, service: &str, operation: &str) {
        let key = format!("{}:{operation}", service_key(service));
        if let Ok(mut calls) = self.calls.lock() {
            *calls.entry(key).or_default() += 1;
        }
    }

    /// The counts so far.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.lock().map(|calls| calls.clone()).unwrap_or_default()
    }
}

/// `S3 Control` → `s3control`.
pub fn service_key(service: &str) -> String {
    service.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}
