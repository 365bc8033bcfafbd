//! Questions on a terminal: no echo of a secret, wrong answers asked again, Ctrl-C saves nothing.

use super::session::{CTRL_C, CTRL_D, DOWN, ENTER, Ended};
use super::{Home, Session, key, setup_token};

/// Interrupted: exit 1, said so, the terminal as it was, nothing written.
fn saved_nothing(home: &Home, ended: &Ended) {
    assert_eq!(ended.code, Some(1), "{:?}", ended.transcript);
    assert!(ended.restored, "the terminal is put back");
    assert!(ended.transcript.contains("interrupted"), "{:?}", ended.transcript);
    assert!(!home.store_path("main").exists());
    assert_eq!(home.config_text(), "");
}

#[test]
fn a_secret_is_never_shown() {
    let secret = key("openai", "a");
    let home = Home::new().secret(&secret);
    let mut session = Session::start(&home, &["paste-api-key", "--provider", "openai"]);
    session.expect("API key of openai:").send(&secret).send(ENTER);
    session.expect("Auth profile: openai:default (openai/api_key)");
    let ended = session.end();
    assert_eq!(ended.code, Some(0));
    assert!(ended.restored);
    home.keeps(&ended.transcript);
    assert_eq!(home.stored("main")["profiles"]["openai:default"]["key"], secret);
}

#[test]
fn a_secret_that_was_broken_over_lines_is_pasted_whole() {
    let secret = setup_token("a");
    let home = Home::new().secret(&secret);
    let (start, end) = secret.split_at(70);
    let mut session = Session::start(&home, &["paste-token", "--provider", "anthropic"]);
    // What a terminal sends for a paste.
    let pasted = format!("\u{1b}[200~{start}\r\n{end}\u{1b}[201~");
    session.expect("Token of anthropic:").send(&pasted).send(ENTER);
    session.expect("Auth profile: anthropic:manual (anthropic/token)");
    let ended = session.end();
    home.keeps(&ended.transcript);
    assert_eq!(
        home.stored("main")["profiles"]["anthropic:manual"]["token"],
        secret
    );
}

#[test]
fn wrong_answers_are_asked_again() {
    let secret = key("openai", "a");
    let home = Home::new().secret(&secret);
    let mut session = Session::start(&home, &["paste-api-key", "--provider", "openai"]);
    session
        .expect("API key of openai:")
        .send(ENTER)
        .expect("it is empty");
    let line = format!("export OPENAI_API_KEY={secret}");
    session.send(&line).send(ENTER).expect("sets a variable");
    session
        .send(&key("anthropic", "a"))
        .send(ENTER)
        .expect("a key of anthropic");
    session.send("sk-proj-short").send(ENTER).expect("cut off");
    session.send(&secret).send(ENTER).expect("Auth profile:");
    let ended = session.end();
    assert_eq!(ended.code, Some(0));
    home.keeps(&ended.transcript);
}

#[test]
fn an_interrupted_paste_saves_nothing() {
    for keys in [CTRL_C, CTRL_D] {
        let home = Home::new();
        let mut session = Session::start(&home, &["paste-api-key", "--provider", "openai"]);
        session
            .expect("API key of openai:")
            .send("sk-proj-half")
            .send(keys);
        saved_nothing(&home, &session.end());
    }
}

/// Walks `add` as far as its `step`-th question.
fn walk(session: &mut Session, step: usize) {
    type Step = fn(&mut Session);
    let steps: [Step; 5] = [
        |session| _ = session.expect("Provider:"),
        |session| _ = session.send("anthropic").send(ENTER).expect("What is it?"),
        |session| _ = session.send(DOWN).send(ENTER).expect("Profile:"),
        |session| _ = session.send("My Work").send(ENTER).expect("Token of anthropic:"),
        |session| _ = session.send(&setup_token("a")).send(ENTER).expect("Runs out in:"),
    ];
    for walk in steps.iter().take(step + 1) {
        walk(session);
    }
}

#[test]
fn add_asks_for_everything() {
    let secret = setup_token("a");
    let home = Home::new().secret(&secret);
    let mut session = Session::start(&home, &["add"]);
    walk(&mut session, 4);
    session.send("soon").send(ENTER).expect("expected a span");
    session.send(&"\u{7f}".repeat(4)).send("30d").send(ENTER);
    session.expect("Auth profile: anthropic:my-work (anthropic/token)");
    session.expect("Runs out in: 30d");
    let ended = session.end();
    assert_eq!(ended.code, Some(0));
    assert!(ended.restored);
    home.keeps(&ended.transcript);
    assert_eq!(
        home.stored("main")["profiles"]["anthropic:my-work"]["token"],
        secret
    );
}

#[test]
fn ctrl_c_at_any_question_of_add_saves_nothing() {
    for step in 0..5 {
        let secret = setup_token("a");
        let home = Home::new().secret(&secret);
        let mut session = Session::start(&home, &["add"]);
        walk(&mut session, step);
        session.send(CTRL_C);
        let ended = session.end();
        home.keeps(&ended.transcript);
        saved_nothing(&home, &ended);
    }
}

#[test]
fn add_replaces_nothing_unasked() {
    let old = key("groq", "old");
    let new = key("groq", "new");
    let home = Home::new().secret(&old).secret(&new).store(
        "main",
        &format!(r#"{{ "version": 1, "profiles": {{ "groq:default": {{ "type": "api_key", "provider": "groq", "key": "{old}" }} }} }}"#),
    );
    let mut session = Session::start(&home, &["add", "--provider", "groq"]);
    session.expect("What is it?").send(ENTER);
    session
        .expect("Profile:")
        .expect("groq:default-2")
        .send("groq:default")
        .send(ENTER);
    session.expect("Replace it?").send("n").send(ENTER);
    session.expect("Profile:").expect("groq:default-2").send(ENTER);
    session.expect("API key of groq:").send(&new).send(ENTER);
    session.expect("Auth profile: groq:default-2");
    let ended = session.end();
    home.keeps(&ended.transcript);
    let stored = home.stored("main");
    assert_eq!(stored["profiles"]["groq:default"]["key"], old);
    assert_eq!(stored["profiles"]["groq:default-2"]["key"], new);
}

#[test]
fn add_takes_a_reference() {
    let secret = key("groq", "a");
    let home = Home::new().secret(&secret).variable("MY_GROQ", &secret);
    let mut session = Session::start(&home, &["add", "--provider", "groq"]);
    session.expect("What is it?").send("reference").send(ENTER);
    session.expect("A reference to what?").send(ENTER);
    session.expect("Profile:").send(ENTER);
    session
        .expect("Reference:")
        .send("MY_GROQ")
        .send(ENTER)
        .expect("says where a secret is");
    session.send(&"\u{7f}".repeat(7)).send("env:MY_GROQ").send(ENTER);
    session.expect("Secret: env MY_GROQ");
    assert_eq!(session.end().code, Some(0));
    assert_eq!(
        home.stored("main")["profiles"]["groq:default"]["keyRef"]["id"],
        "MY_GROQ"
    );
}

#[test]
fn removing_asks() {
    let store = r#"{ "version": 1, "profiles": { "groq:a": { "type": "api_key", "provider": "groq", "key": "k" } } }"#;
    let home = Home::new().store("main", store);
    for (keys, is_left) in [(CTRL_C, true), ("n\r", true), ("y\r", false)] {
        let mut session = Session::start(&home, &["remove", "groq:a"]);
        session.expect("can't be had back").send(keys);
        let ended = session.end();
        assert_eq!(ended.code, Some(i32::from(is_left)), "{:?}", ended.transcript);
        assert!(ended.restored);
        assert_eq!(home.stored("main")["profiles"].get("groq:a").is_some(), is_left);
    }
}
