//! What a store of ten thousand profiles costs: reading it into settings and pools, as at every start and reload, and
//! writing one change.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![expect(
    clippy::expect_used,
    reason = "a bench that can't set up has nothing to measure"
)]

use std::collections::BTreeMap;
use std::path::Path;

use coderclaw::config::Settings;
use coderclaw::credentials::store::{
    AuthStore, MAIN_AGENT, NewCredential, StoreError, StoreFile, StoredSecret,
};
use coderclaw_actors::domain::credential::{ProfileId, ProviderId, Secret};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

const SIZES: [usize; 2] = [10, 10_000];

fn put(store: &mut AuthStore, index: usize, value: &str) {
    let secret = StoredSecret::Here(Secret::new(format!("sk-proj-bench-{value}-{index:032}")));
    let id = ProfileId::new(&format!("openai:key-{index}"));
    store.put(
        &id,
        &ProviderId::new("openai"),
        None,
        NewCredential::ApiKey(secret),
    );
}

/// A state folder whose store of `main` holds so many profiles.
fn state(profiles: usize) -> (tempfile::TempDir, StoreFile) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = StoreFile::of_agent(folder.path(), MAIN_AGENT);
    let fill = |content: &mut AuthStore| {
        (0..profiles).for_each(|index| put(content, index, "first"));
        Ok::<_, StoreError>(())
    };
    store.update(fill).expect("a store");
    (folder, store)
}

fn environment(state: &Path) -> BTreeMap<String, String> {
    BTreeMap::from([("CODERCLAW_STATE_DIR".to_owned(), state.display().to_string())])
}

/// From the files to settings with their pools.
fn load(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    for profiles in SIZES {
        let (folder, _) = state(profiles);
        let environment = environment(folder.path());
        group.bench_function(BenchmarkId::from_parameter(profiles), |bencher| {
            bencher.iter(|| Settings::load(&environment).expect("settings"));
        });
    }
    group.finish();
}

/// The same with agents: `own` of them have a profile of their own before the ten thousand of `main`.
fn load_agents(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load_with_50_agents/own");
    let (folder, _) = state(10_000);
    let ids = || (0..50).map(|index| format!("agent-{index}"));
    let list: Vec<String> = ids().map(|id| format!("{{ id: \"{id}\" }}")).collect();
    let config = format!("{{ agents: {{ list: [{}] }} }}", list.join(","));
    std::fs::write(folder.path().join("coderclaw.json"), config).expect("a config");
    let environment = environment(folder.path());
    for own in [0, 5] {
        for id in ids().take(own) {
            let store = StoreFile::of_agent(folder.path(), &id);
            let fill = |content: &mut AuthStore| {
                put(content, 20_000, &id);
                Ok::<_, StoreError>(())
            };
            store.update(fill).expect("a store");
        }
        group.bench_function(BenchmarkId::from_parameter(own), |bencher| {
            bencher.iter(|| Settings::load(&environment).expect("settings"));
        });
    }
    group.finish();
}

/// One profile changed, on the disk.
fn change(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("change_one");
    for profiles in SIZES {
        let (_folder, store) = state(profiles);
        let mut turn = 0_u64;
        group.bench_function(BenchmarkId::from_parameter(profiles), |bencher| {
            bencher.iter(|| {
                turn += 1;
                let change = |content: &mut AuthStore| {
                    put(content, 0, &turn.to_string());
                    Ok::<_, StoreError>(())
                };
                store.update(change).expect("a written store");
            });
        });
    }
    group.finish();
}

criterion_group!(stored, load, load_agents, change);
criterion_main!(stored);
