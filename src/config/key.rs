//! A key in the config: the secret itself, or a reference to it.

use coderclaw_actors::domain::credential::Secret;
use jsonc_parser::ast::Value;

use super::document::{Field, Reader};
use super::place::{Place, Problem, Warning};
use crate::credentials::environment::{clean, fits_a_header};
use crate::credentials::reference::{ReferenceError, SecretRef};

/// What stands in the config where a key is wanted.
#[derive(Clone, Debug)]
pub(super) enum KeyInConfig {
    /// The key.
    Plain(Secret),
    /// Where the key is.
    Reference(PlacedReference),
}

/// A reference and its place in the file.
#[derive(Clone, Debug)]
pub(super) struct PlacedReference {
    pub(super) reference: SecretRef,
    pub(super) path: String,
    pub(super) place: Place,
}

impl PlacedReference {
    /// A failure that the gateway can do without.
    pub(super) fn warning(&self, error: &ReferenceError) -> Warning {
        Warning {
            place: Some(self.place.clone()),
            subject: self.path.clone(),
            message: error.to_string(),
        }
    }

    /// A failure that the gateway can't do without.
    pub(super) fn problem(&self, error: &ReferenceError) -> Problem {
        Problem {
            place: Some(self.place.clone()),
            key: self.path.clone(),
            message: error.to_string(),
        }
    }
}

impl KeyInConfig {
    /// The variable that a reference names.
    pub(super) fn variable(&self) -> Option<&str> {
        match self {
            Self::Reference(PlacedReference {
                reference: SecretRef::Env { name, .. },
                ..
            }) => Some(name),
            _ => None,
        }
    }
}

impl Reader<'_> {
    /// A key that nobody may see, or a reference to one. Line breaks and outer white space go; a blank one is absent.
    pub(super) fn key(&mut self, field: &Field<'_>, expected: &str) -> Option<KeyInConfig> {
        if field.value.as_object().is_some() {
            return self.reference(field);
        }
        let Some(text) = field.value.as_string_lit() else {
            self.expected_unseen(field, expected);
            return None;
        };
        let value = clean(&text.value);
        if value.is_empty() {
            return None;
        }
        if value.starts_with("${") || SecretRef::parse_text(&value).is_some() {
            return self.reference(field);
        }
        if !fits_a_header(&value) {
            self.refuse(
                field,
                format!("expected {expected}, got one with characters that no HTTP header can carry"),
            );
            return None;
        }
        Some(KeyInConfig::Plain(Secret::new(value)))
    }

    fn reference(&mut self, field: &Field<'_>) -> Option<KeyInConfig> {
        match SecretRef::parse(&json(field.value)) {
            Ok(reference) => Some(KeyInConfig::Reference(PlacedReference {
                reference,
                path: field.path.clone(),
                place: self.place(field),
            })),
            Err(error) => {
                self.refuse(field, error.to_string());
                None
            }
        }
    }
}

/// The value as the parser of references wants it. No number means anything there.
fn json(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::StringLit(text) => text.value.as_ref().into(),
        Value::BooleanLit(boolean) => boolean.value.into(),
        Value::NumberLit(_) => 0.into(),
        Value::NullKeyword(_) => serde_json::Value::Null,
        Value::Array(array) => array.elements.iter().map(json).collect(),
        Value::Object(object) => {
            let properties = object.properties.iter();
            properties
                .map(|property| (property.name.as_str().to_owned(), json(&property.value)))
                .collect()
        }
    }
}
