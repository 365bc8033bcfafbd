//! The invariants of ARCHITECTURE.md that a machine can check, read from the sources.

#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/source.rs"]
mod source;

use std::fmt::Display;

use coderclaw_actors::domain::credential::Secret;
use serde::Serialize;

use rules::{Problem, confined, domain_imports, long_files};
use source::Source;

/// What may stand where: the text, and the files or folders (with a trailing `/`) that may hold it.
const CONFINED: &[(&str, &[&str])] = &[
    (
        "actix::",
        &[
            "actors/src/provider/",
            "actors/src/router/",
            "actors/src/supervisor.rs",
            "actors/src/supervisor/",
        ],
    ),
    (
        "actix_rt::",
        &[
            "actors/src/system.rs",
            "actors/src/testing.rs",
            "src/cli/gateway/demo.rs",
            "src/cli/gateway/demo/",
            "src/cli/gateway/run.rs",
            "src/emulator/",
        ],
    ),
    ("actix_web::", &["src/gateway/", "src/emulator/"]),
    ("actix_http::", &["src/gateway/", "src/emulator/"]),
    ("reqwest::", &["src/upstream/control.rs"]),
    ("hyper::", &["src/upstream/", "src/upstream.rs"]),
    ("hyper_util::", &["src/upstream/client.rs"]),
    ("oauth2::", &["src/credentials/oauth/"]),
    ("clap::", &["src/cli/", "src/cli.rs"]),
    ("clap_complete::", &["src/cli/"]),
    ("backoff::", &["actors/src/domain/backoff.rs"]),
    ("std::env", &["src/credentials/environment.rs"]),
    (
        ".expose()",
        &[
            // On the wire, scrubbed from text, compared with what a caller offers.
            "src/upstream/headers.rs",
            "src/upstream/control.rs",
            "src/upstream/scrub.rs",
            // The library that puts them on the wire of a login; the state that comes back; the journal.
            "src/credentials/oauth/client.rs",
            "src/credentials/oauth/code.rs",
            "src/credentials/oauth/journal.rs",
            "src/gateway/access.rs",
            // Read on the way in: blank or not, which kind, what `env.vars` holds.
            "src/credentials/form.rs",
            "src/credentials/pool.rs",
            "src/config/settings.rs",
            // Written to the store, and into our config or `.env` file when an import is told to copy secrets.
            "src/credentials/store/profile.rs",
            "src/credentials/environment.rs",
            "src/import/apply.rs",
            "src/credentials/environment/shell.rs",
            // Written to the keyring, given to the program that asked for it.
            "src/credentials/reference/keyring.rs",
            "src/credentials/reference/provider.rs",
            // The emulator is the other end of the wire.
            "src/emulator/",
        ],
    ),
];

/// What `actors/src/domain` may import besides std and itself: nothing that has a runtime, I/O, or a clock of its own.
const DOMAIN_IMPORTS: &[&str] = &[
    "backoff",
    "fastrand",
    "fixedbitset",
    "governor",
    "parking_lot",
    "secrecy",
    "serde",
    "sha2",
    "slab",
    "smallvec",
    "thiserror",
];

const FILE_LINES_MAX: usize = 400;

fn none(problems: &[Problem]) {
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "\n{}\n", told.join("\n"));
}

#[test]
fn each_library_stays_in_its_room() {
    let sources = Source::of_product().expect("the sources can be read");
    assert!(sources.len() > 50, "only {} sources were found", sources.len());
    none(&confined(&sources, CONFINED));
}

#[test]
fn every_exception_is_still_needed() {
    let sources = Source::of_product().expect("the sources can be read");
    let unused: Vec<String> = CONFINED
        .iter()
        .flat_map(|(text, places)| places.iter().map(move |place| (text, place)))
        // A folder stands for what it will hold; a file was named because it holds it now.
        .filter(|(_, place)| !place.ends_with('/'))
        .filter(|(text, place)| {
            !sources
                .iter()
                .any(|source| source.path == **place && source.holds(text))
        })
        .map(|(text, place)| format!("{place} has no `{text}` any more: remove it from the list"))
        .collect();
    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn the_domain_knows_no_runtime_and_no_world() {
    let sources = Source::of_product().expect("the sources can be read");
    none(&domain_imports(&sources, DOMAIN_IMPORTS));
}

#[test]
fn no_file_is_too_long() {
    none(&long_files(
        &Source::all().expect("the sources can be read"),
        FILE_LINES_MAX,
    ));
}

#[test]
fn the_rules_find_what_they_look_for() {
    let broken = Source::new(
        "actors/src/domain/broken.rs",
        "//! Uses `actix::` in a comment only.\nuse tokio::time;\nuse std::net;\nfn f() { std::env::var(\"X\"); }\n\
         #[cfg(test)]\nmod tests {\n    use actix::Actor;\n}\n",
    );
    let told = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let sources = [broken];
    assert_eq!(
        told(confined(&sources, CONFINED)),
        ["actors/src/domain/broken.rs:4: `std::env` does not belong here"]
    );
    assert_eq!(
        told(domain_imports(&sources, DOMAIN_IMPORTS)),
        [
            "actors/src/domain/broken.rs:2: the domain does not import `tokio`",
            "actors/src/domain/broken.rs:3: the domain does not import `std::net`",
            "actors/src/domain/broken.rs:4: the domain does not import `std::env`",
        ]
    );
    assert_eq!(
        told(long_files(&sources, 7)),
        ["actors/src/domain/broken.rs:8: the file has 8 lines, more than 7"]
    );
}

/// Does not compile if the type has the trait: then two implementations would fit.
macro_rules! never {
    ($type:ty: $bound:path) => {
        const _: fn() = || {
            trait OneFits<Which> {
                fn choose() {}
            }
            impl<T: ?Sized> OneFits<()> for T {}
            impl<T: ?Sized + $bound> OneFits<u8> for T {}
            <$type as OneFits<_>>::choose();
        };
    };
}

never!(Secret: Display);
never!(Secret: Serialize);

#[test]
fn a_secret_shows_its_fingerprint_only() {
    let secret = Secret::new("sk-proj-9vTq2LxW8bNcR4yHsJ6kPzM1aGdF3eUo7iBnXtCw5QrVhKmZ".to_owned());
    assert_eq!(format!("{secret:?}"), format!("Secret({})", secret.fingerprint()));
    assert_eq!(secret.fingerprint().to_string().len(), 8);
}
