//! The providers' own lists of models: those that are kept, and asking for others.

mod ask;

use std::collections::{BTreeMap, HashMap};
use std::io;

use coderclaw_actors::domain::credential::ProviderId;

use crate::cli::printer::Printer;
use crate::config::{Settings, Target};
use crate::model_list::{KeptError, KeptLists, ListedModel, ModelList};

pub(super) use ask::{Asked, Usable, ask};

/// What providers said that they have.
#[derive(Debug, Default)]
pub(super) struct Lists(BTreeMap<ProviderId, Listed>);

/// A list, and where each id stands in it.
#[derive(Debug)]
struct Listed {
    list: ModelList,
    places: HashMap<String, usize>,
}

impl Lists {
    /// Those that are kept. One that can't be read is warned of and counts as none.
    pub(super) fn kept(settings: &Settings, printer: &mut Printer) -> io::Result<Self> {
        let kept = KeptLists::of(&settings.state_dir);
        let mut lists = Self::default();
        let mut unreadable = None;
        for provider in &settings.providers {
            match kept.read(provider) {
                Ok(Some(list)) => lists.put(list),
                Ok(None) => {}
                Err(error @ KeptError::Malformed { .. }) => {
                    printer.warning(format_args!(
                        "{error}; `coderclaw models list --refresh` replaces it"
                    ))?;
                }
                // Where one can't be read, mostly none can, for one reason.
                Err(error) => unreadable = unreadable.or(Some(error)),
            }
        }
        if let Some(error) = unreadable {
            printer.warning(error)?;
        }
        Ok(lists)
    }

    /// Takes a list over, in place of an older one.
    pub(super) fn put(&mut self, list: ModelList) {
        let models = list.models.iter().enumerate();
        let places = models.map(|(place, model)| (model.id.clone(), place)).collect();
        self.0.insert(list.provider.clone(), Listed { list, places });
    }

    /// The list of a provider.
    pub(super) fn of(&self, provider: &ProviderId) -> Option<&ModelList> {
        self.0.get(provider).map(|listed| &listed.list)
    }

    /// A model of a provider's list. Google's clients say `models/gemini-pro`, and its list `gemini-pro`.
    pub(super) fn model(&self, provider: &ProviderId, id: &str) -> Option<&ListedModel> {
        let id = id.strip_prefix("models/").unwrap_or(id);
        self.0.get(provider)?.model(id)
    }

    /// All of them, by provider.
    pub(super) fn all(&self) -> impl Iterator<Item = &ModelList> {
        self.0.values().map(|listed| &listed.list)
    }

    /// Every model of them, as `provider/model`.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> {
        let models = self.all().flat_map(|list| {
            let provider = &list.provider;
            list.models.iter().map(move |model| (provider, model))
        });
        models.map(|(provider, model)| format!("{provider}/{}", model.id))
    }

    /// The providers that have a model of this id.
    pub(super) fn listers(&self, id: &str) -> Vec<Target> {
        let having = self.0.iter().filter(|(_, listed)| listed.model(id).is_some());
        having
            .map(|(provider, _)| Target {
                provider: provider.clone(),
                model: id.to_owned(),
            })
            .collect()
    }
}

impl Listed {
    fn model(&self, id: &str) -> Option<&ListedModel> {
        self.list.models.get(*self.places.get(id)?)
    }
}
