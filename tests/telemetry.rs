//! What a gateway tells of itself: its log, and one story wherever it is asked.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

mod support;

#[path = "telemetry/fallbacks.rs"]
mod fallbacks;
#[path = "telemetry/logs.rs"]
mod logs;
#[path = "telemetry/story.rs"]
mod story;
