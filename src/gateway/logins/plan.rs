//! When each login is renewed ahead of its end. Pure.

use std::collections::HashMap;
use std::time::Duration;

use coderclaw_actors::Timestamp;
use coderclaw_actors::domain::credential::{AgentId, AuthProfile, Fingerprint, Identity, ProfileId};

use crate::credentials::oauth::{RenewError, Renewed, refresh_at};

/// How long a login is left alone that could not be renewed for a reason of our own, such as a full disk. Also the
/// longest pause between tokens that end at once.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// The least time between two tries. It doubles from one token that ends at once to the next.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// A login and the access token that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    /// What tells it from every other one.
    identity: Identity,
    /// The agent whose own store holds it; `None` if that is the store that every agent reads.
    pub(super) owner: Option<AgentId>,
    pub(super) profile: ProfileId,
    pub(super) access: Fingerprint,
}

/// When each login is renewed ahead.
#[derive(Debug, Default)]
pub(super) struct Plan(HashMap<Identity, Planned>);

#[derive(Debug)]
struct Planned {
    login: Login,
    /// When it is renewed; `None` is not at all, as long as it has this token.
    at: Option<Timestamp>,
    /// When it was renewed, if it was.
    renewed: Option<Timestamp>,
    /// How many of its tokens in a row ended at once.
    short: u32,
}

impl Plan {
    /// Plans for logins that are new or have another token, and forgets those that are gone.
    pub(super) fn follow<'m>(&mut self, logins: impl Iterator<Item = &'m AuthProfile>, now: Timestamp) {
        let mut next = HashMap::new();
        for member in logins {
            let login = Login {
                identity: member.identity(),
                owner: member.owner.clone(),
                profile: member.id.clone(),
                access: member.secret.fingerprint(),
            };
            let identity = login.identity;
            if next.contains_key(&identity) {
                // Another agent has it too.
                continue;
            }
            let planned = match self.0.remove(&identity) {
                Some(known) if known.login == login => known,
                earlier => Planned::after(earlier.as_ref(), login, member.expires_at, now),
            };
            next.insert(identity, planned);
        }
        self.0 = next;
    }

    /// The logins to renew now.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Login> {
        let due = self
            .0
            .values()
            .filter(|planned| planned.at.is_some_and(|at| at <= now));
        due.map(|planned| planned.login.clone()).collect()
    }

    /// When the next one is due, if any is.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|planned| planned.at).min()
    }

    /// Plans on after a try, and tells of one that failed.
    pub(super) fn settle(&mut self, login: &Login, outcome: Result<Renewed, RenewError>, now: Timestamp) {
        let Some(planned) = self.0.get_mut(&login.identity) else {
            return;
        };
        planned.at = match outcome {
            // The reload that follows brings the new token, and its end.
            Ok(_) => {
                planned.renewed = Some(now);
                None
            }
            Err(RenewError::NeedsLogin(rejection)) => {
                tracing::error!(target: "coderclaw", profile = %login.profile, code = rejection.code, "the login has ended: log in again");
                None
            }
            Err(error) => {
                tracing::warn!(target: "coderclaw", profile = %login.profile, error = %error, "the login was not renewed ahead");
                again(&error, now)
            }
        };
    }
}

impl Planned {
    /// A login that has a new token, after what was planned for the one before. Tokens that end at once are no reason
    /// to ask without pause.
    fn after(earlier: Option<&Self>, login: Login, end: Option<Timestamp>, now: Timestamp) -> Self {
        let mut planned = Self {
            login,
            at: end.map(|end| ahead(end, now)),
            renewed: None,
            short: 0,
        };
        if let Some((earlier, renewed)) = earlier.and_then(|known| Some((known, known.renewed?)))
            && planned.at.is_some_and(|at| at < renewed.after(AGAIN_AFTER))
        {
            let pause = PAUSE_MIN.saturating_mul(1_u32.checked_shl(earlier.short).unwrap_or(u32::MAX));
            planned.at = planned.at.max(Some(renewed.after(pause.min(AGAIN_AFTER))));
            planned.short = earlier.short.saturating_add(1);
        }
        planned
    }
}

/// When to try again after `error`; `None` where that would not help.
fn again(error: &RenewError, now: Timestamp) -> Option<Timestamp> {
    match error {
        RenewError::Trouble { retry_at_ms, .. } | RenewError::NotYet { retry_at_ms, .. } => {
            Some(Timestamp::from_unix_ms(*retry_at_ms).max(now.after(PAUSE_MIN)))
        }
        RenewError::NotRefreshable(_) | RenewError::NotConfigured(_) => None,
        _ => Some(now.after(AGAIN_AFTER)),
    }
}

fn ahead(end: Timestamp, now: Timestamp) -> Timestamp {
    Timestamp::from_unix_ms(refresh_at(now.as_unix_ms(), end.as_unix_ms(), fastrand::u64(..)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use coderclaw_actors::domain::credential::{CredentialKind, CredentialLimits, Secret};
    use std::sync::Arc;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_700_000_000_000);

    fn login(access: &str, expires_at: Option<Timestamp>) -> AuthProfile {
        AuthProfile {
            id: ProfileId::new("corp:me"),
            kind: CredentialKind::Oauth,
            secret: Secret::new(access.to_owned()),
            expires_at,
            source: Arc::from("store"),
            owner: None,
            limits: CredentialLimits::default(),
        }
    }

    /// Follows `member`, and renews what is due with `outcome`; says whether anything was.
    fn turn(
        plan: &mut Plan,
        member: &AuthProfile,
        outcome: &Result<Renewed, RenewError>,
        now: Timestamp,
    ) -> bool {
        plan.follow(std::iter::once(member), now);
        let due = plan.due(now);
        for login in &due {
            plan.settle(login, outcome.clone(), now);
        }
        !due.is_empty()
    }

    fn renewed() -> Renewed {
        Renewed {
            access: Secret::new("at_new".to_owned()),
            expires_at_ms: 0,
        }
    }

    #[test]
    fn tokens_that_end_at_once_are_renewed_ever_more_slowly() {
        let (mut plan, mut now, mut pauses) = (Plan::default(), NOW, Vec::new());
        let ended = |count: usize| login(&format!("at_{count}"), Some(Timestamp::default()));
        for count in 0..8 {
            assert!(turn(&mut plan, &ended(count), &Ok(renewed()), now));
            assert!(!turn(&mut plan, &ended(count + 1), &Ok(renewed()), now));
            let next = plan.next().unwrap();
            pauses.push(next.since(now).as_secs());
            now = next;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        let hour = now.after(Duration::from_hours(1));
        assert!(turn(&mut plan, &ended(8), &Ok(renewed()), now));
        assert!(!turn(
            &mut plan,
            &login("at_long", Some(hour)),
            &Ok(renewed()),
            now
        ));
        assert!(turn(
            &mut plan,
            &login("at_long", Some(hour)),
            &Ok(renewed()),
            hour
        ));
        assert!(!turn(&mut plan, &ended(9), &Ok(renewed()), hour));
        assert_eq!(
            plan.next(),
            Some(hour.after(PAUSE_MIN)),
            "one that lives ends the row"
        );
    }

    #[test]
    fn an_hour_is_used_for_most_of_it_and_no_end_is_none() {
        let mut plan = Plan::default();
        let hour = NOW.after(Duration::from_hours(1));
        assert!(!turn(&mut plan, &login("at_0", Some(hour)), &Ok(renewed()), NOW));
        let next = plan.next().unwrap();
        assert!(next < hour && next > NOW.after(Duration::from_mins(50)));
        plan.follow(std::iter::once(&login("at_0", None)), NOW);
        assert_eq!(plan.next(), Some(next), "the same token keeps its place");
        plan.follow(std::iter::once(&login("at_1", None)), NOW);
        assert_eq!(plan.next(), None);
        plan.follow(std::iter::empty(), NOW);
        assert!(plan.0.is_empty(), "one that is gone is forgotten");
    }

    #[test]
    fn after_each_failure_time_passes_before_the_next_try() {
        let id = ProfileId::new("corp:me");
        let trouble = |retry_at_ms| RenewError::NotYet {
            tries: 1,
            retry_at_ms,
        };
        let later = NOW.after(Duration::from_mins(5));
        for (error, next) in [
            (trouble(0), Some(NOW.after(PAUSE_MIN))),
            (trouble(later.as_unix_ms()), Some(later)),
            (RenewError::Busy, Some(NOW.after(AGAIN_AFTER))),
            (RenewError::BrokenOff, Some(NOW.after(AGAIN_AFTER))),
            (RenewError::NotRefreshable(id), None),
        ] {
            let mut plan = Plan::default();
            let ended = login("at_0", Some(NOW));
            assert!(turn(&mut plan, &ended, &Err(error.clone()), NOW));
            assert_eq!(plan.next(), next, "{error:?}");
        }
    }
}
