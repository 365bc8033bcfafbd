"""`/model` through the official SDKs: they read the gateway's own answers, and the emulator says what was obeyed."""

import anthropic
import openai
import pytest
from google import genai
from google.genai import types as google_types

from house import CALLER_KEY

SESSION = "x-coderclaw-session-key"
KEY = "chat-7-Zq3vLxW9Tm"
MODEL = {"openai": "gpt-5-mini", "anthropic": "claude-sonnet-4-5", "google": "gemini-2.5-flash"}
# A chat program leaves the model to the gateway.
LEFT_OPEN = "coderclaw"


class Chat:
    """One way to chat, in one session."""

    def __init__(self, root, session=KEY):
        headers = {SESSION: session} if session else {}
        self.client = self.connect(root, headers)

    def stream(self, prompt):
        return "".join(self.pieces(prompt))


class OpenAiChat(Chat):
    provider = "openai"

    @staticmethod
    def connect(root, headers):
        return openai.OpenAI(base_url=f"{root}/v1", api_key=CALLER_KEY, max_retries=2, default_headers=headers)

    @staticmethod
    def body(prompt):
        return {"model": LEFT_OPEN, "messages": [{"role": "user", "content": prompt}]}

    def say(self, prompt):
        answer = self.client.chat.completions.create(**self.body(prompt))
        assert answer.choices[0].finish_reason == "stop"
        return answer.choices[0].message.content

    def pieces(self, prompt):
        finish = None
        for chunk in self.client.chat.completions.create(**self.body(prompt), stream=True):
            if chunk.choices:
                finish = chunk.choices[0].finish_reason or finish
                yield chunk.choices[0].delta.content or ""
        assert finish == "stop"


class ResponsesChat(OpenAiChat):
    def say(self, prompt):
        answer = self.client.responses.create(model=LEFT_OPEN, input=prompt)
        assert answer.status == "completed"
        return answer.output_text

    def pieces(self, prompt):
        with self.client.responses.stream(model=LEFT_OPEN, input=prompt) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    yield event.delta
            final = stream.get_final_response()
        assert final.status == "completed" and final.output_text


class AnthropicChat(Chat):
    provider = "anthropic"

    @staticmethod
    def connect(root, headers):
        return anthropic.Anthropic(base_url=root, api_key=CALLER_KEY, max_retries=2, default_headers=headers)

    @staticmethod
    def body(prompt):
        return {"model": LEFT_OPEN, "max_tokens": 1024, "messages": [{"role": "user", "content": prompt}]}

    def say(self, prompt):
        answer = self.client.messages.create(**self.body(prompt))
        assert answer.role == "assistant" and answer.stop_reason == "end_turn"
        return answer.content[0].text

    def pieces(self, prompt):
        with self.client.messages.stream(**self.body(prompt)) as stream:
            yield from stream.text_stream
            final = stream.get_final_message()
        assert final.stop_reason == "end_turn" and final.usage.output_tokens is not None


class GoogleChat(Chat):
    provider = "google"

    @staticmethod
    def connect(root, headers):
        options = google_types.HttpOptions(
            base_url=root, headers=headers, retry_options=google_types.HttpRetryOptions(attempts=3)
        )
        return genai.Client(api_key=CALLER_KEY, http_options=options)

    def say(self, prompt):
        answer = self.client.models.generate_content(model=LEFT_OPEN, contents=prompt)
        assert answer.candidates[0].finish_reason == google_types.FinishReason.STOP
        return answer.text

    def pieces(self, prompt):
        for chunk in self.client.models.generate_content_stream(model=LEFT_OPEN, contents=prompt):
            yield chunk.text or ""


@pytest.fixture(params=[OpenAiChat, ResponsesChat, AnthropicChat, GoogleChat], ids=lambda chat: chat.__name__)
def chat(request):
    return request.param


@pytest.fixture
def house(build, chat):
    provider = chat.provider
    name = f"{provider}/{MODEL[provider]}"
    agents = {"defaults": {"model": name, "models": {name: {"alias": "best"}}}}
    return build(provider, ("first", "second"), stored=True, agents=agents)


def test_every_command_is_read_whole_and_streamed(house, chat):
    session = chat(house.gateway)
    for command in ("/model", "/model list", "/model status", "/model nonsense", "/model best", "/model 1"):
        whole = session.say(command)
        assert whole and session.stream(command) == whole
    assert "best" in session.say("/model list")
    assert house.seen() == []


def test_a_pin_is_obeyed_kept_after_a_restart_and_released(house, chat):
    session = chat(house.gateway)
    first = session.say("hello") and house.keys_seen()[-1]
    other = {"first": "second", "second": "first"}[first]
    assert f"Pinned to `{chat.provider}:{other}`" in session.say(f"/model best@{other}")
    assert session.say("hello") and session.stream("hello")
    assert house.keys_seen()[1:] == [other, other]
    assert chat(house.gateway, session="another").say("hello")
    assert house.keys_seen()[-1] == first

    house.restart_gateway()
    session = chat(house.gateway)
    assert f"pinned to `{chat.provider}:{other}`" in session.stream("/model")
    assert session.say("hello") and house.keys_seen()[-1] == other

    assert "is released" in session.say("/model best")
    house.add_fault({"fault": "rate_limit", "key": other, "retryAfterMs": 20_000})
    assert session.say("hello") and house.keys_seen()[-2:] == [other, first]


def test_a_pin_that_cannot_be_used_is_told_once_and_not_tried_again(house, chat):
    session = chat(house.gateway)
    assert "Pinned to" in session.say("/model best@second")
    house.auth("remove", f"{chat.provider}:second", "--yes")
    seen = len(house.seen())
    for _ in range(2):
        with pytest.raises(Exception, match="pinned to") as raised:
            session.say("hello")
        status = getattr(raised.value, "status_code", None) or raised.value.code
        assert status == 400
    assert len(house.seen()) == seen
    assert "is released" in session.say("/model default")
    assert session.say("hello") and house.keys_seen()[-1] == "first"


def test_without_the_header_it_is_a_message_like_any_other(house, chat):
    assert chat(house.gateway, session=None).say("/model list")
    assert len(house.seen()) == 1


def test_no_session_key_is_written_or_logged(house, chat):
    session = chat(house.gateway)
    session.say("/model best@first")
    session.say("hello")
    house.restart_gateway()
    files = [path for path in house.state.iterdir() if path.is_file()]
    assert house.state / "sessions.json" in files
    printed = [path for program in house.programs for path in (program.output, program.errors)]
    for path in files + printed:
        assert KEY not in path.read_text(), path
