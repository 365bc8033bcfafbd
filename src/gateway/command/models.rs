//! The numbered list of models.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::scene::Scene;
use crate::config::{Choice, Target, endpoints_of};

/// Models that are listed; every other one can be named.
const LISTED_MAX: usize = 100;

/// The list, as a chat shows it. The session is known to have seen it.
#[must_use]
pub(super) fn told(scene: &Scene<'_>) -> String {
    let choices = choices(scene);
    if let Some(session) = scene.session {
        session.shown(digest(&choices));
    }
    if choices.is_empty() {
        return format!(
            "No model is configured that {} serves: set `agents.defaults.model`, give one an alias in \
             `agents.defaults.models`, or list it in `models.providers.<id>.models`. Any model can be named: \
             `/model provider/model`.",
            endpoints_of(scene.api)
        );
    }
    let current = scene.current();
    let mut text = format!("Models that {} serves:\n", endpoints_of(scene.api));
    for (place, choice) in choices.iter().take(LISTED_MAX).enumerate() {
        let mut facts = choice.aliases.clone();
        if choice.is_default {
            facts.push("default".to_owned());
        }
        if current.as_ref() == Some(&choice.target) {
            facts.push("current".to_owned());
        }
        // Writing to a String can't fail.
        let _infallible = write!(text, "\n{}. `{}`", place + 1, choice.target);
        if !facts.is_empty() {
            let _infallible = write!(text, " ({})", facts.join(", "));
        }
    }
    match choices.len().saturating_sub(LISTED_MAX) {
        0 => {}
        more => {
            let _infallible = write!(text, "\n\n… and {more} more, to be named as `provider/model`.");
        }
    }
    text.push_str(
        "\n\nSwitch with `/model <number>` or `/model <name>`; any other model as `provider/model`.",
    );
    text
}

/// The model of that number.
///
/// # Errors
/// If there is none, or the session was shown another list last.
pub(super) fn numbered(scene: &Scene<'_>, number: usize) -> Result<Target, String> {
    let choices = choices(scene);
    let shown = scene.session.and_then(super::super::session::Session::last_list);
    if shown.is_some_and(|shown| shown != digest(&choices)) {
        return Err(
            "the list of models is not the one that this session was shown: look again with `/model list`"
                .to_owned(),
        );
    }
    let count = choices.len().min(LISTED_MAX);
    let place = number.checked_sub(1).filter(|place| *place < count);
    match place.and_then(|place| choices.into_iter().nth(place)) {
        Some(choice) => Ok(choice.target),
        None if count == 0 => Err(format!(
            "there is no model number {number}: none is configured that {} serves",
            endpoints_of(scene.api)
        )),
        None => Err(format!(
            "there is no model number {number}: they go from 1 to {count}, see `/model list`"
        )),
    }
}

fn choices(scene: &Scene<'_>) -> Vec<Choice> {
    scene.catalogue().choices(scene.api, scene.agent_id)
}

/// What tells one list from another within this process.
fn digest(choices: &[Choice]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for choice in choices {
        choice.target.hash(&mut hasher);
    }
    hasher.finish()
}
