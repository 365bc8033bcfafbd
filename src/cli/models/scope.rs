//! What the commands work on that show and change the choice of models: the config, an agent, and what is known of
//! models.

use coderclaw_actors::Clock as _;

use super::auth::name;
use super::lists::Lists;
use crate::cli::exit::Failure;
use crate::cli::inquiry::find_agent;
use crate::cli::options::GlobalOptions;
use crate::cli::printer::Printer;
use crate::cli::told::{self, Told};
use crate::config::edit::ConfigEditor;
use crate::config::{Catalogue, ResolveError, Settings, Target};
use crate::credentials::form::may_be_secret;
use crate::nearest::did_you_mean;

/// Where the models stand that may be used, and their aliases.
pub(super) const MODELS: [&str; 3] = ["agents", "defaults", "models"];

/// The config and everything around it.
pub(super) struct ModelScope {
    pub(super) settings: Settings,
    /// The agent that was named.
    pub(super) agent: Option<String>,
    /// What providers said that they have.
    pub(super) lists: Lists,
}

/// What came of a change.
#[derive(Debug)]
pub(super) struct Saved {
    /// Whether the config was written.
    pub(super) config_updated: bool,
    /// What came of telling a running gateway.
    pub(super) gateway: Option<Told>,
}

impl ModelScope {
    /// Reads the config, and the lists that are kept; writes nothing.
    pub(super) fn open(
        options: &GlobalOptions,
        agent: Option<&str>,
        printer: &mut Printer,
    ) -> Result<Self, Failure> {
        let settings = options.settings()?;
        let agent = agent.map(|typed| find_agent(&settings, typed)).transpose()?;
        let agent = agent.map(|agent| agent.as_str().to_owned());
        let lists = Lists::kept(&settings, printer)?;
        Ok(Self {
            settings,
            agent,
            lists,
        })
    }

    /// Now, in Unix milliseconds.
    pub(super) fn now_ms() -> u64 {
        coderclaw_actors::SystemClock::start().now().as_unix_ms()
    }

    /// The config, open for changes.
    pub(super) fn editor(&self) -> Result<ConfigEditor, Failure> {
        Ok(ConfigEditor::open(&self.settings.config_path)?)
    }

    /// The model that was typed: an alias, a `provider/model`, or a bare name that one provider has.
    pub(super) fn find(&self, catalogue: &Catalogue, typed: &str) -> Result<Target, Failure> {
        let error = match catalogue.find(typed) {
            Ok(target) => return Ok(target),
            Err(error) => error,
        };
        let listers = self.lists.listers(typed.trim());
        if let (ResolveError::UnknownModel { .. }, [target]) = (&error, listers.as_slice()) {
            return Ok(target.clone());
        }
        let help = "write it as `provider/model`; `coderclaw models list --all` shows what there is";
        if may_be_secret(typed) {
            let shown = name::shown(typed);
            return Err(Failure::new(
                format_args!("invalid model reference: {shown}"),
                help,
            ));
        }
        let what = match error {
            ResolveError::UnknownModel { .. } if !listers.is_empty() => {
                let all: Vec<String> = listers.iter().map(|target| format!("`{target}`")).collect();
                format!("several providers have it: {}", all.join(", "))
            }
            ResolveError::UnknownModel { ref nearest, .. } if nearest.is_empty() => {
                let known: Vec<String> = self.lists.keys().collect();
                let names = known.iter().filter_map(|key| key.rsplit('/').next());
                let hint = did_you_mean(typed, known.iter().map(String::as_str).chain(names));
                format!("there is no alias and no known model of that name{hint}")
            }
            error => error.to_string(),
        };
        let shown = name::shown(typed.trim());
        Err(Failure::new(
            format_args!("invalid model reference: {shown}: {what}"),
            help,
        ))
    }

    /// What speaks against a model, though it can be asked for.
    pub(super) fn doubt(&self, target: &Target) -> Option<String> {
        let kept = self.lists.of(&target.provider)?;
        let configured = self.settings.provider(target.provider.as_str());
        let is_configured = configured.is_some_and(|provider| provider.models.contains(&target.model));
        if is_configured || self.lists.model(&target.provider, &target.model).is_some() {
            return None;
        }
        let ids = kept.models.iter().map(|model| model.id.as_str());
        let hint = did_you_mean(&target.model, ids);
        Some(format!(
            "{} did not list `{}` when it was last asked{hint}",
            target.provider, target.model
        ))
    }

    /// Writes the config, if anything was changed, and tells the running gateway.
    pub(super) fn save(&self, editor: ConfigEditor) -> Result<Saved, Failure> {
        let config_updated = editor.save()?;
        let gateway = config_updated.then(|| told::reload(&self.settings)).flatten();
        Ok(Saved {
            config_updated,
            gateway,
        })
    }

    /// `Updated …`, if it was.
    pub(super) fn tell_updated(&self, saved: &Saved, printer: &mut Printer) -> std::io::Result<()> {
        if saved.config_updated {
            printer.line(format_args!("Updated {}", self.settings.config_path.display()))
        } else {
            printer.line("Nothing was changed.")
        }
    }
}

impl Saved {
    /// Says whether a running gateway obeys.
    pub(super) fn tell_gateway(&self, printer: &mut Printer) -> std::io::Result<()> {
        self.gateway.as_ref().map_or(Ok(()), |told| told.tell(printer))
    }

    /// Says if a running gateway does not obey; for outputs that are for programs.
    pub(super) fn tell_trouble(&self, printer: &mut Printer) -> std::io::Result<()> {
        let told = self.gateway.as_ref();
        told.map_or(Ok(()), |told| told.tell_trouble(printer))
    }
}

/// Adds a model to those that may be used, if they are listed and none of the entries has it.
pub(super) fn allow(editor: &mut ConfigEditor, target: &Target) -> Result<bool, Failure> {
    let catalogue = editor.catalogue()?;
    let entries = editor.get(&MODELS).and_then(serde_json::Value::as_object);
    let has_it = entries.is_some_and(|entries| {
        let whole = format!("{}/*", target.provider);
        let mut keys = entries
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, _)| key);
        keys.any(|key| key.trim() == whole || catalogue.find(key).as_ref() == Ok(target))
    });
    if !catalogue.is_restricted() || has_it {
        return Ok(false);
    }
    let [agents, defaults, models] = MODELS;
    editor.set(
        &[agents, defaults, models, &target.to_string()],
        serde_json::json!({}),
    )?;
    Ok(true)
}
