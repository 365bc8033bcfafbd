//! The command line: what was typed, what it means, and everything that is printed.

pub mod emulator;
