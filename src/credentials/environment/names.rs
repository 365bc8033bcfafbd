//! The names of variables that hold a provider's credentials.

use std::path::Path;

use super::dotenv_path;
use crate::config::provider_id::normalise;

/// Endings of names that begin like a key's and hold something else.
const NO_KEYS: [&str; 4] = ["_PATH", "_URL", "_ID", "_NAME"];

/// The ending of names that hold the path of a file of keys.
pub(super) const FILE_ENDING: &str = "_FILE";

/// Names beyond a provider's own prefix, in their order.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    ("amazon-bedrock", &["AWS_BEARER_TOKEN_BEDROCK"]),
    ("anthropic", &["ANTHROPIC_OAUTH_TOKEN"]),
    ("chutes", &["CHUTES_OAUTH_TOKEN"]),
    ("coderclawllm", &["CODERCLAW_LINK_API_KEY"]),
    ("fal", &["FAL_KEY"]),
    (
        "github-copilot",
        &["COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"],
    ),
    ("google-vertex", &["GOOGLE_CLOUD_API_KEY"]),
    ("huggingface", &["HUGGINGFACE_HUB_TOKEN", "HF_TOKEN"]),
    ("kimi-coding", &["KIMI_API_KEY", "KIMICODE_API_KEY"]),
    ("lmstudio", &["LM_API_TOKEN"]),
    ("microsoft-foundry", &["AZURE_OPENAI_API_KEY"]),
    ("minimax", &["MINIMAX_CODE_PLAN_KEY", "MINIMAX_CODING_API_KEY"]),
    ("minimax-portal", &["MINIMAX_OAUTH_TOKEN", "MINIMAX_API_KEY"]),
    ("opencode", &["OPENCODE_ZEN_API_KEY"]),
    ("qwen-portal", &["QWEN_OAUTH_TOKEN"]),
    ("vercel-ai-gateway", &["AI_GATEWAY_API_KEY"]),
    ("zai", &["Z_AI_API_KEY"]),
];

/// Every name that is looked for, of one provider.
pub(super) struct Names {
    /// `OPENAI`.
    prefix: String,
    /// `CODERCLAW_LIVE_OPENAI_KEY`.
    pub(super) live: String,
    /// Names of lists, in their order.
    pub(super) lists: Vec<String>,
    /// Names of files of keys that belong to the lists.
    pub(super) list_file: String,
    /// `OPENAI_API_KEY`.
    pub(super) single: String,
    /// `OPENAI_API_KEY_`.
    pub(super) numbered: String,
    /// More lists, after all of the above.
    pub(super) late_lists: &'static [&'static str],
    /// More single keys, last.
    pub(super) late_singles: Vec<&'static str>,
}

impl Names {
    /// The names of a provider, by its normalised id.
    pub(super) fn of(provider: &str) -> Self {
        let is_google = matches!(provider, "google" | "google-vertex");
        let prefix = if is_google {
            "GEMINI".to_owned()
        } else {
            prefix(provider)
        };
        let mut lists = vec![format!("{prefix}_API_KEYS")];
        if provider == "anthropic" {
            lists.push("CODERCLAW_LIVE_ANTHROPIC_KEYS".to_owned());
        }
        let mut late_singles = Vec::new();
        if is_google {
            late_singles.push("GOOGLE_API_KEY");
        }
        let others = OTHER_NAMES.iter().find(|(id, _)| *id == provider);
        late_singles.extend(others.iter().flat_map(|(_, names)| names.iter().copied()));
        Self {
            live: format!("CODERCLAW_LIVE_{prefix}_KEY"),
            lists,
            list_file: format!("{prefix}_API_KEYS{FILE_ENDING}"),
            single: format!("{prefix}_API_KEY"),
            numbered: format!("{prefix}_API_KEY_"),
            late_lists: if is_google { &["GOOGLE_API_KEYS"] } else { &[] },
            late_singles,
            prefix,
        }
    }
}

/// Upper case, and `_` for everything that is neither a letter nor a digit.
fn prefix(provider: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    provider.chars().map(letter).collect()
}

/// Whether a name that begins like a numbered key's holds no key.
pub(super) fn holds_no_key(name: &str) -> bool {
    NO_KEYS.iter().any(|ending| name.ends_with(ending))
}

/// The provider whose credential a variable of this name would hold, of some.
pub(crate) fn owner_of<'p>(name: &str, mut providers: impl Iterator<Item = &'p str>) -> Option<&'p str> {
    providers.find(|provider| {
        let names = Names::of(provider);
        let numbered = name.starts_with(&names.numbered) && !holds_no_key(name);
        let lists = names.lists.iter().any(|list| list == name) || names.late_lists.contains(&name);
        numbered || lists || name == names.live || name == names.single || names.late_singles.contains(&name)
    })
}

/// Where a provider's credentials are looked for, as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacesLooked {
    /// One place each, in the order they are looked in.
    pub places: Vec<String>,
    /// How to add a credential.
    pub hint: String,
}

/// Every place where credentials of `provider` are looked for; `store` is that of `agent`, which commands must name
/// unless it is the default one.
#[must_use]
pub fn places_looked(
    provider: &str,
    state_dir: &Path,
    config_path: &Path,
    (store, agent): (&Path, Option<&str>),
) -> PlacesLooked {
    let flag = agent.map_or_else(String::new, |agent| format!(" --agent {agent}"));
    let id = normalise(provider);
    let names = Names::of(&id);
    let mut variables = vec![names.live.clone()];
    variables.extend(names.lists.iter().cloned());
    variables.push(names.list_file.clone());
    variables.push(names.single.clone());
    variables.push(format!("{}*", names.numbered));
    variables.push(format!("{}{FILE_ENDING}", names.single));
    let late = names.late_lists.iter().chain(&names.late_singles);
    variables.extend(late.map(|name| (*name).to_owned()));
    let variables = variables.join(", ");
    let config = config_path.display();
    PlacesLooked {
        places: vec![
            format!("{}: profiles of `{id}`", store.display()),
            format!("environment: {variables}"),
            format!("{}: the same names", dotenv_path(state_dir).display()),
            format!("{config}: env.vars with the same names, models.providers.{id}.apiKey"),
        ],
        hint: format!(
            "run `coderclaw models auth paste-api-key --provider {id}{flag}`, or set {}_API_KEY in {} or in the gateway's \
             environment",
            names.prefix,
            dotenv_path(state_dir).display()
        ),
    }
}
