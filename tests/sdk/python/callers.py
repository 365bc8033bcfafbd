"""The three SDKs behind one face, so that what must hold for each is said once."""

import anthropic
import openai
from google import genai
from google.genai import errors as google_errors
from google.genai import types as google_types

from house import CALLER_KEY

TIMEOUT_SECONDS = 30


class OpenAi:
    provider = "openai"
    model = "gpt-5-mini"
    proxy_path = "/proxy/openai/v1"
    path = "/v1"
    # What the SDK raises, by the status.
    errors = {
        400: openai.BadRequestError,
        401: openai.AuthenticationError,
        404: openai.NotFoundError,
        429: openai.RateLimitError,
        500: openai.InternalServerError,
        503: openai.InternalServerError,
    }
    dead_status = 401
    overloaded_status = 503
    # What it raises for whatever else the provider says.
    stream_error = openai.APIError
    odd_body = (
        '{"error": {"message": "odd",  "type":"invalid_request_error","param":"messages[0]",'
        '"code":"odd_code","more":{"deep":[1, 2.50, null, "\\u2028"]}}}'
    )
    obeys_retry_after = True

    def __init__(self, root, retries=0, base=None):
        options = {
            "base_url": root + (base or self.path),
            "api_key": CALLER_KEY,
            "max_retries": retries,
            "timeout": TIMEOUT_SECONDS,
        }
        self.client = openai.OpenAI(**options)
        self.parallel = openai.AsyncOpenAI(**options)

    @staticmethod
    def body(prompt, model):
        return {"model": model, "messages": [{"role": "user", "content": prompt}]}

    def ask(self, prompt="Say something", model=model):
        return self.client.chat.completions.create(**self.body(prompt, model)).choices[0].message.content

    async def ask_parallel(self, prompt="Say something", model=model):
        answer = await self.parallel.chat.completions.create(**self.body(prompt, model))
        return answer.choices[0].message.content

    def stream(self, prompt="Say something"):
        """Yields pieces of text; closing the generator closes the connection."""
        stream = self.client.chat.completions.create(**self.body(prompt, self.model), stream=True)
        try:
            for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content
        finally:
            stream.close()

    @staticmethod
    def status(error):
        return error.status_code

    @staticmethod
    def raw(error):
        return error.response.text

    @staticmethod
    def headers(error):
        return error.response.headers


class Anthropic:
    provider = "anthropic"
    model = "claude-sonnet-4-5"
    proxy_path = "/proxy/anthropic"
    path = ""
    errors = {
        400: anthropic.BadRequestError,
        401: anthropic.AuthenticationError,
        404: anthropic.NotFoundError,
        429: anthropic.RateLimitError,
        500: anthropic.InternalServerError,
        529: anthropic.APIStatusError,
    }
    dead_status = 401
    overloaded_status = 529
    stream_error = anthropic.APIStatusError
    odd_body = (
        '{"type":"error", "error": {"type":"invalid_request_error","message":"odd", '
        '"more":{"deep":[1, 2.50, null, "\\u2028"]}},"request_id":"req_odd"}'
    )
    obeys_retry_after = True

    def __init__(self, root, retries=0, base=None):
        options = {
            "base_url": root + (base or self.path),
            "api_key": CALLER_KEY,
            "max_retries": retries,
            "timeout": TIMEOUT_SECONDS,
        }
        self.client = anthropic.Anthropic(**options)
        self.parallel = anthropic.AsyncAnthropic(**options)

    @staticmethod
    def body(prompt, model):
        return {"model": model, "max_tokens": 1024, "messages": [{"role": "user", "content": prompt}]}

    def ask(self, prompt="Say something", model=model):
        return self.client.messages.create(**self.body(prompt, model)).content[0].text

    async def ask_parallel(self, prompt="Say something", model=model):
        return (await self.parallel.messages.create(**self.body(prompt, model))).content[0].text

    def stream(self, prompt="Say something"):
        """Yields pieces of text; closing the generator closes the connection."""
        with self.client.messages.stream(**self.body(prompt, self.model)) as stream:
            yield from stream.text_stream

    @staticmethod
    def status(error):
        return error.status_code

    @staticmethod
    def raw(error):
        return error.response.text

    @staticmethod
    def headers(error):
        return error.response.headers


class Google:
    provider = "google"
    model = "gemini-2.5-flash"
    proxy_path = "/proxy/google"
    path = ""
    errors = {
        400: google_errors.ClientError,
        401: google_errors.ClientError,
        404: google_errors.ClientError,
        429: google_errors.ClientError,
        500: google_errors.ServerError,
        503: google_errors.ServerError,
    }
    dead_status = 400
    overloaded_status = 503
    stream_error = google_errors.APIError
    odd_body = (
        '{"error": {"code":400,"message":"odd",  "status":"FAILED_PRECONDITION",'
        '"details":[{"@type":"type.googleapis.com/odd","deep":[1, 2.50, null, "\\u2028"]}]}}'
    )
    # It backs off by its own schedule, whatever the answer says.
    obeys_retry_after = False

    def __init__(self, root, retries=0, base=None):
        self.client = genai.Client(
            api_key=CALLER_KEY,
            http_options=google_types.HttpOptions(
                base_url=root + (base or self.path),
                timeout=TIMEOUT_SECONDS * 1000,
                retry_options=google_types.HttpRetryOptions(attempts=retries + 1),
            ),
        )

    def ask(self, prompt="Say something", model=model):
        return self.client.models.generate_content(model=model, contents=prompt).text

    async def ask_parallel(self, prompt="Say something", model=model):
        return (await self.client.aio.models.generate_content(model=model, contents=prompt)).text

    def stream(self, prompt="Say something"):
        """Yields pieces of text; closing the generator closes the connection."""
        stream = self.client.models.generate_content_stream(model=self.model, contents=prompt)
        try:
            for chunk in stream:
                if chunk.text:
                    yield chunk.text
        finally:
            stream.close()

    @staticmethod
    def status(error):
        return error.code

    @staticmethod
    def raw(error):
        return error.response.text

    @staticmethod
    def headers(error):
        return error.response.headers


CALLERS = (OpenAi, Anthropic, Google)
