//! One page of a provider's list: what is asked, and what is read from the answer. Pure.

use form_urlencoded::Serializer;
use serde_json::Value;

use super::ListError;
use crate::model_list::{ListedModel, NAME_BYTES_MAX};
use crate::upstream::scrub::Scrubber;
use crate::wire::Api;

/// As many models a page as Anthropic and Google allow.
const PAGE_MODELS: &str = "1000";

/// Where vendors say for how many tokens a model has room.
const CONTEXT_PLACES: [&str; 6] = [
    "/context_window",
    "/context_length",
    "/max_context_length",
    "/inputTokenLimit",
    "/max_input_tokens",
    "/max_model_len",
];
/// Where they say its name for people.
const NAME_PLACES: [&str; 3] = ["/display_name", "/displayName", "/name"];
/// What a model may read, of the many words for it.
const INPUTS: [&str; 5] = ["text", "image", "audio", "video", "file"];

/// A page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) models: Vec<ListedModel>,
    /// The query of the next one, if there is one.
    pub(super) next: Option<String>,
}

/// The query of the first page.
pub(super) fn first(api: Api) -> Option<String> {
    match api {
        Api::OpenaiCompletions | Api::OpenaiResponses => None,
        Api::AnthropicMessages => Some(query(&[("limit", PAGE_MODELS)])),
        Api::GoogleGenerativeAi => Some(query(&[("pageSize", PAGE_MODELS)])),
    }
}

impl Page {
    /// Reads an answer. Whatever of it is kept has no piece of the secret.
    pub(super) fn read(api: Api, body: &[u8], scrubber: &Scrubber) -> Result<Self, ListError> {
        let json: Value = serde_json::from_slice(body).map_err(|_| ListError::Malformed("it is no JSON"))?;
        // Most say `data`, Google `models`, and some send the bare list.
        let entries = json.get("data").or_else(|| json.get("models")).unwrap_or(&json);
        let entries = entries
            .as_array()
            .ok_or(ListError::Malformed("there is no list in it"))?;
        let models: Vec<ListedModel> = entries
            .iter()
            .filter_map(|entry| model(entry, scrubber))
            .collect();
        if models.is_empty() && !entries.is_empty() {
            return Err(ListError::Malformed("no entry has an id"));
        }
        Ok(Self {
            models,
            next: next(api, &json)?,
        })
    }
}

fn next(api: Api, json: &Value) -> Result<Option<String>, ListError> {
    let text = |name: &str| {
        json.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    match api {
        Api::OpenaiCompletions | Api::OpenaiResponses => Ok(None),
        Api::AnthropicMessages => {
            if json.get("has_more").and_then(Value::as_bool) != Some(true) {
                return Ok(None);
            }
            let last = text("last_id").ok_or(ListError::Malformed("it says `has_more` and no `last_id`"))?;
            Ok(Some(query(&[("limit", PAGE_MODELS), ("after_id", last)])))
        }
        Api::GoogleGenerativeAi => {
            let token = text("nextPageToken");
            Ok(token.map(|token| query(&[("pageSize", PAGE_MODELS), ("pageToken", token)])))
        }
    }
}

fn query(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A model, if the entry has an id that can be typed.
fn model(entry: &Value, scrubber: &Scrubber) -> Option<ListedModel> {
    // Google's ids are names: `models/gemini-2.5-pro`.
    let id = entry.get("id").or_else(|| entry.get("name"))?.as_str()?;
    let id = id.strip_prefix("models/").unwrap_or(id);
    let fits = !id.is_empty() && id.len() <= NAME_BYTES_MAX;
    if !fits || id.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let clean = |text: &str| String::from_utf8_lossy(&scrubber.scrub(text.as_bytes())).into_owned();
    let name = NAME_PLACES
        .iter()
        .find_map(|place| entry.pointer(place)?.as_str())
        .map(str::trim)
        .filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.starts_with("models/"))
        .filter(|name| !name.contains(char::is_control));
    let context = CONTEXT_PLACES
        .iter()
        .find_map(|place| entry.pointer(place)?.as_u64());
    Some(ListedModel {
        id: clean(id),
        name: name.map(clean),
        input: inputs(entry),
        context_window: context.filter(|tokens| *tokens > 0),
    })
}

/// What it reads, where the entry says that.
fn inputs(entry: &Value) -> Vec<String> {
    let listed = ["/architecture/input_modalities", "/input_modalities"]
        .iter()
        .find_map(|place| entry.pointer(place)?.as_array());
    let said: Vec<&str> = listed.into_iter().flatten().filter_map(Value::as_str).collect();
    let known = INPUTS.iter().filter(|input| said.contains(input));
    known.map(|input| (*input).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use coderclaw_actors::domain::credential::Secret;

    use super::*;

    fn read(api: Api, body: &str) -> Result<Page, ListError> {
        let secret = format!("sk-proj-{}", "Qw7ErTyUi".repeat(4));
        Page::read(api, body.as_bytes(), &Scrubber::new(&Secret::new(secret)))
    }

    fn ids(page: &Page) -> Vec<&str> {
        page.models.iter().map(|model| model.id.as_str()).collect()
    }

    #[test]
    fn each_vendors_list_is_understood() {
        for (api, body, wanted) in [
            (
                Api::OpenaiCompletions,
                r#"{"object":"list","data":[{"id":"gpt-5"},{"id":"o3"}]}"#,
                vec!["gpt-5", "o3"],
            ),
            (
                Api::OpenaiCompletions,
                r#"[{"id":"meta-llama/Llama-3.3-70B","display_name":"Llama 3.3","context_length":131072}]"#,
                vec!["meta-llama/Llama-3.3-70B"],
            ),
            (
                Api::AnthropicMessages,
                r#"{"data":[{"type":"model","id":"claude-sonnet-4-5"}],"has_more":false,"last_id":"claude-sonnet-4-5"}"#,
                vec!["claude-sonnet-4-5"],
            ),
            (
                Api::GoogleGenerativeAi,
                r#"{"models":[{"name":"models/gemini-2.5-pro","displayName":"Gemini 2.5 Pro","inputTokenLimit":1048576}]}"#,
                vec!["gemini-2.5-pro"],
            ),
            (Api::OpenaiCompletions, r#"{"data":[]}"#, vec![]),
        ] {
            let page = read(api, body).unwrap();
            assert_eq!(ids(&page), wanted, "{body}");
            assert_eq!(page.next, None, "{body}");
        }
    }

    #[test]
    fn what_a_vendor_says_of_a_model_is_kept_and_nothing_is_made_up() {
        let body = r#"{"data":[
            {"id":"openai/gpt-5","name":"OpenAI: GPT-5","context_length":400000,
             "architecture":{"input_modalities":["image","text","smell"]}},
            {"id":"llama-3.3-70b","context_window":131072,"object":"model"},
            {"id":"bare","context_length":0}
        ]}"#;
        let page = read(Api::OpenaiCompletions, body).unwrap();
        let [gpt, llama, bare] = page.models.as_slice() else {
            panic!("{page:?}")
        };
        assert_eq!(gpt.name.as_deref(), Some("OpenAI: GPT-5"));
        assert_eq!(gpt.input, ["text", "image"]);
        assert_eq!(gpt.context_window, Some(400_000));
        assert_eq!((llama.context_window, &llama.name), (Some(131_072), &None));
        assert_eq!((bare.context_window, bare.input.len()), (None, 0));
    }

    #[test]
    fn pages_are_turned_as_the_vendor_says() {
        assert_eq!(first(Api::OpenaiCompletions), None);
        assert_eq!(first(Api::AnthropicMessages).as_deref(), Some("limit=1000"));
        let page = read(
            Api::AnthropicMessages,
            r#"{"data":[{"id":"a b"},{"id":"claude&x"}],"has_more":true,"last_id":"claude&x"}"#,
        );
        let page = page.unwrap();
        assert_eq!(ids(&page), ["claude&x"], "an id with white space can't be typed");
        assert_eq!(page.next.as_deref(), Some("limit=1000&after_id=claude%26x"));
        let page = read(Api::GoogleGenerativeAi, r#"{"models":[],"nextPageToken":"t/1="}"#).unwrap();
        assert_eq!(page.next.as_deref(), Some("pageSize=1000&pageToken=t%2F1%3D"));
    }

    #[test]
    fn what_is_no_list_is_said() {
        for (api, body, wanted) in [
            (Api::OpenaiCompletions, "<html>", "it is no JSON"),
            (Api::OpenaiCompletions, "{}", "there is no list in it"),
            (
                Api::OpenaiCompletions,
                r#"{"data":{"id":"x"}}"#,
                "there is no list in it",
            ),
            (
                Api::OpenaiCompletions,
                r#"{"data":[{"model":"x"},1]}"#,
                "no entry has an id",
            ),
            (
                Api::AnthropicMessages,
                r#"{"data":[],"has_more":true}"#,
                "it says `has_more` and no `last_id`",
            ),
        ] {
            let error = read(api, body).unwrap_err().to_string();
            assert!(error.ends_with(wanted), "{body}: {error}");
        }
    }

    #[test]
    fn no_piece_of_the_secret_is_kept() {
        let piece = "Qw7ErTyUiQw7ErTyUi";
        let body = format!(r#"{{"data":[{{"id":"x-{piece}","name":"for {piece}"}}]}}"#);
        let page = read(Api::OpenaiCompletions, &body).unwrap();
        let kept = format!("{page:?}");
        assert!(!kept.contains("Qw7ErTyU"), "{kept}");
    }
}
