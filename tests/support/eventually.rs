//! Waiting for a state.

use std::time::Duration;

use coderclaw_actors::SystemClock;
use coderclaw_actors::domain::clock::Clock as _;

/// Time after which a state that has not come will not come.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Waits until `state` is there, and returns it. `what` says what was waited for.
pub(crate) fn eventually<T>(what: &str, mut state: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::start();
    let began = clock.now();
    loop {
        if let Some(found) = state() {
            return found;
        }
        assert!(clock.now().since(began) < PATIENCE, "never came: {what}");
        std::thread::park_timeout(LOOK_EVERY);
    }
}
