//! Waiting for a state, with a deadline.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::Instant;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `state` is `wanted`; after `within` the test has failed, and says what it was instead.
pub(crate) async fn becomes<T: Debug + PartialEq>(
    what: &str,
    within: Duration,
    wanted: T,
    state: impl Fn() -> T,
) -> Duration {
    let started = Instant::now();
    loop {
        let found = state();
        if found == wanted {
            return started.elapsed();
        }
        assert!(
            started.elapsed() < within,
            "{what}: {found:?} instead of {wanted:?} after {within:?}"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits until `state` has not changed for `still`, at most for `within`.
pub(crate) async fn settled<T: Debug + PartialEq>(
    what: &str,
    still: Duration,
    within: Duration,
    state: impl Fn() -> T,
) -> T {
    let started = Instant::now();
    let (mut last, mut since) = (state(), started);
    while since.elapsed() < still {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = state();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        assert!(
            started.elapsed() < within,
            "{what}: still changing after {within:?}: {last:?}"
        );
    }
    last
}
