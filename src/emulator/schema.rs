//! The smallest value that a JSON schema allows: what a structured answer or a tool call is made of.

use serde_json::{Map, Value};

/// Deepest nesting that is filled; a schema that refers to itself ends there.
const DEPTH_MAX: usize = 24;

/// A minimal instance of `schema`; whatever it does not understand becomes an empty object.
pub(super) fn instance(schema: &Value) -> Value {
    build(schema, schema, 0)
}

fn build(schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(value) = schema.get("const").or_else(|| schema.get("default")) {
        return value.clone();
    }
    if let Some(first) = schema
        .get("enum")
        .and_then(Value::as_array)
        .and_then(|all| all.first())
    {
        return first.clone();
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = target.trim_start_matches('#');
        return root
            .pointer(pointer)
            .map_or(Value::Null, |target| build(target, root, depth + 1));
    }
    for union in ["anyOf", "any_of", "oneOf", "allOf"] {
        if let Some(first) = schema
            .get(union)
            .and_then(Value::as_array)
            .and_then(|all| all.first())
        {
            return build(first, root, depth + 1);
        }
    }
    match type_of(schema).as_str() {
        "string" => string(schema),
        "integer" | "number" => number(schema),
        "boolean" => Value::Bool(true),
        "null" => Value::Null,
        "array" => array(schema, root, depth),
        _ => object(schema, root, depth),
    }
}

fn type_of(schema: &Value) -> String {
    let name = match schema.get("type") {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null"),
        _ => None,
    };
    // Google writes types in capitals.
    name.map(str::to_ascii_lowercase).unwrap_or_default()
}

fn string(schema: &Value) -> Value {
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date") => "2026-01-02".to_owned(),
        Some("date-time") => "2026-01-02T03:04:05Z".to_owned(),
        Some("time") => "03:04:05Z".to_owned(),
        Some("email") => "someone@example.com".to_owned(),
        Some("uuid") => "123e4567-e89b-12d3-a456-426614174000".to_owned(),
        Some("uri") => "https://example.com/".to_owned(),
        _ => {
            let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
            let most = schema
                .get("maxLength")
                .and_then(Value::as_u64)
                .unwrap_or(u64::MAX);
            let length = least.max(4).min(most).min(4096);
            "text"
                .chars()
                .cycle()
                .take(usize::try_from(length).unwrap_or(4))
                .collect()
        }
    };
    Value::String(text)
}

fn number(schema: &Value) -> Value {
    let at = |name| schema.get(name).and_then(Value::as_i64);
    if let Some(step) = at("multipleOf").filter(|step| *step > 0) {
        return Value::from(step);
    }
    let least = at("minimum").or_else(|| at("exclusiveMinimum").map(|n| n.saturating_add(1)));
    let most = at("maximum").or_else(|| at("exclusiveMaximum").map(|n| n.saturating_sub(1)));
    Value::from(1.max(least.unwrap_or(i64::MIN)).min(most.unwrap_or(i64::MAX)))
}

fn array(schema: &Value, root: &Value, depth: usize) -> Value {
    let least = schema
        .get("minItems")
        .or_else(|| schema.get("min_items"))
        .and_then(Value::as_u64)
        .unwrap_or(1)
        .min(64);
    let item = schema
        .get("items")
        .map_or_else(|| Value::from("text"), |items| build(items, root, depth + 1));
    (0..least).map(|_| item.clone()).collect()
}

fn object(schema: &Value, root: &Value, depth: usize) -> Value {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Value::Object(Map::new());
    };
    let required = schema.get("required").and_then(Value::as_array);
    let needed = |name: &str| required.is_none_or(|names| names.iter().any(|known| known == name));
    properties
        .iter()
        .filter(|(name, _)| needed(name))
        .map(|(name, property)| (name.clone(), build(property, root, depth + 1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_parts_that_schemas_use_are_filled() {
        let schema = json!({
            "type": "object",
            "required": ["city", "days", "kind", "where", "tags"],
            "properties": {
                "city": {"type": "string", "minLength": 6},
                "days": {"type": "integer", "minimum": 3},
                "kind": {"enum": ["short", "long"]},
                "where": {"$ref": "#/$defs/place"},
                "tags": {"type": "ARRAY", "items": {"type": "STRING"}},
                "optional": {"type": "string"}
            },
            "$defs": {"place": {"anyOf": [{"type": ["null", "boolean"]}]}}
        });
        assert_eq!(
            instance(&schema),
            json!({"city": "textte", "days": 3, "kind": "short", "where": true, "tags": ["text"]})
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert!(instance(&schema).is_object());
    }
}
