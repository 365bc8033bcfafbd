//! What is said of a panic.

use std::io::{self, Write};
use std::panic::catch_unwind;
use std::sync::Arc;

use parking_lot::Mutex;

use super::corpus::{Corpus, Kind, Secrets};
use super::support::key;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A panic that carries a secret is logged without it, and where it was is logged.
#[test]
fn a_panic_does_not_tell_what_it_carries() {
    let secret = key("openai", "of a panic");
    let mut secrets = Secrets::default();
    secrets.add("panic", &secret);
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let before = std::panic::take_hook();
    coderclaw::telemetry::panics::install_hook();
    let panicked = tracing::subscriber::with_default(subscriber, || {
        catch_unwind(|| panic!("the provider said that {secret} is wrong")).is_err()
    });
    std::panic::set_hook(before);
    assert!(panicked);
    let text = log.0.lock().clone();
    assert!(
        String::from_utf8_lossy(&text).contains("canary/panics.rs"),
        "it is not logged"
    );
    let mut corpus = Corpus::default();
    corpus.add(Kind::Own, "log", &text);
    assert_eq!(corpus.leaks(&secrets), [""; 0]);
}
