//! `coderclaw.json`: what was written, checked, and built into what runs.
//!
//! Three steps, each in its own types: `document` holds the text with the place of every value; the readers of
//! `gateway`, `auth`, `agents` and `providers` check it; [`Settings`] is what the rest of the program sees.

mod agents;
mod auth;
mod base_url;
mod catalogue;
mod difference;
mod document;
pub mod edit;
mod env;
mod gateway;
mod key;
pub(crate) mod load;
pub mod model_ref;
mod oauth;
mod place;
pub(crate) mod provider_id;
mod providers;
mod secrets;
mod settings;
mod value;

pub use agents::ModelChoice;
pub(crate) use agents::{AGENT_ID_CHARS_MAX, is_agent_id};
pub use auth::ProfileFacts;
pub use base_url::{BaseUrl, BaseUrlError, ProxyPathError};
pub use catalogue::{Catalogue, Choice, EVERY_MODEL, ResolveError, Target, endpoints_of};
pub use difference::{Difference, after_restart};
pub use gateway::{
    BODY_BYTES, BUFFERED_BODIES_BYTES, Bind, BindError, CONNECT, CONNECTIONS, ChatCommands, DRAIN, FALLBACK,
    FIRST_BYTE, GatewaySettings, HEADER_BYTES, HOLD, IDLE, IN_FLIGHT, Limits, LogFormat, LogSettings, PORT,
    SESSIONS, TOTAL, Timeouts,
};
pub use load::{config_path, create_state_dir, state_dir};
pub use oauth::{OauthProvider, RedirectHost};
pub use place::{ConfigError, Place, Problem, Problems, Warning};
pub use provider_id::normalise as normalise_provider_id;
pub use providers::{ApiSet, AuthScheme, Provider};
pub use secrets::{EnvProvider, ExecProvider, FileProvider, SecretProvider, SecretProviders};
pub(crate) use settings::token_in;
pub use settings::{AgentPools, Settings};
