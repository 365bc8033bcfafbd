//! How long a failure rests a credential: the schedule, and what each class of failure may do at all.

use std::time::Duration;

use super::backoff::doubling;
use super::clock::Timestamp;
use super::outcome::{Cooldown, ErrorClass, ScopeOwner, Verdict};

/// More jitter than this would make the stated schedules untrue.
const JITTER_PERCENT_MAX: u8 = 10;

/// The schedule of rests, configurable; the defaults are the product's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CooldownPolicy {
    /// First rest of a throttled credential when the provider states none.
    pub throttle_first: Duration,
    /// Longest such rest; each failure in a row doubles the one before up to here.
    pub throttle_longest: Duration,
    /// First rest of a credential that is out of money.
    pub exhausted_first: Duration,
    /// Longest such rest.
    pub exhausted_longest: Duration,
    /// While a stated window is longer than this, one real request in each such span tests it.
    pub window_test_every: Duration,
    /// How long a model is kept from a key that may not use it, where rotation covers that class.
    pub exclusion: Duration,
    /// A failure this long ago no longer counts as one in a row.
    pub failure_window: Duration,
    /// Random addition to unstated rests, in percent, at most 10; 0 makes them exact.
    pub jitter_percent: u8,
}

impl Default for CooldownPolicy {
    fn default() -> Self {
        Self {
            throttle_first: Duration::from_secs(10),
            throttle_longest: Duration::from_mins(5),
            exhausted_first: Duration::from_mins(10),
            exhausted_longest: Duration::from_hours(24),
            window_test_every: Duration::from_hours(1),
            exclusion: Duration::from_hours(1),
            failure_window: Duration::from_hours(24),
            jitter_percent: 0,
        }
    }
}

impl CooldownPolicy {
    /// The unstated rest after the `nth` failure in a row of `class`.
    pub(crate) fn unstated(&self, class: ErrorClass, nth: u32) -> Duration {
        if class == ErrorClass::QuotaHard {
            doubling(self.exhausted_first, self.exhausted_longest, nth)
        } else {
            doubling(self.throttle_first, self.throttle_longest, nth)
        }
    }

    /// The longest that a credential rests for a failure of `class` without a test.
    pub(crate) fn longest(&self, class: ErrorClass) -> Duration {
        let longest = match class {
            ErrorClass::QuotaWindow => self.window_test_every,
            ErrorClass::QuotaHard => self.exhausted_longest,
            ErrorClass::Permission | ErrorClass::ModelAccess => self.exclusion,
            _ => self.throttle_longest.max(Cooldown::LONGEST),
        };
        self.jittered(longest, 1.0)
    }

    /// `rest` made longer by at most [`Self::jitter_percent`], as `random` picks from 0..1.
    pub(crate) fn jittered(&self, rest: Duration, random: f64) -> Duration {
        let percent = f64::from(self.jitter_percent.min(JITTER_PERCENT_MAX));
        rest.mul_f64(1.0 + percent / 100.0 * random)
    }
}

/// What the one who leases allows a failure to do to the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleTerms {
    /// Whether a dead key may be disabled. False where the caller chose headers or path himself and could kill
    /// the pool with them.
    pub may_disable: bool,
    /// Whether a key that lacks a permission for a model is kept from that model for a while. True where
    /// rotation covers such failures: otherwise they are the caller's business and change nothing.
    pub may_exclude: bool,
}

impl Default for SettleTerms {
    fn default() -> Self {
        Self {
            may_disable: true,
            may_exclude: false,
        }
    }
}

/// What a failure does to the credential that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Not the credential's failure, or not one that it may be judged by.
    Nothing,
    /// Rest for one model class or for all.
    Rest {
        per_model: bool,
        class: ErrorClass,
        /// The end that the provider stated.
        stated: Option<Timestamp>,
        hint: Option<&'static str>,
    },
    /// Out of use until its value changes or someone clears it.
    Disable { class: ErrorClass },
}

/// The effect of `verdict`, by the product's rules.
///
/// `AuthRefresh` disables whatever it meets. An OAuth token meets it only when a renewed one is refused too, or
/// nothing renews it: the dispatch renews before it settles.
pub(crate) fn effect_of(
    verdict: &Verdict,
    terms: SettleTerms,
    policy: &CooldownPolicy,
    now: Timestamp,
) -> Effect {
    let rest = |stated| Effect::Rest {
        per_model: verdict.scope.per_model,
        class: verdict.class,
        stated,
        hint: verdict.hint,
    };
    let stated = match verdict.cooldown {
        Cooldown::ClassDefault => None,
        Cooldown::For(wait) => Some(now.after(wait)),
        Cooldown::Until(end) => Some(end.max(now.after(Cooldown::SHORTEST))),
    };
    match verdict.class {
        _ if !is_of_the_credential(verdict.scope.owner) => Effect::Nothing,
        ErrorClass::RateLimit | ErrorClass::QuotaWindow => rest(stated),
        ErrorClass::QuotaHard => rest(None),
        ErrorClass::AuthDead | ErrorClass::AuthRefresh | ErrorClass::CredentialUseForbidden
            if terms.may_disable =>
        {
            Effect::Disable { class: verdict.class }
        }
        ErrorClass::Permission | ErrorClass::ModelAccess if terms.may_exclude => Effect::Rest {
            per_model: true,
            class: verdict.class,
            stated: Some(now.after(policy.exclusion)),
            hint: None,
        },
        ErrorClass::AuthDead
        | ErrorClass::AuthRefresh
        | ErrorClass::CredentialUseForbidden
        | ErrorClass::Permission
        | ErrorClass::ModelAccess
        | ErrorClass::Overloaded
        | ErrorClass::TransientServer
        | ErrorClass::CallerFault
        | ErrorClass::RegionBlocked
        | ErrorClass::Timeout
        | ErrorClass::Unreachable => Effect::Nothing,
    }
}

/// Whether a limit or fault of `owner` reaches the credential beyond the one request.
const fn is_of_the_credential(owner: ScopeOwner) -> bool {
    !matches!(
        owner,
        ScopeOwner::Request
            | ScopeOwner::Provider
            | ScopeOwner::ProviderTier
            | ScopeOwner::UpstreamProvider
            | ScopeOwner::Model
            | ScopeOwner::GatewayEgress
    )
}

/// How much a class of failure says: a window is never changed by a class below its own.
pub(crate) const fn rank(class: ErrorClass) -> u8 {
    match class {
        ErrorClass::AuthDead | ErrorClass::AuthRefresh | ErrorClass::CredentialUseForbidden => 4,
        ErrorClass::QuotaHard => 3,
        ErrorClass::QuotaWindow => 2,
        ErrorClass::Permission | ErrorClass::ModelAccess => 1,
        _ => 0,
    }
}
