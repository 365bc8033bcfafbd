//! The real binary: a gateway in a process of its own, and commands that are run to their end.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::time::Instant;

/// No process is waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A state folder with a config and an environment.
pub(crate) struct Home {
    folder: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

/// What a command that ended left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    /// A home whose providers are all at `upstream`, with `env` as its whole environment and `config` merged over.
    pub(crate) fn new(upstream: &str, env: &[(&str, &str)], config: Value) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut whole = json!({
            "models": { "providers": {
                "openai": { "baseUrl": format!("{upstream}/v1") },
                "anthropic": { "baseUrl": upstream },
                "google": { "baseUrl": upstream },
            } },
            "gateway": { "workers": 2, "bind": "127.0.0.1" },
        });
        super::gateway::merge(&mut whole, config);
        let home = Self {
            env: env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            folder,
        };
        std::fs::create_dir(home.state()).expect("the state folder is made");
        std::fs::write(home.state().join("coderclaw.json"), whole.to_string())
            .expect("the config is written");
        home
    }

    /// The state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn command(&self, arguments: &[&str], log: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coderclaw"));
        command
            .args(arguments)
            .env_clear()
            .envs(&self.env)
            .env("HOME", self.folder.path())
            .env("CODERCLAW_STATE_DIR", self.state())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(File::create(log.with_extension("out")).expect("a file"))
            .stderr(File::create(log.with_extension("err")).expect("a file"));
        command
    }

    /// Runs `coderclaw` with `arguments` to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        let log = self.folder.path().join(format!("run-{}", fastrand::u64(..)));
        let mut child = self.command(arguments, &log).spawn().expect("the binary runs");
        let status = wait(&mut child, PATIENCE).await;
        let status = status.unwrap_or_else(|| {
            drop(child.kill());
            panic!("{arguments:?} does not end")
        });
        Ended {
            code: status.code(),
            stdout: std::fs::read_to_string(log.with_extension("out")).unwrap_or_default(),
            stderr: std::fs::read_to_string(log.with_extension("err")).unwrap_or_default(),
        }
    }

    /// Starts a gateway and waits until it listens.
    pub(crate) async fn gateway(&self, arguments: &[&str]) -> GatewayProcess {
        let log = self.folder.path().join(format!("gateway-{}", fastrand::u64(..)));
        let mut all = vec!["gateway", "run"];
        if !arguments.contains(&"--port") {
            all.extend(["--port", "0"]);
        }
        all.extend(arguments);
        let mut child = self.command(&all, &log).spawn().expect("the binary runs");
        let file = self.state().join("gateway.json");
        let started = Instant::now();
        let address = loop {
            let running: Option<Value> = std::fs::read(&file)
                .ok()
                .and_then(|text| serde_json::from_slice(&text).ok());
            if let Some(running) = running.filter(|running| running["pid"] == json!(child.id())) {
                break running["addresses"][0]
                    .as_str()
                    .and_then(|text| text.parse().ok());
            }
            let early = child.try_wait().expect("a child of ours");
            let stderr = || std::fs::read_to_string(log.with_extension("err")).unwrap_or_default();
            assert!(early.is_none(), "it ended at once: {early:?}: {}", stderr());
            assert!(started.elapsed() < PATIENCE, "it does not start: {}", stderr());
            tokio::time::sleep(LOOK_EVERY).await;
        };
        GatewayProcess {
            child,
            address: address.expect("an address"),
            log,
        }
    }
}

/// A gateway in a process of its own. Dropping it kills it.
pub(crate) struct GatewayProcess {
    child: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

impl GatewayProcess {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(pid), signal).expect("it lives");
    }

    /// Waits for its end; none if it goes on for longer than `within`.
    pub(crate) async fn exit(&mut self, within: Duration) -> Option<ExitStatus> {
        wait(&mut self.child, within).await
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(crate) fn stdout(&self) -> String {
        std::fs::read_to_string(self.log.with_extension("out")).unwrap_or_default()
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.log.with_extension("err")).unwrap_or_default()
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn wait(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return Some(status);
        }
        if started.elapsed() > within {
            return None;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
