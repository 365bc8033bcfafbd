//! From a reference to its secret.

use std::sync::Arc;

use coderclaw_actors::domain::credential::Secret;

use super::file::Documents;
use super::keyring::{Keyring, KeyringError, SystemKeyring};
use super::{CommandCache, ReferenceError, SecretRef, Why, exec, file, provider};
use crate::config::SecretProviders;
use crate::credentials::command::ExternalCommand;
use crate::credentials::environment::{Environment, Variables, clean, fits_a_header};

/// Resolves references. It may block on files, programs and the keyring: never on a thread that serves.
#[derive(Clone, Debug)]
pub struct Resolver {
    variables: Variables,
    providers: SecretProviders,
    cache: Arc<CommandCache>,
    keyring: Arc<dyn Keyring>,
}

impl Resolver {
    /// One over this environment and these providers, with the process's cache of commands and the system's keyring.
    #[must_use]
    pub fn new(variables: Variables, providers: SecretProviders) -> Self {
        Self {
            variables,
            providers,
            cache: CommandCache::of_process(),
            keyring: Arc::new(SystemKeyring),
        }
    }

    /// The same with another cache of commands.
    #[must_use]
    pub fn with_cache(self, cache: Arc<CommandCache>) -> Self {
        Self { cache, ..self }
    }

    /// The same with another keyring.
    #[must_use]
    pub fn with_keyring(self, keyring: Arc<dyn Keyring>) -> Self {
        Self { keyring, ..self }
    }

    /// The secret that a reference stands for, clean and fit for a header.
    ///
    /// # Errors
    /// If there is none; says which reference, and why.
    pub fn resolve(&self, reference: &SecretRef) -> Result<Secret, ReferenceError> {
        self.resolve_among(reference, &Documents::default())
    }

    /// The same, with the files that were read for others.
    pub(super) fn resolve_among(
        &self,
        reference: &SecretRef,
        documents: &Documents,
    ) -> Result<Secret, ReferenceError> {
        let found = self.find(reference, documents).and_then(|text| usable(&text));
        found.map_err(|why| why.of(reference))
    }

    /// Puts a secret into the keyring, reads it back, and gives the reference to it.
    ///
    /// # Errors
    /// If the keyring doesn't take it.
    pub fn store_in_keyring(
        &self,
        service: &str,
        account: &str,
        secret: &Secret,
    ) -> Result<SecretRef, ReferenceError> {
        let reference = SecretRef::Keyring {
            service: service.to_owned(),
            account: account.to_owned(),
        };
        let written = self.keyring.write(service, account, secret);
        written.map_err(|error| Why::from(error).of(&reference))?;
        // Keyrings differ in what they do to white space and length; a key that comes back changed is lost.
        if self.resolve(&reference)? == *secret {
            Ok(reference)
        } else {
            let changed = KeyringError::Refused("it gives the secret back changed".to_owned());
            Err(Why::from(changed).of(&reference))
        }
    }

    /// Takes an entry out of the keyring; one that is not there is out already.
    ///
    /// # Errors
    /// If the keyring refuses.
    pub fn remove_from_keyring(&self, service: &str, account: &str) -> Result<(), ReferenceError> {
        let removed = self.keyring.remove(service, account);
        removed.map_err(|error| {
            Why::from(error).of(&SecretRef::Keyring {
                service: service.to_owned(),
                account: account.to_owned(),
            })
        })
    }

    fn find(&self, reference: &SecretRef, documents: &Documents) -> Result<String, Why> {
        match reference {
            SecretRef::Env { provider, name } => {
                provider::may_read(&self.providers, provider.as_deref(), name)?;
                self.variables.get(name).map(str::to_owned).ok_or(Why::NotSet)
            }
            SecretRef::File { path, pointer } => {
                let path = provider::at_home(self, path);
                match pointer {
                    Some(pointer) => documents.pointed(&path, pointer),
                    None => exec::one_line(&file::read(&path, super::FILE_BYTES_MAX)?).map(str::to_owned),
                }
            }
            SecretRef::Command { argv } => self.run(argv),
            SecretRef::Keyring { service, account } => Ok(self.keyring.read(service, account)?),
            SecretRef::Provided { source, provider, id } => {
                provider::ask(self, *source, provider.as_deref(), id)
            }
        }
    }

    fn run(&self, argv: &[String]) -> Result<String, Why> {
        let Some((program, arguments)) = argv.split_first() else {
            return Err(Why::Provider("expected a program".to_owned()));
        };
        let pairs = self.variables.names();
        let environment =
            pairs.filter_map(|name| Some((name.to_owned(), self.variables.get(name)?.to_owned())));
        let program = provider::at_home(self, program);
        let Some(program) = program.to_str() else {
            return Err(Why::NotText);
        };
        let command = ExternalCommand::new(program, arguments.to_vec(), environment.collect());
        self.cache.read(&command, exec::line)
    }

    pub(super) const fn variables(&self) -> &Variables {
        &self.variables
    }

    pub(super) const fn providers(&self) -> &SecretProviders {
        &self.providers
    }

    pub(super) fn cache(&self) -> &CommandCache {
        &self.cache
    }
}

/// What was found, as it goes on the wire.
fn usable(text: &str) -> Result<Secret, Why> {
    let value = clean(text);
    if value.is_empty() {
        return Err(Why::Blank);
    }
    if !fits_a_header(&value) {
        return Err(Why::NotForHeader);
    }
    Ok(Secret::new(value))
}
