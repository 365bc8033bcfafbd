//! Every fault that the emulator knows, and each of its errors in each place where one can stand.

use coderclaw::emulator::{Fault, FaultKind, StreamError};

use super::support::key;

const ERRORS: [StreamError; 5] = [
    StreamError::RateLimit,
    StreamError::Quota,
    StreamError::Unauthorized,
    StreamError::Overloaded,
    StreamError::Server,
];
const STATUSES: [u16; 9] = [400, 402, 403, 404, 408, 412, 422, 500, 503];

/// Each with its name: no fault first, then one kind after the other.
pub(crate) fn all() -> Vec<(String, Vec<Fault>)> {
    let mut rounds = vec![("no fault".to_owned(), Vec::new())];
    for kind in FaultKind::ALL {
        let variants = variants(kind);
        for (n, fault) in variants.into_iter().enumerate() {
            rounds.push((format!("{} {n}", kind.as_str()), vec![fault]));
        }
    }
    // The body and the headers that a careless proxy in between would make up.
    let key = key("openai", "one");
    let mut split = Fault::new(FaultKind::Status).for_key(&key);
    split.status = Some(500);
    split.body = Some(format!("<html>{key} {}…{}</html>", &key[..20], &key[key.len() - 20..]).into());
    split.headers = [("x-request-headers", &key), ("www-authenticate", &key)]
        .map(|(name, value)| (name.to_owned(), format!("Bearer {value}")))
        .into();
    rounds.push(("key in html".to_owned(), vec![split]));
    rounds
}

fn variants(kind: FaultKind) -> Vec<Fault> {
    let plain = Fault::new(kind);
    let with = |change: &dyn Fn(&mut Fault)| {
        let mut fault = plain.clone();
        change(&mut fault);
        fault
    };
    match kind {
        FaultKind::Status => STATUSES
            .map(|status| with(&|fault| fault.status = Some(status)))
            .into(),
        FaultKind::ErrorBeforeContent | FaultKind::ErrorIn200 => ERRORS
            .map(|error| with(&|fault| fault.error = Some(error)))
            .into(),
        FaultKind::ErrorAfterContent => ERRORS
            .map(|error| {
                with(&|fault| {
                    fault.error = Some(error);
                    fault.after_chunks = Some(2);
                })
            })
            .into(),
        FaultKind::HangMidStream | FaultKind::CutMidStream => vec![plain.after_chunks(2)],
        FaultKind::SlowDrip => vec![with(&|fault| {
            fault.bytes = Some(40);
            fault.delay_ms = Some(1);
        })],
        FaultKind::HugeBody => vec![with(&|fault| fault.megabytes = Some(1))],
        FaultKind::Redirect => vec![with(&|fault| {
            fault.location = Some("http://127.0.0.1:9/elsewhere".to_owned());
        })],
        FaultKind::CloseBeforeHead => vec![plain.clone(), with(&|fault| fault.reset = true)],
        FaultKind::EmptyBody => vec![plain.clone(), with(&|fault| fault.status = Some(401))],
        _ => vec![plain],
    }
}
