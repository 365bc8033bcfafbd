//! What passes through does not pile up. A binary of its own: nothing else may move the process's memory.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use coderclaw::config::Settings;
use coderclaw::emulator::{Fault, FaultKind};
use coderclaw::gateway::session::{Session, Sessions};
use coderclaw_actors::Timestamp;
use coderclaw_actors::domain::credential::{
    AuthProfile, CredentialKind, CredentialLimits, ProfileId, ProviderId, Secret,
};
use support::{GEMINI, Rig, key};

/// Size of the answer, in MiB.
const ANSWER_MIB: u64 = 512;
/// What the process may grow by while it passes, in bytes: sockets, pools, and the test's own buffers.
const GROWTH_BYTES_MAX: usize = 32 << 20;

/// Sessions that are held by default.
const SESSIONS: usize = 1_000_000;
/// What one of them may take, in bytes.
const SESSION_BYTES_MAX: usize = 300;

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process has a status");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("it has a size");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn a_huge_answer_passes_with_flat_memory() {
    let rig = Rig::new(GEMINI, &["only"]);
    assert_eq!(rig.call().status, 200);
    let mut fault = Fault::new(FaultKind::HugeBody);
    fault.megabytes = Some(ANSWER_MIB);
    rig.fault(fault);
    let before = resident();
    let mut most = before;
    let mut pieces = 0_u64;
    let count = GEMINI.call().open(rig.gateway.address).discard(|| {
        pieces += 1;
        if pieces.is_multiple_of(64) {
            most = most.max(resident());
        }
    });
    assert!(count as u64 > ANSWER_MIB << 20, "{count} bytes came");
    assert!(
        most - before < GROWTH_BYTES_MAX,
        "grew by {} KiB",
        (most - before) / 1024
    );
}

/// Sessions with keys like those of callers, served as the gateway serves them.
struct Served {
    sessions: Sessions,
    settings: Settings,
    provider: ProviderId,
    profile: AuthProfile,
    headers: HeaderMap,
    _state: tempfile::TempDir,
}

impl Served {
    fn new() -> Self {
        let state = tempfile::tempdir().expect("a folder");
        let folder = state.path().display().to_string();
        let environment = BTreeMap::from([("CODERCLAW_STATE_DIR".to_owned(), folder)]);
        Self {
            sessions: Sessions::open(state.path(), SESSIONS),
            settings: Settings::load(&environment).expect("settings"),
            provider: ProviderId::new("openai"),
            profile: AuthProfile {
                owner: None,
                id: ProfileId::new("openai:work"),
                kind: CredentialKind::ApiKey,
                secret: Secret::new(key("openai", "work")),
                expires_at: None,
                source: Arc::from("env"),
                limits: CredentialLimits::default(),
            },
            headers: HeaderMap::new(),
            _state: state,
        }
    }

    /// Whether session number `place` still keeps its credential.
    fn is_held(&self, place: usize) -> bool {
        self.with(place, |session| session.kept(&self.provider).is_some())
    }

    fn request(&self, place: usize) {
        self.with(place, |session| {
            let claim = session
                .claim(&self.settings, None, &self.provider)
                .expect("no pin");
            self.sessions.served(&claim, &self.profile);
        });
    }

    fn with<T>(&self, place: usize, act: impl FnOnce(Session<'_>) -> T) -> T {
        let key = format!("conversation-{place:040}");
        let now = Timestamp::from_unix_ms(1_770_000_000_000);
        let session = self.sessions.of_request(&self.headers, Some(&key), "main", now);
        act(session.expect("a good key").expect("a session"))
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_million_sessions_take_under_300_bytes_each_and_old_ones_leave() {
    let served = Served::new();
    served.request(0);
    let before = resident();
    for place in 0..SESSIONS {
        served.request(place);
        served.request(place);
    }
    let each = (resident() - before) / SESSIONS;
    let held = served.sessions.counts().held;
    assert!(held > SESSIONS * 95 / 100, "{held} are held");
    assert!(each < SESSION_BYTES_MAX, "{each} bytes a session");
    println!("{each} bytes a session, {held} held");
    let full = resident();
    for place in SESSIONS..3 * SESSIONS {
        served.request(place);
        served.request(place);
    }
    let more = resident().saturating_sub(full) / SESSIONS;
    assert!(
        more < SESSION_BYTES_MAX - each,
        "{more} bytes a session more, {each} before"
    );
    let held = served.sessions.counts().held;
    assert!(held <= SESSIONS, "{held} are held");
    let old = (0..SESSIONS)
        .step_by(1_000)
        .filter(|place| served.is_held(*place));
    assert_eq!(old.count(), 0, "old ones are still there");
    let new = (3 * SESSIONS - 1_000..3 * SESSIONS).filter(|place| served.is_held(*place));
    assert_eq!(new.count(), 1_000);
    println!("{more} bytes a session more after two million others");
}
