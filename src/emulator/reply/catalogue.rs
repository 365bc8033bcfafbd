//! The lists of models, in the three shapes.

use crate::emulator::error::escaped;
use crate::emulator::profile::Dialect;

const OPENAI: [&str; 3] = ["gpt-5-mini", "gpt-4o-mini", "text-embedding-3-small"];
const ANTHROPIC: [&str; 2] = ["claude-sonnet-4-5", "claude-haiku-4-5"];
const GOOGLE: [&str; 3] = ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-embedding-001"];

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

/// The whole list.
pub(in crate::emulator) fn list(dialect: Dialect, configured: &[&str]) -> String {
    let names = names(dialect, configured);
    let all: Vec<String> = names.iter().map(|name| entry(dialect, name)).collect();
    let joined = all.join(",");
    match dialect {
        Dialect::OpenAi => format!(r#"{{"object":"list","data":[{joined}]}}"#),
        Dialect::Anthropic => format!(
            r#"{{"data":[{joined}],"has_more":false,"first_id":"{}","last_id":"{}"}}"#,
            names.first().map_or("", String::as_str),
            names.last().map_or("", String::as_str),
        ),
        Dialect::Google => format!(r#"{{"models":[{joined}]}}"#),
    }
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
