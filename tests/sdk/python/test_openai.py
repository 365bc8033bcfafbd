"""What a program does with the OpenAI SDK, through the gateway."""

import base64
import struct

import openai
import pytest
from pydantic import BaseModel

from callers import OpenAi

MODEL = OpenAi.model
TOOL = {
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
}


class Forecast(BaseModel):
    city: str
    days: int


@pytest.fixture
def house(build):
    return build("openai")


@pytest.fixture
def client(house):
    return OpenAi(house.gateway).client


def user(text):
    return [{"role": "user", "content": text}]


def test_chat(house, client):
    answer = client.chat.completions.create(model=MODEL, messages=user("Say something"), user="someone")
    assert answer.model == MODEL
    assert len(answer.choices[0].message.content.split()) == 32
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 32
    assert answer._request_id
    [seen] = house.seen()
    assert (seen["provider"], seen["path"], seen["model"]) == ("openai", "/v1/chat/completions", MODEL)


def test_the_answer_says_who_served_it(house, client):
    answer = client.chat.completions.with_raw_response.create(model=MODEL, messages=user("Say something"))
    assert answer.headers["x-coderclaw-provider"] == "openai"
    assert answer.headers["x-coderclaw-attempts"] == "1"
    assert answer.parse().choices[0].message.content


def test_a_model_with_the_providers_name_loses_it_upstream(house, client):
    assert client.chat.completions.create(model=f"openai/{MODEL}", messages=user("Say something"))
    assert house.seen()[0]["model"] == MODEL


def test_an_unknown_provider_is_a_404_with_the_nearest_name(house, client):
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model=f"opnai/{MODEL}", messages=user("Say something"))
    assert "openai" in raised.value.message
    assert house.seen() == []


def test_chat_stream_with_usage(client):
    stream = client.chat.completions.create(
        model=MODEL, messages=user("Say something"), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert len(text.split()) == 32
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 32


def test_tool_call(client):
    answer = client.chat.completions.create(
        model=MODEL, messages=user("Please call the tool"), tools=[{"type": "function", "function": TOOL}]
    )
    [call] = answer.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert Forecast.model_validate_json(call.function.arguments)
    assert answer.choices[0].finish_reason == "tool_calls"
    messages = [
        *user("Please call the tool"),
        answer.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "rain"},
    ]
    again = client.chat.completions.create(
        model=MODEL, messages=messages, tools=[{"type": "function", "function": TOOL}]
    )
    assert again.choices[0].message.content


def test_tool_call_in_a_stream(client):
    with client.chat.completions.stream(
        model=MODEL,
        messages=user("Please call the tool"),
        tools=[{"type": "function", "function": {**TOOL, "strict": True}}],
    ) as stream:
        stream.until_done()
        [call] = stream.get_final_completion().choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert Forecast.model_validate_json(call.function.arguments)


def test_structured_output(client):
    answer = client.chat.completions.parse(
        model=MODEL, messages=user("A forecast"), response_format=Forecast
    )
    assert isinstance(answer.choices[0].message.parsed, Forecast)


def test_embeddings_as_base64_and_as_floats(house, client):
    usual = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    assert [item.index for item in usual.data] == [0, 1]
    floats = client.embeddings.create(
        model="text-embedding-3-small", input=["one", "two"], encoding_format="float"
    )
    assert usual.data[0].embedding == pytest.approx(floats.data[0].embedding, abs=1e-6)
    assert len(usual.data[0].embedding) > 1
    coded = client.embeddings.create(
        model="text-embedding-3-small", input=["one", "two"], encoding_format="base64"
    )
    text = coded.data[0].embedding
    assert isinstance(text, str)
    raw = base64.b64decode(text)
    assert list(struct.unpack(f"<{len(raw) // 4}f", raw)) == pytest.approx(usual.data[0].embedding)


def test_models(client):
    models = list(client.models.list())
    assert MODEL in {model.id for model in models}
    assert client.models.retrieve(MODEL).id == MODEL


def test_completions(client):
    answer = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Say something", max_tokens=5)
    assert len(answer.choices[0].text.split()) == 5


def test_responses(house, client):
    answer = client.responses.create(model=MODEL, input="Say something")
    assert answer.status == "completed"
    assert len(answer.output_text.split()) == 32
    assert house.seen()[0]["path"] == "/v1/responses"


def test_responses_stream(client):
    with client.responses.stream(model=MODEL, input="Say something") as stream:
        events = list(stream)
        final = stream.get_final_response()
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert [event.sequence_number for event in events] == sorted(event.sequence_number for event in events)
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert deltas == final.output_text
    assert len(deltas.split()) == 32


def test_responses_tool_call(client):
    answer = client.responses.create(
        model=MODEL, input="Please call the tool", tools=[{"type": "function", "strict": True, **TOOL}]
    )
    [call] = [item for item in answer.output if item.type == "function_call"]
    assert call.name == "get_weather"
    assert Forecast.model_validate_json(call.arguments)


def test_responses_structured_output(client):
    answer = client.responses.parse(model=MODEL, input="A forecast", text_format=Forecast)
    assert isinstance(answer.output_parsed, Forecast)


def test_a_response_stream_rotates_before_its_first_word(build):
    house = build(
        "openai", ("first", "second"), [{"fault": "error_before_content", "key": "first", "error": "rate_limit"}]
    )
    with OpenAi(house.gateway).client.responses.stream(model=MODEL, input="Say something") as stream:
        assert len(stream.get_final_response().output_text.split()) == 32
    assert house.keys_seen() == ["first", "second"]


def test_a_failed_response_stream_says_so(build):
    house = build("openai", faults=[{"fault": "error_after_content", "error": "server", "afterChunks": 2}])
    stream = OpenAi(house.gateway).client.responses.create(model=MODEL, input="Say something", stream=True)
    kinds = []
    try:
        kinds.extend(event.type for event in stream)
    except openai.APIError:
        kinds.append("raised")
    assert kinds.count("response.output_text.delta") == 2
    assert kinds[-1] in {"response.failed", "error", "raised"}
