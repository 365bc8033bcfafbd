//! Many references at once: a store may hold a hundred, each a program that takes a second.

use coderclaw_actors::domain::credential::Secret;

use super::file::Documents;
use super::{ReferenceError, Resolver, SecretRef};

/// At most so many references are resolved at the same time.
const AT_ONCE_MAX: usize = 8;

/// What one thread has found: where in the list, and what.
type Part = Vec<(usize, Result<Secret, ReferenceError>)>;

impl Resolver {
    /// Resolves references side by side; the answers are in the order of `references`.
    #[must_use]
    pub fn resolve_all(&self, references: &[&SecretRef]) -> Vec<Result<Secret, ReferenceError>> {
        let every = references.len().clamp(1, AT_ONCE_MAX);
        let documents = Documents::default();
        let part = |first: usize| -> Part {
            let own = references.iter().enumerate().skip(first).step_by(every);
            own.map(|(at, reference)| (at, self.resolve_among(reference, &documents)))
                .collect()
        };
        let part = &part;
        let mut found: Part = std::thread::scope(|scope| {
            let started = (1..every).map(|first| {
                let thread = std::thread::Builder::new().name("references".to_owned());
                (first, thread.spawn_scoped(scope, move || part(first)))
            });
            let started: Vec<_> = started.collect();
            let mut found = part(0);
            for (first, thread) in started {
                // Where there is no thread to be had, this one does its part.
                let theirs = thread.ok().and_then(|running| running.join().ok());
                found.extend(theirs.unwrap_or_else(|| part(first)));
            }
            found
        });
        found.sort_unstable_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, answer)| answer).collect()
    }
}
