"""What commands and files change while official SDKs call: obeyed at the next request, and no call fails."""

import asyncio
import contextlib
import threading

import pytest

CALLS_A_SECOND = 50
CHANGES = 6


@contextlib.contextmanager
def load(sdk):
    """Calls at a steady rate until the block ends; then every call must have been served."""
    stop = threading.Event()
    failures, served = [], []

    async def call():
        try:
            served.append(await sdk.ask_parallel())
        except Exception as error:  # whatever an SDK raises is a call that failed
            failures.append(error)

    async def steady():
        calls = set()
        while not stop.is_set():
            task = asyncio.ensure_future(call())
            calls.add(task)
            task.add_done_callback(calls.discard)
            await asyncio.sleep(1 / CALLS_A_SECOND)
        if calls:
            await asyncio.wait(calls)

    thread = threading.Thread(target=lambda: asyncio.run(steady()))
    thread.start()
    try:
        yield served
    finally:
        stop.set()
        thread.join()
    assert not failures, failures[:3]
    assert served, "there was no load"




@pytest.fixture
def stored(build, caller):
    house = build(caller.provider, ("a", "b"), stored=True)
    return house, caller(house.gateway), caller(house.gateway)


def test_an_order_is_obeyed_at_the_next_request_under_load(stored):
    house, sdk, other = stored
    with load(sdk):
        for change in range(CHANGES):
            first = "ab"[change % 2]
            house.auth("order", "set", "--provider", house.provider, f"{house.provider}:{first}")
            # Calls that began before the change may still arrive; none that begins after it goes elsewhere.
            before = len(house.seen())
            for _ in range(5):
                assert other.ask()
            late = house.keys_seen()[before:]
            assert late.count(first) >= 5, late
            assert set(late[-5:]) == {first}, late
    assert set(house.keys_seen()) == {"a", "b"}


def test_a_broken_config_saved_under_load_changes_nothing(stored):
    house, sdk, other = stored
    config = house.state / "coderclaw.json"
    good = config.read_text()
    with load(sdk):
        for _ in range(CHANGES):
            config.write_text('{ models: { providers: { openai: "no" } }')
            assert other.ask()
            config.write_text(good)
            assert other.ask()


def test_a_credential_that_is_removed_is_not_used_and_one_that_is_added_is(stored):
    house, sdk, other = stored
    profiles = [f"{house.provider}:{name}" for name in "ab"]
    house.auth("order", "set", "--provider", house.provider, *profiles)
    with load(sdk):
        assert other.ask()
        house.auth("order", "clear", "--provider", house.provider)
        house.auth("remove", profiles[0], "--yes")
        before = len(house.seen())
        for _ in range(5):
            assert other.ask()
        assert set(house.keys_seen()[before:][-5:]) == {"b"}
        house.paste("a")
        house.auth("order", "set", "--provider", house.provider, profiles[0])
        for _ in range(5):
            assert other.ask()
        assert set(house.keys_seen()[-5:]) == {"a"}
