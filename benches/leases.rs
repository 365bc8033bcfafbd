//! What a lease costs: the same with 10 keys and with 10,000, however many of them rest. And how long a reload
//! keeps requests waiting that run meanwhile.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use coderclaw_actors::domain::credential::{
    AgentId, AuthProfile, CredentialKind, CredentialLimits, ModelClass, ProfileId, ProviderId, Secret,
};
use coderclaw_actors::domain::outcome::{Cooldown, ErrorClass, Outcome, Scope, ScopeOwner, Verdict};
use coderclaw_actors::domain::selection::Selection;
use coderclaw_actors::{
    CooldownPolicy, LeaseBook, LeaseRequest, Members, SettleTerms, Strategy, SystemClock, Tried, View,
};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};

const SIZES: [usize; 2] = [10, 10_000];

fn profiles(keys: usize) -> Vec<AuthProfile> {
    (0..keys)
        .map(|index| AuthProfile {
            id: ProfileId::new(&format!("openai:env:OPENAI_API_KEYS#{index}")),
            kind: CredentialKind::ApiKey,
            secret: Secret::new(format!("sk-proj-bench-{index:032}")),
            expires_at: None,
            source: Arc::from("env: OPENAI_API_KEYS"),
            owner: None,
            limits: CredentialLimits::default(),
        })
        .collect()
}

fn book(keys: usize, strategy: Strategy) -> LeaseBook {
    let clock = Arc::new(SystemClock::start());
    LeaseBook::new(
        ProviderId::new("openai"),
        profiles(keys),
        strategy,
        CooldownPolicy::default(),
        clock,
        None,
    )
}

fn request<'a>(class: &'a ModelClass, tried: &'a Tried) -> LeaseRequest<'a> {
    LeaseRequest {
        class,
        tried,
        selection: Selection::Any,
        agent: None,
        terms: SettleTerms::default(),
    }
}

fn throttled() -> Outcome {
    Outcome::Failed(Verdict {
        class: ErrorClass::RateLimit,
        scope: Scope::per_model(ScopeOwner::Key),
        cooldown: Cooldown::hinted(Duration::from_mins(10)),
        hint: Some("retry-after"),
    })
}

/// Rests all keys but the last for `class`.
fn cool_all_but_one(book: &LeaseBook, class: &ModelClass, keys: usize) {
    let tried = Tried::default();
    for _ in 1..keys {
        if let Ok(ticket) = book.lease(&request(class, &tried)) {
            book.settle(&ticket, &throttled());
        }
    }
}

fn lease_and_settle(criterion: &mut Criterion) {
    let class = ModelClass::new("gpt-test");
    let tried = Tried::default();
    for strategy in [Strategy::Priority, Strategy::Balanced] {
        for cooling in [false, true] {
            let state = if cooling { "one_available" } else { "all_available" };
            let mut group = criterion.benchmark_group(format!("lease_settle/{}/{state}", strategy.as_str()));
            for keys in SIZES {
                let book = book(keys, strategy);
                if cooling {
                    cool_all_but_one(&book, &class, keys);
                }
                group.bench_function(BenchmarkId::from_parameter(keys), |bencher| {
                    bencher.iter(|| {
                        if let Ok(ticket) = book.lease(&request(black_box(&class), &tried)) {
                            book.settle(&ticket, &Outcome::Success);
                        }
                    });
                });
            }
            group.finish();
        }
    }
}

/// The same for an agent that has one key of its own before everybody's.
fn lease_and_settle_of_an_agent(criterion: &mut Criterion) {
    let (class, tried, agent) = (
        ModelClass::new("gpt-test"),
        Tried::default(),
        AgentId::new("work"),
    );
    for cooling in [false, true] {
        let state = if cooling { "one_available" } else { "all_available" };
        let mut group = criterion.benchmark_group(format!("lease_settle/of_an_agent/{state}"));
        for keys in SIZES {
            let book = book(keys, Strategy::Priority);
            let mut own = profiles(keys + 1);
            own.rotate_right(1);
            let members = Members {
                profiles: profiles(keys),
                views: vec![View {
                    agents: vec![agent.clone()],
                    profiles: own,
                }],
            };
            book.replace(members, Strategy::Priority, CooldownPolicy::default());
            let request = LeaseRequest {
                agent: Some(&agent),
                ..request(&class, &tried)
            };
            if cooling {
                for _ in 0..keys {
                    if let Ok(ticket) = book.lease(&request) {
                        book.settle(&ticket, &throttled());
                    }
                }
            }
            group.bench_function(BenchmarkId::from_parameter(keys), |bencher| {
                bencher.iter(|| {
                    if let Ok(ticket) = book.lease(black_box(&request)) {
                        book.settle(&ticket, &Outcome::Success);
                    }
                });
            });
        }
        group.finish();
    }
}

fn settle_throttled(criterion: &mut Criterion) {
    let class = ModelClass::new("gpt-test");
    let tried = Tried::default();
    let outcome = throttled();
    let mut group = criterion.benchmark_group("settle_throttled");
    for keys in SIZES {
        let book = book(keys, Strategy::Priority);
        let profile = ProfileId::new("openai:env:OPENAI_API_KEYS#0");
        group.bench_function(BenchmarkId::from_parameter(keys), |bencher| {
            bencher.iter(|| {
                if let Ok(ticket) = book.lease(&request(&class, &tried)) {
                    book.settle(&ticket, black_box(&outcome));
                }
                book.clear(&profile);
            });
        });
    }
    group.finish();
}

/// The whole of a reload, in the thread that does it, while all keys but one rest.
fn replace(criterion: &mut Criterion) {
    let class = ModelClass::new("gpt-test");
    let mut group = criterion.benchmark_group("replace");
    for keys in SIZES {
        let book = book(keys, Strategy::Priority);
        cool_all_but_one(&book, &class, keys);
        group.bench_function(BenchmarkId::from_parameter(keys), |bencher| {
            bencher.iter_batched(
                || profiles(keys),
                |profiles| book.replace(profiles, Strategy::Priority, CooldownPolicy::default()),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// The part of it that running requests wait for.
fn swap(criterion: &mut Criterion) {
    let class = ModelClass::new("gpt-test");
    let mut group = criterion.benchmark_group("replace/under_the_lock");
    for keys in SIZES {
        let book = book(keys, Strategy::Priority);
        cool_all_but_one(&book, &class, keys);
        group.bench_function(BenchmarkId::from_parameter(keys), |bencher| {
            bencher.iter_batched(
                || book.prepare(profiles(keys), Strategy::Priority, CooldownPolicy::default()),
                |next| book.swap(next),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(
    leases,
    lease_and_settle,
    lease_and_settle_of_an_agent,
    settle_throttled,
    replace,
    swap
);
criterion_main!(leases);
