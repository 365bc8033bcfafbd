//! Which credential serves a request, and what a caller hears when none can: seen from outside, over sockets.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "rotation/all_failed.rs"]
mod all_failed;
#[path = "rotation/chat.rs"]
mod chat;
#[path = "rotation/choice.rs"]
mod choice;
#[path = "rotation/fallbacks.rs"]
mod fallbacks;
#[path = "rotation/final_error.rs"]
mod final_error;
#[path = "rotation/model_command.rs"]
mod model_command;
#[path = "rotation/pins.rs"]
mod pins;
#[path = "rotation/returned.rs"]
mod returned;
#[path = "rotation/sessions.rs"]
mod sessions;
#[path = "rotation/spare.rs"]
mod spare;
#[path = "rotation/standing_in.rs"]
mod standing_in;
#[path = "rotation/states.rs"]
mod states;
#[path = "support/mod.rs"]
mod support;
#[path = "rotation/throttles.rs"]
mod throttles;
