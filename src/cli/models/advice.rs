//! What to do about credentials that don't serve: one problem, one command. Pure.

use std::borrow::Cow;

use coderclaw_actors::StateName;
use coderclaw_actors::domain::credential::{AgentId, CredentialKind, ProfileId, ProviderId};
use coderclaw_actors::domain::outcome::ErrorClass;

use crate::cli::span;
use crate::credentials::health::{ExpiryStatus, format_remaining};
use crate::credentials::store::MAIN_AGENT;
use crate::credentials::stored::STORE_SOURCE;
use crate::status::{CredentialReport, Expiry, ProviderReport, Report, UnusableReport};

/// A problem, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Advice {
    /// What is the matter.
    pub(super) what: String,
    /// What to do; `None` where time or `what` itself tells.
    pub(super) how: Option<String>,
}

/// Every problem of the report's credentials, in the order of the table.
pub(super) fn advice(report: &Report) -> Vec<Advice> {
    let default = report.default_agent_id.as_str();
    let of_provider = |provider: &ProviderReport| {
        let ends = |id: &ProfileId| {
            report
                .auth
                .oauth
                .profiles
                .iter()
                .find(|expiry| expiry.profile_id == *id)
        };
        let credentials = provider.credentials.iter();
        let mut advice: Vec<Advice> = credentials
            .filter_map(|credential| {
                of_credential(&provider.provider, credential, ends(&credential.id), default)
            })
            .collect();
        let unusable = provider.unusable.iter();
        advice.extend(unusable.map(|unusable| of_unusable(&provider.provider, unusable, default)));
        advice.extend(resting(provider));
        advice
    };
    report.auth.providers.iter().flat_map(of_provider).collect()
}

fn of_credential(
    provider: &ProviderId,
    credential: &CredentialReport,
    expiry: Option<&Expiry>,
    default_agent: &str,
) -> Option<Advice> {
    let id = &credential.id;
    let flag = flag(credential.owner.as_ref(), default_agent);
    let renew = || {
        Some(renewal(
            (provider, id),
            credential.kind,
            &credential.source,
            &flag,
        ))
    };
    let because = |what: &str, how| {
        let what = format!("{id}: {what}");
        Some(Advice { what, how })
    };
    let left_ms = expiry.and_then(|expiry| expiry.remaining_ms).unwrap_or_default();
    match (
        credential.state,
        credential.reason,
        expiry.map(|expiry| expiry.status),
    ) {
        (StateName::Disabled, Some(ErrorClass::CredentialUseForbidden), _) => {
            let (what, how) = forbidden(provider);
            because(&what, Some(how))
        }
        (StateName::Exhausted, ..) => {
            let how = format!("top up, then: coderclaw models auth clear {}", word(id.as_str()));
            because("out of money or quota", Some(how))
        }
        (StateName::Disabled, Some(ErrorClass::AuthRefresh), _) | (.., Some(ExpiryStatus::Expired)) => {
            match credential.kind {
                CredentialKind::Oauth => because("its login has ended", renew()),
                CredentialKind::ApiKey | CredentialKind::Token => because("it has expired", renew()),
            }
        }
        (StateName::Disabled, ..) => because("the provider refuses it", renew()),
        (.., Some(ExpiryStatus::Expiring)) => {
            because(&format!("it expires in {}", format_remaining(left_ms)), renew())
        }
        (.., Some(ExpiryStatus::Missing)) if credential.refreshable => {
            because("nobody noted when its login ends; its next renewal tells", None)
        }
        (.., Some(ExpiryStatus::Missing)) => because("nobody noted when its login ends", renew()),
        (StateName::Available | StateName::Cooling, ..) => None,
    }
}

fn of_unusable(provider: &ProviderId, unusable: &UnusableReport, default_agent: &str) -> Advice {
    // What a reference leads to is mended where it is, and the reason says so.
    let is_here = unusable.source == STORE_SOURCE;
    Advice {
        what: format!("{}: {}", unusable.id, unusable.why),
        how: is_here.then(|| {
            let flag = flag(unusable.owner.as_ref(), default_agent);
            renewal((provider, &unusable.id), unusable.kind, &unusable.source, &flag)
        }),
    }
}

/// Where all of a provider's credentials are kept away and time brings one back: when.
fn resting(provider: &ProviderReport) -> Option<Advice> {
    let mut credentials = provider.credentials.iter();
    if credentials.any(|credential| credential.state == StateName::Available) {
        return None;
    }
    let back = provider
        .credentials
        .iter()
        .filter_map(|credential| credential.remaining_ms);
    let back = span::short(back.min()?);
    Some(Advice {
        what: format!(
            "{}: no credential is available; the first is back in {back}",
            provider.provider
        ),
        how: None,
    })
}

/// The credential works for the vendor's own program and for nothing else; going out as that program is no way.
fn forbidden(provider: &ProviderId) -> (String, String) {
    let paste = format!("coderclaw models auth paste-api-key --provider {provider}");
    match provider.as_str() {
        "anthropic" => (
            "Anthropic allows this credential in Claude Code only".to_owned(),
            format!("create an API key at https://console.anthropic.com, then: {paste}"),
        ),
        _ => (
            "the provider does not allow this credential for API use".to_owned(),
            format!("create an API key in its console, then: {paste}"),
        ),
    }
}

/// What a command says of the agent in whose store it writes: nothing where that is the default one.
fn flag(owner: Option<&AgentId>, default_agent: &str) -> String {
    let agent = owner.map_or(MAIN_AGENT, AgentId::as_str);
    if agent == default_agent {
        return String::new();
    }
    format!(" --agent {agent}")
}

/// How another secret is put in the place of a credential's; `flag` names the agent.
fn renewal(
    (provider, id): (&ProviderId, &ProfileId),
    kind: CredentialKind,
    source: &str,
    flag: &str,
) -> String {
    if source != STORE_SOURCE {
        return replacement(source);
    }
    let command = match kind {
        CredentialKind::ApiKey => "paste-api-key",
        CredentialKind::Token => "paste-token",
        CredentialKind::Oauth => "login",
    };
    let id = word(id.as_str());
    format!("coderclaw models auth {command} --provider {provider} --profile-id {id}{flag}")
}

/// How a secret is replaced that stands at `source`: `env: OPENAI_API_KEY`.
fn replacement(source: &str) -> String {
    let (place, name) = source.split_once(": ").unwrap_or(("", source));
    match place {
        "env" | "shell env" => format!("set another value for {name} and start the gateway again"),
        STORE_SOURCE => format!("put another secret there: {name}"),
        "" => format!("put another secret there: {source}"),
        place => format!("set another value for {name} ({place})"),
    }
}

/// A word as a shell reads it.
fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.:@/+#%=,".contains(c);
    if !text.is_empty() && !text.starts_with('#') && text.chars().all(is_plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

#[cfg(test)]
#[path = "advice/tests.rs"]
mod tests;
