//! `auth.*`: orders, facts about profiles, what rotates, how long credentials rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use coderclaw_actors::domain::credential::{CredentialKind, CredentialLimits, ProfileId, ProviderId};
use coderclaw_actors::domain::outcome::ErrorClass;

use super::document::{Field, Reader, Section};
use super::provider_id::normalise;

/// First rest after a throttle without a word from the provider; doubles from there.
pub const THROTTLE_MIN: Duration = Duration::from_secs(10);
/// Longest such rest.
pub const THROTTLE_MAX: Duration = Duration::from_mins(5);
/// First rest of a key that is out of money; doubles from there.
pub const EXHAUSTED_MIN: Duration = Duration::from_mins(10);
/// Longest such rest.
pub const EXHAUSTED_MAX: Duration = Duration::from_hours(24);
/// Time between two real requests that test a closed quota window.
pub const WINDOW_TEST: Duration = Duration::from_hours(1);

/// How the next credential is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RotationStrategy {
    /// The first available in pool order.
    #[default]
    Priority,
    /// By remaining capacity where it is known, else the least recently used.
    Balanced,
}

/// When another credential is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationSettings {
    /// The classes of failure that rotate.
    pub on: BTreeSet<ErrorClass>,
    /// How the next one is chosen.
    pub strategy: RotationStrategy,
    /// Attempts of one request at most.
    pub max_attempts: u32,
}

impl Default for RotationSettings {
    fn default() -> Self {
        Self {
            on: BTreeSet::from([
                ErrorClass::RateLimit,
                ErrorClass::QuotaWindow,
                ErrorClass::QuotaHard,
            ]),
            strategy: RotationStrategy::default(),
            max_attempts: super::gateway::ATTEMPTS,
        }
    }
}

/// How long credentials rest where the provider does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CooldownSettings {
    /// First rest after a throttle.
    pub throttle_min: Duration,
    /// Longest rest after a throttle.
    pub throttle_max: Duration,
    /// First rest of a key out of money.
    pub exhausted_min: Duration,
    /// Longest rest of a key out of money.
    pub exhausted_max: Duration,
    /// Time between two tests of a closed quota window.
    pub window_test: Duration,
}

impl Default for CooldownSettings {
    fn default() -> Self {
        Self {
            throttle_min: THROTTLE_MIN,
            throttle_max: THROTTLE_MAX,
            exhausted_min: EXHAUSTED_MIN,
            exhausted_max: EXHAUSTED_MAX,
            window_test: WINDOW_TEST,
        }
    }
}

/// What the config knows about one auth profile. It never makes or bars a member of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileFacts {
    /// How it authenticates, if the config says so.
    pub kind: Option<CredentialKind>,
    /// What it may do.
    pub limits: CredentialLimits,
}

/// `auth`, checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Auth {
    pub(super) profiles: BTreeMap<ProfileId, ProfileFacts>,
    pub(super) order: BTreeMap<ProviderId, Vec<ProfileId>>,
    pub(super) rotation: RotationSettings,
    pub(super) max_attempts: Option<u32>,
    pub(super) cooldowns: CooldownSettings,
}

/// Reads `auth`.
pub(super) fn read(root: &mut Section<'_>, reader: &mut Reader<'_>) -> Auth {
    let mut read = Auth::default();
    let Some(mut auth) = root.section("auth", reader) else {
        return read;
    };
    if let Some(profiles) = auth.section("profiles", reader) {
        read.profiles = profiles
            .entries()
            .filter_map(|(id, field)| Some((ProfileId::new(id), facts(field, reader)?)))
            .collect();
    }
    if let Some(order) = auth.section("order", reader) {
        read.order = orders(&order, reader);
    }
    if let Some(mut rotation) = auth.section("rotation", reader) {
        read_rotation(&mut read, &mut rotation, reader);
        rotation.finish(reader);
    }
    if let Some(mut cooldowns) = auth.section("cooldowns", reader) {
        read.cooldowns = read_cooldowns(&mut cooldowns, reader);
        cooldowns.finish(reader);
    }
    auth.finish(reader);
    read
}

fn facts(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<ProfileFacts> {
    let mut profile = reader.section(field)?;
    let kind = profile.take("mode").and_then(|mode| {
        let kinds = [
            ("api_key", CredentialKind::ApiKey),
            ("api-key", CredentialKind::ApiKey),
            ("token", CredentialKind::Token),
            ("oauth", CredentialKind::Oauth),
        ];
        reader.one_of(&mode, &kinds)
    });
    let limits = reader.credential_limits(&mut profile);
    profile.ignore(&["provider", "email"]);
    profile.not_in_effect(&["domain", "weight"], reader);
    profile.finish(reader);
    Some(ProfileFacts { kind, limits })
}

fn orders(order: &Section<'_>, reader: &mut Reader<'_>) -> BTreeMap<ProviderId, Vec<ProfileId>> {
    let mut read: BTreeMap<ProviderId, Vec<ProfileId>> = BTreeMap::new();
    for (id, field) in order.entries() {
        let provider = ProviderId::new(&normalise(id));
        let ids = reader.texts(
            field,
            "the id of an auth profile, such as \"openai:env:OPENAI_API_KEY\"",
        );
        if read
            .insert(
                provider.clone(),
                ids.iter().map(|id| ProfileId::new(id)).collect(),
            )
            .is_some()
        {
            reader.refuse(
                field,
                format!("duplicate provider: `{provider}` already has an order; remove one"),
            );
        }
    }
    read
}

fn read_rotation(read: &mut Auth, rotation: &mut Section<'_>, reader: &mut Reader<'_>) {
    use ErrorClass as Class;

    // Only what another credential could mend has a name here.
    const CLASSES: &[(&str, &[Class])] = &[
        ("rate_limit", &[Class::RateLimit]),
        ("quota_window", &[Class::QuotaWindow]),
        ("quota_hard", &[Class::QuotaHard]),
        (
            "auth",
            &[Class::AuthDead, Class::AuthRefresh, Class::CredentialUseForbidden],
        ),
        ("permission", &[Class::Permission]),
        ("model_access", &[Class::ModelAccess]),
        ("overloaded", &[Class::Overloaded]),
        ("transient_server", &[Class::TransientServer, Class::Unreachable]),
        ("timeout", &[Class::Timeout]),
    ];
    if let Some(field) = rotation.take("on") {
        for element in reader.one_or_many(&field, "a list of error classes") {
            if let Some(classes) = reader.one_of(&element, CLASSES) {
                read.rotation.on.extend(classes.iter().copied());
            }
        }
    }
    if let Some(field) = rotation.take("strategy") {
        let strategies = [
            ("priority", RotationStrategy::Priority),
            ("balanced", RotationStrategy::Balanced),
        ];
        read.rotation.strategy = reader.one_of(&field, &strategies).unwrap_or_default();
    }
    if let Some(field) = rotation.take("maxAttempts") {
        read.max_attempts = reader.integer(&field, 1..=1_000_000, "a whole number from 1 to 1000000");
    }
}

fn read_cooldowns(section: &mut Section<'_>, reader: &mut Reader<'_>) -> CooldownSettings {
    let mut read = CooldownSettings::default();
    // The older tools' names for the rest of a key without money come first: the newer ones win.
    for (name, rest) in [
        ("billingBackoffHours", &mut read.exhausted_min),
        ("billingMaxHours", &mut read.exhausted_max),
    ] {
        if let Some(field) = section.take(name) {
            *rest = reader.hours(&field).unwrap_or(*rest);
        }
    }
    for (name, rest) in [
        ("throttleMin", &mut read.throttle_min),
        ("throttleMax", &mut read.throttle_max),
        ("exhaustedMin", &mut read.exhausted_min),
        ("exhaustedMax", &mut read.exhausted_max),
        ("windowTest", &mut read.window_test),
    ] {
        if let Some(field) = section.take(name) {
            *rest = reader.duration(&field).unwrap_or(*rest);
        }
    }
    section.not_in_effect(&["failureWindowHours", "billingBackoffHoursByProvider"], reader);
    let field = section.field().clone();
    for (least, most, names) in [
        (
            read.throttle_min,
            read.throttle_max,
            "throttleMin and throttleMax",
        ),
        (
            read.exhausted_min,
            read.exhausted_max,
            "exhaustedMin and exhaustedMax",
        ),
    ] {
        if least > most {
            reader.refuse(
                &field,
                format!(
                    "expected {names} in this order, got {} and {}",
                    humantime::format_duration(least),
                    humantime::format_duration(most)
                ),
            );
        }
    }
    read
}
