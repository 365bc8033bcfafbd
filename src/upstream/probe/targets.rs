//! Which credentials are probed, and which model each is asked for.

use coderclaw_actors::domain::credential::{AgentId, AuthProfile, CredentialKind, ProfileId, ProviderId};

use crate::config::{Provider, Settings};
use crate::credentials::pool::Pool;
use crate::credentials::stored::Excluded;
use crate::nearest::did_you_mean;
use crate::status::ProbeOptions;

/// One credential to probe.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// Its provider.
    pub provider: &'a Provider,
    /// The credential; a stored profile that can't be used is told of and not sent.
    pub credential: Result<&'a AuthProfile, &'a Excluded>,
    /// The model to ask for, as the provider knows it.
    pub model: Option<String>,
    /// Whether it renews itself.
    pub renews: bool,
}

/// A name that nothing has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownTarget {
    /// No provider has it.
    #[error("there is no provider `{name}`{hint}")]
    Provider {
        /// The name.
        name: String,
        /// The nearest ones.
        hint: String,
    },
    /// No credential that is looked at has it.
    #[error("there is no credential `{name}`{hint}")]
    Profile {
        /// The name.
        name: String,
        /// The nearest ones.
        hint: String,
    },
}

impl Target<'_> {
    /// Its id, its source, and how it authenticates.
    pub(super) fn named(&self) -> (&ProfileId, &str, CredentialKind) {
        match self.credential {
            Ok(profile) => (&profile.id, &profile.source, profile.kind),
            Err(excluded) => (&excluded.id, &excluded.source, excluded.kind),
        }
    }
}

/// The credentials of `agent`, or the default one, that `options` choose, in the order of the pools.
///
/// # Errors
/// If a provider or a credential is named that is not there.
pub fn targets<'a>(
    settings: &'a Settings,
    agent: Option<&AgentId>,
    options: &ProbeOptions,
) -> Result<Vec<Target<'a>>, UnknownTarget> {
    if let Some(id) = &options.provider
        && settings.provider(id.as_str()).is_none()
    {
        let known = settings.providers.iter().map(|provider| provider.id.as_str());
        return Err(UnknownTarget::Provider {
            name: id.to_string(),
            hint: did_you_mean(id.as_str(), known),
        });
    }
    let providers = settings.providers.iter();
    let providers =
        providers.filter(|provider| options.provider.as_ref().is_none_or(|id| *id == provider.id));
    let pools = providers.filter_map(|provider| {
        let pool = settings.pool_of(agent, provider.id.as_str())?;
        Some((provider, pool))
    });
    let mut targets: Vec<Target<'a>> = pools
        .flat_map(|(provider, pool)| of_pool(settings, agent, provider, pool))
        .collect();
    for id in &options.profile_ids {
        if !targets.iter().any(|target| target.named().0 == id) {
            let known = targets.iter().map(|target| target.named().0.as_str());
            return Err(UnknownTarget::Profile {
                name: id.to_string(),
                hint: did_you_mean(id.as_str(), known),
            });
        }
    }
    if !options.profile_ids.is_empty() {
        targets.retain(|target| options.profile_ids.contains(target.named().0));
    }
    Ok(targets)
}

fn of_pool<'a>(
    settings: &'a Settings,
    agent: Option<&AgentId>,
    provider: &'a Provider,
    pool: &'a Pool,
) -> impl Iterator<Item = Target<'a>> + use<'a> {
    let model = model_of(settings, agent, provider);
    let credentials = pool.members.iter().map(Ok);
    let credentials = credentials.chain(pool.excluded.iter().map(Err));
    credentials.map(move |credential| Target {
        provider,
        model: model.clone(),
        renews: credential.is_ok_and(|profile| settings.renews(profile.owner.as_ref(), &profile.id)),
        credential,
    })
}

/// The model that a provider's credentials are asked for: the default one or a fallback of it, else one that the config
/// lists, allows, or has an alias for.
fn model_of(settings: &Settings, agent: Option<&AgentId>, provider: &Provider) -> Option<String> {
    let catalogue = &settings.catalogue;
    let default = catalogue.default_model(agent).into_iter();
    let default = default.chain(catalogue.default_fallbacks(agent));
    let mut default = default.filter(|target| target.provider == provider.id);
    if let Some(target) = default.next() {
        return Some(target.model);
    }
    if let Some(model) = provider.models.first() {
        return Some(model.clone());
    }
    let allowed = catalogue.allowed();
    let mut aliased: Vec<&str> = catalogue.aliases().map(|(_, model)| model).collect();
    aliased.sort_unstable();
    let named = allowed.iter().map(String::as_str).chain(aliased);
    let mut models = named.filter_map(|name| of_provider(name, &provider.id));
    models.next().map(str::to_owned)
}

/// The model of a `provider/model`, if it is of `provider` and names one.
fn of_provider<'a>(name: &'a str, provider: &ProviderId) -> Option<&'a str> {
    let (prefix, model) = name.split_once('/')?;
    let is_its = crate::config::normalise_provider_id(prefix) == provider.as_str();
    (is_its && !model.is_empty() && model != "*").then_some(model)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::status::testing::Scene;

    fn options(provider: Option<&str>, profiles: &[&str]) -> ProbeOptions {
        ProbeOptions {
            provider: provider.map(ProviderId::new),
            profile_ids: profiles.iter().map(|id| ProfileId::new(id)).collect(),
            timeout_ms: 1,
            concurrency: 1,
            max_tokens: 1,
        }
    }

    #[test]
    fn a_model_is_found_wherever_the_config_names_one() {
        let scene = Scene::new().config(&json!({
            "agents": { "defaults": {
                "model": { "primary": "openai/gpt-5", "fallbacks": ["anthropic/claude-sonnet-4-5"] },
                "models": { "groq/llama-3.3-70b": { "alias": "fast" }, "mistral/*": {} },
            } },
            "models": { "providers": { "xai": { "models": ["grok-4", "grok-3"] } } },
        }));
        let settings = scene.settings();
        let model = |id| model_of(&settings, None, settings.provider(id).unwrap());
        for (provider, wanted) in [
            ("openai", Some("gpt-5")),
            ("anthropic", Some("claude-sonnet-4-5")),
            ("groq", Some("llama-3.3-70b")),
            ("xai", Some("grok-4")),
            ("mistral", None),
            ("google", None),
        ] {
            assert_eq!(model(provider).as_deref(), wanted, "{provider}");
        }
    }

    #[test]
    fn credentials_are_chosen_by_provider_and_by_id_and_unknown_names_are_refused() {
        let settings = Scene::new()
            .variable("OPENAI_API_KEYS", "sk-proj-Qw7ErTyUi-a,sk-proj-Qw7ErTyUi-b")
            .variable("GROQ_API_KEY", "gsk_Qw7ErTyUi")
            .settings();
        let ids = |provider, profiles: &[&str]| {
            let targets = targets(&settings, None, &options(provider, profiles));
            targets.map(|targets| {
                let ids = targets.iter().map(|target| target.named().0.to_string());
                ids.collect::<Vec<_>>()
            })
        };
        assert_eq!(ids(None, &[]).unwrap().len(), 3);
        assert_eq!(ids(Some("groq"), &[]).unwrap(), ["groq:env:GROQ_API_KEY"]);
        assert_eq!(
            ids(None, &["openai:env:OPENAI_API_KEYS#2"]).unwrap(),
            ["openai:env:OPENAI_API_KEYS#2"]
        );
        let told = |refused: Result<Vec<String>, UnknownTarget>| refused.unwrap_err().to_string();
        assert_eq!(
            told(ids(Some("opnai"), &[])),
            "there is no provider `opnai` (did you mean `openai`?)"
        );
        assert_eq!(
            told(ids(Some("groq"), &["groq:env:GROK_API_KEY"])),
            "there is no credential `groq:env:GROK_API_KEY` (did you mean `groq:env:GROQ_API_KEY`?)"
        );
    }
}
