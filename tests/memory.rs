//! What passes through does not pile up. A binary of its own: nothing else may move the process's memory.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "support/mod.rs"]
mod support;

use coderclaw::emulator::{Fault, FaultKind};
use support::{GEMINI, Rig};

/// Size of the answer, in MiB.
const ANSWER_MIB: u64 = 512;
/// What the process may grow by while it passes, in bytes: sockets, pools, and the test's own buffers.
const GROWTH_BYTES_MAX: usize = 32 << 20;

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process has a status");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("it has a size");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn a_huge_answer_passes_with_flat_memory() {
    let rig = Rig::new(GEMINI, &["only"]);
    assert_eq!(rig.call().status, 200);
    let mut fault = Fault::new(FaultKind::HugeBody);
    fault.megabytes = Some(ANSWER_MIB);
    rig.fault(fault);
    let before = resident();
    let mut most = before;
    let mut pieces = 0_u64;
    let count = GEMINI.call().open(rig.gateway.address).discard(|| {
        pieces += 1;
        if pieces.is_multiple_of(64) {
            most = most.max(resident());
        }
    });
    assert!(count as u64 > ANSWER_MIB << 20, "{count} bytes came");
    assert!(
        most - before < GROWTH_BYTES_MAX,
        "grew by {} KiB",
        (most - before) / 1024
    );
}
