//! The operating system's keyring: the Secret Service on Linux, spoken to over D-Bus; the Keychain on macOS.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use coderclaw_actors::domain::credential::Secret;
use keyring::{Entry, Error};

/// The keyring answers within this time, in which someone may unlock it: 30 s.
pub const KEYRING_TIME_MAX: Duration = Duration::from_secs(30);

/// Questions that the keyring has not answered in time. While there is one, no other is asked: each would wait as long.
static UNANSWERED: AtomicUsize = AtomicUsize::new(0);

/// A keyring.
pub trait Keyring: fmt::Debug + Send + Sync {
    /// The entry of an account.
    ///
    /// # Errors
    /// If there is none, or the keyring can't be asked.
    fn read(&self, service: &str, account: &str) -> Result<String, KeyringError>;

    /// Makes or replaces an entry.
    ///
    /// # Errors
    /// If the keyring doesn't take it.
    fn write(&self, service: &str, account: &str, secret: &Secret) -> Result<(), KeyringError>;

    /// Removes an entry; one that is not there is removed already.
    ///
    /// # Errors
    /// If the keyring refuses.
    fn remove(&self, service: &str, account: &str) -> Result<(), KeyringError>;
}

/// Why the keyring gave or took nothing. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is none to ask.
    #[error(
        "no keyring can be reached ({0}); start a keyring service, or use a file, a command or an environment variable instead"
    )]
    NoService(String),
    /// It is there and doesn't open.
    #[error("the keyring does not open ({0}); unlock it and try again")]
    Locked(String),
    /// It has no such entry.
    #[error("the keyring has no such entry")]
    Missing,
    /// It doesn't answer.
    #[error(
        "the keyring does not answer within {}; unlock it, or look for a window that asks for its password",
        humantime::format_duration(KEYRING_TIME_MAX)
    )]
    Silent,
    /// It has the entry and it is of no use, or it refuses.
    #[error("the keyring refuses: {0}")]
    Refused(String),
}

/// The system's own keyring.
#[derive(Clone, Copy, Debug)]
pub struct SystemKeyring;

impl Keyring for SystemKeyring {
    fn read(&self, service: &str, account: &str) -> Result<String, KeyringError> {
        in_time(service, account, Entry::get_password)
    }

    fn write(&self, service: &str, account: &str, secret: &Secret) -> Result<(), KeyringError> {
        let secret = secret.clone();
        in_time(service, account, move |entry| entry.set_password(secret.expose()))
    }

    fn remove(&self, service: &str, account: &str) -> Result<(), KeyringError> {
        in_time(service, account, |entry| match entry.delete_credential() {
            Err(Error::NoEntry) => Ok(()),
            other => other,
        })
    }
}

/// Asks on a thread of its own, which is left behind if the keyring waits for someone who isn't there.
fn in_time<T: Send + 'static>(
    service: &str,
    account: &str,
    ask: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T, KeyringError> {
    if UNANSWERED.load(Ordering::SeqCst) > 0 {
        return Err(KeyringError::Silent);
    }
    let (service, account) = (service.to_owned(), account.to_owned());
    let (tell, told) = sync_channel(1);
    UNANSWERED.fetch_add(1, Ordering::SeqCst);
    let thread = std::thread::Builder::new().name("keyring".to_owned());
    let started = thread.spawn(move || {
        let answer = entry(&service, &account).and_then(|entry| ask(&entry).map_err(explained));
        UNANSWERED.fetch_sub(1, Ordering::SeqCst);
        let _nobody_waits_any_more = tell.send(answer);
    });
    if let Err(error) = started {
        UNANSWERED.fetch_sub(1, Ordering::SeqCst);
        return Err(KeyringError::Refused(error.to_string()));
    }
    match told.recv_timeout(KEYRING_TIME_MAX) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => Err(KeyringError::Silent),
        Err(RecvTimeoutError::Disconnected) => {
            UNANSWERED.fetch_sub(1, Ordering::SeqCst);
            Err(KeyringError::Refused("its library crashed".to_owned()))
        }
    }
}

fn entry(service: &str, account: &str) -> Result<Entry, KeyringError> {
    if let Err(error) = Entry::store_status() {
        return Err(KeyringError::NoService(reason(error)));
    }
    Entry::new(service, account).map_err(explained)
}

/// By value: some of the library's errors carry the secret, and end here.
fn explained(error: Error) -> KeyringError {
    match error {
        Error::NoEntry => KeyringError::Missing,
        Error::NoDefaultStore | Error::PlatformFailure(_) => KeyringError::NoService(reason(&error)),
        Error::NoStorageAccess(_) => KeyringError::Locked(reason(&error)),
        other => KeyringError::Refused(reason(&other)),
    }
}

/// The library's words, unless they might repeat what the keyring holds.
fn reason(error: &Error) -> String {
    match error {
        Error::PlatformFailure(inner) | Error::NoStorageAccess(inner) => inner.to_string(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the entry is no text".to_owned(),
        Error::BadStoreFormat(_) => "its data are damaged".to_owned(),
        Error::Ambiguous(_) => "several entries match; remove all but one".to_owned(),
        other => other.to_string(),
    }
}
