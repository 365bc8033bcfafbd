//! What a request's body asks for: model, stream, size, and what kind of answer.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::profile::Dialect;
use super::route::{Endpoint, Route};
use super::schema;
use super::text;

/// A request that says this in its last user message, and has tools, is answered with a call of the first one.
const TOOL_PHRASE: &str = "call the tool";

/// What the caller wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    pub(super) max_tokens: Option<u64>,
    pub(super) prompt_tokens: u64,
    pub(super) want: Want,
    /// Inputs of an embedding request.
    pub(super) inputs: usize,
    pub(super) dimensions: Option<u64>,
    pub(super) base64: bool,
}

/// The kind of answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Want {
    /// Words.
    #[default]
    Text,
    /// A call of this tool, with arguments that its schema allows.
    Tool { name: String, arguments: String },
    /// A document that a schema allows.
    Structured(String),
}

type Raw<'a> = Option<&'a RawValue>;

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Body<'a> {
    model: Option<String>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    encoding_format: Option<String>,
    dimensions: Option<u64>,
    #[serde(borrow)]
    messages: Raw<'a>,
    #[serde(borrow)]
    input: Raw<'a>,
    #[serde(borrow)]
    prompt: Raw<'a>,
    #[serde(borrow)]
    contents: Raw<'a>,
    #[serde(borrow)]
    content: Raw<'a>,
    #[serde(borrow)]
    requests: Raw<'a>,
    #[serde(borrow)]
    system: Raw<'a>,
    #[serde(borrow)]
    instructions: Raw<'a>,
    #[serde(borrow, rename = "systemInstruction", alias = "system_instruction")]
    system_instruction: Raw<'a>,
    #[serde(borrow)]
    tools: Raw<'a>,
    #[serde(borrow)]
    tool_choice: Raw<'a>,
    #[serde(borrow, rename = "toolConfig", alias = "tool_config")]
    tool_config: Raw<'a>,
    #[serde(borrow)]
    response_format: Raw<'a>,
    #[serde(borrow)]
    text: Raw<'a>,
    #[serde(borrow)]
    output_format: Raw<'a>,
    #[serde(borrow)]
    output_config: Raw<'a>,
    #[serde(borrow, rename = "generationConfig", alias = "generation_config")]
    generation_config: Raw<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StreamOptions {
    include_usage: Option<bool>,
}

impl Asked {
    /// Reads a body; the message of an error is the caller's to see.
    pub(super) fn read(route: &Route<'_>, bytes: &[u8]) -> Result<Self, String> {
        if matches!(route.endpoint, Endpoint::Models | Endpoint::Model) {
            return Ok(Self {
                model: route.model.unwrap_or_default().to_owned(),
                ..Self::default()
            });
        }
        let body: Body<'_> = serde_json::from_slice(bytes)
            .map_err(|error| format!("We could not parse the JSON body of your request: {error}"))?;
        body.require(route)?;
        let config = body.generation_config.map(parsed).unwrap_or_default();
        let google = |name: &str, other: &str| config.get(name).or_else(|| config.get(other));
        let max_tokens = body
            .max_completion_tokens
            .or(body.max_tokens)
            .or(body.max_output_tokens)
            .or_else(|| google("maxOutputTokens", "max_output_tokens").and_then(Value::as_u64));
        let model = route.model.map(str::to_owned).or_else(|| body.model.clone());
        Ok(Self {
            stream: matches!(route.endpoint, Endpoint::GenerateStream { .. }) || body.stream.unwrap_or(false),
            include_usage: body
                .stream_options
                .as_ref()
                .and_then(|options| options.include_usage)
                .unwrap_or(false),
            max_tokens,
            prompt_tokens: text::tokens_of(body.prompt_bytes()),
            want: body.want(route.dialect, &config),
            inputs: body.inputs(),
            dimensions: body.dimensions,
            base64: body.encoding_format.as_deref() == Some("base64"),
            model: model.unwrap_or_default(),
        })
    }

    /// The text of the last message, for echoes; the whole body's, if there is none.
    pub(super) fn last_words(bytes: &[u8]) -> String {
        let body: Body<'_> = serde_json::from_slice(bytes).unwrap_or_default();
        body.conversation()
            .map(parsed)
            .and_then(|messages| last_text(&messages))
            .unwrap_or_default()
    }
}

impl Body<'_> {
    fn require(&self, route: &Route<'_>) -> Result<(), String> {
        if route.model.is_none() && self.model.as_deref().unwrap_or_default().is_empty() {
            return Err(match route.dialect {
                Dialect::Anthropic => "model: Field required".to_owned(),
                _ => "you must provide a model parameter".to_owned(),
            });
        }
        let missing = match route.endpoint {
            Endpoint::Chat => self
                .messages
                .is_none()
                .then_some("Missing required parameter: 'messages'."),
            Endpoint::Messages | Endpoint::MessageTokens => {
                self.messages.is_none().then_some("messages: Field required")
            }
            Endpoint::Embeddings => self
                .input
                .is_none()
                .then_some("Missing required parameter: 'input'."),
            Endpoint::Generate | Endpoint::GenerateStream { .. } => self
                .contents
                .is_none()
                .then_some("* GenerateContentRequest.contents: contents is not specified"),
            _ => None,
        };
        let missing = missing.or_else(|| {
            (route.endpoint == Endpoint::Messages && self.max_tokens.is_none())
                .then_some("max_tokens: Field required")
        });
        missing.map_or(Ok(()), |message| Err(message.to_owned()))
    }

    const fn conversation(&self) -> Raw<'_> {
        match (self.messages, self.contents, self.input) {
            (Some(raw), _, _) | (None, Some(raw), _) | (None, None, Some(raw)) => Some(raw),
            (None, None, None) => self.prompt,
        }
    }

    fn prompt_bytes(&self) -> usize {
        [
            self.messages,
            self.input,
            self.prompt,
            self.contents,
            self.content,
            self.requests,
            self.system,
            self.instructions,
            self.system_instruction,
            self.tools,
        ]
        .iter()
        .flatten()
        .map(|raw| raw.get().len())
        .sum()
    }

    fn inputs(&self) -> usize {
        match self.input.or(self.requests).map(parsed) {
            Some(Value::Array(items)) if items.first().is_some_and(|item| !item.is_number()) => items.len(),
            _ => 1,
        }
    }

    fn want(&self, dialect: Dialect, config: &Value) -> Want {
        self.tool_call()
            .or_else(|| {
                self.document(dialect, config)
                    .map(|schema| Want::Structured(schema::instance(&schema).to_string()))
            })
            .unwrap_or_default()
    }

    fn tool_call(&self) -> Option<Want> {
        let tools = tools_of(&parsed(self.tools?));
        let choice = self.tool_choice.or(self.tool_config).map(parsed);
        let forced = choice.as_ref().map_or(Forced::No, forced_tool);
        let (name, parameters) = match &forced {
            Forced::Named(name) => tools.iter().find(|(known, _)| known == name)?,
            Forced::Any | Forced::No => tools.first()?,
        };
        let refused = choice
            .as_ref()
            .is_some_and(|choice| choice == "none" || choice["type"] == "none");
        if refused || (forced == Forced::No && !self.asks_for_tool()) {
            return None;
        }
        Some(Want::Tool {
            name: name.clone(),
            arguments: schema::instance(parameters).to_string(),
        })
    }

    fn asks_for_tool(&self) -> bool {
        self.conversation()
            .map(parsed)
            .and_then(|messages| last_text(&messages))
            .is_some_and(|text| text.to_lowercase().contains(TOOL_PHRASE))
    }

    /// The schema that the answer must fit.
    fn document(&self, dialect: Dialect, config: &Value) -> Option<Value> {
        let at =
            |raw: Raw<'_>, pointer: &str| raw.map(parsed).and_then(|value| value.pointer(pointer).cloned());
        match dialect {
            Dialect::OpenAi => at(self.response_format, "/json_schema/schema")
                .or_else(|| at(self.text, "/format/schema"))
                .or_else(|| {
                    at(self.response_format, "/type")
                        .filter(|kind| kind == "json_object")
                        .map(|_| Value::default())
                }),
            Dialect::Anthropic => {
                at(self.output_format, "/schema").or_else(|| at(self.output_config, "/format/schema"))
            }
            Dialect::Google => [
                "responseSchema",
                "response_schema",
                "responseJsonSchema",
                "response_json_schema",
            ]
            .iter()
            .find_map(|name| config.get(*name).filter(|schema| !schema.is_null()).cloned()),
        }
    }
}

fn parsed(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// Name and parameters of every function, in any of the four ways of writing them.
fn tools_of(tools: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for tool in tools.as_array().into_iter().flatten() {
        let declared = tool
            .get("functionDeclarations")
            .or_else(|| tool.get("function_declarations"))
            .and_then(Value::as_array);
        match declared {
            Some(functions) => found.extend(functions.iter().filter_map(function)),
            None => found.extend(function(tool.get("function").unwrap_or(tool))),
        }
    }
    found
}

fn function(tool: &Value) -> Option<(String, Value)> {
    let name = tool.get("name")?.as_str()?;
    let parameters = [
        "parameters",
        "input_schema",
        "parametersJsonSchema",
        "parameters_json_schema",
    ]
    .iter()
    .find_map(|field| tool.get(*field));
    Some((name.to_owned(), parameters.cloned().unwrap_or_default()))
}

/// Whether a tool must be called.
#[derive(Clone, Debug, PartialEq)]
enum Forced {
    No,
    Any,
    Named(String),
}

fn forced_tool(choice: &Value) -> Forced {
    let name = choice
        .pointer("/function/name")
        .or_else(|| choice.get("name"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    let mode = choice
        .pointer("/functionCallingConfig/mode")
        .or_else(|| choice.pointer("/function_calling_config/mode"))
        .or_else(|| choice.get("type"))
        .unwrap_or(choice)
        .as_str()
        .unwrap_or_default();
    match mode {
        "required" | "any" | "ANY" => Forced::Any,
        "function" | "tool" => name.map_or(Forced::Any, Forced::Named),
        _ => Forced::No,
    }
}

/// The text of the last message, if it is a user's and no tool's result.
fn last_text(messages: &Value) -> Option<String> {
    if let Some(text) = messages.as_str() {
        return Some(text.to_owned());
    }
    let last = messages.as_array()?.last()?;
    if last.is_string() {
        return last.as_str().map(str::to_owned);
    }
    if !matches!(last["role"].as_str(), Some("user") | None) || last["type"] == "function_call_output" {
        return None;
    }
    let content = last.get("content").or_else(|| last.get("parts"))?;
    if let Some(text) = content.as_str() {
        return Some(text.to_owned());
    }
    let texts: Vec<&str> = content
        .as_array()?
        .iter()
        .filter_map(|part| part.get("text").and_then(Value::as_str))
        .collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}
