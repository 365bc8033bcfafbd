//! Who may use which credential, now: key pools, leases, provider and router actors, and their supervisor.
//!
//! No HTTP, no files, no command line. `domain` is pure; the actors own lifecycle and policy; nobody outside sees
//! an `Addr`.

pub mod domain;
pub mod snapshot;
pub mod upstream;
