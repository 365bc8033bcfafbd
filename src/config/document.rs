//! The file as it was written: JSON5 with the place of every key and value.
//!
//! Read with `jsonc-parser`, which takes all of JSON5 and, unlike `json5` and `serde_json5`, keeps the range of each
//! value and both of two equal keys. So a wrong value can be shown where it stands, a duplicate can be refused, and
//! several problems can be told at once.

use std::path::Path;
use std::sync::Arc;

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::place::{Place, Problem, Problems, Warning};
use crate::nearest::did_you_mean;

/// Longer words are not repeated in a message: they may be a key that was pasted in the wrong place.
const SHOWN_CHARS_MAX: usize = 16;

/// Turns byte offsets into places.
pub(super) struct Places<'t> {
    text: &'t str,
    file: Arc<Path>,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str, file: &Path) -> Self {
        Self {
            text,
            file: Arc::from(file),
        }
    }

    fn at(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            file: Arc::clone(&self.file),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

/// Parses the text; `None` if there is nothing in it but white space and comments.
pub(super) fn parse<'t>(places: &Places<'t>) -> Result<Option<Value<'t>>, Problems> {
    let options = ParseOptions {
        allow_missing_commas: false,
        ..ParseOptions::default()
    };
    // The parser's own message names the kind of the error and never repeats the text.
    parse_to_ast(places.text, &CollectOptions::default(), &options)
        .map(|parsed| parsed.value)
        .map_err(|error| {
            Problems(vec![Problem {
                place: Some(places.at(error.range().start)),
                key: String::new(),
                message: format!("not JSON5: {}", lower_first(&error.kind().to_string())),
            }])
        })
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

/// One value and the path that leads to it.
#[derive(Clone)]
pub(super) struct Field<'v> {
    pub(super) path: String,
    pub(super) value: &'v Value<'v>,
}

impl<'v> Field<'v> {
    /// The whole document.
    pub(super) fn root(value: &'v Value<'v>) -> Self {
        Self {
            path: String::new(),
            value,
        }
    }

    fn child(&self, name: &str) -> String {
        let plain = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
        match (self.path.as_str(), plain) {
            ("", true) => name.to_owned(),
            (path, true) => format!("{path}.{name}"),
            (path, false) => format!("{path}[{name:?}]"),
        }
    }
}

/// An object whose keys are looked for by name, or walked as a map.
pub(super) struct Section<'v> {
    field: Field<'v>,
    entries: Vec<(&'v str, usize, Field<'v>)>,
    known: Vec<&'v str>,
}

impl<'v> Section<'v> {
    /// The value of a key; `null` is as good as absent.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Field<'v>> {
        self.known.push(name);
        self.entries
            .iter()
            .find(|(key, _, field)| *key == name && !matches!(field.value, Value::NullKeyword(_)))
            .map(|(_, _, field)| field.clone())
    }

    /// Opens the section below a key.
    pub(super) fn section(&mut self, name: &'static str, reader: &mut Reader<'_>) -> Option<Self> {
        let field = self.take(name)?;
        reader.section(&field)
    }

    /// Keys that have a meaning and no effect in this version.
    pub(super) fn not_in_effect(&mut self, names: &[&'static str], reader: &mut Reader<'_>) {
        for name in names {
            if let Some(field) = self.take(name) {
                reader.warn(
                    &field,
                    "this key is known but not in effect in this version; it is kept and ignored",
                );
            }
        }
    }

    /// Keys that other tools read and nothing here depends on.
    pub(super) fn ignore(&mut self, names: &[&'static str]) {
        self.known.extend_from_slice(names);
    }

    /// A key that has a meaning by its form.
    pub(super) fn accept(&mut self, name: &'v str) {
        self.known.push(name);
    }

    /// Warns of every key that nobody asked for.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        for (key, key_at, field) in &self.entries {
            if !self.known.contains(key) {
                let hint = did_you_mean(key, self.known.iter().copied());
                reader.warnings.push(Warning {
                    place: Some(reader.places.at(*key_at)),
                    subject: field.path.clone(),
                    message: format!("unknown key, kept and ignored{hint}"),
                });
            }
        }
    }

    /// The entries of a map, in the order of the file, without those that are `null`.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'v str, &Field<'v>)> {
        self.entries
            .iter()
            .filter(|(_, _, field)| !matches!(field.value, Value::NullKeyword(_)))
            .map(|(key, _, field)| (*key, field))
    }

    /// Whether anything stands below the section.
    pub(super) fn field(&self) -> &Field<'v> {
        &self.field
    }
}

/// Reads typed values and collects what is wrong with them.
pub(super) struct Reader<'t> {
    places: Places<'t>,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(places: Places<'t>) -> Self {
        Self {
            places,
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The warnings, or the problems if there are any.
    pub(super) fn finish(mut self) -> Result<Vec<Warning>, Problems> {
        if self.problems.is_empty() {
            self.warnings.sort_by_key(|warning| {
                let place = warning.place.as_ref();
                place.map(|place| (place.line, place.column))
            });
            return Ok(self.warnings);
        }
        Err(Problems::of(self.problems))
    }

    /// Refuses a value.
    pub(super) fn refuse(&mut self, field: &Field<'_>, message: impl Into<String>) {
        self.problems.push(Problem {
            place: Some(self.places.at(field.value.start())),
            key: field.path.clone(),
            message: message.into(),
        });
    }

    /// Refuses a value that is not what was expected, and shows it.
    pub(super) fn expected(&mut self, field: &Field<'_>, expected: &str) {
        self.refuse(field, format!("expected {expected}, got {}", shown(field.value)));
    }

    /// Refuses a value that may be a secret, and shows its type alone.
    pub(super) fn expected_unseen(&mut self, field: &Field<'_>, expected: &str) {
        self.refuse(field, format!("expected {expected}, got {}", kind(field.value)));
    }

    pub(super) fn warn(&mut self, field: &Field<'_>, message: impl Into<String>) {
        self.warnings.push(Warning {
            place: Some(self.places.at(field.value.start())),
            subject: field.path.clone(),
            message: message.into(),
        });
    }

    /// Opens an object; refuses anything else, and a key that stands there twice.
    pub(super) fn section<'v>(&mut self, field: &Field<'v>) -> Option<Section<'v>> {
        let Some(object) = field.value.as_object() else {
            self.expected_unseen(field, "an object");
            return None;
        };
        let mut entries: Vec<(&str, usize, Field<'_>)> = Vec::with_capacity(object.properties.len());
        let mut seen = std::collections::HashMap::with_capacity(object.properties.len());
        for property in &object.properties {
            let key = property.name.as_str();
            let key_at = property.range.start;
            let path = field.child(key);
            if let Some(first_at) = seen.insert(key, key_at) {
                let first = self.places.at(first_at);
                self.problems.push(Problem {
                    place: Some(self.places.at(key_at)),
                    key: path,
                    message: format!(
                        "duplicate key: it already stands at line {}; remove one",
                        first.line
                    ),
                });
                continue;
            }
            entries.push((
                key,
                key_at,
                Field {
                    path,
                    value: &property.value,
                },
            ));
        }
        Some(Section {
            field: field.clone(),
            entries,
            known: Vec::new(),
        })
    }

    /// The elements of a list.
    pub(super) fn list<'v>(&mut self, field: &Field<'v>, expected: &str) -> Option<Vec<Field<'v>>> {
        let Some(array) = field.value.as_array() else {
            self.expected_unseen(field, expected);
            return None;
        };
        let elements = array.elements.iter().enumerate();
        Some(
            elements
                .map(|(index, value)| Field {
                    path: format!("{}[{index}]", field.path),
                    value,
                })
                .collect(),
        )
    }

    /// Where a value stands.
    pub(super) fn place(&self, field: &Field<'_>) -> Place {
        self.places.at(field.value.start())
    }

    /// The line that a value stands on, for a message about another.
    pub(super) fn line(&self, field: &Field<'_>) -> usize {
        self.places.at(field.value.start()).line
    }
}

/// What kind of value it is, without the value.
fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::StringLit(_) => "text",
        Value::NumberLit(_) => "a number",
        Value::BooleanLit(_) => "true or false",
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        Value::NullKeyword(_) => "null",
    }
}

/// The value itself if it is short, else its kind.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::StringLit(text) if text.value.chars().count() <= SHOWN_CHARS_MAX => {
            format!("{:?}", text.value)
        }
        Value::StringLit(text) => format!("text of {} characters", text.value.chars().count()),
        Value::NumberLit(number) if number.value.len() <= SHOWN_CHARS_MAX => number.value.to_owned(),
        Value::BooleanLit(boolean) => boolean.value.to_string(),
        other => kind(other).to_owned(),
    }
}
