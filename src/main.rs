//! Parse, run, exit code.

use std::process::ExitCode;

/// Streams and bodies come and go by the thousand.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keep_pages_small();
    coderclaw::cli::main()
}

/// The allocator asks for huge pages, in which the parts of a stream's buffers that were never touched take memory
/// too: a stream would cost half as much again.
fn keep_pages_small() {
    #[cfg(target_os = "linux")]
    {
        // Where it is refused, memory is all that it costs.
        let _refused = nix::sys::prctl::set_thp_disable(true);
    }
}
