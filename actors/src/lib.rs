//! Who may use which credential, now: key pools, leases, provider and router actors, and their supervisor.
//!
//! No HTTP, no files, no command line. [`domain`] is pure; the actors own lifecycle and policy; nobody outside sees
//! an `Addr`.
//!
//! The way of a request: a worker's [`RouterSlot`] hands it to the thread's router actor, which answers with its
//! attempts as a future; each attempt leases a credential from the provider's [`LeaseBook`], goes through the
//! [`Upstream`], and settles. State changes go on to the provider's actor, and the supervisor keeps that alive. The
//! [`ControlPlane`] starts and ends it all.

mod provider;
mod router;
mod supervisor;
mod system;
mod system_clock;
#[cfg(test)]
mod testing;

pub mod domain;
pub mod renewal;
pub mod snapshot;
pub mod upstream;

pub use domain::clock::{Clock, SharedClock, TestClock, Timestamp};
pub use domain::cooldown::{CooldownPolicy, SettleTerms};
pub use domain::credential_state::StateName;
pub use domain::lease::{LeaseError, LeaseRequest, Refusals, Ticket, Transition, Tried};
pub use domain::lease_book::LeaseBook;
pub use domain::members::{Members, View};
pub use domain::plan::{RotationPolicy, Strategy};
pub use domain::restart::RestartPolicy;
pub use provider::{HandleError, Lease, ProviderHandle, ProviderSpec};
pub use renewal::{NoRenewal, Renewal, Renewed};
pub use router::{AttemptRecord, Dispatch, Dispatched, End, Recovery, RouterSlot, dispatch};
pub use snapshot::{
    CredentialSnapshot, ModelSnapshot, PoolOutlook, PoolSnapshot, SavedCredential, SavedPool, SavedStanding,
    SavedState,
};
pub use system::{ActorStatus, ControlPlane, ControlStatus, StartError};
pub use system_clock::SystemClock;
pub use upstream::{Attempted, Upstream};
