//! Whose request it is: the header names the agent, else the model's name does, else it is the default one's.

use actix_web::http::header::HeaderMap;
use coderclaw_actors::domain::credential::AgentId;

use super::dialect::Trouble;
use super::respond::ErrorReply;
use crate::config::{AGENT_ID_CHARS_MAX, Settings, is_agent_id};
use crate::wire::Api;

/// The headers that name an agent; the second one is that of the older tools, which counts where the first is missing.
const HEADERS: [&str; 2] = ["x-coderclaw-agent-id", "x-coderclaw-agent"];

/// The parameter of a query that names an agent.
const QUERY: &str = "agent";

/// Why a request is nobody's. All of these are the caller's to mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// The header holds what can be no agent's id.
    #[error("`{0}` is no agent's id: it has letters, digits, `_` and `-`, at most {max} of them", max = AGENT_ID_CHARS_MAX)]
    NoId(&'static str),
    /// The header stands there twice, with two ids.
    #[error("`{0}` stands there more than once and names different agents; send it once")]
    Twice(&'static str),
    /// The header and the model's name mean two agents.
    #[error("the header names agent `{header}` and the model's name agent `{model}`; leave one of them out")]
    Two {
        /// The header's.
        header: AgentId,
        /// The model's name's.
        model: AgentId,
    },
}

impl From<AgentError> for ErrorReply {
    fn from(error: AgentError) -> Self {
        Self::new(Trouble::Invalid, "bad_agent", error.to_string())
    }
}

/// The agent of a request that names no model, or none that matters; `None` is the default one.
///
/// # Errors
/// If the header names no agent that there is.
pub fn of_headers(settings: &Settings, headers: &HeaderMap) -> Result<Option<AgentId>, ErrorReply> {
    let agent = named(settings, headers)?;
    Ok(agent.and_then(|agent| settings.other_agent(agent.as_str())))
}

/// The agent of a request for the model `name`; `None` is the default one.
///
/// # Errors
/// If the header or the name names no agent that there is, or each another one.
pub fn of_model(
    settings: &Settings,
    headers: &HeaderMap,
    api: Api,
    name: &str,
) -> Result<Option<AgentId>, ErrorReply> {
    let by_header = named(settings, headers)?;
    let by_name = settings.catalogue.agent_named(api, name)?;
    let agent = match (by_header, by_name) {
        (Some(header), Some(model)) if header != model => {
            return Err(AgentError::Two {
                header: header.clone(),
                model: model.clone(),
            }
            .into());
        }
        (by_header, by_name) => by_header.or(by_name),
    };
    Ok(agent.and_then(|agent| settings.other_agent(agent.as_str())))
}

/// The agent that the query of a question about one names; `None` is the default one.
///
/// # Errors
/// If it names none that there is.
pub fn of_query(settings: &Settings, query: &str) -> Result<Option<AgentId>, ErrorReply> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let Some((_, id)) = pairs.find(|(name, _)| name == QUERY) else {
        return Ok(None);
    };
    let agent = settings.catalogue.agent(&id)?;
    Ok(settings.other_agent(agent.as_str()))
}

/// The agent that the header names, if it is there.
fn named<'s>(settings: &'s Settings, headers: &HeaderMap) -> Result<Option<&'s AgentId>, ErrorReply> {
    match id_in(headers)? {
        Some(id) => Ok(Some(settings.catalogue.agent(id)?)),
        None => Ok(None),
    }
}

/// The id in the header, if it is there.
fn id_in(headers: &HeaderMap) -> Result<Option<&str>, AgentError> {
    for header in HEADERS {
        let mut values = headers.get_all(header);
        let Some(value) = values.next() else {
            continue;
        };
        let id = value.to_str().map(str::trim).ok();
        let id = id.filter(|id| is_agent_id(id)).ok_or(AgentError::NoId(header))?;
        if values.any(|other| other != value) {
            return Err(AgentError::Twice(header));
        }
        return Ok(Some(id));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn read(pairs: &[(&'static str, &[u8])]) -> Result<Option<String>, AgentError> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        id_in(&headers).map(|id| id.map(str::to_owned))
    }

    #[test]
    fn the_header_holds_an_id_or_is_refused() {
        const NAME: &str = "x-coderclaw-agent-id";
        assert_eq!(read(&[]), Ok(None));
        for good in ["work", "Work", " work-2_b ", &"a".repeat(AGENT_ID_CHARS_MAX)] {
            assert_eq!(read(&[(NAME, good.as_bytes())]), Ok(Some(good.trim().to_owned())));
        }
        let long = "a".repeat(AGENT_ID_CHARS_MAX + 1);
        for bad in [
            "",
            " ",
            "a b",
            "../main",
            "a/b",
            "a\tb",
            "caf\u{e9}",
            &long,
            &"a".repeat(10_000),
        ] {
            assert_eq!(
                read(&[(NAME, bad.as_bytes())]),
                Err(AgentError::NoId(NAME)),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn one_header_counts_and_two_must_agree() {
        const NAME: &str = "x-coderclaw-agent-id";
        const OLDER: &str = "x-coderclaw-agent";
        assert_eq!(read(&[(OLDER, b"work")]), Ok(Some("work".to_owned())));
        assert_eq!(
            read(&[(OLDER, b"work"), (NAME, b"home")]),
            Ok(Some("home".to_owned()))
        );
        assert_eq!(
            read(&[(NAME, b"work"), (NAME, b"work")]),
            Ok(Some("work".to_owned()))
        );
        assert_eq!(
            read(&[(NAME, b"work"), (NAME, b"home")]),
            Err(AgentError::Twice(NAME))
        );
    }
}
