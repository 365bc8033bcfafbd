//! The logins of an agent's own store, for whoever keeps them alive.

use std::path::Path;
use std::sync::Arc;

use coderclaw_actors::domain::credential::{Fingerprint, ProfileId, Secret};

use super::{AuthStore, NewCredential, OauthSecrets, StoreError, StoreFile, StoredCredential, StoredProfile};
use crate::credentials::oauth::{self, OauthStore, Replaced, StoredOauth, Tokens};

/// The logins of an agent's own store.
#[derive(Debug)]
pub struct AgentLogins(StoreFile);

impl AgentLogins {
    /// The logins in the own store of `agent`.
    #[must_use]
    pub fn of(state_dir: &Path, agent: &str) -> Self {
        Self(StoreFile::of_agent(state_dir, agent))
    }
}

impl OauthStore for AgentLogins {
    fn read(&self, id: &ProfileId) -> Result<StoredOauth, oauth::StoreError> {
        let content = self.0.read().map_err(|error| failed(&error))?;
        if !content.holds(id.as_str()) {
            return Err(oauth::StoreError::Missing(id.clone()));
        }
        let (profile, login) = login_of(&content, id)?;
        Ok(stored_oauth(&profile, login, self.0.path()))
    }

    fn replace(
        &self,
        id: &ProfileId,
        old_refresh: Fingerprint,
        tokens: &Tokens,
    ) -> Result<Replaced, oauth::StoreError> {
        let replaced = self.0.update(|content| {
            let Ok((profile, login)) = login_of(content, id) else {
                return Ok(Replaced::Changed);
            };
            if login.refresh.as_ref().map(Secret::fingerprint) != Some(old_refresh) {
                return Ok(Replaced::Changed);
            }
            let fresh = OauthSecrets {
                access: Some(tokens.access.clone()),
                refresh: tokens.refresh.clone().or(login.refresh),
                expires_ms: Some(tokens.expires_at_ms),
                account_id: tokens.account_id.clone().or(login.account_id),
            };
            let email = tokens.email.as_deref();
            content.put(id, &profile.provider, email, NewCredential::Oauth(fresh));
            Ok::<_, StoreError>(Replaced::Done)
        });
        replaced.map_err(|error| failed(&error))
    }
}

/// A profile's login as its store at `path` holds it.
pub(in crate::credentials) fn stored_oauth(
    profile: &StoredProfile,
    login: OauthSecrets,
    path: &Path,
) -> StoredOauth {
    StoredOauth {
        provider: profile.provider.clone(),
        place: Arc::from(path.display().to_string()),
        access: login.access.unwrap_or_else(|| Secret::new(String::new())),
        refresh: login.refresh,
        expires_at_ms: login.expires_ms.unwrap_or_default(),
        account: login.account_id.or_else(|| profile.email.clone()),
    }
}

fn login_of(content: &AuthStore, id: &ProfileId) -> Result<(StoredProfile, OauthSecrets), oauth::StoreError> {
    let profile = content.profile(id.as_str());
    match profile {
        Some(profile) => match profile.credential.clone() {
            StoredCredential::Oauth(login) => Ok((profile, login)),
            _ => Err(oauth::StoreError::NotOauth(id.clone())),
        },
        None => Err(oauth::StoreError::NotOauth(id.clone())),
    }
}

fn failed(error: &StoreError) -> oauth::StoreError {
    oauth::StoreError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::store::MAIN_AGENT;
    use coderclaw_actors::domain::credential::ProviderId;

    const OLD: &str = "rt_9vTq2LxW8bNcR4yHsJ6kPzM1aGdF3eUo";

    fn secret(value: &str) -> Secret {
        Secret::new(value.to_owned())
    }

    /// A login of the agent `work`, which `main` has under the same id.
    fn logins() -> (tempfile::TempDir, AgentLogins, ProfileId) {
        let folder = tempfile::tempdir().unwrap();
        let id = ProfileId::new("corp:me");
        let login = OauthSecrets {
            access: Some(secret("at_Zk3vQ8nB1xW5yT7mL2cR9dF4gH6jK0pS")),
            refresh: Some(secret(OLD)),
            expires_ms: Some(5),
            account_id: Some("acct-1".to_owned()),
        };
        for agent in [MAIN_AGENT, "work"] {
            let put = |content: &mut AuthStore| {
                let login = NewCredential::Oauth(login.clone());
                content.put(&id, &ProviderId::new("corp"), None, login);
                Ok::<_, StoreError>(())
            };
            StoreFile::of_agent(folder.path(), agent).update(put).unwrap();
        }
        let logins = AgentLogins::of(folder.path(), "work");
        (folder, logins, id)
    }

    fn tokens() -> Tokens {
        Tokens {
            access: secret("at_fresh0fresh1fresh2fresh3fresh4"),
            refresh: None,
            expires_at_ms: 9,
            account_id: None,
            email: Some("me@example.org".to_owned()),
            scopes: Vec::new(),
        }
    }

    #[test]
    fn tokens_go_to_the_agent_s_own_store_and_no_other() {
        let (folder, logins, id) = logins();
        let old = secret(OLD).fingerprint();
        assert_eq!(logins.replace(&id, old, &tokens()), Ok(Replaced::Done));
        let stored = logins.read(&id).unwrap();
        assert_eq!((stored.access, stored.expires_at_ms), (tokens().access, 9));
        assert_eq!(
            stored.refresh,
            Some(secret(OLD)),
            "none came, so the old one stays good"
        );
        assert_eq!(stored.account.as_deref(), Some("acct-1"));
        let of_main = AgentLogins::of(folder.path(), MAIN_AGENT).read(&id).unwrap();
        assert_eq!(of_main.expires_at_ms, 5);
    }

    #[test]
    fn another_login_is_left_alone() {
        let (_folder, logins, id) = logins();
        let stranger = secret("rt_of_another_login_0123456789").fingerprint();
        assert_eq!(logins.replace(&id, stranger, &tokens()), Ok(Replaced::Changed));
        assert_eq!(logins.read(&id).unwrap().expires_at_ms, 5);
        let missing = ProfileId::new("corp:gone");
        assert!(matches!(
            logins.read(&missing),
            Err(oauth::StoreError::Missing(_))
        ));
    }
}
