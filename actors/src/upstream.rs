//! The port to the world: one attempt in, what it came to and the answer out.
//!
//! The gateway brings an adapter over HTTP; tests bring one in memory.

use std::future::Future;

use crate::domain::credential::AuthProfile;
use crate::domain::outcome::Verdict;

/// Makes attempts at a provider.
pub trait Upstream: Clone + Send + 'static {
    /// What is sent; cheap to clone, since each attempt sends it again.
    type Request: Clone + Send + Sync + 'static;
    /// What comes back and goes to the caller: a committed stream, an error as the provider sent it, or the
    /// adapter's own word for a provider that could not be reached.
    type Answer: Send + 'static;

    /// Makes one attempt with `profile`'s credential. Dropping the future ends the attempt and closes the
    /// connection that it opened.
    fn attempt(
        &self,
        request: &Self::Request,
        profile: &AuthProfile,
    ) -> impl Future<Output = Attempted<Self::Answer>> + Send;
}

/// What one attempt came to.
#[derive(Debug)]
pub enum Attempted<A> {
    /// Meaning was seen: the answer must go to the caller, nothing can be replayed.
    Committed(A),
    /// The attempt failed before the commit; `answer` is what the caller gets if no other credential serves.
    Rejected {
        /// What the failure means.
        verdict: Verdict,
        /// The failure as it goes to the caller.
        answer: A,
    },
}
