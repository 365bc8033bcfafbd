//! The emulator over real sockets: every dialect, limit, header, fault and control path.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "emulator/client.rs"]
mod client;
#[path = "emulator/control.rs"]
mod control;
#[path = "emulator/dialects.rs"]
mod dialects;
#[path = "emulator/faults.rs"]
mod faults;
#[path = "emulator/idp.rs"]
mod idp;
#[path = "emulator/limits.rs"]
mod limits;
