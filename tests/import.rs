//! Moving over from the older tools: what is taken of their files, what is said of the rest, and that not a byte of
//! theirs changes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "import/apply.rs"]
mod apply;
#[path = "import/database.rs"]
mod database;
#[path = "import/earlier.rs"]
mod earlier;
#[path = "import/files.rs"]
mod files;
#[path = "import/sources.rs"]
mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// How the secrets of the fixtures begin; none of them may ever be printed.
const SECRETS: [&str; 11] = [
    "sk-proj-",
    "sk-ant-",
    "gsk_",
    "7731905522",
    "local-Zq8",
    "gt-5Jk",
    "nw-1Qs",
    "zk-6Wd",
    "ya29.",
    "1//0L",
    "9c4e1f7a",
];

/// A user's home, with what the older tools left there.
struct Home(tempfile::TempDir);

/// What a command printed.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Everything about the files below a folder that a change would show in.
type Digest = BTreeMap<PathBuf, (u32, u64, i64, i64, Vec<u8>)>;

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A home with the files of an earlier version of OpenClaw.
    fn with_earlier() -> Self {
        let home = Self::new();
        copy_folder(&fixtures().join("earlier"), &home.openclaw());
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn openclaw(&self) -> PathBuf {
        self.path().join(".openclaw")
    }

    fn state(&self) -> PathBuf {
        self.path().join("ours")
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs `coderclaw import`, with the state folder `ours`.
    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(
            &[("CODERCLAW_STATE_DIR", self.state().to_str().unwrap())],
            arguments,
        )
    }

    fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_coderclaw"))
            .arg("import")
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec())
                .unwrap()
                .replace(self.path().to_str().unwrap(), "~")
        };
        let ran = Ran {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        for secret in SECRETS {
            let printed = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!printed.contains(secret), "a secret is printed: {printed}");
        }
        ran
    }

    /// The report as JSON, of an import that works.
    fn report(&self, arguments: &[&str]) -> Report {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let ran = self.run(&arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        Report(serde_json::from_str(&ran.stdout).unwrap())
    }

    /// Our store of an agent.
    fn store(&self, agent: &str) -> Value {
        let path = self
            .state()
            .join("agents")
            .join(agent)
            .join("agent/auth-profiles.json");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    fn config(&self) -> Value {
        serde_json::from_slice(&fs::read(self.state().join("coderclaw.json")).unwrap()).unwrap()
    }
}

/// A report.
struct Report(Value);

impl Report {
    /// The verdict on one thing, and the explanation.
    fn of(&self, what: &str, name: &str, agent: Option<&str>) -> (&str, &str) {
        let entries = self.0["entries"].as_array().unwrap();
        let found: Vec<&Value> = entries
            .iter()
            .filter(|entry| {
                entry["what"] == what && entry["name"] == name && entry["agent"].as_str() == agent
            })
            .collect();
        assert_eq!(found.len(), 1, "{what} {name} {agent:?}: {:#}", self.0);
        (
            found[0]["verdict"].as_str().unwrap(),
            found[0]["why"].as_str().unwrap(),
        )
    }

    fn check(&self, what: &str, name: &str, agent: Option<&str>, verdict: &str, why: &str) {
        let (found, because) = self.of(what, name, agent);
        assert_eq!(found, verdict, "{what} {name}: {because}");
        assert!(because.contains(why), "{what} {name}: {because}");
    }

    fn counts(&self) -> [u64; 4] {
        ["taken", "changed", "present", "left"].map(|verdict| self.0["counts"][verdict].as_u64().unwrap())
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Reads everything below a folder.
fn digest(folder: &Path) -> Digest {
    let mut found = Digest::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let bytes = if meta.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            found.insert(
                path,
                (
                    meta.mode(),
                    meta.len(),
                    meta.mtime_nsec(),
                    meta.ctime_nsec(),
                    bytes,
                ),
            );
        }
    }
    found
}
