"""What a program does with the Google GenAI SDK, through the gateway."""

import pytest
from google.genai import types
from pydantic import BaseModel

from callers import Google

MODEL = Google.model
TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="get_weather",
            description="Weather of a city",
            parameters=types.Schema(
                type="OBJECT",
                properties={"city": types.Schema(type="STRING"), "days": types.Schema(type="INTEGER")},
                required=["city", "days"],
            ),
        )
    ]
)


class Forecast(BaseModel):
    city: str
    days: int


@pytest.fixture
def house(build):
    return build("google")


@pytest.fixture
def client(house):
    return Google(house.gateway).client


def test_generate(house, client):
    answer = client.models.generate_content(model=MODEL, contents="Say something")
    assert len(answer.text.split()) == 32
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.candidates_token_count == 32
    [seen] = house.seen()
    assert (seen["provider"], seen["model"]) == ("google", MODEL)
    assert seen["path"].endswith(f"/models/{MODEL}:generateContent")


def test_stream(house, client):
    chunks = list(client.models.generate_content_stream(model=MODEL, contents="Say something"))
    assert len(chunks) > 1
    assert len("".join(chunk.text or "" for chunk in chunks).split()) == 32
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert "alt=sse" in house.seen()[0]["query"]


def tools():
    return types.GenerateContentConfig(
        tools=[TOOL], automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
    )


def test_tool_call(client):
    answer = client.models.generate_content(model=MODEL, contents="Please call the tool", config=tools())
    [call] = answer.function_calls
    assert call.name == "get_weather"
    assert Forecast.model_validate(call.args)


def test_tool_call_in_a_stream(client):
    chunks = list(
        client.models.generate_content_stream(model=MODEL, contents="Please call the tool", config=tools())
    )
    [call] = [call for chunk in chunks for call in chunk.function_calls or []]
    assert Forecast.model_validate(call.args)


def test_structured_output(client):
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Forecast)
    answer = client.models.generate_content(model=MODEL, contents="A forecast", config=config)
    assert isinstance(answer.parsed, Forecast)


def test_embeddings(client):
    answer = client.models.embed_content(model="gemini-embedding-001", contents=["one", "two"])
    assert len(answer.embeddings) == 2
    assert all(len(item.values) > 1 for item in answer.embeddings)


def test_count_tokens(client):
    assert client.models.count_tokens(model=MODEL, contents="How many are these?").total_tokens > 0


def test_models(client):
    assert f"models/{MODEL}" in {model.name for model in client.models.list()}
    assert client.models.get(model=MODEL).name == f"models/{MODEL}"


def test_chat_of_two_turns(client):
    chat = client.chats.create(model=MODEL)
    assert chat.send_message("Say something").text
    assert chat.send_message("Say more").text
    assert len(chat.get_history()) == 4
