//! What the rules say of a handful of keys, kept as simple as can be.

use std::collections::HashMap;

use super::{AuthProfile, CredentialKind, START_MS, Secret, Timestamp, limited};

pub(super) const KEYS: usize = 6;
/// The key that is a login, whose token changes.
pub(super) const LOGIN: usize = 0;
/// The key that is a pasted token, and how long it lasts, in ms.
pub(super) const TOKEN: usize = 3;
const TOKEN_LASTS_MS: u64 = 150_000;

/// Key `n` with the token of that `version`, if it is the login.
pub(super) fn key(n: usize, version: u32) -> AuthProfile {
    let key = with_limits(n);
    match n {
        LOGIN => AuthProfile {
            kind: CredentialKind::Oauth,
            secret: Secret::new(format!("eyJhbGciOiJSUzI1NiJ9.Zk4wPq9TnXc3-{version}")),
            expires_at: Some(Timestamp::from_unix_ms(START_MS)),
            ..key
        },
        TOKEN => AuthProfile {
            kind: CredentialKind::Token,
            expires_at: Some(token_ends()),
            ..key
        },
        _ => key,
    }
}

fn token_ends() -> Timestamp {
    Timestamp::from_unix_ms(START_MS + TOKEN_LASTS_MS)
}

/// Key `n` has limits of its own: requests a minute, attempts at once.
pub(super) fn with_limits(n: usize) -> AuthProfile {
    let rpm = [None, Some(3), None, Some(40), Some(1), None]
        .get(n)
        .copied()
        .flatten();
    let concurrency = [None, None, Some(1), Some(2), None, Some(3)]
        .get(n)
        .copied()
        .flatten();
    limited(&n.to_string(), rpm, concurrency)
}

/// What the rules say of every key that ever was a member.
#[derive(Default)]
pub(super) struct Model {
    /// Everyone's.
    pub(super) members: Vec<usize>,
    /// The default agent's, in its order, and those of the agent `work` where it has others or another order.
    pub(super) of_default: Vec<usize>,
    pub(super) of_work: Option<Vec<usize>>,
    pub(super) rests: HashMap<(usize, Option<usize>), Timestamp>,
    /// The version of the token that was refused.
    pub(super) dead: HashMap<usize, u32>,
    /// The version that the pool holds of the login's token, and the newest that there is.
    pub(super) version: u32,
    pub(super) newest: u32,
    /// When the next request is due if they came evenly.
    pub(super) due: HashMap<usize, u64>,
    pub(super) live: HashMap<usize, u32>,
}

impl Model {
    pub(super) fn is_free(&self, n: usize, class: usize, now: Timestamp) -> bool {
        let limits = with_limits(n).limits;
        let rested = [None, Some(class)]
            .iter()
            .all(|class| self.rests.get(&(n, *class)).is_none_or(|until| *until <= now));
        let busy = self.live.get(&n).copied().unwrap_or(0);
        let room = limits.concurrency.is_none_or(|most| busy < most.get());
        let allowed = limits.rpm.is_none_or(|rpm| {
            let each = 60_000_000_000 / u64::from(rpm.get());
            let due = self.due.get(&n).copied().unwrap_or(0);
            now.as_unix_nanos() >= due.saturating_sub(each * u64::from(rpm.get() - 1))
        });
        let ended = n == TOKEN && now >= token_ends();
        rested && room && allowed && !ended && !self.dead.contains_key(&n)
    }

    pub(super) fn take(&mut self, n: usize, now: Timestamp) {
        *self.live.entry(n).or_default() += 1;
        if let Some(rpm) = with_limits(n).limits.rpm {
            let each = 60_000_000_000 / u64::from(rpm.get());
            let due = self.due.entry(n).or_default();
            *due = (*due).max(now.as_unix_nanos()) + each;
        }
    }

    /// The members that an agent may lease, in its order.
    pub(super) fn own(&self, of_work: bool) -> &[usize] {
        let view = self.of_work.as_ref().filter(|_| of_work);
        view.unwrap_or(&self.of_default)
    }

    pub(super) fn reload(&mut self, of_default: Vec<usize>, of_work: Option<Vec<usize>>) {
        let of_others = of_work.iter().flatten().filter(|n| !of_default.contains(n));
        let members: Vec<usize> = of_default.iter().chain(of_others).copied().collect();
        (self.of_default, self.of_work) = (of_default, of_work);
        let gone: Vec<usize> = (0..KEYS).filter(|n| !members.contains(n)).collect();
        for n in gone {
            self.clear(n);
            self.due.remove(&n);
        }
        self.members = members;
    }

    /// The pool holds that token now: what was said of another one is over.
    pub(super) fn hold(&mut self, version: u32) {
        self.version = version;
        self.dead.retain(|n, refused| *n != LOGIN || *refused == version);
    }

    pub(super) fn refuse(&mut self, n: usize, version: u32) {
        let is_held = n != LOGIN || version == self.version;
        if is_held && self.members.contains(&n) {
            self.dead.entry(n).or_insert(version);
            self.rests.remove(&(n, None));
        }
    }

    /// Who is out of use does not rest besides, but for single classes.
    pub(super) fn rest(&mut self, n: usize, class: Option<usize>, until: Timestamp) {
        let is_dead = class.is_none() && self.dead.contains_key(&n);
        if self.members.contains(&n) && !is_dead {
            let rest = self.rests.entry((n, class)).or_default();
            *rest = (*rest).max(until);
        }
    }

    pub(super) fn clear(&mut self, n: usize) {
        self.rests.retain(|(key, _), _| *key != n);
        self.dead.remove(&n);
    }
}
