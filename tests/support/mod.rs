//! A gateway under test: the real one, on a real socket, in front of the project's own emulator.

#![allow(
    dead_code,
    unused_imports,
    reason = "every test binary uses its own part of this"
)]

mod eventually;
mod formats;
mod gateway;
mod http;
mod keys;
mod process;
mod raw;
mod rig;
mod scripted;
mod states;

pub(crate) use eventually::eventually;
pub(crate) use formats::{CHAT, FORMATS, Format, GEMINI, MESSAGES, RESPONSES};
pub(crate) use gateway::{TestGateway, merge};
pub(crate) use http::{Call, Ending, Heard, Live};
pub(crate) use keys::key;
pub(crate) use process::{Ended, GatewayProcess, Home};
pub(crate) use raw::{RawAnswer, RawConnection, RawEnd, RawHead, get, post, post_with};
pub(crate) use rig::Rig;
pub(crate) use scripted::{Gate, LAST_CHUNK, Scripted, Seen, Step, chunk, chunked_head, head, reply};
pub(crate) use states::{becomes, settled};
