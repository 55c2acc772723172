//! How many calls may be in flight: a window for each account, Region, service and operation, and one ceiling over all.
//!
//! A window opens by one with each success until the first throttle, is halved when the service throttles, and then opens
//! additively. One account's or operation's throttling never slows another. Clones share their windows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// What has a window of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub account: Arc<str>,
    pub region: Arc<str>,
    /// `service:Operation`.
    pub operation: Arc<str>,
}

/// The windows and the ceiling.
#[derive(Clone, Debug)]
pub struct Limiter {
    windows: Arc<Mutex<HashMap<Key, Arc<Window>>>>,
    ceiling: Arc<Semaphore>,
    most: usize,
}

const FIRST: f64 = 16.0;
/// Throttles that answer calls of one burst count once.
const BURST: Duration = Duration::from_millis(500);

#[derive(Debug)]
struct Window {
    state: Mutex<State>,
    room: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    in_flight: usize,
    throttled: Option<Instant>,
}

/// The right to have one call in flight.
#[derive(Debug)]
pub struct Permit {
    window: Arc<Window>,
    _ceiling: Option<OwnedSemaphorePermit>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        held(&self.window.state).in_flight -= 1;
        self.window.room.notify_one();
    }
}

impl Limiter {
    /// At most `most` calls in flight over all windows.
    pub fn new(most: usize) -> Self {
        Self { windows: Arc::default(), ceiling: Arc::new(Semaphore::new(most)), most }
    }

    /// Waits for room.
    pub async fn acquire(&self, key: &Key) -> Permit {
        let window = self.window(key);
        loop {
            // Registered before looking, so that room made in between is not missed.
            let room = window.room.notified();
            {
                let mut state = held(&window.state);
                if (state.in_flight as f64) < state.limit.floor() {
                    state.in_flight += 1;
                    break;
                }
            }
            room.await;
        }
        // From here on the place in the window is given back even if nobody waits for the ceiling any more.
        let mut permit = Permit { window, _ceiling: None };
        permit._ceiling = self.ceiling.clone().acquire_owned().await.ok();
        permit
    }

    /// A call succeeded: the window opens.
    pub fn succeeded(&self, key: &Key) {
        let window = self.window(key);
        {
            let mut state = held(&window.state);
            state.limit += if state.throttled.is_none() { 1.0 } else { 1.0 / state.limit };
            state.limit = state.limit.min(self.most as f64);
        }
        window.room.notify_one();
    }

    /// The service throttled a call: the window is halved, once for each burst.
    pub fn throttled(&self, key: &Key) {
        let window = self.window(key);
        let mut state = held(&window.state);
        let now = Instant::now();
        if state.throttled.is_none_or(|last| now.duration_since(last) > BURST) {
            state.limit = (state.limit / 2.0).max(1.0);
            state.throttled = Some(now);
        }
    }

    /// The present width of a window, for the ledger and for tests.
    pub fn width(&self, key: &Key) -> usize {
        held(&self.window(key).state).limit.floor() as usize
    }

    fn window(&self, key: &Key) -> Arc<Window> {
        let mut windows = held(&self.windows);
        if let Some(window) = windows.get(key) {
            return window.clone();
        }
        let state = State { limit: FIRST.min(self.most as f64), in_flight: 0, throttled: None };
        let window = Arc::new(Window { state: Mutex::new(state), room: Notify::new() });
        windows.insert(key.clone(), window.clone());
        window
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(operation: &str) -> Key {
        Key { account: "a".into(), region: "r".into(), operation: operation.into() }
    }

    #[test]
    fn a_window_opens_halves_and_leaves_others_alone() {
        let limiter = Limiter::new(64);
        let (busy, other) = (key("s3:A"), key("s3:B"));
        for _ in 0..20 {
            limiter.clone().succeeded(&busy);
        }
        assert_eq!(limiter.width(&busy), 36);
        for _ in 0..100 {
            limiter.succeeded(&busy);
        }
        assert_eq!(limiter.width(&busy), 64, "never above the ceiling");
        for _ in 0..10 {
            limiter.throttled(&busy);
        }
        assert_eq!(limiter.width(&busy), 32, "one burst counts once");
        for _ in 0..33 {
            limiter.succeeded(&busy);
        }
        assert_eq!(limiter.width(&busy), 33, "additive after a throttle");
        assert_eq!(limiter.width(&other), 16);
    }

    #[tokio::test]
    async fn a_full_window_waits_and_a_permit_makes_room() {
        let limiter = Limiter::new(2);
        let key = key("s3:A");
        let first = limiter.acquire(&key).await;
        let _second = limiter.acquire(&key).await;
        let third = tokio::time::timeout(Duration::from_millis(20), limiter.acquire(&key)).await;
        assert!(third.is_err());
        drop(first);
        let third = tokio::time::timeout(Duration::from_secs(5), limiter.acquire(&key)).await;
        assert!(third.is_ok());
    }
}
