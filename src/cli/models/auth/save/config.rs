//! The config's notes of profiles: `auth.profiles`, and their place in an `auth.order`. It holds no secret.

use coderclaw_actors::domain::credential::{ProfileId, ProviderId};
use serde_json::{Value, json};

use super::NewProfile;
use crate::config::edit::{ConfigEditor, EditError};
use crate::config::normalise_provider_id;

/// Notes a profile, and puts it first where the config orders its provider's.
pub(super) fn note(editor: &mut ConfigEditor, new: &NewProfile) -> Result<(), EditError> {
    let facts = [
        ("provider", json!(new.provider.as_str())),
        ("mode", json!(new.credential.kind().as_str())),
    ];
    let profile = ["auth", "profiles", new.id.as_str()];
    if editor.get(&profile).is_some() {
        // What else is noted of it stays.
        let [auth, profiles, id] = profile;
        for (name, value) in facts {
            editor.set(&[auth, profiles, id, name], value)?;
        }
    } else {
        let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value));
        editor.set(&profile, Value::Object(facts.collect()))?;
    }
    if let Some(key) = order_key(editor, &new.provider) {
        editor.put_first(&["auth", "order", &key], new.id.as_str())?;
    }
    Ok(())
}

/// Takes out what the config notes of a profile. An order that would be empty goes too: an empty one bars everything.
pub(in crate::cli::models::auth) fn forget(
    editor: &mut ConfigEditor,
    id: &ProfileId,
    provider: &ProviderId,
) -> Result<(), EditError> {
    editor.remove(&["auth", "profiles", id.as_str()])?;
    if let Some(key) = order_key(editor, provider) {
        let order = ["auth", "order", &key];
        editor.take_out(&order, id.as_str())?;
        if editor
            .get(&order)
            .and_then(Value::as_array)
            .is_some_and(Vec::is_empty)
        {
            editor.remove(&order)?;
        }
    }
    Ok(())
}

/// Whether an order of the config names a provider's credentials.
pub(in crate::cli::models::auth) fn orders(editor: &ConfigEditor, provider: &ProviderId) -> bool {
    let ids = order_key(editor, provider).and_then(|key| editor.get(&["auth", "order", &key]));
    ids.and_then(Value::as_array).is_some_and(|ids| !ids.is_empty())
}

/// Whether the gateway would accept what the config then says; looked at before anything is written.
pub(in crate::cli::models::auth) fn check(editor: &ConfigEditor) -> Result<(), EditError> {
    if editor.is_changed() {
        editor.checked()?;
    }
    Ok(())
}

/// The provider's key in `auth.order`, as it is written.
fn order_key(editor: &ConfigEditor, provider: &ProviderId) -> Option<String> {
    let orders = editor.get(&["auth", "order"])?.as_object()?;
    let mut keys = orders
        .iter()
        .filter(|(_, ids)| ids.is_array())
        .map(|(key, _)| key);
    keys.find(|key| normalise_provider_id(key) == provider.as_str())
        .cloned()
}
