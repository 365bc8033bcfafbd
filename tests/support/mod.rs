//! A gateway under test: the real one, on a real socket, in front of the project's own emulator.

#![allow(
    dead_code,
    unused_imports,
    reason = "every test binary uses its own part of this"
)]

mod gateway;
mod keys;
mod process;
mod raw;
mod states;

pub(crate) use gateway::TestGateway;
pub(crate) use keys::key;
pub(crate) use process::{Ended, GatewayProcess, Home};
pub(crate) use raw::{RawAnswer, RawConnection, RawEnd, RawHead, get, post, post_with};
pub(crate) use states::{becomes, settled};
