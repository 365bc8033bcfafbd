//! References as they are typed: `env:NAME`, `file:PATH#/pointer`, `exec:COMMAND`, `keyring:SERVICE/ACCOUNT`.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::exit::Failure;
use crate::credentials::reference::SecretRef;

const FORMS: &str = "env:NAME, file:PATH, file:PATH#/POINTER, exec:COMMAND or keyring:SERVICE/ACCOUNT";

/// The reference that `typed` is.
///
/// # Errors
/// If it is none; it is not repeated, since it may be a secret.
pub(super) fn parse(typed: &str) -> Result<SecretRef, Failure> {
    read(typed).map_err(|what| Failure::new(what, format!("give {FORMS}")))
}

/// Whether `typed` is a reference; what is wrong with it if it is none.
pub(super) fn check(typed: &str) -> Result<(), String> {
    match read(typed) {
        Ok(_) => Ok(()),
        Err(what) => Err(format!("{what}: give {FORMS}")),
    }
}

fn read(typed: &str) -> Result<SecretRef, String> {
    let typed = typed.trim();
    let (source, rest) = typed.split_once(':').unwrap_or((typed, ""));
    let rest = rest.trim();
    let value = match source {
        "env" => variable(rest),
        "file" => file(rest),
        "exec" => command(rest),
        "keyring" => keyring(rest),
        _ => Err("a reference says where a secret is, and what was given is none"),
    }?;
    SecretRef::parse(&value).map_err(|error| error.to_string())
}

fn variable(name: &str) -> Result<Value, &'static str> {
    if is_variable(name) {
        Ok(json!({ "source": "env", "id": name }))
    } else {
        Err("`env:` takes the name of an environment variable")
    }
}

fn file(rest: &str) -> Result<Value, &'static str> {
    let (path, pointer) = match rest.rsplit_once('#') {
        Some((path, pointer)) if pointer.starts_with('/') => (path, Some(pointer)),
        _ => (rest, None),
    };
    if path.is_empty() {
        return Err("`file:` takes a path");
    }
    let path = absolute(path).ok_or("`file:` takes a path that is UTF-8")?;
    Ok(json!({ "source": "file", "path": path, "id": pointer }))
}

fn command(line: &str) -> Result<Value, &'static str> {
    let words = shlex::split(line).filter(|words| !words.is_empty());
    let words = words.ok_or("`exec:` takes a command, with its quotation marks closed")?;
    Ok(json!({ "source": "exec", "command": words }))
}

fn keyring(rest: &str) -> Result<Value, &'static str> {
    match rest.split_once('/') {
        Some((service, account)) if !service.trim().is_empty() && !account.trim().is_empty() => {
            Ok(json!({ "source": "keyring", "service": service.trim(), "account": account.trim() }))
        }
        _ => Err("`keyring:` takes a service and an account, with a / between them"),
    }
}

/// A gateway does not run in the folder of this command; `~/` it knows.
fn absolute(path: &str) -> Option<String> {
    if path.starts_with("~/") {
        return Some(path.to_owned());
    }
    let absolute = std::path::absolute(Path::new(path)).ok()?;
    absolute.into_os_string().into_string().ok()
}

/// Whether a text can name an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    let starts = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    starts
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What people see of a stored reference: `env OPENAI_KEY`, `file ~/keys.json#/openai`. The arguments of a program
/// are left out, since they may hold a secret.
pub(super) fn describe(reference: &Value) -> String {
    SecretRef::parse(reference).map_or_else(
        |_| "a reference of a form that is not known".to_owned(),
        |reference| reference.describe(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(typed: &str) -> String {
        parse(typed).map_or_else(|failure| format!("{failure:?}"), |reference| reference.describe())
    }

    #[test]
    fn every_form_is_read_and_told() {
        for (typed, is) in [
            ("env:OPENAI_KEY", "env OPENAI_KEY"),
            ("file:~/keys.json#/openai/key", "file ~/keys.json#/openai/key"),
            ("file:/run/key", "file /run/key"),
            ("exec:op read 'op://My Vault/key'", "exec op"),
            ("keyring:coderclaw/openai:work", "keyring coderclaw/openai:work"),
        ] {
            assert_eq!(told(typed), is);
        }
        let command = parse("exec:op read 'op://My Vault/key'").unwrap().to_json();
        assert_eq!(command["command"], json!(["op", "read", "op://My Vault/key"]));
        let path = parse("file:keys/openai").unwrap().to_json();
        assert!(path["path"].as_str().unwrap().ends_with("/keys/openai"));
        assert!(path["path"].as_str().unwrap().starts_with('/'));
    }

    #[test]
    fn what_is_none_is_not_repeated() {
        for typed in [
            "",
            "env:",
            "env:9X",
            "env:a b",
            "file:",
            "exec:",
            "exec:op 'x",
            "keyring:x",
            "Zq9-secret",
            "vault:x",
        ] {
            assert!(parse(typed).is_err(), "{typed}");
        }
        assert!(!told("Zq9-secret").contains("Zq9"));
    }

    #[test]
    fn references_of_the_older_tools_are_told_too() {
        let old = json!({ "source": "exec", "provider": "vault", "id": "openai/key" });
        assert_eq!(describe(&old), "exec vault:openai/key");
    }
}
