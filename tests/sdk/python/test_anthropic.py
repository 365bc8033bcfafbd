"""What a program does with the Anthropic SDK, through the gateway."""

import pytest
from pydantic import BaseModel

from callers import Anthropic

MODEL = Anthropic.model
TOOL = {
    "name": "get_weather",
    "description": "Weather of a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
    },
}


class Forecast(BaseModel):
    city: str
    days: int


@pytest.fixture
def house(build):
    return build("anthropic")


@pytest.fixture
def client(house):
    return Anthropic(house.gateway).client


def asked(text, **more):
    return {"model": MODEL, "max_tokens": 1024, "messages": [{"role": "user", "content": text}], **more}


def test_message(house, client):
    answer = client.messages.create(**asked("Say something", metadata={"user_id": "someone"}))
    assert answer.model == MODEL
    assert len(answer.content[0].text.split()) == 32
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens == 32
    assert answer._request_id
    [seen] = house.seen()
    assert (seen["provider"], seen["path"], seen["model"]) == ("anthropic", "/v1/messages", MODEL)


def test_versions_and_betas_pass_through(house, client):
    client.beta.messages.create(**asked("Say something"), betas=["a-beta-nobody-knows-2026-11-01"])
    [seen] = house.seen()
    headers = dict(seen["headers"])
    assert "a-beta-nobody-knows-2026-11-01" in headers["anthropic-beta"]
    assert headers["anthropic-version"]


def test_stream(client):
    with client.messages.stream(**asked("Say something")) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert len(final.content[0].text.split()) == 32
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens == 32


def test_raw_stream_events(client):
    events = list(client.messages.create(**asked("Say something"), stream=True))
    kinds = [event.type for event in events]
    assert kinds[0] == "message_start"
    assert kinds[1] == "content_block_start"
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]


def test_tool_call(client):
    answer = client.messages.create(**asked("Please call the tool", tools=[TOOL]))
    assert answer.stop_reason == "tool_use"
    [call] = [block for block in answer.content if block.type == "tool_use"]
    assert call.name == "get_weather"
    assert Forecast.model_validate(call.input)
    messages = [
        {"role": "user", "content": "Please call the tool"},
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in answer.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "rain"}]},
    ]
    again = client.messages.create(model=MODEL, max_tokens=64, messages=messages, tools=[TOOL])
    assert again.content[0].text


def test_tool_call_in_a_stream(client):
    with client.messages.stream(**asked("Please call the tool", tools=[TOOL])) as stream:
        final = stream.get_final_message()
    [call] = [block for block in final.content if block.type == "tool_use"]
    assert Forecast.model_validate(call.input)


def test_structured_output_by_a_forced_tool(client):
    choice = {"type": "tool", "name": "get_weather"}
    answer = client.messages.create(**asked("A forecast", tools=[TOOL], tool_choice=choice))
    [call] = [block for block in answer.content if block.type == "tool_use"]
    assert Forecast.model_validate(call.input)


def test_structured_output(client):
    answer = client.messages.parse(**asked("A forecast"), output_format=Forecast)
    assert isinstance(answer.parsed_output, Forecast)


def test_count_tokens(house, client):
    counted = client.messages.count_tokens(
        model=MODEL, messages=[{"role": "user", "content": "How many are these?"}]
    )
    assert counted.input_tokens > 0
    assert house.seen()[0]["path"] == "/v1/messages/count_tokens"


def test_models(client):
    models = list(client.models.list())
    assert MODEL in {model.id for model in models}
    assert client.models.retrieve(MODEL).id == MODEL
