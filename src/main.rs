//! Parse, run, exit code.

use std::process::ExitCode;

/// Streams and bodies come and go by the thousand.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    coderclaw::cli::main()
}
