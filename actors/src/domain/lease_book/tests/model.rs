//! A model of the rules and the book beside it under any interleaving of leases,
//! settles, drops, reloads, renewals, clears, panics and time: by priority both must choose the same credential, and
//! balanced must choose one that the model calls free.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use proptest::prelude::{Just, prop};
use proptest::strategy::Strategy as _;
use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::rules::{KEYS, LOGIN, Model, TOKEN, key, with_limits};
use super::{
    AgentId, Clock, Cooldown, CooldownPolicy, ErrorClass, LeaseBook, LeaseError, ModelClass, Outcome, Scope,
    ScopeOwner, SettleTerms, Strategy, Ticket, Tried, Verdict, book,
};
use crate::domain::lease::LeaseRequest;
use crate::domain::members::{Members, View};
use crate::domain::selection::Selection;

const CLASSES: [&str; 2] = ["gpt-5", "gpt-5-mini"];

#[derive(Clone, Debug)]
enum Step {
    Lease {
        class: usize,
        again: usize,
        of_work: bool,
    },
    Settle {
        which: usize,
        end: Ended,
    },
    /// Another order for everybody and for the agent `work`, and perhaps another token for the login.
    Reload {
        members: Vec<usize>,
        of_work: Option<Vec<usize>>,
        renewed: bool,
    },
    Renew {
        which: usize,
    },
    Clear(usize),
    Panic,
    Pass(u64),
}

#[derive(Clone, Copy, Debug)]
enum Ended {
    Success,
    Abandoned,
    Throttled { per_model: bool, seconds: u64 },
    Dead,
    LoginNeeded,
    Overloaded,
}

fn ended() -> impl proptest::strategy::Strategy<Value = Ended> {
    prop_oneof![
        4 => Just(Ended::Success),
        2 => Just(Ended::Abandoned),
        4 => (prop::bool::ANY, 1_u64..90)
            .prop_map(|(per_model, seconds)| Ended::Throttled { per_model, seconds }),
        1 => Just(Ended::Dead),
        1 => Just(Ended::LoginNeeded),
        1 => Just(Ended::Overloaded),
    ]
}

fn some_keys() -> impl proptest::strategy::Strategy<Value = Vec<usize>> {
    prop::sample::subsequence((0..KEYS).collect::<Vec<_>>(), 0..=KEYS).prop_shuffle()
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    prop_oneof![
        8 => (0..CLASSES.len(), 0..3_usize, prop::bool::ANY)
            .prop_map(|(class, again, of_work)| Step::Lease { class, again, of_work }),
        6 => (0..100_usize, ended()).prop_map(|(which, end)| Step::Settle { which, end }),
        1 => (some_keys(), prop::option::of(some_keys()), prop::bool::ANY)
            .prop_map(|(members, of_work, renewed)| Step::Reload { members, of_work, renewed }),
        2 => (0..100_usize).prop_map(|which| Step::Renew { which }),
        1 => (0..KEYS).prop_map(Step::Clear),
        1 => Just(Step::Panic),
        4 => (0_u64..40_000).prop_map(Step::Pass),
    ]
}

/// A lease that is not settled: which key, for which class, with which version of its token.
struct Live {
    ticket: Ticket,
    n: usize,
    class: usize,
    version: u32,
}

struct Run {
    strategy: Strategy,
    book: LeaseBook,
    clock: std::sync::Arc<super::TestClock>,
    model: Model,
    live: Vec<Live>,
}

impl Run {
    fn new(strategy: Strategy) -> Self {
        let keys = || (0..KEYS).map(|n| key(n, 0)).collect();
        let (book, clock) = book(keys());
        book.replace(keys(), strategy, CooldownPolicy::default());
        let model = Model {
            members: (0..KEYS).collect(),
            of_default: (0..KEYS).collect(),
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
    fn lease(
        &mut self,
        class: usize,
        again: usize,
        of_work: bool,
    ) -> Result<(), proptest::test_runner::TestCaseError> {
        let work = AgentId::new("work");
        let agent = of_work.then_some(&work);
        let own = self.model.own(of_work).to_vec();
        let mut tried = Tried::default();
        let mut used = HashSet::new();
        for _ in 0..=again {
            let now = self.clock.now();
            let free: Vec<usize> = own
                .iter()
                .copied()
                .filter(|n| !used.contains(n) && self.model.is_free(*n, class, now))
                .collect();
            let leased = self.book.lease(&LeaseRequest {
                class: &ModelClass::new(CLASSES[class]),
                tried: &tried,
                selection: Selection::Any,
                agent,
                terms: SettleTerms::default(),
            });
            let got = leased
                .as_ref()
                .ok()
                .and_then(|ticket| (0..KEYS).find(|n| with_limits(*n).id == ticket.profile().id));
            match self.strategy {
                Strategy::Priority => prop_assert_eq!(got, free.first().copied()),
                Strategy::Balanced => {
                    prop_assert_eq!(got.is_some(), !free.is_empty());
                    prop_assert!(got.is_none_or(|n| free.contains(&n)));
                }
            }
            let (ticket, n) = match (leased, got) {
                (Ok(ticket), Some(n)) => (ticket, n),
                (refused, _) => {
                    prop_assert_eq!(counted(refused.err().as_ref()), own.len());
                    break;
                }
            };
            prop_assert!(used.insert(n), "a credential was leased twice to one request");
            tried.push(&ticket);
            self.model.take(n, now);
            let version = if n == LOGIN { self.model.version } else { 0 };
            prop_assert_eq!(&ticket.profile().secret, &key(n, version).secret);
            prop_assert!(n != TOKEN || !ticket.profile().is_expired(now));
            self.live.push(Live {
                ticket,
                n,
                class,
                version,
            });
        }
        Ok(())
    }

    fn settle(&mut self, which: usize, end: Ended) {
        if self.live.is_empty() {
            return;
        }
        let Live {
            ticket,
            n,
            class,
            version,
        } = self.live.swap_remove(which % self.live.len());
        if let Some(busy) = self.model.live.get_mut(&n) {
            *busy -= 1;
        }
        let now = self.clock.now();
        let outcome = match end {
            Ended::Success => Outcome::Success,
            Ended::Abandoned => Outcome::Abandoned,
            Ended::Dead => {
                self.model.refuse(n, version);
                failed(ErrorClass::AuthDead, false, Cooldown::ClassDefault)
            }
            Ended::LoginNeeded => {
                self.model.refuse(n, version);
                Outcome::LoginNeeded
            }
            Ended::Overloaded => failed(ErrorClass::Overloaded, true, Cooldown::ClassDefault),
            Ended::Throttled { per_model, seconds } => {
                let rest = Duration::from_secs(seconds);
                self.model.rest(n, per_model.then_some(class), now.after(rest));
                failed(ErrorClass::RateLimit, per_model, Cooldown::For(rest))
            }
        };
        self.book.settle(&ticket, &outcome);
    }

    fn reload(&mut self, members: Vec<usize>, of_work: Option<Vec<usize>>, renewed: bool) {
        self.model.reload(members.clone(), of_work.clone());
        if renewed {
            self.model.newest += 1;
            self.model.hold(self.model.newest);
        }
        let version = self.model.version;
        let keys = |members: Vec<usize>| members.into_iter().map(|n| key(n, version)).collect();
        let view = of_work.map(|members| View {
            agents: vec![AgentId::new("work")],
            profiles: keys(members),
        });
        let members = Members {
            profiles: keys(members),
            views: view.into_iter().collect(),
        };
        self.book
            .replace(members, self.strategy, CooldownPolicy::default());
    }

    /// One request renews the login that it has leased.
    fn renew(&mut self, which: usize) {
        let mut logins: Vec<&mut Live> = self.live.iter_mut().filter(|live| live.n == LOGIN).collect();
        if logins.is_empty() {
            return;
        }
        let live = logins.swap_remove(which % logins.len());
        self.model.newest += 1;
        let newest = self.model.newest;
        self.book.renew(&mut live.ticket, &key(LOGIN, newest));
        if live.version == self.model.version && self.model.members.contains(&LOGIN) {
            self.model.hold(newest);
        }
        live.version = newest;
    }

    fn step(&mut self, step: Step) -> Result<(), proptest::test_runner::TestCaseError> {
        match step {
            Step::Lease {
                class,
                again,
                of_work,
            } => self.lease(class, again, of_work)?,
            Step::Settle { which, end } => self.settle(which, end),
            Step::Reload {
                members,
                of_work,
                renewed,
            } => self.reload(members, of_work, renewed),
            Step::Renew { which } => self.renew(which),
            Step::Clear(n) => {
                self.book.clear(&with_limits(n).id);
                self.model.clear(n);
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
        let work = AgentId::new("work");
        for (of_work, agent) in [(false, None), (true, Some(&work))] {
            let own = self.model.own(of_work).iter();
            let own: Vec<_> = own.map(|n| with_limits(*n).id).collect();
            let seen = self.book.snapshot_of(agent).credentials;
            prop_assert_eq!(
                seen.iter().map(|one| one.profile.clone()).collect::<Vec<_>>(),
                own
            );
            let next = seen.iter().find(|one| one.next).map(|one| one.profile.clone());
            prop_assert_eq!(self.book.outlook(agent).next, next);
        }
        prop_assert_eq!(self.book.in_flight(), self.live.len());
        for credential in self.book.snapshot_of_all().credentials {
            let live = self
                .live
                .iter()
                .filter(|live| live.ticket.profile().id == credential.profile)
                .count();
            prop_assert_eq!(credential.in_flight as usize, live);
        }
        Ok(())
    }
}

/// How many credentials a refusal speaks of.
fn counted(refused: Option<&LeaseError>) -> usize {
    match refused {
        Some(LeaseError::NoneAvailable { refusals, .. }) => {
            refusals.cooling + refusals.exhausted + refusals.disabled + refusals.limited + refusals.available
        }
        _ => 0,
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
        for live in std::mem::take(&mut run.live) {
            run.book.settle(&live.ticket, &Outcome::Abandoned);
        }
        run.check_permits()?;
    }
}
