//! The emulator over real sockets: every dialect, limit, header, fault and control path.

#[path = "emulator/client.rs"]
mod client;
#[path = "emulator/control.rs"]
mod control;
#[path = "emulator/dialects.rs"]
mod dialects;
#[path = "emulator/faults.rs"]
mod faults;
#[path = "emulator/limits.rs"]
mod limits;
