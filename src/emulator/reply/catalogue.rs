//! The lists of models, in the three shapes; Anthropic's and Google's come in pages.

use std::borrow::Cow;

use form_urlencoded::parse;

use crate::emulator::error::escaped;
use crate::emulator::profile::Dialect;

const OPENAI: [&str; 3] = ["gpt-5-mini", "gpt-4o-mini", "text-embedding-3-small"];
const ANTHROPIC: [&str; 2] = ["claude-sonnet-4-5", "claude-haiku-4-5"];
const GOOGLE: [&str; 3] = ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-embedding-001"];

/// How Google's page tokens begin here; what follows is where the page begins.
const TOKEN: &str = "page/";

/// Models of a dialect: the configured ones, else its usual ones.
fn names(dialect: Dialect, configured: &[&str]) -> Vec<String> {
    let usual: &[&str] = match dialect {
        Dialect::OpenAi => &OPENAI,
        Dialect::Anthropic => &ANTHROPIC,
        Dialect::Google => &GOOGLE,
    };
    let all = if configured.is_empty() { usual } else { configured };
    all.iter().map(|name| escaped(name)).collect()
}

/// How many models a page has that says nothing else, and at most.
const fn page_sizes(dialect: Dialect) -> Option<(&'static str, usize, usize)> {
    match dialect {
        Dialect::OpenAi => None,
        Dialect::Anthropic => Some(("limit", 20, 1000)),
        Dialect::Google => Some(("pageSize", 50, 1000)),
    }
}

fn asked<'q>(query: Option<&'q str>, name: &str) -> Option<Cow<'q, str>> {
    let mut pairs = parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value)
}

/// What is wrong with the page that is asked for, in the provider's words.
pub(in crate::emulator) fn problem(dialect: Dialect, query: Option<&str>) -> Option<String> {
    let (name, _, most) = page_sizes(dialect)?;
    let size = asked(query, name)?;
    let fits = match size.parse::<usize>() {
        // Google takes as much as it gives.
        Ok(size) => dialect == Dialect::Google || (1..=most).contains(&size),
        Err(_) => false,
    };
    (!fits).then(|| format!("{name}: Input should be a whole number from 1 to {most}"))
}

/// The list, or the page of it that `query` asks for.
pub(in crate::emulator) fn list(dialect: Dialect, configured: &[&str], query: Option<&str>) -> String {
    let names = names(dialect, configured);
    let Some((size_name, usual, most)) = page_sizes(dialect) else {
        let all: Vec<String> = names.iter().map(|name| entry(dialect, name)).collect();
        return format!(r#"{{"object":"list","data":[{}]}}"#, all.join(","));
    };
    let size = asked(query, size_name).and_then(|size| size.parse().ok());
    let size = size.filter(|size| *size > 0).unwrap_or(usual).min(most);
    let start = start_of(dialect, &names, query);
    let page: Vec<&String> = names.iter().skip(start).take(size).collect();
    let more = start + page.len() < names.len();
    let entries: Vec<String> = page.iter().map(|name| entry(dialect, name)).collect();
    let joined = entries.join(",");
    match dialect {
        Dialect::Google if more => {
            format!(
                r#"{{"models":[{joined}],"nextPageToken":"{TOKEN}{}"}}"#,
                start + page.len()
            )
        }
        Dialect::Google => format!(r#"{{"models":[{joined}]}}"#),
        _ => format!(
            r#"{{"data":[{joined}],"has_more":{more},"first_id":"{}","last_id":"{}"}}"#,
            page.first().map_or("", |name| name.as_str()),
            page.last().map_or("", |name| name.as_str()),
        ),
    }
}

/// Where the page begins.
fn start_of(dialect: Dialect, names: &[String], query: Option<&str>) -> usize {
    if dialect == Dialect::Google {
        let token = asked(query, "pageToken");
        let place = token.as_deref().and_then(|token| token.strip_prefix(TOKEN));
        return place.and_then(|place| place.parse().ok()).unwrap_or(0);
    }
    let after = asked(query, "after_id").map(|id| escaped(&id));
    let place = after.and_then(|after| names.iter().position(|name| *name == after));
    place.map_or(0, |place| place + 1)
}

/// One model.
pub(in crate::emulator) fn one(dialect: Dialect, name: &str) -> String {
    entry(dialect, &escaped(name))
}

fn entry(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::OpenAi => {
            format!(r#"{{"id":"{name}","object":"model","created":1700000000,"owned_by":"emulator"}}"#)
        }
        Dialect::Anthropic => {
            format!(
                r#"{{"type":"model","id":"{name}","display_name":"{name}","created_at":"2025-09-29T00:00:00Z"}}"#
            )
        }
        Dialect::Google => format!(
            r#"{{"name":"models/{name}","version":"001","displayName":"{name}","description":"A model of the emulator","inputTokenLimit":1048576,"outputTokenLimit":65536,"supportedGenerationMethods":["generateContent","streamGenerateContent","countTokens","embedContent","batchEmbedContents"],"temperature":1,"topP":0.95,"topK":64}}"#
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODELS: [&str; 5] = ["a", "b", "c", "d", "e"];

    fn page(dialect: Dialect, query: &str) -> serde_json::Value {
        serde_json::from_str(&list(dialect, &MODELS, Some(query))).unwrap()
    }

    #[test]
    fn anthropics_pages_go_on_after_an_id() {
        let first = page(Dialect::Anthropic, "limit=2");
        assert_eq!(
            (&first["has_more"], &first["last_id"]),
            (&true.into(), &"b".into())
        );
        let last = page(Dialect::Anthropic, "limit=3&after_id=b");
        assert_eq!(
            (&last["has_more"], &last["first_id"]),
            (&false.into(), &"c".into())
        );
        assert_eq!(page(Dialect::Anthropic, "")["data"].as_array().unwrap().len(), 5);
    }

    #[test]
    fn googles_pages_go_on_with_a_token() {
        let first = page(Dialect::Google, "pageSize=4");
        let token = first["nextPageToken"].as_str().unwrap().replace('/', "%2F");
        let last = page(Dialect::Google, &format!("pageSize=4&pageToken={token}"));
        assert_eq!(last["models"][0]["name"], "models/e");
        assert!(last.get("nextPageToken").is_none());
    }

    #[test]
    fn a_page_of_nonsense_is_refused_and_openais_list_is_whole() {
        assert!(problem(Dialect::Anthropic, Some("limit=0")).is_some());
        assert!(problem(Dialect::Anthropic, Some("limit=1001")).is_some());
        assert!(problem(Dialect::Google, Some("pageSize=many")).is_some());
        assert!(problem(Dialect::Google, Some("pageSize=5000")).is_none());
        assert!(problem(Dialect::OpenAi, Some("limit=0")).is_none());
        assert_eq!(
            page(Dialect::OpenAi, "limit=1")["data"].as_array().unwrap().len(),
            5
        );
    }
}
