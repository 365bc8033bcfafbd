//! The vectors that every implementation of the same rules is held to.

use std::path::Path;

use serde_json::Value;

/// The vectors of one group; there are some.
pub(crate) fn vectors(group: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vectors.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let vectors = all["vectors"].as_array().unwrap();
    let chosen: Vec<Value> = vectors
        .iter()
        .filter(|vector| vector["group"] == group)
        .cloned()
        .collect();
    assert!(!chosen.is_empty(), "no vectors of {group}");
    chosen
}
