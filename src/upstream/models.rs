//! A provider's own list of its models, asked for with one of its credentials, page by page.
//!
//! Commands ask, never a request: nothing is remembered of the credential, and no state changes.

mod page;

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use coderclaw_actors::SharedClock;
use coderclaw_actors::domain::credential::AuthProfile;
use http::uri::InvalidUri;
use tokio::time::Instant;

use super::client::{self, Client};
use super::hear::{Unheard, hear};
use super::probe::ask::headers;
use super::probe::judge::Heard;
use super::read::Read;
use super::request::{RequestBody, RequestParts, UpstreamRequest};
use super::scrub::Scrubber;
use crate::config::Provider;
use crate::model_list::{ListedModel, MODELS_MAX, ModelList};
use crate::status::ProbeStatus;
use crate::wire::Api;

use page::Page;

/// A page is smaller, 8 MiB: the largest list known has some hundred models and half a MiB.
const PAGE_BYTES_MAX: usize = 8 << 20;
/// Pages of a thousand models each: no list has so many.
const PAGES_MAX: usize = 50;
/// So many credentials are tried, since the first may be one that the provider refuses.
const CREDENTIALS_MAX: usize = 3;

/// Asks providers for their lists.
#[derive(Clone, Debug)]
pub struct Lister {
    client: Client,
    clock: SharedClock,
    /// The longest that one provider may take, all pages together.
    deadline: Duration,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// None of the credentials can be used.
    #[error("it has no credential that can be used")]
    NoCredential,
    /// It took too long.
    #[error("no whole list within {ms} ms")]
    Late {
        /// How long it had, in milliseconds.
        ms: u128,
    },
    /// The provider refuses; in its own words.
    #[error("{what}")]
    Refused {
        /// What it says.
        what: String,
        /// Whether another credential may fare better.
        is_the_credentials: bool,
    },
    /// No answer came, or it broke off.
    #[error("{0}")]
    Broken(String),
    /// A page is larger than any may be.
    #[error("a page of its list is larger than {}", bytesize::ByteSize::b(PAGE_BYTES_MAX as u64))]
    TooLarge,
    /// The list does not end.
    #[error("its list has more than {MODELS_MAX} models or {PAGES_MAX} pages")]
    Endless,
    /// The answer is no list of models.
    #[error("its answer is no list of models: {0}")]
    Malformed(&'static str),
    /// No address can be made.
    #[error("no address can be made for it: {0}")]
    Address(#[from] InvalidUri),
}

impl Lister {
    /// A lister that gives each provider so much time.
    ///
    /// # Errors
    /// If the platform's certificates can't be read.
    pub fn new(deadline: Duration, clock: SharedClock) -> io::Result<Self> {
        Ok(Self {
            client: client::build_unpooled(deadline)?,
            clock,
            deadline,
        })
    }

    /// The list of `provider`, asked for with the first of `credentials` that it does not refuse.
    ///
    /// # Errors
    /// If there is none in time; the error is that of the last credential.
    pub async fn list(
        &self,
        provider: &Provider,
        credentials: &[&AuthProfile],
    ) -> Result<ModelList, ListError> {
        let deadline = Instant::now() + self.deadline;
        let mut outcome = Err(ListError::NoCredential);
        for profile in credentials.iter().take(CREDENTIALS_MAX) {
            outcome = self.pages(provider, profile, deadline).await;
            let is_the_credentials = matches!(
                outcome,
                Err(ListError::Refused {
                    is_the_credentials: true,
                    ..
                })
            );
            if !is_the_credentials {
                break;
            }
        }
        Ok(ModelList {
            provider: provider.id.clone(),
            base_url: provider.base.as_str().to_owned(),
            fetched_at: self.clock.now().as_unix_ms(),
            models: outcome?,
        })
    }

    async fn pages(
        &self,
        provider: &Provider,
        profile: &AuthProfile,
        deadline: Instant,
    ) -> Result<Vec<ListedModel>, ListError> {
        let api = provider.apis.iter().next().unwrap_or(Api::OpenaiCompletions);
        let scrubber = Scrubber::new(&profile.secret);
        let mut models: Vec<ListedModel> = Vec::new();
        let mut query = page::first(api);
        for _ in 0..PAGES_MAX {
            let request = ask(provider, api, query.as_deref())?;
            let body = self.page(&request, profile, deadline).await?;
            let page = Page::read(api, &body, &scrubber)?;
            models.extend(page.models);
            if models.len() > MODELS_MAX {
                return Err(ListError::Endless);
            }
            match page.next {
                None => return Ok(once_each(models)),
                next if next == query => return Err(ListError::Malformed("its next page is the same one")),
                next => query = next,
            }
        }
        Err(ListError::Endless)
    }

    /// The body of one page.
    async fn page(
        &self,
        request: &UpstreamRequest,
        profile: &AuthProfile,
        deadline: Instant,
    ) -> Result<bytes::Bytes, ListError> {
        let (head, read) = match hear(&self.client, request, profile, (PAGE_BYTES_MAX, deadline)).await {
            Ok(heard) => heard,
            Err(Unheard::Broken(what)) => return Err(ListError::Broken(what)),
            Err(Unheard::Late) => return Err(self.late()),
        };
        let body = read.bytes();
        let answer = Heard::of(request, &head, &body, self.clock.now());
        match (read, refusal(&answer, profile)) {
            // Of a refusal the status alone says much.
            (_, Some(refusal)) if answer.is_refusal() => Err(refusal),
            (Read::Cut { what, .. }, _) => Err(ListError::Broken(what)),
            (Read::Part(start), _) if start.len() > PAGE_BYTES_MAX => Err(ListError::TooLarge),
            (Read::Part(_), _) => Err(self.late()),
            (Read::Whole(_), Some(refusal)) => Err(refusal),
            (Read::Whole(body), None) => Ok(body),
        }
    }

    const fn late(&self) -> ListError {
        ListError::Late {
            ms: self.deadline.as_millis(),
        }
    }
}

/// What an answer says that is no page.
fn refusal(heard: &Heard<'_>, profile: &AuthProfile) -> Option<ListError> {
    let judged = heard.judge().scrubbed(&Scrubber::new(&profile.secret));
    let is_the_credentials = matches!(
        judged.status,
        ProbeStatus::Auth | ProbeStatus::Billing | ProbeStatus::RateLimit
    );
    judged.error.map(|what| ListError::Refused {
        what,
        is_the_credentials,
    })
}

/// The request for a page, but for the credential.
fn ask(provider: &Provider, api: Api, query: Option<&str>) -> Result<UpstreamRequest, InvalidUri> {
    let version = match api {
        Api::GoogleGenerativeAi => "/v1beta",
        _ => "/v1",
    };
    Ok(UpstreamRequest::new(RequestParts {
        provider: provider.id.clone(),
        api: Some(api),
        auth: provider.auth,
        method: http::Method::GET,
        uri: provider.base.join(version, "/models", query)?,
        headers: headers(provider, api),
        body: RequestBody::Empty,
        first_byte: None,
    }))
}

/// The first of each id: pages may overlap where a list changes meanwhile.
fn once_each(mut models: Vec<ListedModel>) -> Vec<ListedModel> {
    let mut seen = HashSet::with_capacity(models.len());
    models.retain(|model| seen.insert(model.id.clone()));
    models
}
