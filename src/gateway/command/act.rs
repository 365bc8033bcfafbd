//! What each command does and says. Nothing is changed here: what is to be chosen is handed back.

use coderclaw_actors::domain::credential::ProviderId;

use super::super::session::{Chosen, Pin, SESSION_HEADER, Session};
use super::line::Command;
use super::scene::Scene;
use super::{models, status};
use crate::config::{Catalogue, ResolveError, Target};

/// What a command came to.
#[derive(Debug)]
pub(super) struct Deed {
    /// What sort of command it was, for the log and the metrics.
    pub(super) kind: &'static str,
    /// What the caller is told.
    pub(super) text: String,
    /// What is to be chosen for the session.
    pub(super) choose: Option<Chosen>,
}

/// What `command` comes to in `scene`.
#[must_use]
pub(super) fn act(scene: &Scene<'_>, command: &Command) -> Deed {
    let told = |kind, text| Deed {
        kind,
        text,
        choose: None,
    };
    match command {
        Command::Show => told("show", show(scene)),
        Command::List => told("list", models::told(scene)),
        Command::Status => told("status", status::told(scene)),
        change => match chosen(scene, change) {
            Ok(deed) => deed,
            Err(why) => told("refused", format!("{}. Nothing was changed.", sentence(&why))),
        },
    }
}

/// `why` as a sentence begins.
fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

fn show(scene: &Scene<'_>) -> String {
    let mut lines = vec![current(scene)];
    if let Some(default) = scene
        .default_model()
        .filter(|default| scene.current().as_ref() != Some(default))
    {
        lines.push(format!("Default: `{default}`"));
    }
    lines.extend(scene.note());
    lines.push(
        "- `/model list` lists models by number\n\
         - `/model <number or name>` switches to one, `/model default` goes back\n\
         - `/model <number or name>@<profile>` also pins the session to that credential\n\
         - `/model status` shows the credentials"
            .to_owned(),
    );
    lines.join("\n\n")
}

/// What serves the session, in one line.
pub(super) fn current(scene: &Scene<'_>) -> String {
    let model = match scene.current() {
        Some(model) => format!("Current: `{model}`"),
        None if Catalogue::leaves_the_choice(scene.asked_for) => {
            "Current: none (no default model is configured: set `agents.defaults.model`, or choose one)"
                .to_owned()
        }
        None => format!("Current: `{}`, which leads nowhere here", scene.asked_for),
    };
    match scene.session.and_then(Session::pin) {
        Some(pin) => format!("{model}, pinned to `{}`", pin.profile),
        None => model,
    }
}

/// What a command that changes something is to choose.
///
/// # Errors
/// Why it can't.
fn chosen(scene: &Scene<'_>, command: &Command) -> Result<Deed, String> {
    let catalogue = scene.catalogue();
    let (model, profile) = match command {
        Command::Model { name, profile } => {
            let name = name.strip_prefix("models/").unwrap_or(name);
            let target = catalogue.meant(scene.api, scene.agent_id, name);
            (Some(target.map_err(|error| unknown(&error))?), profile)
        }
        Command::Number { number, profile } => (Some(models::numbered(scene, *number)?), profile),
        Command::Default { profile } => (None, profile),
        _ => {
            return Err(
                "a credential is pinned together with a model: `/model <model>@<profile>`".to_owned(),
            );
        }
    };
    let Some(session) = scene.session else {
        return Err(format!(
            "this request has no session to remember that for: send the header `{SESSION_HEADER}` with a key of your own"
        ));
    };
    let target = model.clone().or_else(|| scene.default_model());
    let pin = match (profile, &target) {
        (None, _) => None,
        (Some(name), Some(target)) => Some(pin(scene, &target.provider, name)?),
        (Some(_), None) => return Err("no default model is configured, so no provider to pin at".to_owned()),
    };
    let text = done(scene, session, model.as_ref(), pin.as_ref());
    let kind = match (&pin, &model) {
        (Some(_), _) => "pin",
        (None, Some(_)) => "switch",
        (None, None) => "default",
    };
    Ok(Deed {
        kind,
        text,
        choose: Some(Chosen { model, pin }),
    })
}

fn unknown(error: &ResolveError) -> String {
    match error {
        ResolveError::UnknownModel { .. } | ResolveError::NotAllowed { .. } => {
            format!("{error}; `/model list` shows what there is")
        }
        other => other.to_string(),
    }
}

fn pin(scene: &Scene<'_>, provider: &ProviderId, name: &str) -> Result<Pin, String> {
    let found = Pin::find(scene.settings, scene.agent, provider, name);
    found.map_err(|error| {
        format!(
            "{}; `/model status` shows what there is",
            error.before_it_is_pinned()
        )
    })
}

fn done(scene: &Scene<'_>, session: &Session<'_>, model: Option<&Target>, pin: Option<&Pin>) -> String {
    let mut text = match (model, scene.default_model()) {
        (Some(target), _) => match alias_of(scene, target) {
            Some(alias) => format!("Model set to {alias} (`{target}`)."),
            None => format!("Model set to `{target}`."),
        },
        (None, Some(default)) => format!("Model reset to the default (`{default}`)."),
        (None, None) => "Model reset: there is no default model.".to_owned(),
    };
    match (pin, session.pin()) {
        (Some(pin), _) => {
            text = format!(
                "{text} Pinned to `{}`: at `{}` no other credential serves this session until `/model <model>` \
                 without `@profile`.",
                pin.profile, pin.provider
            );
            text.extend(status::rest_of(scene, pin).map(|rest| format!(" It is {rest}.")));
        }
        (None, Some(before)) => text = format!("{text} The pin to `{}` is released.", before.profile),
        (None, None) => {}
    }
    let target = model.cloned().or_else(|| scene.default_model());
    for more in target
        .and_then(|target| without_credential(scene, &target))
        .into_iter()
        .chain(scene.note())
    {
        text.push_str("\n\n");
        text.push_str(&more);
    }
    text
}

/// What to do where nobody holds a credential for the model yet.
fn without_credential(scene: &Scene<'_>, target: &Target) -> Option<String> {
    let id = target.provider.as_str();
    let handle = scene.control.provider(id);
    if handle.is_some_and(|handle| handle.has_credentials(scene.agent)) {
        return None;
    }
    let hint = scene.settings.places_looked(scene.agent, id).hint;
    Some(format!(
        "Note: there is no credential for provider `{id}`. To add one, {hint}"
    ))
}

fn alias_of(scene: &Scene<'_>, target: &Target) -> Option<String> {
    let choices = scene.catalogue().choices(scene.api, scene.agent_id);
    let choice = choices.into_iter().find(|choice| choice.target == *target)?;
    choice.aliases.into_iter().next()
}
