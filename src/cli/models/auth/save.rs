//! Storing a credential: the store, the note of it in the config, and the word to the running gateway.

pub(super) mod config;
mod report;

use std::process::ExitCode;

use coderclaw_actors::domain::credential::{CredentialKind, Fingerprint, ProfileId, ProviderId};

use super::reference;
use super::scope::Scope;
use super::secret::tell;
use crate::cli::exit::Failure;
use crate::cli::printer::Printer;
use crate::cli::told;
use crate::config::edit::{ConfigEditor, EditError};
use crate::credentials::store::{AuthStore, NewCredential, StoredCredential, StoredSecret};

use report::Report;

/// A credential that is to be stored.
pub(super) struct NewProfile {
    pub(super) id: ProfileId,
    pub(super) provider: ProviderId,
    pub(super) email: Option<String>,
    pub(super) credential: NewCredential,
    /// What people see of its secret.
    pub(super) fingerprint: Option<Fingerprint>,
    /// Whether it may take the place of a login, or of what is not understood.
    pub(super) force: bool,
}

/// Stores it, notes it in the config, tells the running gateway, and says so. The config is read first and written
/// last: one that can't be read leaves the store as it was.
pub(super) fn save(
    scope: &Scope,
    new: NewProfile,
    mut notes: Vec<String>,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let mut editor = ConfigEditor::open(&scope.settings.config_path)?;
    config::note(&mut editor, &new)?;
    config::check(&editor)?;
    let was_open = scope.store.exposure().is_some();
    notes.extend(duplicates(scope, &new)?);
    let reference = reference_of(&new.credential);
    let expires_ms = expires_ms(&new.credential);
    let fingerprint = new.fingerprint;
    let (id, provider, kind) = (new.id.clone(), new.provider.clone(), new.credential.kind());
    let (replaced, order) = scope.store.update(|store| put(store, new))?;
    let config_updated = editor.save().map_err(|error| half_done(scope, &id, error))?;
    if was_open && scope.store.exposure().is_none() {
        notes.push(
            "others on this machine could read the store until now: make new keys if anyone did".to_owned(),
        );
    }
    notes.extend(exclusions(scope, &id, &provider)?);
    let report = Report {
        profile_id: &id,
        provider: &provider,
        kind,
        fingerprint,
        reference,
        expires_ms,
        replaced,
        order,
        config_updated,
        gateway: told::reload(&scope.settings),
        warnings: &notes,
    };
    tell(&notes, printer)?;
    report.print(scope, printer)?;
    Ok(ExitCode::SUCCESS)
}

fn reference_of(credential: &NewCredential) -> Option<String> {
    match credential {
        NewCredential::ApiKey(StoredSecret::Elsewhere(value))
        | NewCredential::Token(StoredSecret::Elsewhere(value), _) => Some(reference::describe(value)),
        _ => None,
    }
}

fn expires_ms(credential: &NewCredential) -> Option<u64> {
    match credential {
        NewCredential::ApiKey(_) => None,
        NewCredential::Token(_, end) => *end,
        NewCredential::Oauth(login) => login.expires_ms,
    }
}

/// What was in its place, and the agent's own order, in which it now is the first.
type Put = (Option<&'static str>, Option<Vec<ProfileId>>);

fn put(store: &mut AuthStore, new: NewProfile) -> Result<Put, Failure> {
    let id = &new.id;
    let before = store.profile(id.as_str()).map(|profile| profile.credential);
    let in_the_way = match &before {
        Some(StoredCredential::Oauth(_)) if new.credential.kind() != CredentialKind::Oauth => {
            Some("a login, which would be lost")
        }
        None if store.holds(id.as_str()) => Some("a profile of a type that is not known here"),
        _ => None,
    };
    if let Some(what) = in_the_way.filter(|_| !new.force) {
        return Err(Failure::new(
            format_args!("`{id}` is {what}; nothing was saved"),
            "give another `--profile-id`; `--force` replaces it",
        ));
    }
    store.put(id, &new.provider, new.email.as_deref(), new.credential);
    let order = store.order(&new.provider).map(|mut order| {
        order.retain(|other| other != id);
        order.insert(0, id.clone());
        store.set_order(&new.provider, Some(&order));
        order
    });
    Ok((before.map(|before| before.kind().as_str()), order))
}

/// The store has it, and the config does not.
fn half_done(scope: &Scope, id: &ProfileId, error: EditError) -> Failure {
    let done = format!(
        "`{id}` is stored in {}, but was not noted in {}",
        scope.store.path().display(),
        scope.settings.config_path.display()
    );
    Failure::from(error).after(
        done,
        "mend that and run the command again: it notes what is missing",
    )
}

/// The same secret under another id: a pool has each secret once.
fn duplicates(scope: &Scope, new: &NewProfile) -> Result<Option<String>, Failure> {
    let (NewCredential::ApiKey(StoredSecret::Here(secret))
    | NewCredential::Token(StoredSecret::Here(secret), _)) = &new.credential
    else {
        return Ok(None);
    };
    let holds = |credential: &StoredCredential| match credential {
        StoredCredential::ApiKey { key: place } | StoredCredential::Token { token: place, .. } => {
            matches!(place, StoredSecret::Here(other) if other == secret)
        }
        StoredCredential::Oauth(_) => false,
    };
    let stored = scope.profiles()?.profiles();
    let stored = stored.iter().filter(|profile| holds(&profile.credential));
    let ambient = scope.settings.pool(new.provider.as_str());
    let ambient = ambient.iter().flat_map(|pool| &pool.members);
    let ambient = ambient.filter(|member| member.secret == *secret);
    let mut ids = stored
        .map(|profile| &profile.id)
        .chain(ambient.map(|member| &member.id));
    let other = ids.find(|other| **other != new.id);
    Ok(other.map(|other| format!("`{other}` is the same secret, and a secret counts once")))
}

/// What keeps it from being used though it is stored.
fn exclusions(scope: &Scope, id: &ProfileId, provider: &ProviderId) -> Result<Vec<String>, Failure> {
    let mut notes = Vec::new();
    if let Some(order) = scope
        .profiles()?
        .order(provider)
        .filter(|order| !order.contains(id))
    {
        let mut ids: Vec<&str> = order.iter().map(ProfileId::as_str).collect();
        ids.insert(0, id.as_str());
        notes.push(format!(
            "the order of agent main, which {} goes by, leaves it out; to use it: coderclaw models auth order set \
             --agent {} --provider {provider} {}",
            scope.agent,
            scope.agent,
            ids.join(" ")
        ));
    }
    notes.extend(
        scope
            .live(provider)
            .map(|live| format!("`{live}` is the only credential of {provider} in use as long as it is set")),
    );
    Ok(notes)
}
