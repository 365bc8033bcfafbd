"""A rate limit never reaches a caller while another key could serve; what the emulator saw is the proof."""

import asyncio
import time

import pytest

THREE = ("first", "second", "third")
AT_ONCE = 50


def throttled(key, wait_ms=30_000, **more):
    return {"fault": "rate_limit", "key": key, "retryAfterMs": wait_ms, **more}


def test_the_first_call_finds_the_healthy_key_and_the_next_starts_there(build, caller):
    house = build(caller.provider, THREE, [throttled("first"), {"fault": "quota", "key": "second"}])
    sdk = caller(house.gateway)
    assert sdk.ask()
    assert house.keys_seen() == ["first", "second", "third"]
    assert sdk.ask()
    assert house.keys_seen() == ["first", "second", "third", "third"]
    assert house.total("early") == 0


def test_a_stream_rotates_before_its_first_word(build, caller):
    house = build(
        caller.provider,
        THREE,
        [throttled("first"), {"fault": "error_before_content", "key": "second", "error": "rate_limit"}],
    )
    text = "".join(caller(house.gateway).stream())
    assert len(text.split()) == 32
    assert house.keys_seen() == ["first", "second", "third"]


@pytest.mark.parametrize("status", [400, 404, 500])
def test_other_errors_are_not_rotated(build, caller, status):
    house = build(caller.provider, THREE, [{"fault": "status", "status": status}])
    with pytest.raises(caller.errors[status]) as raised:
        caller(house.gateway).ask()
    assert caller.status(raised.value) == status
    assert house.keys_seen() == ["first"]


def test_an_overloaded_provider_is_not_rotated(build, caller):
    house = build(caller.provider, THREE, [{"fault": "overloaded"}])
    with pytest.raises(caller.errors[caller.overloaded_status]) as raised:
        caller(house.gateway).ask()
    assert caller.status(raised.value) == caller.overloaded_status
    assert house.keys_seen() == ["first"]


def test_dead_keys_are_told_as_the_provider_tells_it_and_are_not_asked_again(build, caller):
    house = build(caller.provider, ("first", "second"), dead=("first", "second"))
    sdk = caller(house.gateway)
    for key in ("first", "second"):
        with pytest.raises(caller.errors[caller.dead_status]) as raised:
            sdk.ask()
        assert caller.status(raised.value) == caller.dead_status
        assert house.secrets[key][:16] not in caller.raw(raised.value)
    assert house.keys_seen() == ["first", "second"]
    with pytest.raises(tuple(set(caller.errors.values()))):
        sdk.ask()
    assert house.keys_seen() == ["first", "second"]


def test_when_every_key_is_throttled_the_caller_learns_when_to_come_back(build, caller):
    house = build(caller.provider, THREE, [throttled("first"), throttled("second", 9_000), throttled("third")])
    sdk = caller(house.gateway)
    for _ in range(2):
        with pytest.raises(caller.errors[429]) as raised:
            sdk.ask()
        assert caller.status(raised.value) == 429
        assert 1 <= int(caller.headers(raised.value)["retry-after"]) <= 9
        assert 1_000 <= int(caller.headers(raised.value)["retry-after-ms"]) <= 9_000
    assert house.keys_seen() == ["first", "second", "third"]


def test_when_every_key_is_out_of_money_the_provider_says_so_and_is_left_alone(build, caller):
    house = build(caller.provider, ("first", "second"), [{"fault": "quota"}])
    sdk = caller(house.gateway)
    for _ in range(2):
        with pytest.raises(caller.stream_error) as raised:
            sdk.ask()
        assert caller.headers(raised.value)["x-should-retry"] == "false"
    assert house.keys_seen() == ["first", "second"]


def test_a_long_wait_is_told_as_one_that_is_not_worth_a_retry(build, caller):
    house = build(caller.provider, ("first", "second"), [throttled("first", 300_000), throttled("second", 300_000)])
    retries = 2 if caller.obeys_retry_after else 0
    began = time.monotonic()
    with pytest.raises(caller.errors[429]) as raised:
        caller(house.gateway, retries=retries).ask()
    assert time.monotonic() - began < 10
    headers = caller.headers(raised.value)
    assert headers["retry-after"] == "60"
    assert headers["x-should-retry"] == "false"
    assert headers["x-coderclaw-retry-at"]
    assert house.keys_seen() == ["first", "second"]


def test_the_retry_of_the_sdk_comes_when_a_key_is_free_again(build, caller):
    house = build(caller.provider, THREE, [throttled(key, 2_000, first=1) for key in THREE])
    began = time.monotonic()
    assert caller(house.gateway, retries=4).ask()
    if caller.obeys_retry_after:
        assert time.monotonic() - began >= 1.5
    assert house.keys_seen()[:3] == list(THREE)
    assert len(house.keys_seen()) == 4
    assert house.total("early") == 0


def test_fifty_at_once_all_succeed_while_a_key_is_throttled(build, caller):
    house = build(caller.provider, THREE, [throttled("first", skip=10)], behaviour={"latencyMs": 20})

    async def all_at_once():
        sdk = caller(house.gateway)
        return await asyncio.gather(*(sdk.ask_parallel() for _ in range(AT_ONCE)))

    assert all(asyncio.run(all_at_once()))
    assert house.total("succeeded") == AT_ONCE
    stats = house.stats()
    assert stats["first"]["succeeded"] == 10
    assert stats["third"]["requests"] == 0


def test_a_proxied_call_uses_the_pool_too(build, caller):
    house = build(caller.provider, ("first", "second"), [throttled("first")])
    assert caller(house.gateway, base=caller.proxy_path).ask()
    assert house.keys_seen() == ["first", "second"]
