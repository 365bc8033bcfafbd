//! `models auth …` as people and scripts meet it: the real program, pipes, a terminal, full disks and kills.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "auth_commands/clear.rs"]
mod clear;
#[path = "auth_commands/concurrent.rs"]
mod concurrent;
#[path = "auth_commands/disk.rs"]
mod disk;
#[path = "auth_commands/gateway.rs"]
mod gateway;
#[path = "auth_commands/help.rs"]
mod help;
#[path = "auth_commands/home.rs"]
mod home;
#[path = "support/keys.rs"]
mod keys;
#[path = "auth_commands/list.rs"]
mod list;
#[path = "auth_commands/login.rs"]
mod login;
#[path = "auth_commands/order.rs"]
mod order;
#[path = "auth_commands/paste.rs"]
mod paste;
#[path = "auth_commands/prompts.rs"]
mod prompts;
#[path = "auth_commands/refusals.rs"]
mod refusals;
#[path = "auth_commands/remove.rs"]
mod remove;
#[path = "auth_commands/session.rs"]
mod session;
#[path = "auth_commands/setup_token.rs"]
mod setup_token;

use home::Home;
use keys::key;
use session::Session;

/// A token of `claude setup-token`, long enough to be one.
fn setup_token(name: &str) -> String {
    let body = key("anthropic", name).replace("sk-ant-api03-", "");
    format!(
        "sk-ant-oat01-{body}{}",
        key("anthropic", &format!("{name}/2")).replace("sk-ant-api03-", "")
    )
}
