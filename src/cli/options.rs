//! What every command takes: where the state folder and the config are. Flags come before the environment.

use std::collections::BTreeMap;

use clap::Args;

use super::exit::Failure;
use crate::config::Settings;
use crate::credentials::environment::{Environment, ProcessEnvironment};

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct GlobalOptions {
    /// The config file [default: CODERCLAW_CONFIG_PATH, else coderclaw.json in the state folder]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<String>,
    /// The state folder [default: CODERCLAW_STATE_DIR, else ~/.coderclaw]
    #[arg(long, global = true, value_name = "FOLDER", help_heading = "Global options")]
    state_dir: Option<String>,
}

impl GlobalOptions {
    /// The config, the environment and these options as one.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let environment = WithFlags {
            process: ProcessEnvironment::read(),
            flags: [
                ("CODERCLAW_CONFIG_PATH", &self.config),
                ("CODERCLAW_STATE_DIR", &self.state_dir),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
            .collect(),
        };
        Ok(Settings::load(&environment)?)
    }
}

/// The process's environment, as if the flags were variables of it.
struct WithFlags {
    process: ProcessEnvironment,
    flags: BTreeMap<String, String>,
}

impl Environment for WithFlags {
    fn get(&self, name: &str) -> Option<&str> {
        Environment::get(&self.flags, name).or_else(|| self.process.get(name))
    }

    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        let own = self.process.names();
        let own = own.filter(|name| !self.flags.contains_key(*name));
        Box::new(own.chain(Environment::names(&self.flags)))
    }
}
