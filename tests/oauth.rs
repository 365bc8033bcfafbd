//! Logging in and staying logged in, against the emulator's identity provider, over real sockets.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

#[path = "oauth/browser.rs"]
mod browser;
#[path = "oauth/config.rs"]
mod config;
#[path = "oauth/device.rs"]
mod device;
#[path = "oauth/file_store.rs"]
mod file_store;
#[path = "oauth/keeper.rs"]
mod keeper;
#[path = "oauth/kept.rs"]
mod kept;
#[path = "oauth/kill.rs"]
mod kill;
#[path = "oauth/processes.rs"]
mod processes;
#[path = "oauth/refresh.rs"]
mod refresh;
#[path = "oauth/scene.rs"]
mod scene;
