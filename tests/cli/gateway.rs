//! Gateways that run, as the command line starts, asks and stops them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Home, Ran};

/// A command that runs until it is told to stop. Dropping it kills it.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    said: String,
}

impl Running {
    /// Starts a command and waits for the line that contains `mark`.
    fn start(home: &Home, arguments: &[&str], mark: &str) -> Self {
        let mut child = home
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut running = Self {
            child,
            stdout,
            said: String::new(),
        };
        running.wait_for(mark);
        running
    }

    fn wait_for(&mut self, mark: &str) {
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).unwrap() == 0 {
                let mut errors = String::new();
                let stderr = self.child.stderr.as_mut().unwrap();
                stderr.read_to_string(&mut errors).unwrap();
                panic!("it ended before it said `{mark}`: {}{errors}", self.said);
            }
            self.said.push_str(&line);
            if line.contains(mark) {
                return;
            }
        }
    }

    /// `127.0.0.1:port` of the first address that it said.
    fn address(&self) -> String {
        let (_, rest) = self.said.split_once("http://").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Sends a signal and waits for the end.
    fn stop(mut self, signal: Signal) -> Ran {
        kill(self.pid(), signal).unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let mut stderr = String::new();
        let errors = self.child.stderr.as_mut().unwrap();
        errors.read_to_string(&mut stderr).unwrap();
        Ran {
            code: self.child.wait().unwrap().code(),
            stdout: format!("{}{rest}", self.said),
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn keyed() -> Home {
    Home::new().keys("OPENAI_API_KEYS", "openai", &["a", "b"]).keys(
        "ANTHROPIC_API_KEY",
        "anthropic",
        &["one"],
    )
}

const RUN: [&str; 4] = ["gateway", "--port", "0", "--log-level=warn"];

#[test]
fn a_gateway_says_where_it_is_and_is_found_there() {
    let home = keyed();
    let gateway = Running::start(&home, &RUN, "credentials:");
    let (address, pid) = (gateway.address(), gateway.child.id().to_string());
    assert!(
        gateway.said.contains("credentials: anthropic 1, openai 2"),
        "{}",
        gateway.said
    );

    let asked = home.run(&["models", "status"]);
    let first = format!("asked the running gateway at {address} (pid {pid})\n");
    assert!(asked.stdout.starts_with(&first), "{}", asked.stdout);
    let report: serde_json::Value = serde_json::from_str(&home.run(&["status", "--json"]).stdout).unwrap();
    assert_eq!(report["source"], "gateway");
    assert_eq!(report["gateway"]["running"], true);
    assert_eq!(report["gateway"]["pid"].to_string(), pid);

    let status = home.run(&["gateway", "status"]);
    assert_eq!(status.code, Some(0));
    assert!(
        status.stdout.contains(&format!("http://{address}")),
        "{}",
        status.stdout
    );

    let second = home.told(&RUN);
    let steady = second.replace(&pid, "[pid]");
    insta::assert_snapshot!("a_second_gateway_is_refused", steady);

    let ended = gateway.stop(Signal::SIGTERM);
    home.check_for_secrets(&ended);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!home.path().join("state/gateway.json").exists());
    assert_eq!(home.run(&["gateway", "status"]).code, Some(1));
}

#[test]
fn a_token_is_sent_to_the_gateway_that_runs() {
    let home = keyed().variable("CODERCLAW_GATEWAY_TOKEN", "correct-horse-battery");
    let gateway = Running::start(&home, &RUN, "credentials:");
    assert!(
        home.run(&["status"])
            .stdout
            .starts_with("asked the running gateway")
    );

    let mut stranger = home.command(&["gateway", "status"]);
    let output = stranger.env_remove("CODERCLAW_GATEWAY_TOKEN").output().unwrap();
    let ran = Ran::of(&output);
    assert_eq!(ran.code, Some(0), "it runs, though it does not say how it is");
    assert!(ran.stdout.contains("wants the gateway's token"), "{}", ran.stdout);
    assert_eq!(gateway.stop(Signal::SIGINT).code, Some(0));
}

#[test]
fn a_gateway_without_credentials_says_so_and_serves() {
    let home = Home::new();
    let gateway = Running::start(&home, &RUN, "listening on");
    let ended = gateway.stop(Signal::SIGTERM);
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.stderr.contains("warning: there are no credentials"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_gateway_on_another_state_folder_is_found_where_the_port_says() {
    let home = keyed();
    let gateway = Running::start(&home, &RUN, "credentials:");
    let (_, port) = gateway
        .address()
        .rsplit_once(':')
        .map(|(ip, port)| (ip.to_owned(), port.to_owned()))
        .unwrap();
    let elsewhere = Home::new().variable("CODERCLAW_GATEWAY_PORT", &port);
    let ran = elsewhere.run(&["models", "status"]);
    let first = format!(
        "asked the gateway at 127.0.0.1:{port} (pid {}), which runs on another",
        gateway.child.id()
    );
    assert!(ran.stdout.starts_with(&first), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("openai:env:OPENAI_API_KEYS#2"),
        "{}",
        ran.stdout
    );
    assert_eq!(elsewhere.run(&["gateway", "status"]).code, Some(1));
}

#[test]
fn the_state_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let gateway = Running::start(
        &home,
        &["--state-dir", "fresh", "gateway", "--port", "0"],
        "listening on",
    );
    let mode = std::fs::metadata(home.path().join("fresh"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(gateway.stop(Signal::SIGTERM).code, Some(0));
}

#[test]
fn the_demo_rotates_in_every_format_and_stays_up() {
    let home = Home::new();
    // Whoever holds the usual port, the demo finds another.
    let _taken = std::net::TcpListener::bind("127.0.0.1:18789");
    let demo = Running::start(&home, &["gateway", "--demo"], "Ctrl-C ends it.");
    assert!(!demo.address().ends_with(":18789"), "{}", demo.said);
    for prefix in ["sk-proj-", "sk-ant-", "AIzaSy"] {
        assert!(!demo.said.contains(prefix), "{}", demo.said);
    }
    for provider in ["openai", "anthropic", "google"] {
        let prefix = if provider == "google" { "GEMINI" } else { provider }.to_uppercase();
        let line_of = |key: &str, outcome: &str| {
            let key = format!("{provider}:env:{prefix}_API_KEY_{key}");
            demo.said
                .lines()
                .any(|line| line.contains(&key) && line.contains(outcome))
        };
        assert!(line_of("1_THROTTLED", "served: "), "{}", demo.said);
        assert!(line_of("1_THROTTLED", "rate_limit: cooling for"), "{}", demo.said);
        assert!(line_of("2_UNPAID", "quota_hard: exhausted for"), "{}", demo.said);
        assert!(line_of("3_HEALTHY", "served: "), "{}", demo.said);
    }
    let curls = demo.said.lines().filter(|line| line.starts_with("curl ")).count();
    assert_eq!(curls, 7, "{}", demo.said);
    let ended = demo.stop(Signal::SIGINT);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert_eq!(
        left.len(),
        1,
        "only the home's own state folder is left: {left:?}"
    );
}

#[test]
fn the_emulator_says_where_it_is() {
    let home = Home::new();
    let emulator = Running::start(&home, &["emulator", "--port", "0"], "/__emulator/stats");
    assert!(
        emulator
            .said
            .starts_with("coderclaw emulator listening on http://127.0.0.1:")
    );
    assert_eq!(emulator.stop(Signal::SIGTERM).code, Some(0));
}

#[test]
fn settings_that_cannot_be_reloaded_are_told_and_the_last_good_ones_serve() {
    let home = keyed().config("{ agents: { defaults: { model: \"openai/gpt-5\" } } }");
    let gateway = Running::start(&home, &RUN, "credentials:");
    let home = home.config("{\n  agents: { defaults: { model: 7 } },\n}");
    // Asking takes its time: the gateway finds the change meanwhile.
    let told = (0..200)
        .map(|_| home.told(&["models", "status"]))
        .find(|told| told.contains("the last good ones are in force"))
        .expect("the gateway tells that the change can't be read");
    let steady = told.replace(&gateway.pid().to_string(), "[pid]");
    insta::assert_snapshot!(steady.replace(&gateway.address(), "[address]"));
    let checked = home.run(&["models", "status", "--check", "--plain"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    assert_eq!(checked.stdout, "openai/gpt-5\n");
    let report: serde_json::Value =
        serde_json::from_str(&home.run(&["models", "status", "--json"]).stdout).unwrap();
    assert_eq!(report["gateway"]["reloaded"]["applied"], false);
    let probed = home.run(&["models", "status", "--probe"]);
    assert_eq!(probed.code, Some(1), "there are no settings to probe with");
    assert_eq!(gateway.stop(Signal::SIGTERM).code, Some(0));
}
