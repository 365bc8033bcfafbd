//! A key that has no profile with the older tool and becomes one here: of the config, or of a variable.

use coderclaw_actors::domain::credential::{ProfileId, ProviderId, Secret};
use serde_json::Value;

use super::line::Verdict;
use super::plan::{Facts, Plan, StoreChange};
use super::profiles::source;
use super::stores::Place;
use crate::credentials::store::{MAIN_AGENT, NewCredential, StoredCredential, StoredSecret};

/// What becomes a profile of `main`.
pub(super) struct NewProfile<'n> {
    pub(super) provider: &'n str,
    pub(super) id: &'n str,
    pub(super) is_token: bool,
    /// The secret, where it is written out.
    pub(super) secret: Option<Secret>,
    /// What is written instead of it.
    pub(super) reference: Option<Value>,
    /// Where a reference finds it.
    pub(super) place: Option<Place>,
}

impl NewProfile<'_> {
    /// Plans the profile, unless there is one of its name; what the report says of it.
    pub(super) fn decide(self, facts: &Facts<'_>, plan: &mut Plan) -> (Verdict, String) {
        let id = self.id;
        let (new, how) = match self.credential(facts.copy) {
            Ok(credential) => credential,
            Err(why) => return (Verdict::Left, why.to_owned()),
        };
        let ours = facts.ours.stores.get(MAIN_AGENT);
        let is_held = ours.is_some_and(|store| store.holds(id));
        let held = ours
            .and_then(|store| store.profile(id))
            .and_then(|held| secret_of(held.credential));
        if held.as_ref() == Some(&new)
            || held
                .as_ref()
                .is_some_and(|held| self.is_ours(held) && !facts.copy)
        {
            return (Verdict::Present, format!("as profile {id}"));
        }
        // What an earlier import referred to is copied now.
        let over = held.is_some_and(|held| facts.copy && self.is_reference(&held));
        if is_held && !over {
            return (
                Verdict::Left,
                format!("another profile is called {id}, and stays"),
            );
        }
        let credential = if self.is_token {
            NewCredential::Token(new, None)
        } else {
            NewCredential::ApiKey(new)
        };
        plan.stores.push(StoreChange::Put {
            agent: MAIN_AGENT.to_owned(),
            id: ProfileId::new(id),
            provider: ProviderId::new(self.provider),
            email: None,
            credential,
            over,
        });
        (Verdict::Changed, format!("becomes profile {id}; {how}"))
    }

    fn credential(&self, copy: bool) -> Result<(StoredSecret, &'static str), &'static str> {
        match (&self.secret, &self.reference, &self.place) {
            (_, Some(reference), _) if source(reference) == Some("store") => {
                Err("it is in the older tool's own vault, where no reference leads")
            }
            (_, Some(reference), _) => Ok((
                StoredSecret::Elsewhere(reference.clone()),
                "its reference is taken",
            )),
            (Some(secret), None, _) if copy => Ok((StoredSecret::Here(secret.clone()), "copied")),
            (Some(_), None, Some(place)) => Ok((
                StoredSecret::Elsewhere(place.reference()),
                "the secret stays where it is",
            )),
            (Some(_), None, None) => {
                Err("no reference leads into a file that is not plain JSON: `--copy-secrets` copies it")
            }
            (None, None, _) => Err("it holds no secret"),
        }
    }

    /// Whether ours is the very secret, copied by an earlier import.
    fn is_ours(&self, held: &StoredSecret) -> bool {
        matches!((held, &self.secret), (StoredSecret::Here(held), Some(secret)) if held == secret)
    }

    /// Whether ours is the reference that an earlier import made.
    fn is_reference(&self, held: &StoredSecret) -> bool {
        matches!((held, &self.place), (StoredSecret::Elsewhere(held), Some(place)) if *held == place.reference())
    }
}

fn secret_of(credential: StoredCredential) -> Option<StoredSecret> {
    match credential {
        StoredCredential::ApiKey { key: secret } | StoredCredential::Token { token: secret, .. } => {
            Some(secret)
        }
        StoredCredential::Oauth(_) => None,
    }
}
