//! Secrets in a keyring: one in memory, and what the system's says where there is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use coderclaw::credentials::reference::keyring::{Keyring, KeyringError, SystemKeyring};
use coderclaw::credentials::reference::{Resolver, SecretRef};
use coderclaw_actors::domain::credential::Secret;
use parking_lot::Mutex;
use serde_json::json;

use super::{Home, KEY, resolve};

/// A keyring in memory.
#[derive(Default)]
struct InMemory {
    entries: Mutex<BTreeMap<(String, String), String>>,
    forgetful: bool,
}

impl std::fmt::Debug for InMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InMemory")
    }
}

fn place(service: &str, account: &str) -> (String, String) {
    (service.to_owned(), account.to_owned())
}

impl Keyring for InMemory {
    fn read(&self, service: &str, account: &str) -> Result<String, KeyringError> {
        let entries = self.entries.lock();
        entries
            .get(&place(service, account))
            .cloned()
            .ok_or(KeyringError::Missing)
    }

    fn write(&self, service: &str, account: &str, secret: &Secret) -> Result<(), KeyringError> {
        let mut kept = secret.expose().to_owned();
        if self.forgetful {
            kept.truncate(10);
        }
        self.entries.lock().insert(place(service, account), kept);
        Ok(())
    }

    fn remove(&self, service: &str, account: &str) -> Result<(), KeyringError> {
        self.entries.lock().remove(&place(service, account));
        Ok(())
    }
}

fn over(keyring: InMemory) -> Resolver {
    Home::new().resolver().with_keyring(Arc::new(keyring))
}

#[test]
fn a_secret_is_stored_and_found_and_removed() {
    let resolver = over(InMemory::default());
    let secret = Secret::new(KEY.to_owned());
    let reference = resolver
        .store_in_keyring("coderclaw", "openai:work", &secret)
        .unwrap();
    assert_eq!(
        reference.to_json(),
        json!({"source": "keyring", "service": "coderclaw", "account": "openai:work"})
    );
    assert_eq!(resolver.resolve(&reference), Ok(secret));
    resolver.remove_from_keyring("coderclaw", "openai:work").unwrap();
    assert_eq!(
        resolver.resolve(&reference).unwrap_err().to_string(),
        "keyring coderclaw/openai:work: the keyring has no such entry"
    );
    assert_eq!(resolver.remove_from_keyring("coderclaw", "openai:work"), Ok(()));
}

#[test]
fn a_keyring_that_changes_the_secret_is_told_before_it_is_lost() {
    let resolver = over(InMemory {
        forgetful: true,
        ..InMemory::default()
    });
    let error = resolver
        .store_in_keyring("coderclaw", "a", &Secret::new(KEY.to_owned()))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "keyring coderclaw/a: the keyring refuses: it gives the secret back changed"
    );
}

/// Whether there is a keyring depends on the machine; nothing is ever written to it here.
#[test]
fn the_systems_keyring_answers_or_says_what_to_do() {
    let error = SystemKeyring
        .read("coderclaw-test", "nobody-has-this-account")
        .unwrap_err();
    match &error {
        KeyringError::Missing | KeyringError::Locked(_) | KeyringError::Silent => {}
        KeyringError::NoService(_) => {
            let told = error.to_string();
            assert!(
                told.contains("use a file, a command or an environment variable instead"),
                "{told}"
            );
        }
        KeyringError::Refused(_) => panic!("{error}"),
    }
    let reference = SecretRef::Keyring {
        service: "coderclaw-test".to_owned(),
        account: "nobody-has-this-account".to_owned(),
    };
    let told = resolve(&Home::new().resolver(), &reference.to_json()).unwrap_err();
    assert!(
        told.starts_with("keyring coderclaw-test/nobody-has-this-account: "),
        "{told}"
    );
}

#[tokio::test]
async fn the_systems_keyring_can_be_asked_inside_a_runtime() {
    assert!(
        SystemKeyring
            .read("coderclaw-test", "nobody-has-this-account")
            .is_err()
    );
}
