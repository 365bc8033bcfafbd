//! What a session claims of one provider: the credential that it is pinned to, or the one that it had last.

use coderclaw_actors::LeaseError;
use coderclaw_actors::domain::credential::{AgentId, Identity, ProfileId, ProviderId};
use coderclaw_actors::domain::selection::Selection;

use super::Session;
use super::chosen::Pin;
use super::kept::Slot;
use crate::config::Settings;
use crate::nearest::did_you_mean;

/// What a session claims of one provider.
#[derive(Clone, Debug)]
pub struct Claim {
    slot: Slot,
    selection: Selection,
    pinned: Option<ProfileId>,
}

/// Why the credential that a session is pinned to does not serve. None of these is worth another try but the last.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// It is no credential of the provider.
    #[error(
        "this session is pinned to `{profile}`, and provider `{provider}` uses no such credential{hint}; {RELEASE}"
    )]
    Gone {
        /// The credential.
        profile: ProfileId,
        /// The provider.
        provider: ProviderId,
        /// What may be meant, or why it is not used.
        hint: String,
    },
    /// It is there and can't be used.
    #[error("this session is pinned to `{profile}`, which {why}; {RELEASE}")]
    Unusable {
        /// The credential.
        profile: ProfileId,
        /// What is the matter with it.
        why: String,
    },
    /// It rests, and will serve again.
    #[error("this session is pinned to `{profile}`, and no other credential may serve it: {why}; {RELEASE}")]
    Resting {
        /// The credential.
        profile: ProfileId,
        /// How it rests.
        why: &'static str,
    },
}

impl PinError {
    /// The same where nothing is pinned yet.
    #[must_use]
    pub fn before_it_is_pinned(&self) -> String {
        match self {
            Self::Gone {
                profile,
                provider,
                hint,
            } => format!("provider `{provider}` uses no credential `{profile}`{hint}"),
            Self::Unusable { profile, why } => format!("`{profile}` {why}"),
            Self::Resting { profile, why } => format!("`{profile}` can't serve now: {why}"),
        }
    }
}

/// How a pin ends.
const RELEASE: &str =
    "to release the pin send `/model <model>` without `@profile`, or use another session key";

// === impl Claim ===

impl Claim {
    /// Where it is remembered which credential serves.
    #[must_use]
    pub(super) fn slot(&self) -> Slot {
        self.slot
    }

    /// Which credentials may serve.
    #[must_use]
    pub fn selection(&self) -> Selection {
        self.selection
    }

    /// Whether one credential alone may serve.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.pinned.is_some()
    }

    /// What `error` means for a pinned session; `None` where the pin is not the reason.
    #[must_use]
    pub fn refused(&self, error: &LeaseError) -> Option<PinError> {
        let profile = self.pinned.clone()?;
        match error {
            LeaseError::NoneAvailable { refusals, .. } if refusals.disabled > 0 => {
                let why = "is disabled or has expired: `coderclaw models status` tells why".to_owned();
                Some(PinError::Unusable { profile, why })
            }
            LeaseError::NoneAvailable { refusals, .. } => {
                let why = match refusals {
                    refusals if refusals.exhausted > 0 => "it is exhausted",
                    refusals if refusals.cooling > 0 => "it is cooling",
                    refusals if refusals.limited > 0 => "it is at the limit that the config sets",
                    _ => "it can't be used at this instant",
                };
                Some(PinError::Resting { profile, why })
            }
            LeaseError::PinGone { provider } | LeaseError::NoCredentials { provider } => {
                let (provider, hint) = (provider.clone(), String::new());
                Some(PinError::Gone {
                    profile,
                    provider,
                    hint,
                })
            }
            LeaseError::ProviderUnavailable { .. } => None,
        }
    }
}

// === impl Session ===

impl Session<'_> {
    /// What it claims of `provider`, as `agent`'s session or that of the default one.
    ///
    /// # Errors
    /// If it is pinned there to a credential that can't be used.
    pub fn claim(
        &self,
        settings: &Settings,
        agent: Option<&AgentId>,
        provider: &ProviderId,
    ) -> Result<Claim, PinError> {
        let slot = Slot::of(self.id, provider);
        if let Some(pin) = self.pin().filter(|pin| pin.provider == *provider) {
            return Ok(Claim {
                slot,
                selection: Selection::Only(pin.identity(settings, agent)?),
                pinned: Some(pin.profile.clone()),
            });
        }
        let kept = self.sessions.kept.find(slot);
        Ok(Claim {
            slot,
            selection: kept.map_or(Selection::Any, Selection::Prefer),
            pinned: None,
        })
    }

    /// The credential that served it last at `provider`.
    #[must_use]
    pub fn kept(&self, provider: &ProviderId) -> Option<Identity> {
        self.sessions.kept.find(Slot::of(self.id, provider))
    }
}

// === impl Pin ===

impl Pin {
    /// A pin to the credential that `name` is to `agent`, or the default one, at `provider`: a profile's id, or what stands in it behind the
    /// provider's.
    ///
    /// # Errors
    /// If there is none, or it can't be used there.
    pub fn find(
        settings: &Settings,
        agent: Option<&AgentId>,
        provider: &ProviderId,
        name: &str,
    ) -> Result<Self, PinError> {
        let pin = |profile: String| Self {
            provider: provider.clone(),
            profile: ProfileId::new(&profile),
        };
        let exact = pin(name.to_owned());
        match exact.identity(settings, agent) {
            Ok(_) => Ok(exact),
            Err(error @ PinError::Gone { .. }) => {
                let full = pin(format!("{provider}:{name}"));
                match full.identity(settings, agent) {
                    Ok(_) => Ok(full),
                    Err(PinError::Gone { .. }) => Err(error),
                    Err(of_full) => Err(of_full),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// What the credential is known by in its pool.
    fn identity(&self, settings: &Settings, agent: Option<&AgentId>) -> Result<Identity, PinError> {
        let Self { provider, profile } = self;
        let pool = settings.pool_of(agent, provider.as_str());
        let mut members = pool.into_iter().flat_map(|pool| &pool.members);
        if let Some(member) = members.find(|member| member.id == *profile) {
            return Ok(member.identity());
        }
        let unusable = |why: String| PinError::Unusable {
            profile: profile.clone(),
            why,
        };
        let mut excluded = pool.into_iter().flat_map(|pool| &pool.excluded);
        if let Some(one) = excluded.find(|one| one.id == *profile) {
            return Err(unusable(format!("can't be used: {}", one.why)));
        }
        let has_it = |pool: &&crate::credentials::pool::Pool| {
            let excluded = pool.excluded.iter().map(|one| &one.id);
            pool.members
                .iter()
                .map(|member| &member.id)
                .chain(excluded)
                .any(|id| id == profile)
        };
        if let Some(other) = settings.pools.iter().find(has_it) {
            return Err(unusable(format!(
                "is a credential of provider `{}`, not of `{provider}`",
                other.provider
            )));
        }
        let hint = if pool.is_some_and(|pool| pool.is_ordered) {
            " (an explicit order names those that it uses)".to_owned()
        } else {
            let members = pool.into_iter().flat_map(|pool| &pool.members);
            let ids = members.map(|member| member.id.as_str());
            // The provider's name may be left out.
            let names = ids.clone().filter_map(|id| Some(id.split_once(':')?.1));
            did_you_mean(profile.as_str(), ids.chain(names))
        };
        Err(PinError::Gone {
            profile: profile.clone(),
            provider: provider.clone(),
            hint,
        })
    }
}
