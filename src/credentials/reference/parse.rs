//! References from JSON and to JSON.

use serde_json::{Map, Value, json};

use super::{ProvidedBy, ReferenceError, SecretRef};
use crate::nearest::did_you_mean;

/// The sources of references.
const SOURCES: [&str; 4] = ["env", "file", "exec", "keyring"];

/// The id by which the older tools mean a whole file.
const WHOLE_FILE: &str = "value";

/// How the older tools once wrote a variable.
const OLD_MARKS: [&str; 2] = ["secretref-env:", "__env__:"];

/// No text of a reference is longer: 4 KiB.
const TEXT_BYTES_MAX: usize = 4 << 10;

/// A command has at most so many arguments.
const ARGUMENTS_MAX: usize = 256;

impl SecretRef {
    /// Reads a reference; the module's documentation has the forms.
    ///
    /// # Errors
    /// If it is none; says what was expected, and repeats nothing that could be a secret.
    pub fn parse(value: &Value) -> Result<Self, ReferenceError> {
        match value {
            Value::String(text) => Self::parse_text(text)
                .ok_or_else(|| malformed("expected an object with a `source`, or `${NAME}`")),
            Value::Object(fields) => of_object(&Fields(fields)),
            _ => Err(malformed("expected an object with a `source`, or `${NAME}`")),
        }
    }

    /// The reference that a text is: `${NAME}`, `$NAME`, or an old mark; `None` if the text is none, and so may be a
    /// secret.
    #[must_use]
    pub fn parse_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let braced = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let old = OLD_MARKS.iter().find_map(|mark| text.strip_prefix(mark));
        let short = text.strip_prefix('$').or(old).filter(|name| is_in_capitals(name));
        braced.filter(|name| is_variable(name)).or(short).map(Self::env)
    }

    /// The reference as a store holds it; [`SecretRef::parse`] reads it again.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let with_provider = |source: &str, provider: Option<&String>, id: &str| match provider {
            Some(provider) => json!({ "source": source, "provider": provider, "id": id }),
            None => json!({ "source": source, "id": id }),
        };
        match self {
            Self::Env { provider, name } => with_provider("env", provider.as_ref(), name),
            Self::File { path, pointer: None } => json!({ "source": "file", "path": path }),
            Self::File { path, pointer } => json!({ "source": "file", "path": path, "id": pointer }),
            Self::Command { argv } => json!({ "source": "exec", "command": argv }),
            Self::Keyring { service, account } => {
                json!({ "source": "keyring", "service": service, "account": account })
            }
            Self::Provided { source, provider, id } => with_provider(source.as_str(), provider.as_ref(), id),
        }
    }
}

fn malformed(what: impl Into<String>) -> ReferenceError {
    ReferenceError::Malformed(what.into())
}

/// The fields of a reference.
struct Fields<'v>(&'v Map<String, Value>);

impl<'v> Fields<'v> {
    /// A field as text; `null` is absent, and a blank text is refused.
    fn text(&self, name: &str) -> Result<Option<&'v str>, ReferenceError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if is_usable(text) => Ok(Some(text.trim())),
            Some(_) => Err(malformed(format!(
                "expected `{name}` as text of at most 4 KiB that is not blank"
            ))),
        }
    }

    fn needed(&self, name: &str, of: &str) -> Result<&'v str, ReferenceError> {
        self.text(name)?
            .ok_or_else(|| malformed(format!("a reference with source `{of}` needs `{name}`")))
    }

    fn provider(&self) -> Result<Option<String>, ReferenceError> {
        let provider = self.text("provider")?;
        match provider {
            Some(name) if !is_provider(name) => Err(malformed(
                "expected `provider` as a name of `secrets.providers`: a-z, then a-z, 0-9, `_` and `-`, at most 64",
            )),
            other => Ok(other.map(str::to_owned)),
        }
    }
}

fn of_object(fields: &Fields<'_>) -> Result<SecretRef, ReferenceError> {
    match fields.text("source")? {
        Some("env") => env(fields),
        Some("file") => file(fields),
        Some("exec") => exec(fields),
        Some("keyring") => Ok(SecretRef::Keyring {
            service: fields.needed("service", "keyring")?.to_owned(),
            account: fields.needed("account", "keyring")?.to_owned(),
        }),
        // A plugin of the older tools may bring other sources; their names are no secrets.
        Some(other) => Err(malformed(format!(
            "unknown source{}; there are env, file, exec and keyring",
            did_you_mean(other, SOURCES)
        ))),
        None => Err(malformed(
            "expected an object with a `source`: env, file, exec or keyring",
        )),
    }
}

fn env(fields: &Fields<'_>) -> Result<SecretRef, ReferenceError> {
    let name = fields.needed("id", "env")?;
    if !is_variable(name) {
        // It is not repeated: a key may have been put here by mistake.
        return Err(malformed("expected `id` as the name of an environment variable"));
    }
    Ok(SecretRef::Env {
        provider: fields.provider()?,
        name: name.to_owned(),
    })
}

fn file(fields: &Fields<'_>) -> Result<SecretRef, ReferenceError> {
    let id = fields.text("id")?;
    if let Some(id) = id.filter(|id| *id != WHOLE_FILE && !is_pointer(id)) {
        let hint = if id.starts_with('/') {
            "; in it `~` is `~0` and `/` is `~1`"
        } else {
            ""
        };
        return Err(malformed(format!(
            "expected `id` as a JSON pointer such as `/openai/key`, or `value`{hint}"
        )));
    }
    match (fields.text("path")?, id) {
        (Some(path), _) if !is_path(path) => Err(malformed(
            "expected `path` absolute or with `~/` at the beginning",
        )),
        (Some(path), id) => Ok(SecretRef::File {
            path: path.to_owned(),
            pointer: id.filter(|id| *id != WHOLE_FILE).map(str::to_owned),
        }),
        (None, Some(id)) => Ok(SecretRef::Provided {
            source: ProvidedBy::File,
            provider: fields.provider()?,
            id: id.to_owned(),
        }),
        (None, None) => Err(malformed(
            "a reference with source `file` needs `path`, or `provider` and `id`",
        )),
    }
}

fn exec(fields: &Fields<'_>) -> Result<SecretRef, ReferenceError> {
    match fields.0.get("command") {
        None | Some(Value::Null) => Ok(SecretRef::Provided {
            source: ProvidedBy::Exec,
            provider: fields.provider()?,
            id: exec_id(fields)?,
        }),
        Some(command) => argv(command).map(|argv| SecretRef::Command { argv }).ok_or_else(|| {
            malformed("expected `command` as a list of texts, the program first, such as [\"op\", \"read\", …]; no shell is asked")
        }),
    }
}

fn exec_id(fields: &Fields<'_>) -> Result<String, ReferenceError> {
    const ID_CHARS_MAX: usize = 256;

    let id = fields
        .text("id")?
        .ok_or_else(|| malformed("a reference with source `exec` needs `command`, or `provider` and `id`"))?;
    let begins_well = id
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric());
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/#-".contains(&byte);
    let climbs = id.split('/').any(|part| matches!(part, "." | ".."));
    if !begins_well || !id.bytes().all(is_plain) || climbs || id.len() > ID_CHARS_MAX {
        return Err(malformed(
            "expected `id` of letters, digits and `._:/#-`, at most 256, without `.` and `..` as parts",
        ));
    }
    Ok(id.to_owned())
}

fn argv(command: &Value) -> Option<Vec<String>> {
    let words = command.as_array().filter(|words| words.len() <= ARGUMENTS_MAX)?;
    let argv: Vec<String> = words
        .iter()
        .map(|word| word.as_str().filter(|word| is_short(word)).map(str::to_owned))
        .collect::<Option<_>>()?;
    argv.first()
        .is_some_and(|program| is_usable(program))
        .then_some(argv)
}

/// The system takes no NUL in a path or an argument.
fn is_short(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX && !text.contains('\0')
}

fn is_usable(text: &str) -> bool {
    is_short(text) && !text.trim().is_empty()
}

/// Whether a text may name an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    let begins_well = name
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    begins_well
        && name.len() <= 256
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_in_capitals(name: &str) -> bool {
    let begins_well = name
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_uppercase());
    begins_well && is_variable(name) && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Whether a text may name a provider of secrets.
pub(crate) fn is_provider(name: &str) -> bool {
    const NAME_CHARS_MAX: usize = 64;

    name.len() <= NAME_CHARS_MAX
        && name
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
}

/// Whether a text may name a file wherever we run.
pub(crate) fn is_path(path: &str) -> bool {
    path.starts_with('/') || path.starts_with("~/")
}

/// RFC 6901, without the pointer to the whole document, which is no text.
fn is_pointer(id: &str) -> bool {
    id.starts_with('/') && id.split('~').skip(1).all(|after| after.starts_with(['0', '1']))
}
