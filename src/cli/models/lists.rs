//! The providers' own lists of models: those that are kept, and asking for others.

mod ask;

use std::collections::BTreeMap;
use std::io;

use coderclaw_actors::domain::credential::ProviderId;

use crate::cli::printer::Printer;
use crate::config::{Settings, Target};
use crate::model_list::{KeptLists, ModelList};

pub(super) use ask::{Asked, Usable, ask};

/// What providers said that they have.
#[derive(Debug, Default)]
pub(super) struct Lists(BTreeMap<ProviderId, ModelList>);

impl Lists {
    /// Those that are kept. One that can't be read is warned of and counts as none.
    pub(super) fn kept(settings: &Settings, printer: &mut Printer) -> io::Result<Self> {
        let kept = KeptLists::of(&settings.state_dir);
        let mut lists = Self::default();
        for provider in &settings.providers {
            match kept.read(provider) {
                Ok(Some(list)) => lists.put(list),
                Ok(None) => {}
                Err(error) => printer.warning(format_args!("{error}; `--refresh` replaces it"))?,
            }
        }
        Ok(lists)
    }

    /// Takes a list over, in place of an older one.
    pub(super) fn put(&mut self, list: ModelList) {
        self.0.insert(list.provider.clone(), list);
    }

    /// The list of a provider.
    pub(super) fn of(&self, provider: &ProviderId) -> Option<&ModelList> {
        self.0.get(provider)
    }

    /// All of them, by provider.
    pub(super) fn all(&self) -> impl Iterator<Item = &ModelList> {
        self.0.values()
    }

    /// Every model of them, as `provider/model`.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> {
        let models = self.0.values().flat_map(|list| {
            let provider = &list.provider;
            list.models.iter().map(move |model| (provider, model))
        });
        models.map(|(provider, model)| format!("{provider}/{}", model.id))
    }

    /// The providers that have a model of this id.
    pub(super) fn listers(&self, id: &str) -> Vec<Target> {
        let lists = self.0.values().filter(|list| list.model(id).is_some());
        lists
            .map(|list| Target {
                provider: list.provider.clone(),
                model: id.to_owned(),
            })
            .collect()
    }
}
