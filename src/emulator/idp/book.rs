//! Everything that the identity provider handed out, and what became of it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::account::{Bearer, Login, random};
use super::config::IdpConfig;
use super::device::Device;
use super::fault::{FaultAtWork, Grant, IdpFault};
use super::stats::{IdpStats, IdpToken, IdpTokenState};
use crate::emulator::secret::fingerprint;

/// Most tokens of a kind that are remembered; more are refused as `temporarily_unavailable`.
pub(super) const TOKENS_MAX: usize = 100_000;

/// An authorization code.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) login: Login,
    pub(super) redirect: String,
    pub(super) challenge: String,
    pub(super) expires: Duration,
    pub(super) is_spent: bool,
}

/// An access token.
#[derive(Debug)]
struct Access {
    login: u64,
    expires: Duration,
    is_revoked: bool,
}

/// A refresh token.
#[derive(Debug)]
pub(super) struct Refresh {
    pub(super) login: Login,
    pub(super) state: IdpTokenState,
    reuses: u64,
    order: u64,
}

/// What the identity provider knows. Times are the emulator's.
pub(in crate::emulator) struct Book {
    pub(in crate::emulator) config: IdpConfig,
    pub(super) codes: HashMap<String, Code>,
    pub(super) devices: HashMap<String, Device>,
    pub(super) counts: IdpStats,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    faults: Vec<FaultAtWork>,
    logins: u64,
}

impl Book {
    pub(super) fn new(config: IdpConfig) -> Self {
        let faults = config.faults.iter().cloned().map(FaultAtWork::new).collect();
        Self {
            config,
            codes: HashMap::new(),
            devices: HashMap::new(),
            counts: IdpStats::default(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            faults,
            logins: 0,
        }
    }

    /// Another config; what was handed out stays.
    pub(in crate::emulator) fn set_config(&mut self, config: IdpConfig) {
        self.set_faults(config.faults.clone());
        self.config = config;
    }

    /// These faults and no others from now on.
    pub(in crate::emulator) fn set_faults(&mut self, faults: Vec<IdpFault>) {
        self.faults = faults.into_iter().map(FaultAtWork::new).collect();
    }

    /// One fault more.
    pub(in crate::emulator) fn add_fault(&mut self, fault: IdpFault) {
        self.faults.push(FaultAtWork::new(fault));
    }

    /// Forgets every login and every number.
    pub(in crate::emulator) fn reset(&mut self) {
        *self = Self::new(self.config.clone());
    }

    /// The fault that hits a token request.
    pub(super) fn fault(&mut self, grant: Grant) -> Option<IdpFault> {
        let fired = self
            .faults
            .iter_mut()
            .find_map(|fault| fault.fires(grant).then(|| fault.spec.clone()))?;
        self.counts.faults += 1;
        Some(fired)
    }

    pub(super) fn is_full(&self) -> bool {
        let most = [
            self.codes.len(),
            self.devices.len(),
            self.access.len(),
            self.refresh.len(),
        ];
        most.into_iter().any(|count| count >= TOKENS_MAX)
    }

    pub(super) fn new_login(&mut self, account: Option<&str>, client: &str, scope: &str) -> Login {
        self.logins += 1;
        Login {
            number: self.logins,
            account: account.unwrap_or(&self.config.account).to_owned(),
            client: client.to_owned(),
            scope: scope.to_owned(),
        }
    }

    /// Remembers an access token.
    pub(super) fn grant_access(&mut self, token: &str, login: &Login, expires: Duration) {
        self.counts.access_tokens += 1;
        let access = Access {
            login: login.number,
            expires,
            is_revoked: false,
        };
        self.access.insert(token.to_owned(), access);
    }

    /// A new refresh token.
    pub(super) fn grant_refresh(&mut self, login: &Login) -> String {
        let token = format!("rt_{}", random(48));
        let refresh = Refresh {
            login: login.clone(),
            state: IdpTokenState::Live,
            reuses: 0,
            order: u64::try_from(self.refresh.len()).unwrap_or(u64::MAX),
        };
        self.refresh.insert(token.clone(), refresh);
        token
    }

    /// Takes a refresh token: its login if it is live. One that is not any more counts as reused.
    pub(super) fn redeem_refresh(&mut self, token: &str, client: &str, spends: bool) -> Option<Login> {
        let refresh = self.refresh.get_mut(token)?;
        if refresh.login.client != client {
            return None;
        }
        let login = refresh.login.clone();
        if refresh.state == IdpTokenState::Live {
            if spends {
                refresh.state = IdpTokenState::Spent;
            }
            return Some(login);
        }
        refresh.reuses += 1;
        self.counts.reuses += 1;
        if self.config.revoke_family {
            self.revoke(login.number);
        }
        None
    }

    /// Ends every token of a login.
    pub(super) fn revoke(&mut self, login: u64) {
        for refresh in self
            .refresh
            .values_mut()
            .filter(|token| token.login.number == login)
        {
            if refresh.state == IdpTokenState::Live {
                refresh.state = IdpTokenState::Revoked;
            }
        }
        for access in self.access.values_mut().filter(|token| token.login == login) {
            access.is_revoked = true;
        }
    }

    /// Ends every access token at once; refresh tokens live on.
    pub(in crate::emulator) fn expire_access(&mut self) {
        for access in self.access.values_mut() {
            access.is_revoked = true;
        }
    }

    /// Ends every refresh token of an account, as if its owner had signed out everywhere.
    pub(in crate::emulator) fn sign_out(&mut self, account: &str) {
        let logins: Vec<u64> = self
            .refresh
            .values()
            .filter(|token| token.login.account == account)
            .map(|token| token.login.number)
            .collect();
        for login in logins {
            self.revoke(login);
        }
    }

    pub(super) fn bearer(&self, secret: &str, now: Duration) -> Option<Bearer> {
        let access = self.access.get(secret)?;
        let is_live = !access.is_revoked && now < access.expires;
        Some(if is_live { Bearer::Live } else { Bearer::Ended })
    }

    /// What was seen and handed out.
    pub(in crate::emulator) fn stats(&self) -> IdpStats {
        let by_order: BTreeMap<u64, IdpToken> = self
            .refresh
            .iter()
            .map(|(token, refresh)| {
                let token = IdpToken {
                    fingerprint: fingerprint(token),
                    account: refresh.login.account.clone(),
                    login: refresh.login.number,
                    state: refresh.state,
                    reuses: refresh.reuses,
                };
                (refresh.order, token)
            })
            .collect();
        IdpStats {
            refresh_tokens: by_order.into_values().collect(),
            ..self.counts.clone()
        }
    }
}
