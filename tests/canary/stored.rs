//! Credentials that are kept: stores, references, logins, what commands do with them, what is left in files, and what is
//! said when they are broken.

use std::path::{Path, PathBuf};
use std::time::Duration;

use coderclaw::credentials::store::{
    AuthStore, MAIN_AGENT, NewCredential, OauthSecrets, StoreError, StoreFile, StoredSecret,
};
use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, FaultKind, KeyConfig, RunningEmulator};
use coderclaw_actors::domain::credential::{ProfileId, ProviderId, Secret};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::corpus::{Corpus, Kind, Secrets};
use super::support::{GatewayProcess, Home, RawConnection, get, key, post, post_with};

const EXIT_MAX: Duration = Duration::from_secs(10);
/// Files that hold secrets because that is what they are for.
const HOLDERS: [&str; 4] = ["auth-profiles.json", "keys.json", "program.json", ".env"];

/// What commands are run; the last ones have a key typed where none belongs.
const COMMANDS: &str = "\
models auth order get --provider openai
models auth order clear --provider openai --json
models auth paste-api-key --provider openai --profile-id openai:pasted --from-file {paste}
models auth paste-token --provider anthropic --from-file {paste}
models auth list
models auth list --json
models auth clear openai:dead
models auth remove openai:pasted --yes
models status
models status --json --check
models status --probe
models status --probe --json
import --from {older}
import --from {older} --json --copy-secrets
import --from {older} --apply --copy-secrets
models auth paste-api-key --provider openai {typed}
models auth remove {typed}";

/// Everything secret that stands anywhere here.
fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    for name in [
        "stored", "dead", "token", "file", "program", "dotenv", "pasted", "old", "broken", "config",
    ] {
        secrets.add(name, &key("openai", name));
    }
    for name in ["access", "refresh", "ended access", "ended refresh"] {
        secrets.add(name, &key("other", name));
    }
    secrets
}

fn here(name: &str) -> StoredSecret {
    StoredSecret::Here(Secret::new(key("openai", name)))
}

fn login(access: &str, refresh: &str) -> NewCredential {
    let secret = |name| Some(Secret::new(key("other", name)));
    NewCredential::Oauth(OauthSecrets {
        access: secret(access),
        refresh: secret(refresh),
        expires_ms: Some(1),
        account_id: None,
    })
}

/// A home with every kind of credential that can be kept.
fn home(emulator: &RunningEmulator) -> Home {
    let base = emulator.base_url();
    let oauth = json!({
        "authorizeUrl": format!("{base}/__idp/authorize"), "tokenUrl": format!("{base}/__idp/token"), "clientId": "app",
    });
    let config = json!({
        "models": { "providers": {
            "openai": { "oauth": oauth },
            "mistral": { "baseUrl": format!("{base}/v1"), "apiKey": "${MISTRAL_FROM_DOTENV}" },
        } },
        "gateway": { "timeouts": { "firstByte": "500ms" } },
    });
    let home = Home::new(&base, &[("PATH", "/usr/bin:/bin")], config);
    let state = home.state();
    std::fs::write(
        state.join(".env"),
        format!("MISTRAL_FROM_DOTENV={}\n", key("openai", "dotenv")),
    )
    .unwrap();
    std::fs::write(
        state.join("keys.json"),
        json!({ "of": key("openai", "file") }).to_string(),
    )
    .unwrap();
    let program = state.join("keys.sh");
    std::fs::write(
        &program,
        format!("#!/bin/sh\ncat '{}'\n", state.join("program.json").display()),
    )
    .unwrap();
    std::fs::write(state.join("program.json"), key("openai", "program")).unwrap();
    let of_file = json!({ "source": "file", "path": state.join("keys.json"), "id": "/of" });
    let of_program = json!({ "source": "exec", "command": ["sh", program] });
    let missing = json!({ "source": "file", "path": state.join("none.json"), "id": "/of" });
    let profiles = [
        ("stored", NewCredential::ApiKey(here("stored"))),
        ("dead", NewCredential::ApiKey(here("dead"))),
        ("token", NewCredential::Token(here("token"), None)),
        ("file", NewCredential::ApiKey(StoredSecret::Elsewhere(of_file))),
        (
            "program",
            NewCredential::ApiKey(StoredSecret::Elsewhere(of_program)),
        ),
        ("missing", NewCredential::ApiKey(StoredSecret::Elsewhere(missing))),
        ("login", login("access", "refresh")),
        ("ended", login("ended access", "ended refresh")),
    ];
    let put = |content: &mut AuthStore| {
        for (name, credential) in profiles {
            let id = ProfileId::new(&format!("openai:{name}"));
            content.put(&id, &ProviderId::new("openai"), None, credential);
        }
        Ok::<(), StoreError>(())
    };
    StoreFile::of_agent(&state, MAIN_AGENT).update(put).unwrap();
    home
}

/// Runs a command and keeps what it says; it may fail.
async fn keep(home: &Home, arguments: &[&str], corpus: &mut Corpus) {
    let ended = home.run(arguments).await;
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_ne!(said, "", "{arguments:?} says nothing");
    corpus.add(Kind::Own, &format!("{arguments:?}"), said.as_bytes());
}

async fn ask(gateway: &GatewayProcess, request: &[u8], what: &str, corpus: &mut Corpus) {
    let mut caller = RawConnection::open(gateway.address).await;
    let answer = caller.call(request).await;
    corpus.statuses.insert(answer.head.status);
    corpus.add(Kind::Own, what, format!("{:?}", answer.head.headers).as_bytes());
    corpus.add(Kind::Own, what, &answer.body);
}

/// Every file below a folder, but those that are there to hold secrets.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() && !HOLDERS.contains(&name) {
            found.push(path);
        }
    }
    found
}

/// An older tool's state with a key of its own.
fn older_tool(home: &Home) -> String {
    let folder = home.state().join("../older/agents/main/agent");
    std::fs::create_dir_all(&folder).unwrap();
    let profile = json!({ "type": "api_key", "provider": "openai", "key": key("openai", "old") });
    let store = json!({ "version": 1, "profiles": { "openai:old": profile } });
    std::fs::write(folder.join("auth-profiles.json"), store.to_string()).unwrap();
    home.state().join("../older").display().to_string()
}

#[tokio::test]
async fn what_is_kept_comes_out_nowhere() {
    let secrets = secrets();
    let dead = Fault::new(FaultKind::Unauthorized).for_key("dead");
    let emulator = Emulator::start(EmulatorConfig {
        echo_key: true,
        keys: vec![KeyConfig::new("dead", &key("openai", "dead"))],
        faults: vec![dead],
        ..EmulatorConfig::default()
    })
    .expect("the emulator starts");
    let home = home(&emulator);
    let state = home.state();
    let mut corpus = Corpus::default();
    let mut gateway = home.gateway(&["--log-level", "trace"]).await;
    let chat = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}"#;
    let paste = state.join("../paste");
    std::fs::write(&paste, key("openai", "pasted")).unwrap();
    let (paste, older) = (paste.display().to_string(), older_tool(&home));
    for round in [
        "stored", "dead", "token", "file", "program", "missing", "login", "ended",
    ] {
        let id = format!("openai:{round}");
        let select = ["models", "auth", "order", "set", "--provider", "openai", &id];
        keep(&home, &select, &mut corpus).await;
        ask(&gateway, &post("/v1/chat/completions", chat), round, &mut corpus).await;
    }
    let typed = key("openai", "pasted");
    for command in COMMANDS.lines() {
        let words = command.split_whitespace().map(|word| match word {
            "{paste}" => paste.as_str(),
            "{older}" => older.as_str(),
            "{typed}" => typed.as_str(),
            word => word,
        });
        keep(&home, &words.collect::<Vec<_>>(), &mut corpus).await;
    }
    for path in ["/status", "/metrics"] {
        ask(&gateway, &get(path), path, &mut corpus).await;
    }
    broken_files(&home, &gateway, &mut corpus).await;
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.exit(EXIT_MAX).await.is_some(), "it goes on");
    corpus.add(Kind::Own, "log", gateway.stderr().as_bytes());
    corpus.add(Kind::Own, "stdout", gateway.stdout().as_bytes());
    for path in files(&state) {
        corpus.add(
            Kind::Own,
            &path.display().to_string(),
            &std::fs::read(&path).expect("a file"),
        );
    }
    assert!(emulator.stats().requests > 8, "providers were asked");
    let leaks = corpus.leaks(&secrets);
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// Each file that is read anew, broken right beside a key.
async fn broken_files(home: &Home, gateway: &GatewayProcess, corpus: &mut Corpus) {
    let state = home.state();
    let secret = key("openai", "broken");
    let config = std::fs::read_to_string(state.join("coderclaw.json")).unwrap();
    let store = state.join("agents/main/agent/auth-profiles.json");
    let good = std::fs::read_to_string(&store).unwrap();
    let in_config = key("openai", "config");
    for (path, text) in [
        (state.join("coderclaw.json"), format!("{{ models: {{ providers: {{ openai: {{ apiKey: \"{in_config}\" \"{in_config}\" }} }} }} }}")),
        (state.join("coderclaw.json"), format!("{{ models: {{ providers: {{ openai: {{ apiKey: {{ source: \"{in_config}\" }} }} }} }} }}")),
        (state.join("coderclaw.json"), format!("{{ gateway: {{ port: \"{in_config}\" }}, \"{in_config}\": 1 }}")),
        (store.clone(), format!("{{ \"profiles\": {{ \"openai:a\": {{ \"key\": \"{secret}\" \"{secret}\" }} }} }}")),
        (store.clone(), format!("{{ \"profiles\": {{ \"openai:a\": \"{secret}\" }} }}")),
        (store.clone(), json!({ "profiles": { "openai:a": { "type": "api_key", "provider": "openai", "keyRef": secret } } }).to_string()),
        (state.join(".env"), format!("OPENAI_API_KEY \"{secret}\nX={secret}\"\"\n")),
    ] {
        std::fs::write(&path, text).unwrap();
        let what = format!("broken {}", path.display());
        ask(gateway, &post_with("/reload", &[], ""), &what, corpus).await;
        keep(home, &["models", "status"], corpus).await;
        keep(home, &["models", "auth", "list"], corpus).await;
        std::fs::write(state.join("coderclaw.json"), &config).unwrap();
        std::fs::write(&store, &good).unwrap();
    }
    let status: Value =
        serde_json::from_str(&home.run(&["models", "status", "--json"]).await.stdout).unwrap();
    assert_eq!(status["gateway"]["running"], true);
}
