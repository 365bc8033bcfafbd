//! `models auth list`.

use super::{Home, key};

/// Profiles of every type, an order that leaves one out, and keys in the environment.
pub(crate) fn furnished() -> Home {
    let names = ["a", "b", "c"];
    let keys = names.map(|name| key("openai", name));
    let far = 4_102_444_800_000_u64;
    let store = format!(
        r#"{{ "version": 1, "profiles": {{
  "openai:a": {{ "type": "api_key", "provider": "openai", "key": "{}" }},
  "openai:b": {{ "type": "api_key", "provider": "openai", "key": "{}" }},
  "openai:ref": {{ "type": "api_key", "provider": "openai", "keyRef": {{ "source": "env", "id": "WORK_KEY" }} }},
  "anthropic:me@example.com": {{ "type": "oauth", "provider": "anthropic", "access": "{}", "refresh": "r{}",
    "expires": {far}, "email": "me@example.com" }},
  "anthropic:old": {{ "type": "token", "provider": "anthropic", "token": "t{}", "expires": 1000 }},
  "anthropic:empty": {{ "type": "api_key", "provider": "anthropic", "key": " " }},
  "x:y": {{ "type": "smoke_signal", "provider": "x" }}
}}, "order": {{ "openai": ["openai:b", "openai:ref", "openai:env:OPENAI_API_KEY"] }} }}"#,
        keys[0], keys[1], keys[2], keys[2], keys[2]
    );
    let work = key("openai", "work");
    keys.iter()
        .fold(Home::new(), |home, key| home.secret(key))
        .secret(&work)
        .variable("WORK_KEY", &work)
        .variable("OPENAI_API_KEY", &key("openai", "env"))
        .variable("GROQ_API_KEY", &key("groq", "env"))
        .store("main", &store)
}

#[test]
fn every_profile_and_what_there_is_to_know_of_it() {
    let home = furnished();
    insta::assert_snapshot!("list", home.told(&home.run(&["list"])));
    insta::assert_snapshot!("list_all", home.told(&home.run(&["list", "--all"])));
    insta::assert_snapshot!(
        "list_of_a_provider",
        home.told(&home.run(&["list", "--provider", "OpenAI"]))
    );
}

#[test]
fn thousands_are_listed_as_one_is() {
    const MANY: usize = 5_000;

    let profiles: serde_json::Map<_, _> = (0..MANY)
        .map(|at| {
            let secret = key("openai", &at.to_string());
            let profile = serde_json::json!({ "type": "api_key", "provider": "openai", "key": secret });
            (format!("openai:{at}"), profile)
        })
        .collect();
    let store = serde_json::json!({ "version": 1, "profiles": profiles }).to_string();
    // The store was read for each of them anew, and each was sought among all.
    let ran = Home::new().store("main", &store).run(&["list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(listed["profiles"].as_array().unwrap().len(), MANY);
    assert_eq!(listed["profiles"][MANY - 1]["position"], MANY);
}

#[test]
fn as_json() {
    let home = furnished();
    let mut listed: serde_json::Value =
        serde_json::from_str(&home.run(&["list", "--all", "--json"]).stdout).unwrap();
    for profile in listed["profiles"].as_array_mut().unwrap() {
        if profile["remainingMs"].is_i64() {
            profile["remainingMs"] = "[span]".into();
        }
    }
    let text = serde_json::to_string_pretty(&listed).unwrap();
    insta::assert_snapshot!(
        "list_json",
        text.replace(&home.path().display().to_string(), "[home]")
    );
}

#[test]
fn nothing_stored() {
    let home = Home::new();
    insta::assert_snapshot!("list_of_nothing", home.told(&home.run(&["list"])));
    assert!(
        !home.path().join("state/agents").exists(),
        "looking makes no folder"
    );
}

#[test]
fn of_an_agent_that_reads_main_through() {
    let home = furnished().config("{ agents: { list: [{ id: \"work\" }] } }").store(
        "work",
        &format!(
            r#"{{ "version": 1, "profiles": {{ "openai:a": {{ "type": "api_key", "provider": "openai", "key": "{}" }} }} }}"#,
            key("openai", "own")
        ),
    );
    insta::assert_snapshot!(
        "list_of_another_agent",
        home.told(&home.run(&["list", "--agent", "work"]))
    );
}

#[test]
fn a_store_that_others_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = furnished();
    std::fs::set_permissions(home.store_path("main"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = home.run(&["list"]);
    insta::assert_snapshot!(
        "list_of_an_open_store",
        ran.stderr.replace(&home.path().display().to_string(), "[home]")
    );
}

#[test]
fn an_unknown_provider() {
    let home = furnished();
    insta::assert_snapshot!(
        "list_of_an_unknown_provider",
        home.told(&home.run(&["list", "--provider", "opnai"]))
    );
}
