//! Variables of the login shell, for a gateway that was not started from one.
//!
//! The shell runs its start files, and then prints its environment. Only names that we look for are taken, each that
//! no other layer has. What it gave is kept for the process, whole, so that a reload doesn't run it again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use coderclaw_actors::domain::credential::Secret;
use parking_lot::Mutex;

use super::wanted::CredentialNames;
use super::{Environment, Layer, Variables};
use crate::config::Warning;
use crate::credentials::command::{CommandError, ExternalCommand};

/// The login shell has this long, unless `env.shellEnv.timeoutMs` says otherwise: 15 s.
pub const SHELL_TIME_MAX: Duration = Duration::from_secs(15);

/// A login shell prints at most this: 2 MiB.
const OUTPUT_BYTES_MAX: usize = 2 << 20;

/// At most so many shells' environments are kept; there is one but in tests.
const SHELLS_KEPT_MAX: usize = 16;

/// The shell where `SHELL` names none.
const SHELL: &str = "/bin/sh";

/// A NUL ends what start files may have printed, and everything after it is of the environment.
const PRINT_ENVIRONMENT: &str = "printf '\\0'; command env -0";

/// What each shell gave. Failures are kept too: a reload should not wait for them again.
static KEPT: LazyLock<Mutex<BTreeMap<Asked, Answer>>> = LazyLock::new(Mutex::default);

/// The shell and how it was asked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    shell: String,
    home: Option<String>,
    time_max: Duration,
}

type Answer = Result<Arc<BTreeMap<String, Secret>>, CommandError>;

/// `env.shellEnv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShellSettings {
    /// Whether the login shell is asked.
    pub enabled: bool,
    /// How long it may take.
    pub time_max: Duration,
}

impl Default for ShellSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            time_max: SHELL_TIME_MAX,
        }
    }
}

/// What the login shell gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShellVariables {
    /// Whether it was asked.
    pub enabled: bool,
    /// The variables that came from it, by name.
    pub applied: Vec<String>,
}

impl ShellSettings {
    /// The config's settings as the environment changes them: `CODERCLAW_LOAD_SHELL_ENV` enables,
    /// `CODERCLAW_DEFER_SHELL_ENV_FALLBACK` disables, `CODERCLAW_SHELL_ENV_TIMEOUT_MS` sets the time. A time that is
    /// none is a warning.
    #[must_use]
    pub fn over(self, variables: &Variables) -> (Self, Option<Warning>) {
        const TIME: &str = "CODERCLAW_SHELL_ENV_TIMEOUT_MS";

        let is_set = |name| variables.get(name).is_some_and(is_truthy);
        let enabled = (self.enabled || is_set("CODERCLAW_LOAD_SHELL_ENV"))
            && !is_set("CODERCLAW_DEFER_SHELL_ENV_FALLBACK");
        let mut warning = None;
        let mut time_max = self.time_max;
        if let Some((layer, text)) = variables.find(TIME) {
            match text.trim().parse() {
                Ok(ms @ 1..) => time_max = Duration::from_millis(ms),
                _ => {
                    warning = Some(Warning::about(
                        layer.source(TIME).as_ref(),
                        "expected a number of milliseconds; it is ignored",
                    ));
                }
            }
        }
        (Self { enabled, time_max }, warning)
    }
}

fn is_truthy(value: &str) -> bool {
    matches!(value.trim().to_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

impl Variables {
    /// Fills in from the login shell what `names` wants and no other layer has, if the shell is to be asked. A
    /// failure is a warning.
    pub fn fill_from_shell(
        &mut self,
        settings: ShellSettings,
        names: &CredentialNames,
    ) -> (ShellVariables, Option<Warning>) {
        if !settings.enabled {
            return (ShellVariables::default(), None);
        }
        let mut given = ShellVariables {
            enabled: true,
            applied: Vec::new(),
        };
        let shell = match self.ask_shell(settings, names) {
            Ok(shell) => shell,
            Err(error) => {
                let message = format!("the login shell gave no variables: {error}");
                return (given, Some(Warning::about("env.shellEnv", message)));
            }
        };
        let wanted = shell.iter().filter(|(name, _)| names.wants(name));
        let wanted = wanted.map(|(name, value)| (name.as_str(), value.expose()));
        self.fill(Layer::LoginShell, wanted);
        let of_shell = |name: &&String| {
            self.find(name)
                .is_some_and(|(layer, _)| layer == Layer::LoginShell)
        };
        given.applied = shell.keys().filter(of_shell).cloned().collect();
        (given, None)
    }

    fn ask_shell(&self, settings: ShellSettings, names: &CredentialNames) -> Answer {
        let asked = Asked {
            shell: self.shell(),
            home: self.get("HOME").map(str::to_owned),
            time_max: settings.time_max,
        };
        // Locked while the shell runs: who asks meanwhile wants the same answer.
        let mut kept = KEPT.lock();
        if let Some(answer) = kept.get(&asked) {
            return answer.clone();
        }
        let answer = self.run_shell(&asked, names);
        if kept.len() >= SHELLS_KEPT_MAX {
            kept.clear();
        }
        kept.insert(asked, answer.clone());
        answer
    }

    fn run_shell(&self, asked: &Asked, names: &CredentialNames) -> Answer {
        // Without the credentials of the process, so that what the shell prints of them is its own.
        let of_process = self
            .values
            .iter()
            .filter(|(name, (layer, _))| *layer == Layer::Process && !names.wants(name));
        let environment = of_process.map(|(name, (_, value))| (name.clone(), value.clone()));
        let arguments = ["-l", "-c", PRINT_ENVIRONMENT].map(str::to_owned);
        let command = ExternalCommand {
            time_max: asked.time_max,
            output_bytes_max: OUTPUT_BYTES_MAX,
            ..ExternalCommand::new(&asked.shell, arguments.to_vec(), environment.collect())
        };
        Ok(Arc::new(pairs(command.run()?.bytes())))
    }

    /// The user's shell, if it is named by its whole path.
    fn shell(&self) -> String {
        let named = self.find("SHELL").map(|(_, shell)| shell.trim());
        named
            .filter(|shell| Path::new(shell).is_absolute())
            .unwrap_or(SHELL)
            .to_owned()
    }
}

/// The variables after the first NUL. What is no text is left out, as it is for the process.
fn pairs(printed: &[u8]) -> BTreeMap<String, Secret> {
    let entries = printed.split(|byte| *byte == 0).skip(1);
    entries
        .filter_map(|entry| {
            let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
            Some((name.to_owned(), Secret::new(value.to_owned())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_start_files_print_is_no_variable() {
        let parsed = pairs(b"Welcome\nOPENAI_API_KEY=no\n\0A=1\0B=x=y\nz\0bad\xff=1\0none\0");
        let parsed: Vec<_> = parsed
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        assert_eq!(parsed, [("A", "1"), ("B", "x=y\nz")]);
        assert!(pairs(b"OPENAI_API_KEY=no\n").is_empty());
        assert!(pairs(b"").is_empty());
    }

    proptest::proptest! {
        /// Every environment comes back as it was, whatever the start files print.
        #[test]
        fn an_environment_comes_back(
            noise in "[a-zA-Z=\\n ]{0,30}",
            variables in proptest::collection::btree_map("[A-Z_]{1,8}", "[^\\x00]{0,20}", 0..6),
        ) {
            let entries = variables.iter().map(|(name, value)| format!("{name}={value}\0"));
            let printed = format!("{noise}\0{}", entries.collect::<String>());
            let parsed: BTreeMap<String, String> = pairs(printed.as_bytes())
                .into_iter()
                .map(|(name, value)| (name, value.expose().to_owned()))
                .collect();
            proptest::prop_assert_eq!(parsed, variables);
        }
    }
}
