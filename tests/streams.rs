//! Streams and bodies from a provider to a caller: untouched, never ended cleanly where the provider broke off, and
//! rotated as long as nothing of meaning has gone out.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "streams/bodies.rs"]
mod bodies;
#[path = "streams/broken.rs"]
mod broken;
#[path = "streams/commit.rs"]
mod commit;
#[path = "streams/dialogue.rs"]
mod dialogue;
#[path = "streams/early_end.rs"]
mod early_end;
#[path = "streams/errors.rs"]
mod errors;
#[path = "streams/secrets.rs"]
mod secrets;
#[path = "support/mod.rs"]
mod support;
#[path = "streams/untouched.rs"]
mod untouched;
