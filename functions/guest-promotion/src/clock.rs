//! The time, as far as a promotion needs it.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock. What it says may jump; nothing that must hold rests on it.
pub trait Clock {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// Waits.
    fn sleep(&self, ms: u64) -> impl Future<Output = ()> + Send;

    /// Any number below `most`, for waits that should not all end together.
    fn jitter(&self, most: u64) -> u64;

    /// Seconds since 1970.
    fn now(&self) -> u64 {
        self.now_ms() / 1_000
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
    }

    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    fn jitter(&self, most: u64) -> u64 {
        // The standard library's own source of randomness for its maps.
        RandomState::new().hash_one(0_u8).checked_rem(most).unwrap_or(0)
    }
}
