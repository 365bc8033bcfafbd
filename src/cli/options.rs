//! What every command takes: where the state folder and the config are. Flags come before the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::exit::Failure;
use crate::config::Settings;
use crate::credentials::environment::{Environment, ProcessEnvironment};

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct GlobalOptions {
    /// The config file [default: `CODERCLAW_CONFIG_PATH`, else coderclaw.json in the state folder]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    /// The state folder [default: `CODERCLAW_STATE_DIR`, else ~/.coderclaw]
    #[arg(long, global = true, value_name = "FOLDER", help_heading = "Global options")]
    state_dir: Option<PathBuf>,
}

impl GlobalOptions {
    /// The config, the environment and these options as one.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        Ok(Settings::load(&self.environment()?)?)
    }

    /// The process's environment, as if these options were variables of it.
    pub(super) fn environment(&self) -> Result<impl Environment + use<>, Failure> {
        let given = [
            ("CODERCLAW_CONFIG_PATH", &self.config),
            ("CODERCLAW_STATE_DIR", &self.state_dir),
        ];
        let mut flags = BTreeMap::new();
        for (name, path) in given {
            let Some(path) = path else { continue };
            let path = path.to_str().ok_or_else(|| {
                Failure::new(
                    format_args!("the path {} is not UTF-8", path.display()),
                    "rename it, or give another path",
                )
            })?;
            flags.insert(name.to_owned(), path.to_owned());
        }
        Ok(WithFlags {
            process: ProcessEnvironment::read(),
            flags,
        })
    }
}

impl GlobalOptions {
    /// The demo brings a config and a state folder of its own.
    pub(super) fn refuse_for_demo(&self) -> Result<(), Failure> {
        let given = [("--config", &self.config), ("--state-dir", &self.state_dir)];
        match given.into_iter().find(|(_, value)| value.is_some()) {
            Some((flag, _)) => Err(Failure::new(
                format_args!("`--demo` and `{flag}` exclude each other"),
                "leave one of them out: the demo brings its own config and state folder",
            )),
            None => Ok(()),
        }
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
