//! Auth profiles.

use coderclaw_actors::domain::credential::Fingerprint;
use serde_json::Value;

use super::agents::NO_ID;
use super::line::{Line, Verdict};
use super::plan::{Facts, Plan, StoreChange};
use super::stores::{Looks, OldProfile, OldStore};
use crate::config::is_agent_id;
use crate::credentials::store::{MAIN_AGENT, NewCredential, StoredCredential, StoredProfile, StoredSecret};

const WHAT: &str = "auth profile";
/// Profiles in which the older tools kept logins of other programs.
const BORROWED: [&str; 4] = [":claude-cli", ":codex-cli", ":qwen-cli", ":minimax-cli"];

/// What is taken of one profile, and how.
struct Taking {
    credential: NewCredential,
    verdict: Verdict,
    why: String,
}

/// Decides upon every profile of every store.
pub(super) fn decide(facts: &Facts<'_>, plan: &mut Plan) {
    for store in &facts.old.stores {
        if !facts.is_agent(&store.agent) {
            let why = if is_agent_id(&store.agent) {
                "the config of the older tool has no such agent"
            } else {
                NO_ID
            };
            plan.say(
                Line::new("store", store.path.display().to_string(), Verdict::Left, why)
                    .of_agent(&store.agent),
            );
            continue;
        }
        for profile in &store.profiles {
            decide_one(facts, store, profile, plan);
        }
        for unknown in &store.unknown {
            let kind = unknown.kind.as_deref().unwrap_or("none");
            let why = format!(
                "its type ({}) is not known here, or it names no provider",
                shown(kind)
            );
            plan.say(Line::new(WHAT, unknown.id.as_str(), Verdict::Left, why).of_agent(&store.agent));
        }
    }
}

/// A word of a file for people; anything longer may be a secret in the wrong place.
fn shown(word: &str) -> &str {
    const SHOWN_CHARS_MAX: usize = 16;
    if word.chars().count() <= SHOWN_CHARS_MAX {
        word
    } else {
        "a long one"
    }
}

fn decide_one(facts: &Facts<'_>, store: &OldStore, profile: &OldProfile, plan: &mut Plan) {
    let id = profile.id.as_str();
    let theirs = fingerprint(&profile.credential);
    let line = |verdict, why: String| {
        Line::new(WHAT, id, verdict, why)
            .of_agent(&store.agent)
            .with_theirs(theirs)
    };
    if plan.puts(&store.agent, id) {
        return plan.say(line(
            Verdict::Left,
            "the older tool has another of this name, which is newer".to_owned(),
        ));
    }
    if store.agent != MAIN_AGENT && main_has(facts, profile) {
        return plan.say(line(
            Verdict::Left,
            "the same stands with main, which every agent reads through".to_owned(),
        ));
    }
    let taking = match take(facts, profile) {
        Ok(taking) => taking,
        Err(why) => return plan.say(line(Verdict::Left, why)),
    };
    let ours = facts.ours.stores.get(&store.agent);
    let is_held = ours.is_some_and(|ours| ours.holds(id));
    let held = ours.and_then(|ours| ours.profile(id));
    let is_our_reference = held.as_ref().is_some_and(|held| is_reference_to(held, profile));
    if is_held && !(is_our_reference && facts.copy) {
        let same = held
            .as_ref()
            .is_some_and(|held| is_our_reference || is_same(held, profile));
        let ours = held.as_ref().and_then(|held| fingerprint(&held.credential));
        let (verdict, why) = if same {
            (Verdict::Present, "the same stands here")
        } else {
            (Verdict::Left, "another of this name stands here, and stays")
        };
        return plan.say(line(verdict, why.to_owned()).with_ours(ours));
    }
    let mut why = taking.why;
    if is_held {
        "copied, in the place of the reference to it".clone_into(&mut why);
    }
    if !facts.knows(profile.provider.as_str(), plan) {
        let hint = format!(
            "; there is no provider `{0}` yet: add models.providers.{0}",
            profile.provider
        );
        why.push_str(&hint);
    }
    plan.say(line(taking.verdict, why));
    plan.stores.push(StoreChange::Put {
        agent: store.agent.clone(),
        id: profile.id.clone(),
        provider: profile.provider.clone(),
        email: profile.email.clone(),
        credential: taking.credential,
        over: is_held,
    });
}

/// What is taken of a profile, or why it is left.
fn take(facts: &Facts<'_>, profile: &OldProfile) -> Result<Taking, String> {
    let provider = &profile.provider;
    if BORROWED
        .iter()
        .any(|ending| profile.id.as_str().ends_with(ending))
    {
        return Err(format!(
            "a login of another program, good for that alone: create an API key, then \
             `coderclaw models auth paste-api-key --provider {provider}`"
        ));
    }
    let (secret, expires_ms, is_key) = match &profile.credential {
        StoredCredential::ApiKey { key } => (key, None, true),
        StoredCredential::Token { token, expires_ms } => (token, *expires_ms, false),
        StoredCredential::Oauth(login) if facts.copy => {
            return Ok(Taking {
                credential: NewCredential::Oauth(login.clone()),
                verdict: Verdict::Taken,
                why: "copied: stop using the older tool, or both will be logged out".to_owned(),
            });
        }
        StoredCredential::Oauth(_) => {
            return Err(format!(
                "a login, and two programs that renew one login lock each other out: log in again with \
                 `coderclaw models auth login --provider {provider}`"
            ));
        }
    };
    let (secret, how) = take_secret(facts, secret, profile)?;
    let (is_key, turned) = match (is_key, profile.looks) {
        (false, Looks::Key) => (true, Some("an API key that was stored as a token")),
        (true, Looks::Token) => (false, Some("a token that was stored as an API key")),
        (is_key, _) => (is_key, None),
    };
    let credential = if is_key {
        NewCredential::ApiKey(secret)
    } else {
        NewCredential::Token(secret, expires_ms)
    };
    Ok(match turned {
        Some(turned) => Taking {
            credential,
            verdict: Verdict::Changed,
            why: format!("{turned}; {how}"),
        },
        None => Taking {
            credential,
            verdict: Verdict::Taken,
            why: how,
        },
    })
}

/// The secret itself, or a reference to it, and how people read that.
fn take_secret(
    facts: &Facts<'_>,
    secret: &StoredSecret,
    profile: &OldProfile,
) -> Result<(StoredSecret, String), String> {
    match (secret, &profile.place) {
        (StoredSecret::Missing, _) => Err("it holds no secret".to_owned()),
        (StoredSecret::Elsewhere(reference), _) => {
            if source(reference) == Some("store") {
                return Err(
                    "its secret is in the older tool's own vault, where no reference leads".to_owned(),
                );
            }
            let how = format!(
                "its reference ({}) is taken",
                source(reference).unwrap_or("a variable")
            );
            Ok((secret.clone(), how))
        }
        (StoredSecret::Here(_), _) if facts.copy => Ok((secret.clone(), "copied".to_owned())),
        (StoredSecret::Here(_), Some(place)) => Ok((
            StoredSecret::Elsewhere(place.reference()),
            "the secret stays where it is, and is referred to".to_owned(),
        )),
        (StoredSecret::Here(_), None) => Err(
            "its secret is in a database, where no reference leads: `--copy-secrets` copies it".to_owned(),
        ),
    }
}

/// The `source` of a reference.
pub(super) fn source(reference: &Value) -> Option<&str> {
    reference.get("source")?.as_str().map(shown)
}

/// Whether the older tool's `main` has the very same.
fn main_has(facts: &Facts<'_>, profile: &OldProfile) -> bool {
    let main = facts.old.stores.iter().filter(|store| store.agent == MAIN_AGENT);
    let mut profiles = main.flat_map(|store| &store.profiles);
    profiles.any(|main| main.id == profile.id && main.credential == profile.credential)
}

fn secret_of(credential: &StoredCredential) -> Option<&StoredSecret> {
    match credential {
        StoredCredential::ApiKey { key: secret } | StoredCredential::Token { token: secret, .. } => {
            Some(secret)
        }
        StoredCredential::Oauth(_) => None,
    }
}

/// Whether ours is what an import without copying makes of theirs.
fn is_reference_to(held: &StoredProfile, profile: &OldProfile) -> bool {
    match (secret_of(&held.credential), &profile.place) {
        (Some(StoredSecret::Elsewhere(reference)), Some(place)) => *reference == place.reference(),
        _ => false,
    }
}

/// Whether both hold the same secret, however they call its kind.
fn is_same(held: &StoredProfile, profile: &OldProfile) -> bool {
    match (secret_of(&held.credential), secret_of(&profile.credential)) {
        (Some(held), Some(theirs)) => held == theirs,
        _ => held.credential == profile.credential,
    }
}

fn fingerprint(credential: &StoredCredential) -> Option<Fingerprint> {
    match credential {
        StoredCredential::Oauth(login) => login.refresh.as_ref().or(login.access.as_ref()),
        StoredCredential::ApiKey {
            key: StoredSecret::Here(secret),
        }
        | StoredCredential::Token {
            token: StoredSecret::Here(secret),
            ..
        } => Some(secret),
        _ => None,
    }
    .map(coderclaw_actors::domain::credential::Secret::fingerprint)
}
