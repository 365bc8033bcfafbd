//! Which models somebody may choose from for a session, and what a choice means.

use coderclaw::config::model_ref::ModelRef;
use coderclaw::wire::Api;

use super::loaded;
use super::vectors::vectors;

const CHAT: Api = Api::OpenaiCompletions;
const MESSAGES: Api = Api::AnthropicMessages;

const CHOICES: &str = r#"{
    models: { providers: {
        zai: { baseUrl: "https://z.example", models: ["glm-9", "both"] },
        local: { baseUrl: "http://localhost:1", models: ["both", "small"] },
        claude2: { baseUrl: "https://c.example", api: "anthropic-messages", models: ["c2"] } } },
    agents: { defaults: {
                  model: { primary: "openai/gpt-5", fallbacks: ["zai/glm-9", "anthropic/c"] } },
              list: [{ id: "coder", model: "local/small" }] } }"#;

#[test]
fn choices_are_what_the_config_names_and_the_endpoint_serves_in_one_order() {
    let settings = loaded(CHOICES);
    let choices = |api, agent: &str| -> Vec<String> {
        let choices = settings.catalogue.choices(api, agent);
        let shown = choices.iter().map(|choice| {
            let mark = if choice.is_default { "*" } else { "" };
            format!("{}{mark}", choice.target)
        });
        shown.collect()
    };
    let chat = [
        "openai/gpt-5*",
        "zai/glm-9",
        "local/small",
        "local/both",
        "zai/both",
    ];
    assert_eq!(choices(CHAT, "main"), chat);
    assert_eq!(
        choices(CHAT, "coder"),
        [
            "local/small*",
            "zai/glm-9",
            "openai/gpt-5",
            "local/both",
            "zai/both"
        ]
    );
    assert_eq!(choices(MESSAGES, "main"), ["anthropic/c", "claude2/c2"]);
    let settings = loaded(
        r#"{ agents: { defaults: { models: { "groq/b": { alias: "zed" }, "groq/a": { alias: "ant" }, "openai/x": {}, "xai/*": {} } } },
             models: { providers: { xai: { models: ["grok"] }, openai: { models: ["not-allowed"] } } } }"#,
    );
    let choices = settings.catalogue.choices(CHAT, "main");
    let shown: Vec<String> = choices
        .iter()
        .map(|choice| format!("{} {}", choice.target, choice.aliases.join(",")))
        .collect();
    assert_eq!(shown, ["groq/a ant", "groq/b zed", "openai/x ", "xai/grok "]);
}

#[test]
fn a_choice_is_an_alias_a_known_model_or_any_model_of_a_known_provider() {
    let settings = loaded(CHOICES);
    for (api, name, expected) in [
        (CHAT, "gpt-5", "openai/gpt-5"),
        (CHAT, "glm-9", "zai/glm-9"),
        (CHAT, "Z.ai/anything", "zai/anything"),
        (CHAT, "small", "local/small"),
        (
            CHAT,
            "both",
            "404 unknown model `both` (did you mean `local/both` or `zai/both`?); write it as `provider/model`",
        ),
        (
            CHAT,
            "smal",
            "404 unknown model `smal` (did you mean `small`?); write it as `provider/model`",
        ),
        (
            CHAT,
            "gpt-6",
            "404 unknown model `gpt-6` (did you mean `gpt-5`?); write it as `provider/model`",
        ),
        (
            CHAT,
            "c2",
            "400 provider `claude2` does not speak openai-completions; call /v1/messages instead",
        ),
        (MESSAGES, "c2", "claude2/c2"),
        (CHAT, "zia/x", "404 unknown provider `zia`"),
        (
            CHAT,
            "zai/",
            "400 the model's name is empty; say `provider/model` or the name of a model",
        ),
    ] {
        let chosen = match settings.catalogue.meant(api, "main", name) {
            Ok(target) => target.to_string(),
            Err(error) => format!("{} {error}", error.status()),
        };
        assert_eq!(chosen, expected, "{name}");
    }
}

#[test]
fn vectors_of_model_references() {
    for vector in vectors("model_ref") {
        let parsed = ModelRef::parse(vector["input"]["raw"].as_str().unwrap());
        let expected = &vector["expected"];
        assert_eq!(Some(parsed.model), expected["model"].as_str(), "{vector}");
        assert_eq!(parsed.profile, expected["profile"].as_str(), "{vector}");
    }
}
