//! `auth.*`: orders, facts about profiles, what rotates, how long credentials rest.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use coderclaw_actors::domain::credential::{CredentialKind, CredentialLimits, ProfileId, ProviderId};
use coderclaw_actors::domain::outcome::ErrorClass;
use coderclaw_actors::{CooldownPolicy, RotationPolicy, Strategy};

use super::document::{Field, Reader, Section};
use super::provider_id::normalise;

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
    pub(super) rotation: RotationPolicy,
    pub(super) strategy: Strategy,
    /// `auth.rotation.maxAttempts`, where it is set.
    pub(super) attempts_max: Option<NonZeroUsize>,
    pub(super) cooldowns: CooldownPolicy,
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
        let strategies = [("priority", Strategy::Priority), ("balanced", Strategy::Balanced)];
        read.strategy = reader.one_of(&field, &strategies).unwrap_or_default();
    }
    if let Some(field) = rotation.take("maxAttempts") {
        read.attempts_max = reader.count(&field);
    }
}

fn read_cooldowns(section: &mut Section<'_>, reader: &mut Reader<'_>) -> CooldownPolicy {
    let mut read = CooldownPolicy::default();
    // The older tools' names for the rest of a key without money come first: the newer ones win.
    for (name, rest) in [
        ("billingBackoffHours", &mut read.exhausted_first),
        ("billingMaxHours", &mut read.exhausted_longest),
    ] {
        if let Some(field) = section.take(name) {
            *rest = reader.hours(&field).unwrap_or(*rest);
        }
    }
    for (name, rest) in [
        ("throttleMin", &mut read.throttle_first),
        ("throttleMax", &mut read.throttle_longest),
        ("exhaustedMin", &mut read.exhausted_first),
        ("exhaustedMax", &mut read.exhausted_longest),
        ("windowTest", &mut read.window_test_every),
    ] {
        if let Some(field) = section.take(name) {
            *rest = reader.duration(&field).unwrap_or(*rest);
        }
    }
    section.not_in_effect(&["failureWindowHours", "billingBackoffHoursByProvider"], reader);
    let field = section.field().clone();
    for (least, most, names) in [
        (
            read.throttle_first,
            read.throttle_longest,
            "throttleMin and throttleMax",
        ),
        (
            read.exhausted_first,
            read.exhausted_longest,
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
