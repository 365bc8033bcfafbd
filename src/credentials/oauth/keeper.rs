//! Keeps logins alive: one refresh at a time for each account, whoever asks, and none lost to a crash.
//!
//! A refresh token is good for one use, and the answer to it is the only place where the next one stands. So a
//! refresh is never dropped half-way: it runs in a task of its own, which no caller that leaves takes with it, and
//! it writes down what it is about to do, and then what came of it, before the store changes (see `journal`).
//! After a kill the next to come finds one of three things:
//!
//! - nothing, or another login in the store by now: it begins as usual;
//! - the tokens: it gives them to the store;
//! - a question without an answer: it asks once more with the old token. If that was spent, the provider refuses it,
//!   the answer is lost for good, and the refusal is written down: a new login is needed, and nobody asks the
//!   provider with this token again.

mod renewal;

pub use renewal::rejection;

use std::collections::{BTreeMap, HashMap};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use coderclaw_actors::SharedClock;
use coderclaw_actors::domain::credential::{Fingerprint, ProfileId, ProviderId, Secret};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::error::TokenError;
use super::store::{OauthStore, StoreError};
use crate::config::OauthProvider;
use crate::upstream::token_endpoint::TokenEndpoint;

/// Name of the folder in the state folder.
pub const FOLDER: &str = "oauth";

/// Nobody but the owner may look into it.
const FOLDER_MODE: u32 = 0o700;

/// How often a caller gets aboard before it gives up: a flight may bring what it has seen already, or crash.
const FLIGHTS_MAX: usize = 3;

/// An access token that is good now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The token.
    pub access: Secret,
    /// When it ends, in Unix milliseconds.
    pub expires_at_ms: u64,
}

/// How a login stands, by the journal alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known against it.
    Good,
    /// A new login is needed.
    NeedsLogin(Rejection),
    /// The provider gave no answer so far.
    Waiting {
        /// Tries without a result.
        tries: u32,
        /// The next is not before this, in Unix milliseconds.
        retry_at_ms: u64,
    },
}

/// A refusal for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// `invalid_grant` and the like.
    pub code: String,
    /// What the provider said to it; may be empty.
    pub description: String,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

/// Why there is no access token. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenewError {
    /// The provider refuses the refresh token: log in again.
    #[error("the login has ended ({}): log in again", .0.code)]
    NeedsLogin(Rejection),
    /// The login has no refresh token: log in again when it ends.
    #[error("`{0}` has no refresh token: log in again")]
    NotRefreshable(ProfileId),
    /// The config does not say how to log in to the provider.
    #[error("the config has no `models.providers.{0}.oauth`")]
    NotConfigured(ProviderId),
    /// The provider gave no tokens this time.
    #[error("no new token: {cause}")]
    Trouble {
        /// Why.
        cause: TokenError,
        /// The next try is not before this, in Unix milliseconds.
        retry_at_ms: u64,
    },
    /// The provider gave no tokens before and is left alone for a while.
    #[error("no new token yet: the provider gave none {tries} times")]
    NotYet {
        /// Tries without a result.
        tries: u32,
        /// The next is not before this, in Unix milliseconds.
        retry_at_ms: u64,
    },
    /// Another process refreshes this account and does not come to an end.
    #[error("another process refreshes this account and does not come to an end")]
    Busy,
    /// The store has no such login, or can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The refresh can't be written down, so it is not begun.
    #[error("{path} can't be used: {reason}")]
    Journal {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The refresh was broken off. What came of it is found next time.
    #[error("the refresh was broken off; try again")]
    BrokenOff,
}

type Outcome = Result<Renewed, RenewError>;
type Flight = watch::Receiver<Option<Outcome>>;

/// Keeps the logins of one store alive.
pub struct Keeper {
    inner: Arc<Inner>,
    tasks: Mutex<JoinSet<()>>,
}

struct Inner {
    store: Arc<dyn OauthStore>,
    providers: ArcSwap<BTreeMap<ProviderId, OauthProvider>>,
    folder: PathBuf,
    endpoint: TokenEndpoint,
    clock: SharedClock,
    flights: Mutex<HashMap<ProfileId, Flight>>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper")
            .field("folder", &self.inner.folder)
            .finish_non_exhaustive()
    }
}

impl Keeper {
    /// A keeper of the logins in `store`, which are `providers`'. It writes into `folder`, [`FOLDER`] of the state
    /// folder: keepers of one account in several processes must have the same.
    #[must_use]
    pub fn new(
        store: Arc<dyn OauthStore>,
        providers: BTreeMap<ProviderId, OauthProvider>,
        folder: PathBuf,
        endpoint: TokenEndpoint,
        clock: SharedClock,
    ) -> Self {
        let inner = Inner {
            store,
            providers: ArcSwap::from_pointee(providers),
            folder,
            endpoint,
            clock,
            flights: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
            tasks: Mutex::default(),
        }
    }

    /// Other providers from now on. Refreshes under way go on as they began.
    pub fn set_providers(&self, providers: BTreeMap<ProviderId, OauthProvider>) {
        self.inner.providers.store(Arc::new(providers));
    }

    /// An access token of `profile` that is another than the one that the caller has seen fail, or end soon. At once
    /// if the store has one already, by one refresh otherwise, which all callers share. It goes on if the caller
    /// leaves.
    ///
    /// # Errors
    /// If there is none. [`RenewError::NeedsLogin`] stays until the store holds another login.
    pub async fn renew(&self, profile: &ProfileId, seen_access: &Fingerprint) -> Outcome {
        for _ in 0..FLIGHTS_MAX {
            let mut flight = self.board(profile, *seen_access);
            let landed = flight.wait_for(Option::is_some).await;
            match landed.ok().and_then(|outcome| outcome.clone()) {
                // It began for somebody who had seen less.
                Some(Ok(renewed)) if renewed.access.fingerprint() == *seen_access => {}
                Some(outcome) => return outcome,
                // Its runtime ended under it, or it panicked.
                None => {}
            }
        }
        Err(RenewError::BrokenOff)
    }

    /// The flight for `profile` that is under way, or a new one.
    fn board(&self, profile: &ProfileId, seen: Fingerprint) -> Flight {
        let mut flights = self.inner.flights.lock();
        if let Some(flight) = flights.get(profile).filter(|flight| flight.has_changed().is_ok()) {
            return flight.clone();
        }
        let (land, flight) = watch::channel(None);
        flights.insert(profile.clone(), flight.clone());
        drop(flights);
        let (inner, profile) = (Arc::clone(&self.inner), profile.clone());
        let mut tasks = self.tasks.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let outcome = inner.renew(&profile, seen).await;
            inner.flights.lock().remove(&profile);
            // Nobody waits any more if all callers left.
            let _nobody = land.send(Some(outcome));
        });
        flight
    }

    /// Finishes what a crash left of `profile`, without asking the provider, and says how the login stands.
    ///
    /// # Errors
    /// If the store or the journal can't be used, or another process holds the account for long.
    pub async fn recover(&self, profile: &ProfileId) -> Result<Standing, RenewError> {
        self.inner.recover(profile).await
    }

    /// How the login of `profile` stands, by what was written down. Changes nothing.
    ///
    /// # Errors
    /// If the store or the journal can't be read.
    pub fn standing(&self, profile: &ProfileId) -> Result<Standing, RenewError> {
        self.inner.standing(profile)
    }

    /// Waits until every refresh that is under way has ended. None of them is broken off by it.
    pub async fn rest(&self) {
        loop {
            let mut tasks = std::mem::take(&mut *self.tasks.lock());
            if tasks.is_empty() {
                return;
            }
            while tasks.join_next().await.is_some() {}
        }
    }
}

impl Inner {
    fn now_ms(&self) -> u64 {
        self.clock.now().as_unix_ms()
    }

    fn make_folder(&self) -> Result<(), RenewError> {
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(&self.folder)
            .map_err(|error| RenewError::Journal {
                path: self.folder.clone(),
                reason: error.kind().to_string(),
            })
    }
}
