//! Paths of keys through a config: the names of objects' keys, and in a list the place of an element, counted from 0.

use jsonc_parser::cst::{CstArray, CstObject};
use serde_json::{Map, Value};

use super::{ConfigEditor, EditError};

/// What stands one key further.
pub(super) fn step<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Array(elements) => elements.get(place(key)?),
        other => other.get(key),
    }
}

fn step_mut<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    match value {
        Value::Array(elements) => elements.get_mut(place(key)?),
        Value::Object(entries) => Some(entries.entry(key.to_owned()).or_insert(Value::Null)),
        _ => None,
    }
}

fn place(key: &str) -> Option<usize> {
    key.parse().ok()
}

impl ConfigEditor {
    /// The object at a path of keys, made where nothing or `null` is. Elements of lists are not made.
    pub(super) fn object(&self, keys: &[&str]) -> Result<CstObject, EditError> {
        let root = self.tree.object_value_or_create();
        let mut object = root.ok_or_else(|| self.misplaced(&[], "an object"))?;
        let mut depth = 0;
        while let Some(key) = keys.get(depth) {
            depth += 1;
            let next = match (object.array_value(key), keys.get(depth)) {
                (Some(list), Some(element)) => {
                    depth += 1;
                    element_of(&list, element)
                }
                _ => below(&object, key),
            };
            let path = keys.get(..depth).unwrap_or(keys);
            object = next.ok_or_else(|| self.misplaced(path, "an object"))?;
        }
        Ok(object)
    }

    pub(super) fn meant_object(&mut self, keys: &[&str]) -> Result<&mut Map<String, Value>, EditError> {
        let entangled = self.entangled();
        let mut value = &mut self.meant;
        for key in keys {
            let Some(next) = step_mut(value, key) else {
                return Err(entangled);
            };
            value = next;
            if value.is_null() {
                *value = Value::Object(Map::new());
            }
        }
        value.as_object_mut().ok_or(entangled)
    }
}

fn element_of(list: &CstArray, place_of: &str) -> Option<CstObject> {
    let element = list.elements().into_iter().nth(place(place_of)?)?;
    element.as_object()
}

fn below(object: &CstObject, key: &str) -> Option<CstObject> {
    let is_null = object
        .get(key)
        .and_then(|found| found.value())
        .is_some_and(|value| value.as_null_keyword().is_some());
    if is_null {
        Some(object.object_value_or_set(key))
    } else {
        object.object_value_or_create(key)
    }
}
