//! The four formats, each with a request that works, so that a rule is tested in all of them.

/// One format, as its callers use it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    /// The provider behind it.
    pub(crate) provider: &'static str,
    /// The variable that its keys stand in.
    pub(crate) variable: &'static str,
    /// The path of a plain request for [`Self::model`].
    pub(crate) path: &'static str,
    /// The path of a streamed one.
    pub(crate) stream_path: &'static str,
    /// The model that the requests name.
    pub(crate) model: &'static str,
    /// A plain request.
    pub(crate) body: &'static str,
    /// A streamed one.
    pub(crate) stream_body: &'static str,
}

pub(crate) const CHAT: Format = Format {
    provider: "openai",
    variable: "OPENAI_API_KEYS",
    path: "/v1/chat/completions",
    stream_path: "/v1/chat/completions",
    model: "gpt-test",
    body: r#"{"model":"gpt-test","messages":[{"role":"user","content":"hello"}]}"#,
    stream_body: r#"{"model":"gpt-test","stream":true,"messages":[{"role":"user","content":"hello"}]}"#,
};

pub(crate) const RESPONSES: Format = Format {
    provider: "openai",
    variable: "OPENAI_API_KEYS",
    path: "/v1/responses",
    stream_path: "/v1/responses",
    model: "gpt-test",
    body: r#"{"model":"gpt-test","input":"hello"}"#,
    stream_body: r#"{"model":"gpt-test","stream":true,"input":"hello"}"#,
};

pub(crate) const MESSAGES: Format = Format {
    provider: "anthropic",
    variable: "ANTHROPIC_API_KEYS",
    path: "/v1/messages",
    stream_path: "/v1/messages",
    model: "claude-test",
    body: r#"{"model":"claude-test","max_tokens":64,"messages":[{"role":"user","content":"hello"}]}"#,
    stream_body: r#"{"model":"claude-test","stream":true,"max_tokens":64,"messages":[{"role":"user","content":"hello"}]}"#,
};

pub(crate) const GEMINI: Format = Format {
    provider: "google",
    variable: "GEMINI_API_KEYS",
    path: "/v1beta/models/gemini-test:generateContent",
    stream_path: "/v1beta/models/gemini-test:streamGenerateContent?alt=sse",
    model: "gemini-test",
    body: r#"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#,
    stream_body: r#"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#,
};

/// All four.
pub(crate) const FORMATS: [Format; 4] = [CHAT, RESPONSES, MESSAGES, GEMINI];

impl Format {
    /// The profile id of the `place`th key of [`Self::variable`], from 1.
    pub(crate) fn profile(&self, place: usize) -> String {
        format!("{}:env:{}#{place}", self.provider, self.variable)
    }

    /// A plain request.
    pub(crate) fn call(&self) -> super::Call {
        super::Call::post(self.path, self.body)
    }

    /// A streamed request.
    pub(crate) fn stream(&self) -> super::Call {
        super::Call::post(self.stream_path, self.stream_body)
    }

    /// A name that shows which format a failed assertion is about.
    pub(crate) fn name(&self) -> &'static str {
        self.path
    }
}
