//! `env`: variables, and whether the login shell is asked for more.

use coderclaw_actors::domain::credential::Secret;

use super::document::{Field, Reader, Section};
use crate::credentials::environment::ShellSettings;

/// `env`, checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Env {
    /// Names and values, in the order in which they fill in.
    pub(super) vars: Vec<(String, Secret)>,
    /// `env.shellEnv`.
    pub(super) shell: ShellSettings,
}

/// Reads `env`: the variables that stand in it, as the older tools allow, then `env.vars`; blank values are absent.
pub(super) fn read(root: &mut Section<'_>, reader: &mut Reader<'_>) -> Env {
    let mut read = Env::default();
    let Some(mut env) = root.section("env", reader) else {
        return read;
    };
    let is_variable = |name: &str| {
        let mut bytes = name.bytes();
        bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let inline: Vec<(&str, Field<'_>)> = env
        .entries()
        .filter(|(name, _)| is_variable(name))
        .map(|(name, field)| (name, field.clone()))
        .collect();
    for (name, field) in inline {
        env.accept(name);
        read.vars.extend(variable(name, &field, reader));
    }
    if let Some(vars) = env.section("vars", reader) {
        for (name, field) in vars.entries() {
            read.vars.extend(variable(name, field, reader));
        }
    }
    if let Some(mut shell) = env.section("shellEnv", reader) {
        read.shell = shell_env(&mut shell, reader);
        shell.finish(reader);
    }
    env.finish(reader);
    read
}

fn variable(name: &str, field: &Field<'_>, reader: &mut Reader<'_>) -> Option<(String, Secret)> {
    if name.is_empty() || name.contains(['=', '\0']) {
        reader.refuse(field, "expected the name of an environment variable");
        return None;
    }
    let Some(text) = field.value.as_string_lit() else {
        reader.expected_unseen(field, "a value as text");
        return None;
    };
    let value = text.value.as_ref();
    (!value.trim().is_empty()).then(|| (name.to_owned(), Secret::new(value.to_owned())))
}

fn shell_env(section: &mut Section<'_>, reader: &mut Reader<'_>) -> ShellSettings {
    let enabled = section.take("enabled").and_then(|field| reader.boolean(&field));
    let time_max = section
        .take("timeoutMs")
        .and_then(|field| reader.duration(&field));
    let default = ShellSettings::default();
    ShellSettings {
        enabled: enabled.unwrap_or(default.enabled),
        time_max: time_max.unwrap_or(default.time_max),
    }
}
