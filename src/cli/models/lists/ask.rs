//! Asking providers for their lists, with credentials of their pools, each within a time and all at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use coderclaw_actors::domain::credential::{AuthProfile, ProfileId, ProviderId};
use coderclaw_actors::{SharedClock, StateName, SystemClock};
use futures_util::{StreamExt as _, stream};

use crate::cli::exit::Failure;
use crate::cli::inquiry::remembered;
use crate::cli::printer::Printer;
use crate::config::{Provider, Settings};

use crate::model_list::{KeptLists, ModelList};
use crate::status::Report;
use crate::upstream::models::{ListError, Lister};

/// So many providers are asked at once.
const PARALLEL_MAX: usize = 16;

/// The credentials of each provider that can be used, the best first.
pub(in crate::cli::models) struct Usable<'s>(BTreeMap<&'s ProviderId, Ways<'s>>);

#[derive(Default)]
struct Ways<'s> {
    /// Those that can be sent as they are.
    now: Vec<&'s AuthProfile>,
    /// Whether there are logins that are renewed before they are sent.
    renewable: bool,
}

/// What came of asking one provider.
pub(in crate::cli::models) struct Asked {
    pub(in crate::cli::models) provider: ProviderId,
    pub(in crate::cli::models) list: Result<ModelList, ListError>,
}

impl<'s> Usable<'s> {
    /// What the pools hold, without what the last gateway knew to be disabled, and what has expired.
    pub(in crate::cli::models) fn of(settings: &'s Settings, printer: &mut Printer) -> io::Result<Self> {
        let saved = remembered(settings, printer)?;
        let clock: SharedClock = Arc::new(SystemClock::start());
        let now = clock.now();
        let report = Report::of_settings(settings, None, &saved, &clock);
        let mut all = BTreeMap::new();
        for told in &report.auth.providers {
            let Some(pool) = settings.pool(told.provider.as_str()) else {
                continue;
            };
            let members: HashMap<&ProfileId, &AuthProfile> =
                pool.members.iter().map(|member| (&member.id, member)).collect();
            let mut ways = Ways::default();
            let mut ranked: Vec<_> = told.credentials.iter().collect();
            ranked.retain(|credential| credential.state != StateName::Disabled);
            // One that rests may list models all the same, but one that does not rest comes first.
            ranked.sort_by_key(|credential| credential.state != StateName::Available);
            for credential in ranked {
                match members.get(&credential.id) {
                    Some(member) if !member.is_expired(now) => ways.now.push(member),
                    _ => ways.renewable |= credential.refreshable,
                }
            }
            all.insert(&pool.provider, ways);
        }
        Ok(Self(all))
    }

    /// The providers that have one, be it after a renewal.
    pub(in crate::cli::models) fn providers(&self) -> BTreeSet<ProviderId> {
        let having = self
            .0
            .iter()
            .filter(|(_, ways)| ways.renewable || !ways.now.is_empty());
        having.map(|(provider, _)| (*provider).clone()).collect()
    }

    /// Those of a provider that can be sent as they are.
    pub(in crate::cli::models) fn of_provider(&self, provider: &ProviderId) -> &[&'s AuthProfile] {
        self.0
            .get(provider)
            .map(|ways| ways.now.as_slice())
            .unwrap_or_default()
    }
}

/// Asks `providers` for their lists, straight at them, and keeps what they say. Changes no state of a credential.
pub(in crate::cli::models) fn ask(
    settings: &Settings,
    usable: &Usable<'_>,
    providers: &[&Provider],
    deadline: Duration,
    printer: &mut Printer,
) -> Result<Vec<Asked>, Failure> {
    if providers.is_empty() {
        return Ok(Vec::new());
    }
    let none = |error: io::Error| {
        Failure::new(
            format_args!("no provider can be asked: {error}"),
            "see that the system's certificates can be read",
        )
    };
    let lister = Lister::new(deadline, Arc::new(SystemClock::start())).map_err(none)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(none)?;
    let asking = providers.iter().map(|provider| {
        let (lister, credentials) = (&lister, usable.of_provider(&provider.id));
        async move {
            Asked {
                provider: provider.id.clone(),
                list: lister.list(provider, credentials).await,
            }
        }
    });
    let mut asked = runtime.block_on(
        stream::iter(asking)
            .buffer_unordered(PARALLEL_MAX)
            .collect::<Vec<_>>(),
    );
    // A name that is still being looked up would hold the program past every deadline.
    runtime.shutdown_background();
    asked.sort_by(|a, b| a.provider.cmp(&b.provider));
    keep(settings, &asked, printer)?;
    Ok(asked)
}

/// Keeps the lists. One that can't be kept is shown all the same.
fn keep(settings: &Settings, asked: &[Asked], printer: &mut Printer) -> io::Result<()> {
    let kept = KeptLists::of(&settings.state_dir);
    for list in asked.iter().filter_map(|asked| asked.list.as_ref().ok()) {
        let Some(provider) = settings.provider(list.provider.as_str()) else {
            continue;
        };
        if let Err(error) = kept.keep(provider, list) {
            printer.warning(format_args!("the list of {} is not kept: {error}", list.provider))?;
        }
    }
    Ok(())
}
