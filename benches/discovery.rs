//! What finding credentials costs: ten thousand keys in one variable.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::collections::BTreeMap;

use coderclaw::credentials::environment::{Variables, discover};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

fn discovery(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("discover");
    for keys in [10_usize, 10_000] {
        let list: Vec<String> = (0..keys)
            .map(|index| format!("sk-proj-bench-{index:032}"))
            .collect();
        let environment = BTreeMap::from([("OPENAI_API_KEYS".to_owned(), list.join(","))]);
        let variables = Variables::of(&environment);
        group.bench_function(BenchmarkId::from_parameter(keys), |bencher| {
            bencher.iter(|| discover("openai", &variables));
        });
    }
    group.finish();
}

criterion_group!(benches, discovery);
criterion_main!(benches);
