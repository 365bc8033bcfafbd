//! Logging in to providers, and staying logged in.
//!
//! Three ways in: a browser that comes back to a listener on the loopback ([`login_in_browser`]), the same with the
//! address pasted by hand, and a code that is typed in elsewhere ([`login_with_device`]). Each gives [`Tokens`]. A
//! [`Keeper`] refreshes them from then on, so that no refresh token which the provider has handed out is lost to a
//! crash, and none is spent twice by two processes.
//!
//! The client ids are the user's own, from the config; none is built in. Whose a token is, is read from the claims
//! of the id or the access token as they stand there. Their signature is not verified: they come from the token
//! endpoint itself, over TLS, and decide nothing but a name and a lock.

mod answer;
mod browser;
mod claims;
mod client;
mod code;
mod device;
mod error;
mod file_name;
mod journal;
mod keeper;
mod lock;
mod paste;
mod schedule;
mod store;
mod tokens;

pub use browser::{Ask, Loopback, LoopbackError, WAIT_DEFAULT, Way, login_in_browser};
pub use client::OauthClient;
pub use code::CodeLogin;
pub use device::{DevicePrompt, login_with_device};
pub use error::{LoginError, RefreshError, TokenError};
pub use keeper::{FOLDER, Keeper, Rejection, RenewError, Renewed, Standing, rejection};
pub use paste::{Denied, PasteError, Returned, parse as parse_paste};
pub use schedule::refresh_at;
pub use store::{OauthStore, Replaced, StoreError, StoredOauth};
pub use tokens::Tokens;
