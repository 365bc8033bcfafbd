//! What the name of a model means at each endpoint.

use coderclaw::config::{ResolveError, Settings};
use coderclaw::wire::Api;
use coderclaw_actors::domain::credential::AgentId;

use super::{Home, loaded};

const CHAT: Api = Api::OpenaiCompletions;
const MESSAGES: Api = Api::AnthropicMessages;
const GOOGLE: Api = Api::GoogleGenerativeAi;

/// `provider/model`, or the error in words.
fn resolved(settings: &Settings, api: Api, name: &str) -> String {
    match settings.catalogue.resolve(api, None, name) {
        Ok(target) => target.to_string(),
        Err(error) => format!("{} {error}", error.status()),
    }
}

fn check(config: &str, cases: &[(Api, &str, &str)]) {
    let settings = loaded(config);
    for (api, name, expected) in cases {
        assert_eq!(resolved(&settings, *api, name), *expected, "{api} {name}");
    }
}

#[test]
fn without_a_config_prefixes_and_endpoints_decide() {
    check(
        "{}",
        &[
            (CHAT, "gpt-5", "openai/gpt-5"),
            (MESSAGES, "claude-x", "anthropic/claude-x"),
            (GOOGLE, "gemini-x", "google/gemini-x"),
            (GOOGLE, "models/gemini-x", "google/gemini-x"),
            (GOOGLE, "google/gemini-x", "google/gemini-x"),
            (GOOGLE, "models/google/gemini-x", "google/gemini-x"),
            (Api::OpenaiResponses, "gpt-5", "openai/gpt-5"),
            (CHAT, " Groq/llama-3 ", "groq/llama-3"),
            (CHAT, "groq/openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"),
            (CHAT, "openrouter/auto", "openrouter/auto"),
            (
                MESSAGES,
                "openrouter/anthropic/claude-x",
                "openrouter/anthropic/claude-x",
            ),
            (
                CHAT,
                "openia/gpt-5",
                "404 unknown provider `openia` (did you mean `openai`?)",
            ),
            (
                CHAT,
                "anthropic/claude-x",
                "400 provider `anthropic` does not speak openai-completions; call /v1/messages instead",
            ),
            (
                MESSAGES,
                "openai/gpt-5",
                "400 provider `openai` does not speak anthropic-messages; call /v1/chat/completions or /v1/responses instead",
            ),
            (
                CHAT,
                "google/gemini-x",
                "400 provider `google` does not speak openai-completions; call /v1beta/models/{model}:generateContent instead",
            ),
            (
                CHAT,
                "",
                "400 the model's name is empty; say `provider/model` or the name of a model",
            ),
            (
                CHAT,
                "openai/",
                "400 the model's name is empty; say `provider/model` or the name of a model",
            ),
            (
                CHAT,
                "auto",
                "404 `auto` stands for the default model, and none is configured; set `agents.defaults.model`",
            ),
            (CHAT, "coderclaw:bob", "404 unknown agent `bob`"),
        ],
    );
}

#[test]
fn listed_models_aliases_and_defaults() {
    check(
        r#"{ models: { providers: {
                zai: { baseUrl: "https://z.example", models: ["glm-9", "both"] },
                local: { baseUrl: "http://localhost:1", models: ["meta/llama-3", "both", "shared"] },
                openai: { models: ["shared"] },
                claude2: { baseUrl: "https://c.example", api: "anthropic-messages", models: ["c2"] } } },
            agents: { defaults: { model: { primary: "openai/gpt-5", fallbacks: ["groq/x", "anthropic/c"] } },
                      list: [{ id: "Coder", model: "zai/glm-9" }, { id: "plain" }] } }"#,
        &[
            (CHAT, "glm-9", "zai/glm-9"),
            (CHAT, "z.ai/other", "zai/other"),
            (CHAT, "Z-AI/other", "zai/other"),
            (CHAT, "meta/llama-3", "local/meta/llama-3"),
            (CHAT, "both", "openai/both"),
            (CHAT, "shared", "openai/shared"),
            (MESSAGES, "c2", "claude2/c2"),
            (
                CHAT,
                "c2",
                "400 provider `claude2` does not speak openai-completions; call /v1/messages instead",
            ),
            (CHAT, "coderclaw:coder", "zai/glm-9"),
            (CHAT, "coderclaw:CODER", "zai/glm-9"),
            (
                CHAT,
                "coderclaw:code",
                "404 unknown agent `code` (did you mean `coder`?)",
            ),
        ],
    );
    check(
        r#"{ agents: { defaults: { model: "Fast", models: { "groq/llama": { alias: "fast" }, "openai/gpt-5": {}, "xai/*": {} } } } }"#,
        &[
            (CHAT, "FAST", "groq/llama"),
            (CHAT, "auto", "groq/llama"),
            (CHAT, "coderclaw", "groq/llama"),
            (CHAT, "coderclaw:main", "groq/llama"),
            (CHAT, "gpt-5", "openai/gpt-5"),
            (CHAT, "xai/anything", "xai/anything"),
            (
                CHAT,
                "openai/gpt-6",
                "404 model `openai/gpt-6` is not among those that `agents.defaults.models` allows (did you mean `openai/gpt-5`?)",
            ),
        ],
    );
}

#[test]
fn fallbacks_belong_to_the_default_model() {
    let settings = loaded(
        r#"{ agents: { defaults: { model: { primary: "groq/llama", fallbacks: ["openai/gpt-5", "anthropic/c", "groq/llama", "openai/gpt-5"] } },
                       list: [{ id: "b", model: { primary: "xai/grok", fallbacks: ["groq/llama"] } }] } }"#,
    );
    let fallbacks = |name: &str| -> Vec<String> {
        let target = settings.catalogue.resolve(CHAT, None, name).unwrap();
        let fallbacks = settings.catalogue.fallbacks(CHAT, None, name, &target);
        fallbacks.iter().map(ToString::to_string).collect()
    };
    assert_eq!(fallbacks("auto"), ["openai/gpt-5"]);
    assert_eq!(fallbacks("groq/llama"), ["openai/gpt-5"]);
    assert_eq!(fallbacks("coderclaw:b"), ["groq/llama"]);
    assert_eq!(fallbacks("openai/gpt-5"), [""; 0]);
    assert_eq!(
        settings.catalogue.default_model(None).unwrap().to_string(),
        "groq/llama"
    );
}

#[test]
fn each_agent_has_its_own_default_model_and_fallbacks() {
    let settings = loaded(
        r#"{ agents: { defaults: { model: { primary: "groq/llama", fallbacks: ["openai/gpt-5"] } },
                       list: [{ id: "plain" },
                              { id: "work", model: { primary: "xai/grok", fallbacks: ["groq/llama"] } }] } }"#,
    );
    let agent = |id: &str| AgentId::new(id);
    for (id, name, target, fallbacks) in [
        ("work", "coderclaw", "xai/grok", "groq/llama"),
        ("work", "auto", "xai/grok", "groq/llama"),
        ("work", "xai/grok", "xai/grok", "groq/llama"),
        ("work", "groq/llama", "groq/llama", ""),
        ("plain", "auto", "groq/llama", "openai/gpt-5"),
        ("main", "auto", "groq/llama", "openai/gpt-5"),
    ] {
        let (catalogue, agent) = (&settings.catalogue, agent(id));
        let found = catalogue.resolve(CHAT, Some(&agent), name).unwrap();
        assert_eq!(found.to_string(), target, "{id} {name}");
        let others = catalogue.fallbacks(CHAT, Some(&agent), name, &found);
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        assert_eq!(others.join(" "), fallbacks, "{id} {name}");
    }
}

#[test]
fn a_name_names_an_agent_where_nothing_else_has_it() {
    let agents = r#"agents: { defaults: { models: { "openai/gpt-5": { alias: "agent:fast" }, "openai/*": {} } },
                              list: [{ id: "work" }, { id: "fast" }, { id: "llama" }] }"#;
    let listed =
        r#"local: { baseUrl: "http://127.0.0.1:1/v1", api: "openai-completions", models: ["agent:llama"] }"#;
    let provider = r#"coderclaw: { baseUrl: "http://127.0.0.1:1/v1", api: "openai-completions" }"#;
    let named = |config: &str, name: &str| {
        let settings = loaded(config);
        match settings.catalogue.agent_named(CHAT, name) {
            Ok(agent) => agent.map_or_else(|| "-".to_owned(), ToString::to_string),
            Err(error) => error.to_string(),
        }
    };
    let plain = format!("{{ {agents}, models: {{ providers: {{ {listed} }} }} }}");
    for (name, wanted) in [
        ("coderclaw:work", "work"),
        ("coderclaw: Work ", "work"),
        ("coderclaw/work", "work"),
        ("agent:work", "work"),
        ("coderclaw", "-"),
        ("auto", "-"),
        ("openai/work", "-"),
        ("agent/work", "-"),
        ("agent:fast", "-"),
        ("agent:llama", "-"),
        ("coderclaw/wrk", "unknown agent `wrk` (did you mean `work`?)"),
        ("agent:wrk", "unknown agent `wrk` (did you mean `work`?)"),
    ] {
        assert_eq!(named(&plain, name), wanted, "{name}");
    }
    let taken = format!("{{ {agents}, models: {{ providers: {{ {provider} }} }} }}");
    assert_eq!(named(&taken, "coderclaw/work"), "-", "a provider of that name");
    assert_eq!(named(&taken, "coderclaw:work"), "work");
}

#[test]
fn an_agent_that_says_nothing_of_fallbacks_has_those_of_the_defaults() {
    let settings = loaded(
        r#"{ agents: { defaults: { model: { primary: "groq/d", fallbacks: ["openai/one", "xai/two"] } },
                       list: [{ id: "text", model: "xai/a" }, { id: "primary", model: { primary: "xai/a" } },
                              { id: "strict", model: { primary: "xai/a", fallbacks: [] } },
                              { id: "list", model: { fallbacks: ["openai/three"] } },
                              { id: "two", model: "xai/two" }, { id: "plain" }] } }"#,
    );
    let chain = |agent: &str| -> Vec<String> {
        let name = format!("coderclaw:{agent}");
        let target = settings.catalogue.resolve(CHAT, None, &name).unwrap();
        let fallbacks = settings.catalogue.fallbacks(CHAT, None, &name, &target);
        std::iter::once(&target)
            .chain(&fallbacks)
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(chain("text"), ["xai/a", "openai/one", "xai/two", "groq/d"]);
    assert_eq!(chain("primary"), ["xai/a", "openai/one", "xai/two", "groq/d"]);
    assert_eq!(chain("strict"), ["xai/a"]);
    assert_eq!(chain("list"), ["groq/d", "openai/three"]);
    assert_eq!(chain("two"), ["xai/two", "openai/one", "groq/d"]);
    assert_eq!(chain("plain"), ["groq/d", "openai/one", "xai/two"]);
    assert_eq!(chain("main"), ["groq/d", "openai/one", "xai/two"]);
    let none =
        loaded(r#"{ agents: { defaults: { model: "groq/d" }, list: [{ id: "text", model: "xai/a" }] } }"#);
    let target = none.catalogue.resolve(CHAT, None, "coderclaw:text").unwrap();
    assert_eq!(
        none.catalogue.fallbacks(CHAT, None, "coderclaw:text", &target),
        []
    );
}

#[test]
fn a_model_is_named_as_googles_callers_do() {
    let settings = loaded(
        r#"{ agents: { defaults: { model: { primary: "google/a", fallbacks: ["google/b"] } },
                       list: [{ id: "x", model: { primary: "google/a", fallbacks: ["google/c"] } }] } }"#,
    );
    for (name, expected) in [("models/auto", "google/b"), ("models/coderclaw:x", "google/c")] {
        let target = settings.catalogue.resolve(GOOGLE, None, name).unwrap();
        let fallbacks = settings.catalogue.fallbacks(GOOGLE, None, name, &target);
        assert_eq!(fallbacks.len(), 1, "{name}");
        assert_eq!(fallbacks[0].to_string(), expected, "{name}");
    }
}

#[test]
fn the_default_agent_is_the_marked_one_or_main() {
    for (agents, id, model) in [
        (
            "[{ id: 'a', model: 'xai/a' }, { id: 'b', model: 'xai/b', default: true }]",
            "b",
            "xai/b",
        ),
        (
            "[{ id: 'a', model: 'xai/a' }, { id: 'main', model: 'xai/m' }]",
            "main",
            "xai/m",
        ),
        ("[{ id: 'a', model: 'xai/a' }]", "main", "groq/d"),
    ] {
        let settings = loaded(&format!(
            "{{ agents: {{ defaults: {{ model: 'groq/d' }}, list: {agents} }} }}"
        ));
        assert_eq!(settings.default_agent, id);
        assert_eq!(resolved(&settings, CHAT, "auto"), model);
        assert_eq!(resolved(&settings, CHAT, &format!("coderclaw:{id}")), model);
    }
}

#[test]
fn a_name_of_the_allowlist_that_leads_nowhere_is_a_warning() {
    let warnings = Home::with(r#"{ agents: { defaults: { models: { "gpt-5": {} } } } }"#).warnings();
    assert_eq!(
        warnings,
        ["agents.defaults.models[\"gpt-5\"]: unknown model `gpt-5`; write it as `provider/model`"]
    );
}

#[test]
fn listed_models_are_told_by_what_their_provider_speaks() {
    let settings = loaded(
        r#"{ models: { providers: { openai: { models: ["a", "a", { id: "b" }] }, anthropic: { models: ["c"] } } } }"#,
    );
    let listed: Vec<String> = settings
        .catalogue
        .listed(CHAT)
        .map(|(provider, model)| format!("{provider}/{model}"))
        .collect();
    assert_eq!(listed, ["openai/a", "openai/b"]);
}

#[test]
fn a_long_name_does_not_flood_the_message() {
    let settings = loaded("{}");
    let name = format!("{}/x", "p".repeat(10_000));
    let error = settings.catalogue.resolve(CHAT, None, &name).unwrap_err();
    assert!(matches!(error, ResolveError::UnknownProvider { .. }));
    assert!(error.to_string().len() < 400);
}

#[test]
fn a_star_among_the_models_allows_all_and_keeps_the_aliases() {
    let config = r#"{ agents: { defaults: { models: { "groq/llama": { alias: "fast" }, "*": {} } } } }"#;
    check(
        config,
        &[
            (CHAT, "fast", "groq/llama"),
            (CHAT, "openai/gpt-5", "openai/gpt-5"),
            (CHAT, "openai/*", "openai/*"),
        ],
    );
    let settings = loaded(config);
    assert!(!settings.catalogue.is_restricted());
    assert!(settings.catalogue.allowed().is_empty());
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
}
