//! What a stream looks like in each format, written down by hand: life signs, meaning, the end, and errors.

use crate::support::{CHAT, Format, GEMINI, MESSAGES, RESPONSES};

/// The frames of one format.
pub(crate) struct Dialogue {
    pub(crate) format: Format,
    /// Frames that say nothing yet.
    pub(crate) lifecycle: &'static str,
    /// A frame that says something.
    pub(crate) meaning: &'static str,
    /// The frames that end it.
    pub(crate) end: &'static str,
    /// A frame that tells of a throttle of this key.
    pub(crate) throttle: &'static str,
    /// A frame that tells that the provider has no capacity.
    pub(crate) overload: &'static str,
}

/// All four.
pub(crate) const DIALOGUES: [Dialogue; 4] = [
    Dialogue {
        format: CHAT,
        lifecycle: ": OPENROUTER PROCESSING\n\ndata: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
        meaning: "data:{\"id\":\"c1\" ,\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\\u00e9 \u{2028}\"},\"finish_reason\":null}],\"unknown\":{}}\n\n",
        end: "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        throttle: "data: {\"error\":{\"message\":\"Rate limit reached for gpt-test. Please try again in 20s.\",\"type\":\"requests\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}\n\n",
        overload: "data: {\"error\":{\"message\":\"The engine is currently overloaded, please try again later\",\"type\":\"server_error\",\"code\":null}}\n\n",
    },
    Dialogue {
        format: RESPONSES,
        lifecycle: "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r1\",\"status\":\"in_progress\",\"error\":null,\"output\":[]}}\n\nevent: response.in_progress\ndata: {\"type\":\"response.in_progress\",\"sequence_number\":1,\"response\":{\"id\":\"r1\",\"error\":null}}\n\n",
        meaning: "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":2,\"delta\":\"hi\"}\n\n",
        end: "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":3,\"response\":{\"id\":\"r1\",\"status\":\"completed\",\"error\":null,\"output\":[]}}\n\n",
        throttle: "event: error\ndata: {\"type\":\"error\",\"sequence_number\":2,\"code\":\"rate_limit_exceeded\",\"message\":\"Rate limit reached for gpt-test. Please try again in 20s.\",\"param\":null}\n\n",
        overload: "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":2,\"response\":{\"id\":\"r1\",\"status\":\"failed\",\"error\":{\"code\":\"server_is_overloaded\",\"message\":\"Our servers are currently overloaded. Please try again later.\"}}}\n\n",
    },
    Dialogue {
        format: MESSAGES,
        lifecycle: "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"model\":\"claude-test\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\r\n\r\nevent: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\n: kept alive\r\n\r\nevent: content_block_start\r\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\r\n\r\n",
        meaning: "event: content_block_delta\r\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\r\n\r\n",
        end: "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        throttle: "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"This request would exceed your organization's rate limit of 50 requests per minute.\"}}\n\n",
        overload: "event: error\r\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\r\n\r\n",
    },
    Dialogue {
        format: GEMINI,
        lifecycle: ": hello\r\n\r\ndata: {\"usageMetadata\": {\"promptTokenCount\": 3},\"modelVersion\": \"gemini-test\"}\r\n\r\n",
        meaning: "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"hi\\u2028\"}],\"role\": \"model\"}}]}\r\n\r\n",
        end: "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"!\"}]},\"finishReason\": \"STOP\"}]}\r\n\r\n",
        throttle: "data: {\"error\": {\"code\": 429,\"message\": \"Resource has been exhausted (e.g. check quota).\",\"status\": \"RESOURCE_EXHAUSTED\"}}\r\n\r\n",
        overload: "data: {\"error\": {\"code\": 503,\"message\": \"The model is overloaded. Please try again later.\",\"status\": \"UNAVAILABLE\"}}\r\n\r\n",
    },
];

impl Dialogue {
    /// A good stream, whole.
    pub(crate) fn good(&self) -> String {
        format!("{}{}{}{}", self.lifecycle, self.meaning, self.meaning, self.end)
    }
}

/// The headers of a stream.
pub(crate) const STREAM: &[(&str, &str)] = &[("content-type", "text/event-stream; charset=utf-8")];
