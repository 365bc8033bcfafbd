"""A model that cannot serve is stood in for before its first word, and never after it: what each SDK sees of it."""

import asyncio
import time

import pytest

from house import MODELS, SPARE_MODEL

AT_ONCE = 20
# What no caller can mend, and what the provider then does.
TROUBLES = {
    "throttled": {"fault": "rate_limit", "retryAfterMs": 30_000},
    "unpaid": {"fault": "quota"},
    "overloaded": {"fault": "overloaded"},
    "failing": {"fault": "status", "status": 500},
    "breaking": {"fault": "close_before_head"},
    "key refused": {"fault": "unauthorized"},
}


def house_with(build, caller, trouble=None, of_spare=None, **options):
    """A house whose first model has `trouble`, and the one that stands in for it `of_spare`."""
    faults = [] if trouble is None else [{**trouble, "model": caller.model}]
    faults += [] if of_spare is None else [{**of_spare, "model": SPARE_MODEL}]
    return build(caller.provider, faults=faults, spare=True, **options)


def models_seen(house):
    return [entry["model"] for entry in house.seen()]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_no_caller_can_mend_no_caller_sees(build, caller, trouble, streams):
    house = house_with(build, caller, TROUBLES[trouble])
    sdk = caller(house.gateway)
    text = "".join(sdk.stream()) if streams else sdk.ask()
    assert text
    assert models_seen(house) == [caller.model, SPARE_MODEL]
    assert house.keys_seen() == ["only", "spare"]


def test_a_provider_that_is_not_there_is_not_missed(build, caller):
    house = house_with(build, caller, is_there=False)
    sdk = caller(house.gateway)
    assert sdk.ask()
    assert "".join(sdk.stream())
    assert models_seen(house) == [SPARE_MODEL, SPARE_MODEL]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_a_provider_that_hangs_is_left_in_time(build, caller, streams):
    house = house_with(build, caller, {"fault": "hang_before_head"}, timeouts={"fallback": "500ms"})
    sdk = caller(house.gateway)
    began = time.monotonic()
    assert "".join(sdk.stream()) if streams else sdk.ask()
    assert 0.5 <= time.monotonic() - began < 10
    assert models_seen(house) == [caller.model, SPARE_MODEL]


@pytest.mark.parametrize("error", ["overloaded", "rate_limit", "server"])
def test_an_error_before_the_first_word_of_a_stream_is_not_seen(build, caller, error):
    house = house_with(build, caller, {"fault": "error_before_content", "error": error})
    assert len("".join(caller(house.gateway).stream()).split()) == 32
    assert models_seen(house) == [caller.model, SPARE_MODEL]


def test_an_error_after_the_first_word_is_seen_and_nothing_is_sent_again(build, caller):
    house = house_with(build, caller, {"fault": "error_after_content", "error": "overloaded", "afterChunks": 3})
    pieces = []
    with pytest.raises(caller.stream_error):
        for piece in caller(house.gateway).stream():
            pieces.append(piece)
    assert len(pieces) == 3
    assert models_seen(house) == [caller.model]


def test_a_stream_that_is_cut_after_the_first_word_is_seen_to_be(build, caller):
    house = house_with(build, caller, {"fault": "cut_mid_stream", "afterChunks": 3})
    with pytest.raises(Exception) as raised:
        list(caller(house.gateway).stream())
    assert type(raised.value).__name__ in {"RemoteProtocolError", "ReadError", "APIConnectionError"}
    assert models_seen(house) == [caller.model]


def test_a_bad_request_is_the_callers(build, caller):
    house = house_with(build, caller, {"fault": "status", "status": 400, "body": caller.odd_body})
    with pytest.raises(caller.errors[400]) as raised:
        caller(house.gateway).ask()
    assert caller.raw(raised.value) == caller.odd_body
    assert caller.headers(raised.value)["x-coderclaw-model"] == f"{caller.provider}/{caller.model}"
    assert models_seen(house) == [caller.model]


def test_when_all_failed_one_error_tells_of_each(build, caller):
    throttled = {"fault": "rate_limit", "retryAfterMs": 20_000}
    house = house_with(build, caller, throttled, of_spare={"fault": "overloaded"})
    with pytest.raises(caller.errors[429]) as raised:
        caller(house.gateway).ask()
    assert caller.status(raised.value) == 429
    message = str(raised.value)
    assert f"All models failed (2): {caller.provider}/{caller.model}: rate limited" in message
    assert f"| spare/{SPARE_MODEL}: overloaded" in message
    assert "all_models_failed" in caller.raw(raised.value)
    assert 1 <= int(caller.headers(raised.value)["retry-after"]) <= 20
    assert models_seen(house) == [caller.model, SPARE_MODEL]


def test_the_primary_serves_again_once_it_is_well(build, caller):
    house = house_with(build, caller, {"fault": "overloaded", "first": 2})
    sdk = caller(house.gateway)
    assert all(sdk.ask() for _ in range(4))
    primary = MODELS[caller.provider]
    assert models_seen(house) == [primary, SPARE_MODEL, primary, SPARE_MODEL, primary, primary]


def test_many_at_once_are_all_served_while_the_primary_fails(build, caller):
    house = house_with(build, caller, TROUBLES["overloaded"], behaviour={"latencyMs": 20})

    async def all_at_once():
        sdk = caller(house.gateway)
        return await asyncio.gather(*(sdk.ask_parallel() for _ in range(AT_ONCE)))

    assert all(asyncio.run(all_at_once()))
    assert sorted(models_seen(house)) == sorted([caller.model, SPARE_MODEL] * AT_ONCE)
