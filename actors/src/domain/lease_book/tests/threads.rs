//! The book under several threads at once, while it is reloaded and panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{CooldownPolicy, Outcome, Strategy, book, lease, limited};

const THREADS: u64 = 4;
const ROUNDS: usize = 3_000;
const CONCURRENCY: u32 = 2;

#[test]
fn permits_are_conserved_and_limits_kept_across_threads() {
    let keys = || {
        ["a", "b", "c"]
            .map(|name| limited(name, None, Some(CONCURRENCY)))
            .to_vec()
    };
    let (book, _) = book(keys());
    let under_way: [AtomicU32; 3] = Default::default();
    std::thread::scope(|scope| {
        for seed in 0..THREADS {
            let (book, under_way) = (&book, &under_way);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                for _ in 0..ROUNDS {
                    match random.u8(..50) {
                        0 => assert!(catch_unwind(AssertUnwindSafe(|| book.crash())).is_err()),
                        1 => book.replace(keys(), Strategy::Balanced, CooldownPolicy::default()),
                        _ => {}
                    }
                    let Ok(ticket) = lease(book) else {
                        continue;
                    };
                    let name = ticket.profile().id.as_str().as_bytes();
                    let key = usize::from(name[name.len() - 1] - b'a');
                    let now = under_way[key].fetch_add(1, Ordering::SeqCst) + 1;
                    assert!(now <= CONCURRENCY, "{now} attempts at once");
                    under_way[key].fetch_sub(1, Ordering::SeqCst);
                    book.settle(&ticket, &Outcome::Success);
                }
            });
        }
    });
    assert_eq!(book.in_flight(), 0);
    assert!(
        book.snapshot()
            .credentials
            .iter()
            .all(|credential| credential.in_flight == 0)
    );
}
