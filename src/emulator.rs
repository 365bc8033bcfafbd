//! Providers to test against: real bucket semantics, headers, bodies and faults, over real sockets.
