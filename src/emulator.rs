//! Providers to test against: real bucket semantics, headers, bodies and faults, over real sockets.
//!
//! [`Emulator::start`] listens on threads of its own and gives a [`RunningEmulator`]; `coderclaw emulator` is the
//! same from the command line. One port serves every dialect: `/v1/chat/completions`, `/v1/completions`,
//! `/v1/responses`, `/v1/embeddings` as `OpenAI`; `/v1/messages`, `/v1/messages/count_tokens` as Anthropic;
//! `/v1beta/models/M:generateContent` and its like (also under `/v1`) as Google; `/v1/models` as the headers say.
//! Below `/{provider}/…` and that provider's own base path (`/groq/openai/v1/…`, `/openrouter/api/v1/…`) headers
//! and errors are that provider's. Nothing here knows the gateway.
//!
//! A reply is words that the seed decides. It is a tool call if the request has tools and either demands one or its
//! last user message contains "call the tool"; it is a minimal document if the request gives a schema.
//!
//! Below `/__idp/` it is an identity provider too, whose access tokens the providers' paths accept while they live:
//! `authorize`, `token`, `device`; see [`IdpConfig`].
//!
//! # Faults
//!
//! A [`Fault`] selects requests (`key`, `keyPrefix`, `model`, `provider`, `path`, `stream`, `percent`, `skip`,
//! `first`) and says what happens to them. The first fault of the list that fires wins.
//!
//! | `fault` | what the caller sees | its options |
//! |---|---|---|
//! | `rate_limit` | limit error, requests a minute | `retryAfterMs` (absent: 20 s; 0: none stated) |
//! | `token_limit` | limit error, tokens a minute | `retryAfterMs` |
//! | `day_limit` | limit error, requests a day | `retryAfterMs` |
//! | `quota` | the provider's out-of-money error | |
//! | `unauthorized` | the provider's invalid-key error | |
//! | `suspended` | the provider's suspended-account error | |
//! | `overloaded` | 529, 503 or 498, as the provider does it | `retryAfterMs` |
//! | `status` | any status, with the provider's body or another | `status`, `body`, `headers`, `retryAfterMs` |
//! | `hang_before_head` | nothing, until the caller leaves | |
//! | `hang_mid_stream` | silence after some pieces (streams only) | `afterChunks` (2) |
//! | `cut_mid_stream` | a broken connection after some pieces; half of a plain body | `afterChunks` (2), `reset` |
//! | `error_before_content` | lifecycle frames, then an error (streams only) | `error` |
//! | `error_after_content` | pieces, then an error (streams only) | `afterChunks` (2), `error` |
//! | `slow_drip` | the good answer, a few bytes at a time | `bytes` (1), `delayMs` (10) |
//! | `huge_body` | a valid JSON document of blanks | `megabytes` (16) |
//! | `malformed_json` | a 200 with half a document | |
//! | `malformed_sse` | a 200 whose events are none (streams only) | |
//! | `truncated_head` | the first bytes of a head, then the end | `bytes` (20), `reset` |
//! | `unparseable_head` | bytes that are no HTTP, then the end | `reset` |
//! | `close_before_head` | the end | `reset` |
//! | `redirect` | 302 with a `location` | `location`, `status` |
//! | `error_in_200` | 200 with the provider's error body | `error` |
//! | `empty_body` | a status and no body | `status` (200) |
//!
//! `error` is one of `rate_limit`, `quota`, `unauthorized`, `overloaded` (the default), `server`. `reset` ends the
//! connection with RST instead of FIN. `headers` adds to the head of any answer. A hang or a broken head counts as
//! status 0 in [`Stats`].

mod allowance;
mod answer;
mod asked;
mod body;
mod bucket;
mod clock;
mod config;
mod control;
mod error;
mod exchange;
mod fault;
mod idp;
mod ids;
mod keys;
mod log;
mod profile;
mod rate_headers;
mod reply;
mod route;
mod schema;
mod secret;
mod serve;
mod server;
mod shared;
mod spoil;
mod stats;
mod tap;
mod text;

pub use clock::{EmulatorClock, ScaledClock};
pub use config::{Behaviour, ConfigError, Credit, EmulatorConfig, KeyConfig, Limits, OrgConfig};
pub use fault::{Fault, FaultKind, StreamError};
pub use idp::{Grant, IdpConfig, IdpFault, IdpFaultKind, IdpStats, IdpToken, IdpTokenState};
pub use log::{CredentialSeen, LogEntry};
pub use secret::KeySecret;
pub use server::{Emulator, EmulatorError, RunningEmulator};
pub use stats::{KeyStats, Stats};
