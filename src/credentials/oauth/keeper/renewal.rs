//! One refresh, from the lock to the store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coderclaw_actors::domain::credential::{Fingerprint, ProfileId, Secret};
use tokio::task::spawn_blocking;

use super::{Inner, Outcome, Rejection, RenewError, Renewed, Standing};
use crate::config::OauthProvider;
use crate::credentials::oauth::client::OauthClient;
use crate::credentials::oauth::error::TokenError;
use crate::credentials::oauth::file_name::file_name;
use crate::credentials::oauth::journal::{Entry, Event, Journal, Written};
use crate::credentials::oauth::lock::AccountLock;
use crate::credentials::oauth::schedule::pause_after;
use crate::credentials::oauth::store::{Replaced, StoredOauth};
use crate::credentials::oauth::tokens::Tokens;

/// The longest that another process is waited for: longer than an exchange may take.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(45);

/// How often the store may hold another login than a moment ago.
const READS_MAX: usize = 3;

/// What is to be done, after everything that others did was looked at.
enum Plan {
    /// There is a token already.
    Have(Renewed),
    /// The provider is to be asked; that is written down.
    Ask(Box<Question>),
}

/// A refresh that is written down.
struct Question {
    journal: Journal,
    provider: OauthProvider,
    refresh: Secret,
    tries: u32,
}

impl Inner {
    /// Renews the access token, unless somebody did.
    pub(super) async fn renew(self: &Arc<Self>, profile: &ProfileId, seen: Fingerprint) -> Outcome {
        let stored = self
            .off_runtime(profile, |inner, profile| inner.read(&profile))
            .await?;
        if let Some(other) = self.other(&stored, seen) {
            return Ok(other);
        }
        let _lock = self.lock(profile, &stored).await?;
        let plan = self
            .off_runtime(profile, move |inner, profile| inner.plan(&profile, seen))
            .await?;
        let question = match plan {
            Plan::Have(renewed) => return Ok(renewed),
            Plan::Ask(question) => question,
        };
        let client = OauthClient::new(&question.provider, &self.endpoint, &*self.clock);
        let answer = client.refresh(&question.refresh).await;
        self.off_runtime(profile, move |inner, profile| {
            inner.conclude(&profile, &question, answer)
        })
        .await
    }

    /// Gives the store what a crash kept from it.
    pub(super) async fn recover(self: &Arc<Self>, profile: &ProfileId) -> Result<Standing, RenewError> {
        let stored = self
            .off_runtime(profile, |inner, profile| inner.read(&profile))
            .await?;
        let _lock = self.lock(profile, &stored).await?;
        self.off_runtime(profile, |inner, profile| {
            let stored = inner.read(&profile)?;
            if let (journal, Some(entry), Some(old)) = inner.written(&profile, &stored)?
                && let Event::Received(written) = entry.event
            {
                inner.hand_over(&profile, &journal, old, &written.tokens())?;
            }
            inner.standing(&profile)
        })
        .await
    }

    /// How the login stands, by the journal.
    pub(super) fn standing(&self, profile: &ProfileId) -> Result<Standing, RenewError> {
        let stored = self.read(profile)?;
        let Some(entry) = self.written(profile, &stored)?.1 else {
            return Ok(Standing::Good);
        };
        let providers = self.providers.load();
        if let Some(refusal) = refusal(&entry, providers.get(&stored.provider)) {
            return Ok(Standing::NeedsLogin(refusal));
        }
        Ok(match entry.event {
            Event::Asked { tries } => Standing::Waiting {
                tries,
                retry_at_ms: retry_at(entry.at_ms, tries),
            },
            Event::Received(_) | Event::Rejected { .. } => Standing::Good,
        })
    }

    fn read(&self, profile: &ProfileId) -> Result<StoredOauth, RenewError> {
        Ok(self.store.read(profile)?)
    }

    /// The stored access token, if it is good and not the one that was seen.
    fn other(&self, stored: &StoredOauth, seen: Fingerprint) -> Option<Renewed> {
        let is_other = stored.access.fingerprint() != seen && stored.expires_at_ms > self.now_ms();
        is_other.then(|| Renewed {
            access: stored.access.clone(),
            expires_at_ms: stored.expires_at_ms,
        })
    }

    /// The lock of the account; of the login alone where the account is not known.
    async fn lock(&self, profile: &ProfileId, stored: &StoredOauth) -> Result<AccountLock, RenewError> {
        self.make_folder()?;
        let parts: &[&str] = match &stored.account {
            Some(account) => &["account", account],
            None => &["login", &stored.place, profile.as_str()],
        };
        let path = self.folder.join(file_name(&stored.provider, parts, "lock"));
        match AccountLock::take(&path, LOCK_WAIT_MAX).await {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(RenewError::Busy),
            Err(error) => Err(RenewError::Journal {
                path,
                reason: error.kind().to_string(),
            }),
        }
    }

    /// The journal of a login, what it says of the refresh token that is stored now, and that token's fingerprint.
    /// What it says of another is of no meaning any more.
    fn written(
        &self,
        profile: &ProfileId,
        stored: &StoredOauth,
    ) -> Result<(Journal, Option<Entry>, Option<Fingerprint>), RenewError> {
        let journal = journal_of(&self.folder, profile, stored);
        let refresh = stored.refresh.as_ref().map(Secret::fingerprint);
        let entry = journal.read().map_err(|error| unusable(&journal, &error))?;
        let entry = entry.filter(|entry| Some(entry.asked_with) == refresh);
        Ok((journal, entry, refresh))
    }

    /// Looks at everything that others did, under the lock, and writes down what is to be done.
    fn plan(&self, profile: &ProfileId, seen: Fingerprint) -> Result<Plan, RenewError> {
        for _ in 0..READS_MAX {
            let stored = self.read(profile)?;
            if let Some(other) = self.other(&stored, seen) {
                return Ok(Plan::Have(other));
            }
            let (journal, entry, _) = self.written(profile, &stored)?;
            let refresh = stored
                .refresh
                .ok_or_else(|| RenewError::NotRefreshable(profile.clone()))?;
            let provider = self.providers.load().get(&stored.provider).cloned();
            let provider = provider.ok_or(RenewError::NotConfigured(stored.provider))?;
            let tries = match entry.map(|entry| (entry.at_ms, entry.client, entry.event)) {
                Some((_, _, Event::Received(written))) => {
                    let tokens = written.tokens();
                    let renewed = self.hand_over(profile, &journal, refresh.fingerprint(), &tokens)?;
                    if renewed.access.fingerprint() != seen && renewed.expires_at_ms > self.now_ms() {
                        return Ok(Plan::Have(renewed));
                    }
                    continue;
                }
                Some((at_ms, client, Event::Rejected { code, description }))
                    if client == client_of(&provider) =>
                {
                    return Err(RenewError::NeedsLogin(Rejection {
                        code,
                        description,
                        at_ms,
                    }));
                }
                Some((at_ms, _, Event::Asked { tries })) => {
                    let retry_at_ms = retry_at(at_ms, tries);
                    if self.now_ms() < retry_at_ms {
                        return Err(RenewError::NotYet { tries, retry_at_ms });
                    }
                    tries
                }
                Some((_, _, Event::Rejected { .. })) | None => 0,
            };
            let question = Question {
                journal,
                provider,
                refresh,
                tries: tries.saturating_add(1),
            };
            let asked = Event::Asked {
                tries: question.tries,
            };
            let begun = question.journal.begin(&self.entry(profile, &question, asked));
            begun.map_err(|error| unusable(&question.journal, &error))?;
            return Ok(Plan::Ask(Box::new(question)));
        }
        Err(RenewError::BrokenOff)
    }

    /// Writes down what the provider said, and gives the store what it handed out.
    fn conclude(
        &self,
        profile: &ProfileId,
        question: &Question,
        answer: Result<Tokens, TokenError>,
    ) -> Outcome {
        let journal = &question.journal;
        match answer {
            Ok(tokens) => {
                let received = Event::Received(Written::of(&tokens));
                if let Err(error) = journal.append(&self.entry(profile, question, received)) {
                    // The store may still take them.
                    tracing::error!(%profile, file = %journal.path().display(), %error, "new tokens can't be written down");
                }
                self.hand_over(profile, journal, question.refresh.fingerprint(), &tokens)
            }
            Err(TokenError::Rejected { code, description }) => {
                let stored = self.read(profile)?;
                if stored.refresh.as_ref() != Some(&question.refresh) {
                    // Somebody logged in meanwhile: the refusal is of no meaning any more.
                    clear(journal);
                    return Ok(Renewed {
                        access: stored.access,
                        expires_at_ms: stored.expires_at_ms,
                    });
                }
                let rejected = Event::Rejected {
                    code: code.clone(),
                    description: description.clone(),
                };
                let entry = self.entry(profile, question, rejected);
                if let Err(error) = journal.append(&entry) {
                    tracing::warn!(%profile, file = %journal.path().display(), %error, "a refusal can't be written down");
                }
                tracing::warn!(%profile, %code, "the provider refuses to refresh this login: a new one is needed");
                Err(RenewError::NeedsLogin(Rejection {
                    code,
                    description,
                    at_ms: entry.at_ms,
                }))
            }
            Err(cause) => Err(RenewError::Trouble {
                cause,
                retry_at_ms: retry_at(self.now_ms(), question.tries),
            }),
        }
    }

    /// Gives tokens that are written down to the store. They are good even if it can't take them now: then the
    /// journal keeps them until it can.
    fn hand_over(
        &self,
        profile: &ProfileId,
        journal: &Journal,
        old_refresh: Fingerprint,
        tokens: &Tokens,
    ) -> Outcome {
        match self.store.replace(profile, old_refresh, tokens) {
            Ok(Replaced::Done) => clear(journal),
            Ok(Replaced::Changed) => {
                // Somebody logged in meanwhile: theirs counts.
                clear(journal);
                let stored = self.read(profile)?;
                return Ok(Renewed {
                    access: stored.access,
                    expires_at_ms: stored.expires_at_ms,
                });
            }
            Err(error) => {
                tracing::error!(%profile, %error, "new tokens can't be stored; they are kept until they can");
            }
        }
        Ok(Renewed {
            access: tokens.access.clone(),
            expires_at_ms: tokens.expires_at_ms,
        })
    }

    fn entry(&self, profile: &ProfileId, question: &Question, event: Event) -> Entry {
        Entry {
            profile: profile.as_str().to_owned(),
            asked_with: question.refresh.fingerprint(),
            client: client_of(&question.provider),
            at_ms: self.now_ms(),
            event,
        }
    }

    /// Does what may wait for a disk where it holds up nobody. Once begun it ends, whoever leaves.
    async fn off_runtime<T, Work>(self: &Arc<Self>, profile: &ProfileId, work: Work) -> Result<T, RenewError>
    where
        T: Send + 'static,
        Work: FnOnce(&Self, ProfileId) -> Result<T, RenewError> + Send + 'static,
    {
        let (inner, profile) = (Arc::clone(self), profile.clone());
        let done = spawn_blocking(move || work(&inner, profile)).await;
        done.unwrap_or(Err(RenewError::BrokenOff))
    }
}

/// A journal that stays does no harm: what it says is of a token that nobody has any more.
fn clear(journal: &Journal) {
    if let Err(error) = journal.clear() {
        tracing::warn!(file = %journal.path().display(), %error, "a journal can't be removed");
    }
}

fn unusable(journal: &Journal, error: &std::io::Error) -> RenewError {
    RenewError::Journal {
        path: journal.path().to_owned(),
        reason: error.to_string(),
    }
}

fn retry_at(at_ms: u64, tries: u32) -> u64 {
    let pause = u64::try_from(pause_after(tries).as_millis()).unwrap_or(u64::MAX);
    at_ms.saturating_add(pause)
}

/// The refusal for good that was written down against a stored login, if there is one: until the store holds another
/// refresh token, or `provider` has another client, nobody asks again. `folder` is [`FOLDER`](super::FOLDER) of the
/// state folder; a journal that can't be read tells nothing.
#[must_use]
pub fn rejection(
    folder: &Path,
    profile: &ProfileId,
    stored: &StoredOauth,
    provider: Option<&OauthProvider>,
) -> Option<Rejection> {
    let entry = journal_of(folder, profile, stored).read().ok()??;
    let refresh = stored.refresh.as_ref().map(Secret::fingerprint);
    refusal(&entry, provider).filter(|_| Some(entry.asked_with) == refresh)
}

fn refusal(entry: &Entry, provider: Option<&OauthProvider>) -> Option<Rejection> {
    let of_another_client = provider.is_some_and(|provider| client_of(provider) != entry.client);
    match &entry.event {
        Event::Rejected { code, description } if !of_another_client => Some(Rejection {
            code: code.clone(),
            description: description.clone(),
            at_ms: entry.at_ms,
        }),
        _ => None,
    }
}

fn journal_of(folder: &Path, profile: &ProfileId, stored: &StoredOauth) -> Journal {
    let parts = [&*stored.place, profile.as_str()];
    Journal::at(folder.join(file_name(&stored.provider, &parts, "journal")))
}

/// What tells one client from another: a refusal of one says nothing of the other.
fn client_of(provider: &OauthProvider) -> Fingerprint {
    let secret = provider.client_secret.as_ref().map(Secret::fingerprint);
    let secret = secret.map_or_else(String::new, |secret| secret.to_string());
    let told = [provider.token_url.as_str(), &provider.client_id, &secret].join("\n");
    Secret::new(told).fingerprint()
}
