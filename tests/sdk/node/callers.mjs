// The three SDKs behind one face, so that what must hold for each is said once.

import { CALLER_KEY } from "./house.mjs";
import { anthropic, google, openai } from "./sdks.mjs";

const TIMEOUT_MS = 30_000;

class OpenAi {
  static provider = "openai";
  static model = "gpt-5-mini";
  static path = "/v1";
  static proxyPath = "/proxy/openai/v1";
  static deadStatus = 401;
  static overloadedStatus = 503;
  static obeysRetryAfter = true;
  static oddError = {
    error: {
      message: "odd",
      type: "invalid_request_error",
      param: "messages[0]",
      code: "odd_code",
      more: { deep: [1, 2.5, null, "\u2028"] },
    },
  };
  static errors = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
  };
  static streamError = openai.APIError;

  constructor(root, { retries = 0, path = OpenAi.path } = {}) {
    this.client = new openai.default({
      baseURL: root + path,
      apiKey: CALLER_KEY,
      maxRetries: retries,
      timeout: TIMEOUT_MS,
    });
  }

  static body(prompt, model) {
    return { model, messages: [{ role: "user", content: prompt }] };
  }

  async ask({ prompt = "Say something", model = OpenAi.model, signal } = {}) {
    const answer = await this.client.chat.completions.create(OpenAi.body(prompt, model), { signal });
    return answer.choices[0].message.content;
  }

  async *stream({ prompt = "Say something" } = {}) {
    const body = { ...OpenAi.body(prompt, OpenAi.model), stream: true };
    for await (const chunk of await this.client.chat.completions.create(body)) {
      const text = chunk.choices[0]?.delta.content;
      if (text) yield text;
    }
  }

  static told(error) {
    return { error: error.error };
  }
}

class Anthropic {
  static provider = "anthropic";
  static model = "claude-sonnet-4-5";
  static path = "";
  static proxyPath = "/proxy/anthropic";
  static deadStatus = 401;
  static overloadedStatus = 529;
  static obeysRetryAfter = true;
  static oddError = {
    type: "error",
    error: { type: "invalid_request_error", message: "odd", more: { deep: [1, 2.5, null, "\u2028"] } },
    request_id: "req_odd",
  };
  static errors = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    404: anthropic.NotFoundError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
    529: anthropic.APIError,
  };
  static streamError = anthropic.APIError;

  constructor(root, { retries = 0, path = Anthropic.path } = {}) {
    this.client = new anthropic.default({
      baseURL: root + path,
      apiKey: CALLER_KEY,
      maxRetries: retries,
      timeout: TIMEOUT_MS,
    });
  }

  static body(prompt, model) {
    return { model, max_tokens: 1024, messages: [{ role: "user", content: prompt }] };
  }

  async ask({ prompt = "Say something", model = Anthropic.model, signal } = {}) {
    const answer = await this.client.messages.create(Anthropic.body(prompt, model), { signal });
    return answer.content[0].text;
  }

  async *stream({ prompt = "Say something" } = {}) {
    const body = { ...Anthropic.body(prompt, Anthropic.model), stream: true };
    for await (const event of await this.client.messages.create(body)) {
      if (event.type === "content_block_delta" && event.delta.text) yield event.delta.text;
    }
  }

  static told(error) {
    return error.error;
  }
}

class Google {
  static provider = "google";
  static model = "gemini-2.5-flash";
  static path = "";
  static proxyPath = "/proxy/google";
  static deadStatus = 400;
  static overloadedStatus = 503;
  // It backs off by its own schedule, whatever the answer says.
  static obeysRetryAfter = false;
  static oddError = {
    error: {
      code: 400,
      message: "odd",
      status: "FAILED_PRECONDITION",
      details: [{ "@type": "type.googleapis.com/odd", deep: [1, 2.5, null, "\u2028"] }],
    },
  };
  static errors = Object.fromEntries([400, 401, 404, 429, 500, 503].map((status) => [status, google.ApiError]));
  static streamError = google.ApiError;

  constructor(root, { retries = 0, path = Google.path } = {}) {
    const retryOptions = retries ? { retryOptions: { attempts: retries + 1 } } : {};
    this.client = new google.GoogleGenAI({
      apiKey: CALLER_KEY,
      httpOptions: { baseUrl: root + path, timeout: TIMEOUT_MS, ...retryOptions },
    });
  }

  async ask({ prompt = "Say something", model = Google.model, signal } = {}) {
    const config = signal ? { abortSignal: signal } : {};
    return (await this.client.models.generateContent({ model, contents: prompt, config })).text;
  }

  async *stream({ prompt = "Say something" } = {}) {
    // Its generator does not cancel the body when it is left early: only the signal does.
    const leaving = new AbortController();
    const config = { abortSignal: leaving.signal };
    const stream = await this.client.models.generateContentStream({ model: Google.model, contents: prompt, config });
    try {
      for await (const chunk of stream) {
        if (chunk.text) yield chunk.text;
      }
    } finally {
      leaving.abort();
    }
  }

  static told(error) {
    return JSON.parse(error.message);
  }
}

export const CALLERS = [OpenAi, Anthropic, Google];
export { Anthropic, Google, OpenAi };
