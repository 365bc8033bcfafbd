//! The command line as people and scripts meet it: the real program, its output, its exit codes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "cli/gateway.rs"]
mod gateway;
#[path = "cli/help.rs"]
mod help;
#[path = "support/keys.rs"]
mod keys;
#[path = "cli/model_aliases.rs"]
mod model_aliases;
#[path = "cli/model_choice.rs"]
mod model_choice;
#[path = "cli/model_files.rs"]
mod model_files;
#[path = "cli/model_list.rs"]
mod model_list;
#[path = "cli/models_status.rs"]
mod models_status;
#[path = "cli/refusals.rs"]
mod refusals;
#[path = "cli/status.rs"]
mod status;
#[path = "cli/stored_status.rs"]
mod stored_status;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use keys::key;

/// A home of its own, and what was put into it.
struct Home {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    secrets: Vec<String>,
}

/// What a command printed.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        Self {
            folder,
            variables: Vec::new(),
            secrets: Vec::new(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A variable that holds no secret.
    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A variable of made-up keys of `provider`, one for each of `names`.
    fn keys(mut self, variable: &str, provider: &str, names: &[&str]) -> Self {
        let keys: Vec<String> = names.iter().map(|name| key(provider, name)).collect();
        self.variables.push((variable.to_owned(), keys.join(",")));
        self.secrets.extend(keys);
        self
    }

    /// A file below the home.
    fn file(self, path: &str, text: &str) -> Self {
        let path = self.path().join(path);
        std::fs::write(path, text).unwrap();
        self
    }

    /// A file that holds secrets, which no output may show.
    fn secret_file(mut self, path: &str, text: &str, secrets: &[String]) -> Self {
        self.secrets.extend_from_slice(secrets);
        self.file(path, text)
    }

    fn config(self, text: &str) -> Self {
        self.file("state/coderclaw.json", text)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coderclaw"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .env("CODERCLAW_STATE_DIR", self.path().join("state"))
            .env("TMPDIR", self.path())
            // Nobody listens there, whatever else runs on this machine.
            .env("CODERCLAW_GATEWAY_PORT", "1")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end. No piece of a secret may be in what it prints.
    fn run(&self, arguments: &[&str]) -> Ran {
        let ran = Ran::of(&self.command(arguments).output().unwrap());
        self.check_for_secrets(&ran);
        ran
    }

    fn check_for_secrets(&self, ran: &Ran) {
        const PIECE: usize = 9;
        for secret in &self.secrets {
            // The prefix is the provider's, the same for every key; what follows is the secret.
            let start = secret.rfind('-').map_or(0, |at| at + 1);
            for piece in secret.as_bytes()[start..].windows(PIECE) {
                let piece = std::str::from_utf8(piece).unwrap();
                assert!(!ran.stdout.contains(piece), "a piece of a key is in stdout");
                assert!(!ran.stderr.contains(piece), "a piece of a key is in stderr");
            }
        }
    }

    /// What a command prints, with what differs from run to run replaced.
    fn told(&self, arguments: &[&str]) -> String {
        self.steady(&self.run(arguments).told())
    }

    fn steady(&self, text: &str) -> String {
        text.replace(&self.path().display().to_string(), "[home]")
    }
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    fn told(&self) -> String {
        let mut told = format!("exit {}\n", self.code.unwrap());
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(told, "--- {name}\n{text}").unwrap();
            }
        }
        told
    }
}
