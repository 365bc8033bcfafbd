//! What reading a provider's answer costs: a failure classified, a stream tapped, a model found and spliced.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use bytes::Bytes;
use coderclaw::upstream::classify::{Failure, classify};
use coderclaw::wire::Api;
use coderclaw::wire::gate::{CommitGate, Framing};
use coderclaw::wire::model::{find_model, splice_model};
use coderclaw::wire::tap::StreamTap;
use coderclaw_actors::Timestamp;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue};

const THROTTLED: &[u8] = br#"{"error":{"message":"Rate limit reached for gpt-test in organization org-TEST on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#;
const CHUNK: &[u8] = b"data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1770000000,\"model\":\"gpt-test\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"},\"finish_reason\":null}]}\n\n";
const FIRST: &[u8] = b"data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1770000000,\"model\":\"gpt-test\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n";
const CHUNKS: usize = 100;

fn classification(criterion: &mut Criterion) {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-ratelimit-limit-requests", "3"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "20s"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let now = Timestamp::from_unix_ms(1_770_000_000_000);
    criterion.bench_function("classify/openai_429", |bencher| {
        bencher.iter(|| {
            classify(black_box(&Failure {
                provider: "openai",
                status: Some(429),
                headers: &headers,
                body: THROTTLED,
                now,
            }))
        });
    });
}

fn streams(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sse");
    group.throughput(Throughput::Elements(CHUNKS as u64));
    group.bench_function("tap_100_chunks", |bencher| {
        bencher.iter(|| {
            let mut tap = StreamTap::new(Some(Api::OpenaiCompletions), Framing::Sse);
            for _ in 0..CHUNKS {
                tap.push(black_box(CHUNK));
            }
            tap.report()
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("gate_until_commit", |bencher| {
        bencher.iter(|| {
            let mut gate = CommitGate::new(Some(Api::OpenaiCompletions), Framing::Sse);
            gate.push(Bytes::from_static(FIRST));
            gate.push(Bytes::from_static(CHUNK))
        });
    });
    group.finish();
}

fn models(criterion: &mut Criterion) {
    let prompt = "lorem ipsum dolor sit amet ".repeat(75);
    let body = format!(
        r#"{{"model":"openai/gpt-test","messages":[{{"role":"user","content":"{prompt}"}}],"temperature":0.2}}"#
    );
    let body = Bytes::from(body);
    criterion.bench_function("model/find_and_splice_2kb", |bencher| {
        bencher
            .iter(|| find_model(black_box(&body)).map(|field| splice_model(&body, &field.span, "gpt-test")));
    });
}

criterion_group!(wire, classification, streams, models);
criterion_main!(wire);
