//! The providers' side: an adapter over HTTP, and what its answers mean.
