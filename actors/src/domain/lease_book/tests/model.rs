//! A model of the rules, kept as simple as can be, and the book beside it under any interleaving of leases,
//! settles, drops, reloads, panics and time: by priority both must choose the same credential, and balanced must
//! choose one that the model calls free.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use proptest::prelude::{Just, prop};
use proptest::strategy::Strategy as _;
use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{
    AuthProfile, Clock, Cooldown, CooldownPolicy, ErrorClass, LeaseBook, ModelClass, Outcome, Scope,
    ScopeOwner, SettleTerms, Strategy, Ticket, Timestamp, Tried, Verdict, book, limited,
};
use crate::domain::lease::LeaseRequest;

const KEYS: usize = 6;
const CLASSES: [&str; 2] = ["gpt-5", "gpt-5-mini"];

#[derive(Clone, Debug)]
enum Step {
    Lease { class: usize, again: usize },
    Settle { which: usize, end: Ended },
    Reload(Vec<usize>),
    Panic,
    Pass(u64),
}

#[derive(Clone, Copy, Debug)]
enum Ended {
    Success,
    Abandoned,
    Throttled { per_model: bool, seconds: u64 },
    Dead,
    Overloaded,
}

fn ended() -> impl proptest::strategy::Strategy<Value = Ended> {
    prop_oneof![
        4 => Just(Ended::Success),
        2 => Just(Ended::Abandoned),
        4 => (prop::bool::ANY, 1_u64..90)
            .prop_map(|(per_model, seconds)| Ended::Throttled { per_model, seconds }),
        1 => Just(Ended::Dead),
        1 => Just(Ended::Overloaded),
    ]
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    prop_oneof![
        8 => (0..CLASSES.len(), 0..3_usize).prop_map(|(class, again)| Step::Lease { class, again }),
        6 => (0..100_usize, ended()).prop_map(|(which, end)| Step::Settle { which, end }),
        1 => prop::sample::subsequence((0..KEYS).collect::<Vec<_>>(), 0..=KEYS)
            .prop_shuffle()
            .prop_map(Step::Reload),
        1 => Just(Step::Panic),
        4 => (0_u64..40_000).prop_map(Step::Pass),
    ]
}

/// Key `n` has limits of its own: requests a minute, attempts at once.
fn key(n: usize) -> AuthProfile {
    let rpm = [None, Some(3), None, Some(40), Some(1), None]
        .get(n)
        .copied()
        .flatten();
    let concurrency = [None, None, Some(1), Some(2), None, Some(3)]
        .get(n)
        .copied()
        .flatten();
    limited(&n.to_string(), rpm, concurrency)
}

/// What the rules say of every key that ever was a member.
#[derive(Default)]
struct Model {
    members: Vec<usize>,
    rests: HashMap<(usize, Option<usize>), Timestamp>,
    dead: HashSet<usize>,
    /// When the next request is due if they came evenly.
    due: HashMap<usize, u64>,
    live: HashMap<usize, u32>,
}

impl Model {
    fn is_free(&self, n: usize, class: usize, now: Timestamp) -> bool {
        let limits = key(n).limits;
        let rested = [None, Some(class)]
            .iter()
            .all(|class| self.rests.get(&(n, *class)).is_none_or(|until| *until <= now));
        let busy = self.live.get(&n).copied().unwrap_or(0);
        let room = limits.concurrency.is_none_or(|most| busy < most.get());
        let allowed = limits.rpm.is_none_or(|rpm| {
            let each = 60_000_000_000 / u64::from(rpm.get());
            let due = self.due.get(&n).copied().unwrap_or(0);
            now.as_unix_nanos() >= due.saturating_sub(each * u64::from(rpm.get() - 1))
        });
        rested && room && allowed && !self.dead.contains(&n)
    }

    fn take(&mut self, n: usize, now: Timestamp) {
        *self.live.entry(n).or_default() += 1;
        if let Some(rpm) = key(n).limits.rpm {
            let each = 60_000_000_000 / u64::from(rpm.get());
            let due = self.due.entry(n).or_default();
            *due = (*due).max(now.as_unix_nanos()) + each;
        }
    }

    fn reload(&mut self, members: Vec<usize>) {
        let gone: Vec<usize> = (0..KEYS).filter(|n| !members.contains(n)).collect();
        for n in gone {
            self.rests.retain(|(key, _), _| *key != n);
            self.dead.remove(&n);
            self.due.remove(&n);
        }
        self.members = members;
    }
}

struct Run {
    strategy: Strategy,
    book: LeaseBook,
    clock: std::sync::Arc<super::TestClock>,
    model: Model,
    live: Vec<(Ticket, usize, usize)>,
}

impl Run {
    fn new(strategy: Strategy) -> Self {
        let (book, clock) = book((0..KEYS).map(key).collect());
        book.replace((0..KEYS).map(key).collect(), strategy, CooldownPolicy::default());
        let model = Model {
            members: (0..KEYS).collect(),
            ..Model::default()
        };
        Self {
            strategy,
            book,
            clock,
            model,
            live: Vec::new(),
        }
    }

    /// One request that is rotated `again` times.
    fn lease(&mut self, class: usize, again: usize) -> Result<(), proptest::test_runner::TestCaseError> {
        let mut tried = Tried::default();
        let mut used = HashSet::new();
        for _ in 0..=again {
            let now = self.clock.now();
            let free: Vec<usize> = self
                .model
                .members
                .iter()
                .copied()
                .filter(|n| !used.contains(n) && self.model.is_free(*n, class, now))
                .collect();
            let leased = self.book.lease(&LeaseRequest {
                class: &ModelClass::new(CLASSES[class]),
                tried: &tried,
                terms: SettleTerms::default(),
            });
            let got = leased
                .as_ref()
                .ok()
                .and_then(|ticket| (0..KEYS).find(|n| key(*n).id == ticket.profile().id));
            match self.strategy {
                Strategy::Priority => prop_assert_eq!(got, free.first().copied()),
                Strategy::Balanced => {
                    prop_assert_eq!(got.is_some(), !free.is_empty());
                    prop_assert!(got.is_none_or(|n| free.contains(&n)));
                }
            }
            let (Ok(ticket), Some(n)) = (leased, got) else {
                break;
            };
            prop_assert!(used.insert(n), "a credential was leased twice to one request");
            tried.push(&ticket);
            self.model.take(n, now);
            self.live.push((ticket, n, class));
        }
        Ok(())
    }

    fn settle(&mut self, which: usize, end: Ended) {
        if self.live.is_empty() {
            return;
        }
        let (ticket, n, class) = self.live.swap_remove(which % self.live.len());
        if let Some(busy) = self.model.live.get_mut(&n) {
            *busy -= 1;
        }
        let now = self.clock.now();
        let member = self.model.members.contains(&n);
        let outcome = match end {
            Ended::Success => Outcome::Success,
            Ended::Abandoned => Outcome::Abandoned,
            Ended::Dead => failed(ErrorClass::AuthDead, false, Cooldown::ClassDefault),
            Ended::Overloaded => failed(ErrorClass::Overloaded, true, Cooldown::ClassDefault),
            Ended::Throttled { per_model, seconds } => {
                let rest = Duration::from_secs(seconds);
                if member {
                    let until = self
                        .model
                        .rests
                        .entry((n, per_model.then_some(class)))
                        .or_default();
                    *until = (*until).max(now.after(rest));
                }
                failed(ErrorClass::RateLimit, per_model, Cooldown::For(rest))
            }
        };
        if member && matches!(end, Ended::Dead) {
            self.model.dead.insert(n);
        }
        self.book.settle(&ticket, &outcome);
    }

    fn step(&mut self, step: Step) -> Result<(), proptest::test_runner::TestCaseError> {
        match step {
            Step::Lease { class, again } => self.lease(class, again)?,
            Step::Settle { which, end } => self.settle(which, end),
            Step::Reload(members) => {
                let profiles = members.iter().copied().map(key).collect();
                self.book
                    .replace(profiles, self.strategy, CooldownPolicy::default());
                self.model.reload(members);
            }
            Step::Panic => {
                let panic = catch_unwind(AssertUnwindSafe(|| self.book.crash()));
                prop_assert!(panic.is_err());
            }
            Step::Pass(ms) => self.clock.advance(Duration::from_millis(ms)),
        }
        self.check_permits()
    }

    /// Every live lease is counted once, for its own credential, and nothing else is.
    fn check_permits(&self) -> Result<(), proptest::test_runner::TestCaseError> {
        prop_assert_eq!(self.book.in_flight(), self.live.len());
        for credential in self.book.snapshot().credentials {
            let live = self
                .live
                .iter()
                .filter(|(ticket, ..)| ticket.profile().id == credential.profile)
                .count();
            prop_assert_eq!(credential.in_flight as usize, live);
        }
        Ok(())
    }
}

fn failed(class: ErrorClass, per_model: bool, cooldown: Cooldown) -> Outcome {
    Outcome::Failed(Verdict {
        class,
        scope: Scope {
            owner: ScopeOwner::Key,
            per_model,
        },
        cooldown,
        hint: None,
    })
}

proptest! {
    #[test]
    fn the_book_chooses_what_the_rules_say(
        balanced in prop::bool::ANY,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut run = Run::new(if balanced { Strategy::Balanced } else { Strategy::Priority });
        for step in steps {
            run.step(step)?;
        }
        for (ticket, ..) in std::mem::take(&mut run.live) {
            run.book.settle(&ticket, &Outcome::Abandoned);
        }
        run.check_permits()?;
    }
}
