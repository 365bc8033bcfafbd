//! The running gateway is told, and obeys.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::list::furnished;
use super::{Home, key};

/// A gateway on the home's state folder. Dropping it kills it.
struct Gateway(Child);

impl Gateway {
    fn start(home: &Home) -> Self {
        let mut command = home.command(&[]);
        command = {
            let mut gateway = std::process::Command::new(command.get_program());
            gateway.args(["gateway", "run", "--port", "0", "--log-level", "off"]);
            gateway
                .env_clear()
                .envs(home.environment())
                .current_dir(home.path());
            gateway
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null());
            gateway
        };
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // It says where it listens once it does.
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains("listening"), "{line}");
        // Whoever writes to a pipe that nobody reads fails.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    fn told(&self, home: &Home, arguments: &[&str], input: &str) -> String {
        let ran = home.pipe(arguments, input);
        let told = home
            .told(&ran)
            .replace(&format!("pid {}", self.0.id()), "pid [pid]");
        let told = told.replace(&self.0.id().to_string(), "[pid]");
        // The two loopbacks have ports of their own.
        ["127.0.0.1:", "[::1]:"].iter().fold(told, |told, host| {
            let Some((before, after)) = told.split_once(host) else {
                return told;
            };
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}{host}[port]{rest}")
        })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn it_obeys_every_change_at_once() {
    let home = furnished();
    let gateway = Gateway::start(&home);
    let secret = key("groq", "new");
    let paste = ["paste-api-key", "--provider", "groq"];
    insta::assert_snapshot!("gateway_paste", gateway.told(&home, &paste, &secret));
    insta::assert_snapshot!(
        "gateway_order_json",
        gateway.told(
            &home,
            &["order", "set", "--provider", "openai", "openai:a", "--json"],
            ""
        )
    );
    insta::assert_snapshot!("gateway_clear", gateway.told(&home, &["clear", "openai:a"], ""));
    insta::assert_snapshot!(
        "gateway_remove",
        gateway.told(&home, &["remove", "groq:default", "--yes"], "")
    );
}

#[test]
fn one_that_can_not_be_asked_is_a_warning() {
    let home = furnished().variable("CODERCLAW_GATEWAY_TOKEN", "the-right-token-of-it");
    let gateway = Gateway::start(&home);
    let home = home.variable("CODERCLAW_GATEWAY_TOKEN", "another-token-than-it-has");
    let told = gateway.told(&home, &["order", "set", "--provider", "openai", "openai:a"], "");
    insta::assert_snapshot!("gateway_wrong_token", told);
    assert_eq!(home.stored("main")["order"]["openai"][0], "openai:a");
}
