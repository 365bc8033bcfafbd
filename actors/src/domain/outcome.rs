//! What an attempt came to.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;

/// The class of an upstream failure. The class decides what happens next, never the status alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// A transient window of the credential: cool it, rotate.
    RateLimit,
    /// A known longer window (a day, a subscription's five hours): rest until its reset, rotate.
    QuotaWindow,
    /// No money or no allowance at all: exhausted, rotate.
    QuotaHard,
    /// The key itself is invalid, revoked or suspended: disabled.
    AuthDead,
    /// An OAuth token that has run out: refresh, then the same credential again.
    AuthRefresh,
    /// The provider does not allow this credential for API use: disabled, explained.
    CredentialUseForbidden,
    /// The key lacks a permission for this model or path.
    Permission,
    /// The model can't be reached with this key.
    ModelAccess,
    /// The provider or the model has no capacity; no key is to blame.
    Overloaded,
    /// The provider failed.
    TransientServer,
    /// The request itself is at fault.
    CallerFault,
    /// The provider refuses the place that the gateway calls from.
    RegionBlocked,
    /// The provider did not answer in time.
    Timeout,
    /// The provider could not be reached, or broke off before it answered.
    Unreachable,
}

impl ErrorClass {
    /// Every class, in the order above.
    pub const ALL: [Self; 14] = [
        Self::RateLimit,
        Self::QuotaWindow,
        Self::QuotaHard,
        Self::AuthDead,
        Self::AuthRefresh,
        Self::CredentialUseForbidden,
        Self::Permission,
        Self::ModelAccess,
        Self::Overloaded,
        Self::TransientServer,
        Self::CallerFault,
        Self::RegionBlocked,
        Self::Timeout,
        Self::Unreachable,
    ];

    /// The name used in logs, metrics and status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::QuotaWindow => "quota_window",
            Self::QuotaHard => "quota_hard",
            Self::AuthDead => "auth_dead",
            Self::AuthRefresh => "auth_refresh",
            Self::CredentialUseForbidden => "credential_use_forbidden",
            Self::Permission => "permission",
            Self::ModelAccess => "model_access",
            Self::Overloaded => "overloaded",
            Self::TransientServer => "transient_server",
            Self::CallerFault => "caller_fault",
            Self::RegionBlocked => "region_blocked",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
        }
    }

    /// Whether a failure of this class speaks of an allowance that another credential may still have.
    #[must_use]
    pub const fn is_throttle(self) -> bool {
        matches!(self, Self::RateLimit | Self::QuotaWindow | Self::QuotaHard)
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose limit or fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScopeOwner {
    /// This request alone.
    Request,
    /// This request with this key: another key may be allowed it.
    RequestAndKey,
    /// The key.
    Key,
    /// The organisation that the key belongs to.
    Org,
    /// The project that the key belongs to.
    Project,
    /// The project in one region.
    ProjectRegion,
    /// The account.
    Account,
    /// The account in one region.
    AccountRegion,
    /// The account that pays.
    BillingAccount,
    /// The workspace.
    Workspace,
    /// The team.
    Team,
    /// The deployment.
    Deployment,
    /// The provider as a whole.
    Provider,
    /// One service tier of the provider.
    ProviderTier,
    /// A provider behind the provider.
    UpstreamProvider,
    /// The model, whoever asks.
    Model,
    /// The place the gateway calls from.
    GatewayEgress,
}

/// How far a failure reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Whose it is.
    pub owner: ScopeOwner,
    /// Whether only the model class of the request is concerned.
    pub per_model: bool,
}

impl Scope {
    /// `owner`'s whole.
    #[must_use]
    pub const fn of(owner: ScopeOwner) -> Self {
        Self {
            owner,
            per_model: false,
        }
    }

    /// `owner`'s share of one model class.
    #[must_use]
    pub const fn per_model(owner: ScopeOwner) -> Self {
        Self {
            owner,
            per_model: true,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.owner {
            ScopeOwner::Request => "request",
            ScopeOwner::RequestAndKey => "request+key",
            ScopeOwner::Key => "key",
            ScopeOwner::Org => "org",
            ScopeOwner::Project => "project",
            ScopeOwner::ProjectRegion => "project+region",
            ScopeOwner::Account => "account",
            ScopeOwner::AccountRegion => "account+region",
            ScopeOwner::BillingAccount => "billing_account",
            ScopeOwner::Workspace => "workspace",
            ScopeOwner::Team => "team",
            ScopeOwner::Deployment => "deployment",
            ScopeOwner::Provider => "provider",
            ScopeOwner::ProviderTier => "provider+tier",
            ScopeOwner::UpstreamProvider => "upstream_provider",
            ScopeOwner::Model => "model",
            ScopeOwner::GatewayEgress => "gateway_egress",
        })?;
        if self.per_model {
            f.write_str("+model")
        } else {
            Ok(())
        }
    }
}

/// How long the provider says that a credential must rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cooldown {
    /// The failure is not one that rests a credential, or its class has a schedule of its own.
    ClassDefault,
    /// From now; already clamped to [`Cooldown::SHORTEST`]..=[`Cooldown::LONGEST`].
    For(Duration),
    /// Until a stated reset of a longer window. Not clamped: the book tests it with one real request an hour.
    Until(Timestamp),
}

impl Cooldown {
    /// No hint makes a credential rest for less.
    pub const SHORTEST: Duration = Duration::from_millis(250);
    /// No hint of a transient limit makes a credential rest for more: providers state `86400` for one oversized request.
    pub const LONGEST: Duration = Duration::from_mins(10);

    /// A rest that the provider hinted at, clamped.
    #[must_use]
    pub fn hinted(wait: Duration) -> Self {
        Self::For(wait.clamp(Self::SHORTEST, Self::LONGEST))
    }
}

/// What a failed attempt means: its class, its reach, and how long to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The class, which decides.
    pub class: ErrorClass,
    /// Whose limit or fault it is.
    pub scope: Scope,
    /// The provider's own word on when to come back.
    pub cooldown: Cooldown,
    /// Which field of the answer that word was taken from, for logs and status: `retry-after-ms`, `error.resets_at`.
    pub hint: Option<&'static str>,
}

/// How a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider served it.
    Success,
    /// The provider, the network or the request failed.
    Failed(Verdict),
    /// The login behind the credential can't be renewed any more, on the identity provider's own word: it is disabled
    /// until someone logs in again.
    LoginNeeded,
    /// Nobody waited for the end: the caller went away, or the attempt was dropped. Says nothing of the credential.
    Abandoned,
}
