"""Errors arrive as the SDK's own exceptions, with the provider's words; streams that break are seen to break."""

import asyncio

import pytest

from house import wait_for

GONE_SECONDS_MAX = 1.0
SLOW = {"chunkDelayMs": 30, "replyTokens": 2_000}


def test_an_error_body_arrives_byte_for_byte(build, caller):
    fault = {"fault": "status", "status": 400, "body": caller.odd_body, "headers": {"x-odd": "kept"}}
    house = build(caller.provider, faults=[fault])
    with pytest.raises(caller.errors[400]) as raised:
        caller(house.gateway).ask()
    assert caller.raw(raised.value) == caller.odd_body
    assert caller.headers(raised.value)["x-odd"] == "kept"


def test_an_unknown_model_is_the_providers_404(build, caller):
    house = build(caller.provider, allow_unknown_models=False)
    with pytest.raises(caller.errors[404]) as raised:
        caller(house.gateway).ask(model="no-such-model")
    assert caller.status(raised.value) == 404
    assert "no-such-model" in caller.raw(raised.value)


def test_a_provider_without_keys_is_a_401_that_says_where_they_are_looked_for(build, caller):
    other = {"openai": "anthropic", "anthropic": "google", "google": "openai"}[caller.provider]
    house = build(other)
    with pytest.raises(caller.errors[401]) as raised:
        caller(house.gateway).ask()
    assert caller.status(raised.value) == 401
    variable = {"openai": "OPENAI", "anthropic": "ANTHROPIC", "google": "GEMINI"}[caller.provider]
    assert f"{variable}_API_KEY" in caller.raw(raised.value)
    assert house.keys_seen() == []


def test_an_error_before_the_content_of_a_stream_is_raised(build, caller):
    house = build(caller.provider, ("first", "second"), [{"fault": "error_before_content", "error": "overloaded"}])
    with pytest.raises(caller.stream_error):
        list(caller(house.gateway).stream())
    assert house.keys_seen() == ["first"]


def test_an_error_after_content_is_raised_and_is_never_replayed(build, caller):
    fault = {"fault": "error_after_content", "error": "rate_limit", "afterChunks": 3}
    house = build(caller.provider, ("first", "second"), [fault])
    pieces = []
    with pytest.raises(caller.stream_error):
        for piece in caller(house.gateway).stream():
            pieces.append(piece)
    assert len(pieces) == 3
    assert house.keys_seen() == ["first"]


def test_a_stream_that_is_cut_raises(build, caller):
    house = build(caller.provider, ("first", "second"), [{"fault": "cut_mid_stream", "afterChunks": 3}])
    pieces = []
    with pytest.raises(Exception) as raised:
        for piece in caller(house.gateway).stream():
            pieces.append(piece)
    assert len(pieces) == 3
    # httpx, its fork, or the SDK's own wrapper of either: all say that the connection broke.
    assert type(raised.value).__name__ in {"RemoteProtocolError", "ReadError", "APIConnectionError"}
    assert house.keys_seen() == ["first"]


def test_a_caller_that_leaves_mid_stream_is_followed_within_a_second(build, caller):
    house = build(caller.provider, behaviour=SLOW)
    stream = caller(house.gateway).stream()
    for _ in range(3):
        assert next(stream)
    stream.close()
    wait_for(lambda: house.total("streamsAborted") == 1, GONE_SECONDS_MAX, "the provider sees the caller leave")
    assert house.total("inFlight") == 0


def test_a_caller_that_leaves_before_the_answer_is_followed_within_a_second(build, caller):
    house = build(caller.provider, behaviour={"latencyMs": 20_000})

    async def leave():
        call = asyncio.create_task(caller(house.gateway).ask_parallel())
        await asyncio.to_thread(wait_for, lambda: house.total("inFlight") == 1, 10, "the request is at the provider")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(leave())
    wait_for(lambda: house.total("requestsAborted") == 1, GONE_SECONDS_MAX, "the provider sees the caller leave")
