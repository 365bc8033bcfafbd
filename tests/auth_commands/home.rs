//! A home of its own, with a state folder; and what commands print in it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A piece of a secret that is longer may be nowhere.
const PIECE: usize = 9;

pub(crate) struct Home {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    pub(crate) secrets: Vec<String>,
}

/// What a command printed.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("state")).unwrap();
        Self {
            folder,
            variables: Vec::new(),
            secrets: Vec::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn config(self, text: &str) -> Self {
        self.file("state/coderclaw.json", text)
    }

    /// The store of an agent; its keys are secrets.
    pub(crate) fn store(self, agent: &str, text: &str) -> Self {
        let home = self.file(&format!("state/agents/{agent}/agent/auth-profiles.json"), text);
        let path = home.store_path(agent);
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        home
    }

    pub(crate) fn store_path(&self, agent: &str) -> PathBuf {
        self.path()
            .join(format!("state/agents/{agent}/agent/auth-profiles.json"))
    }

    pub(crate) fn stored(&self, agent: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.store_path(agent)).unwrap()).unwrap()
    }

    pub(crate) fn config_text(&self) -> String {
        fs::read_to_string(self.path().join("state/coderclaw.json")).unwrap_or_default()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coderclaw"));
        command.args(["models", "auth"]).args(arguments);
        command.env_clear().envs(self.environment());
        command.current_dir(self.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut environment = vec![
            ("HOME".to_owned(), self.path().display().to_string()),
            (
                "CODERCLAW_STATE_DIR".to_owned(),
                self.path().join("state").display().to_string(),
            ),
            ("TMPDIR".to_owned(), self.path().display().to_string()),
            ("CODERCLAW_GATEWAY_PORT".to_owned(), "1".to_owned()),
        ];
        environment.extend(self.variables.iter().cloned());
        environment
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.checked(&self.command(arguments).output().unwrap())
    }

    /// Runs a command with `input` on its stdin.
    pub(crate) fn pipe(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that refuses at once does not read.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        self.checked(&child.wait_with_output().unwrap())
    }

    /// No piece of a secret may be in what is printed, or in the config.
    pub(crate) fn checked(&self, output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let ran = Ran {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        self.keeps(&ran.stdout);
        self.keeps(&ran.stderr);
        self.keeps(&self.config_text());
        ran
    }

    pub(crate) fn keeps(&self, text: &str) {
        for secret in &self.secrets {
            // The prefix is the provider's, the same for every key; what follows is the secret.
            let start = secret.rfind('-').map_or(0, |at| at + 1);
            for piece in secret.as_bytes()[start..].windows(PIECE) {
                let piece = std::str::from_utf8(piece).unwrap();
                assert!(!text.contains(piece), "a piece of a secret is in: {text}");
            }
        }
    }

    /// What was printed and how it ended, with what differs from run to run replaced.
    pub(crate) fn told(&self, ran: &Ran) -> String {
        let mut told = format!("exit {}\n", ran.code.unwrap());
        for (name, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
            if !text.is_empty() {
                write!(told, "--- {name}\n{text}").unwrap();
            }
        }
        told.replace(&self.path().display().to_string(), "[home]")
    }
}
