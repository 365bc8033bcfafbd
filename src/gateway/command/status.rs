//! What serves, and how every credential is that could: never a piece of a secret.

use coderclaw_actors::domain::credential::{CredentialKind, ModelClass, ProfileId, ProviderId};
use coderclaw_actors::{CredentialSnapshot, PoolSnapshot, StateName, Timestamp};

use super::super::session::{Pin, Session};
use super::act::current;
use super::scene::Scene;
use crate::config::Provider;
use crate::span;

/// Credentials of one provider that are shown, besides the next and the pinned one.
const CREDENTIALS_MAX: usize = 20;
/// Other providers that are shown.
const PROVIDERS_MAX: usize = 20;

/// The status, as a chat shows it.
#[must_use]
pub(super) fn told(scene: &Scene<'_>) -> String {
    let model = scene.current();
    let mut parts = vec![current(scene)];
    let default = scene.default_model();
    let default = default.map_or_else(|| "none".to_owned(), |model| format!("`{model}`"));
    parts.push(format!("Default: {default}"));
    parts.push(format!("Agent: {}", scene.agent_id));
    parts.extend(scene.note());
    let here = model.as_ref().map(|model| &model.provider);
    if let Some(model) = &model {
        parts.extend(provider(scene, &model.provider, &model.class()));
    }
    // A pin elsewhere holds for what goes there.
    let pin = scene.session.and_then(Session::pin);
    if let Some(pin) = pin.filter(|pin| here != Some(&pin.provider)) {
        parts.extend(provider(scene, &pin.provider, &ModelClass::new("")));
    }
    let shown = [here, pin.map(|pin| &pin.provider)];
    parts.extend(others(scene, &shown));
    parts.join("\n\n")
}

/// How the credential of `pin` rests, if it does.
#[must_use]
pub(super) fn rest_of(scene: &Scene<'_>, pin: &Pin) -> Option<String> {
    let snapshot = scene
        .control
        .provider(pin.provider.as_str())?
        .snapshot_of(scene.agent);
    let mut credentials = snapshot.credentials.iter();
    let credential = credentials.find(|credential| credential.profile == pin.profile)?;
    (credential.state != StateName::Available).then(|| state(credential, None, scene.now))
}

/// One provider with each of its credentials.
fn provider(scene: &Scene<'_>, id: &ProviderId, class: &ModelClass) -> Option<String> {
    let provider = scene.settings.provider(id.as_str())?;
    let mut lines = vec![format!("{}:", heading(provider))];
    let snapshot = scene
        .control
        .provider(id.as_str())
        .map(|handle| handle.snapshot_of(scene.agent));
    let Some(snapshot) = snapshot.filter(|snapshot| !snapshot.credentials.is_empty()) else {
        let hint = scene.settings.places_looked(scene.agent, id.as_str()).hint;
        lines.push(format!("no credential: {hint}"));
        return Some(lines.join("\n\n"));
    };
    lines.push(credentials(scene, &snapshot, class).join("\n"));
    Some(lines.join("\n\n"))
}

fn heading(provider: &Provider) -> String {
    let apis: Vec<&str> = provider.apis.iter().map(crate::wire::Api::as_str).collect();
    format!(
        "{} at {} ({})",
        provider.id,
        provider.base.as_str(),
        apis.join(", ")
    )
}

fn credentials(scene: &Scene<'_>, snapshot: &PoolSnapshot, class: &ModelClass) -> Vec<String> {
    let pin = scene.session.and_then(Session::pin);
    let pinned = pin.filter(|pin| pin.provider == snapshot.provider);
    let pinned = pinned.map(|pin| &pin.profile);
    let next = next(scene, snapshot, class, pinned);
    let mut left_out = 0;
    let mut lines = Vec::new();
    for (place, credential) in snapshot.credentials.iter().enumerate() {
        let is_next = next.as_ref() == Some(&credential.profile);
        let is_pinned = pinned == Some(&credential.profile);
        if place >= CREDENTIALS_MAX && !is_next && !is_pinned {
            left_out += 1;
            continue;
        }
        let mut line = row(scene, credential, class);
        for (mark, holds) in [("next", is_next), ("pinned", is_pinned)] {
            if holds {
                line.push_str(", **");
                line.push_str(mark);
                line.push_str("**");
            }
        }
        lines.push(format!("{}. {line}", place + 1));
    }
    if let Some(gone) = pinned.filter(|id| !snapshot.credentials.iter().any(|one| one.profile == **id)) {
        lines.push(format!("- `{gone}`: **pinned**, and not among them"));
    }
    if left_out > 0 {
        lines.push(format!("- … and {left_out} more"));
    }
    lines
}

/// Which credential serves the session's next request: the pinned one, the one that it had last, or the pool's next.
fn next(
    scene: &Scene<'_>,
    snapshot: &PoolSnapshot,
    class: &ModelClass,
    pinned: Option<&ProfileId>,
) -> Option<ProfileId> {
    let serves = |credential: &&CredentialSnapshot| {
        let rests_here = credential.models.iter().any(|model| model.class == *class);
        credential.state == StateName::Available && !rests_here
    };
    let mut credentials = snapshot.credentials.iter();
    if let Some(pinned) = pinned {
        let credential = credentials.find(|credential| credential.profile == *pinned);
        return credential.filter(serves).map(|one| one.profile.clone());
    }
    let kept = scene.session.and_then(|session| session.kept(&snapshot.provider));
    let kept = kept.and_then(|identity| {
        let pool = scene.settings.pool_of(scene.agent, snapshot.provider.as_str())?;
        let member = pool.members.iter().find(|member| member.identity() == identity)?;
        let credential = credentials
            .clone()
            .find(|credential| credential.profile == member.id);
        credential.filter(serves)
    });
    let of_class = || {
        let mut credentials = snapshot.credentials.iter();
        credentials.find(|credential| credential.next_for.contains(class))
    };
    let of_pool = || snapshot.credentials.iter().find(|credential| credential.next);
    let next = kept.or_else(of_class).or_else(of_pool);
    next.map(|credential| credential.profile.clone())
}

/// One credential: `openai:work` `api_key` 3f2a9c01, available.
fn row(scene: &Scene<'_>, credential: &CredentialSnapshot, class: &ModelClass) -> String {
    let kind: CredentialKind = credential.kind;
    let mut row = format!(
        "`{}` {} {}, {}",
        credential.profile,
        kind.as_str(),
        credential.fingerprint,
        state(credential, Some(class), scene.now)
    );
    if let Some(end) = credential.expires_at_ms.filter(|end| *end > 0) {
        let left = end.saturating_sub(scene.now.as_unix_ms());
        let renews = scene
            .settings
            .renews(credential.owner.as_ref(), &credential.profile);
        match (left, renews) {
            (0, false) => row.push_str(", expired"),
            (_, true) => row.push_str(", renews itself"),
            (left, false) => {
                row.push_str(", expires in ");
                row.push_str(&span::short(left));
            }
        }
    }
    row
}

/// `available`, or how and for how long it rests.
fn state(credential: &CredentialSnapshot, class: Option<&ModelClass>, now: Timestamp) -> String {
    let of_class = class.and_then(|class| {
        let mut models = credential.models.iter();
        models.find(|model| model.class == *class)
    });
    let (state, until, reason, scope) = match of_class {
        Some(model) if credential.state == StateName::Available => {
            (model.state, model.until_ms, model.reason, " for this model")
        }
        _ => (credential.state, credential.until_ms, credential.reason, ""),
    };
    let mut text = format!("{}{scope}", state.as_str());
    if let Some(until) = until.filter(|until| *until > now.as_unix_ms()) {
        text.push_str(" for ");
        text.push_str(&span::short(until - now.as_unix_ms()));
    }
    if let Some(reason) = reason.filter(|_| state != StateName::Available) {
        text.push_str(" (");
        text.push_str(reason.as_str());
        text.push(')');
    }
    text
}

/// A line for each other provider that has a credential.
fn others(scene: &Scene<'_>, shown: &[Option<&ProviderId>]) -> Option<String> {
    let mut lines = Vec::new();
    for handle in scene.control.providers() {
        let id = handle.id();
        if shown.contains(&Some(id)) || !handle.has_credentials(scene.agent) {
            continue;
        }
        let Some(provider) = scene.settings.provider(id.as_str()) else {
            continue;
        };
        let credentials = handle.snapshot_of(scene.agent).credentials;
        let available = credentials
            .iter()
            .filter(|credential| credential.state == StateName::Available);
        lines.push(format!(
            "- {}: {} of {} available",
            heading(provider),
            available.count(),
            credentials.len()
        ));
    }
    let more = lines.len().saturating_sub(PROVIDERS_MAX);
    lines.truncate(PROVIDERS_MAX);
    if more > 0 {
        lines.push(format!("- … and {more} more"));
    }
    (!lines.is_empty()).then(|| format!("Other providers:\n\n{}", lines.join("\n")))
}
