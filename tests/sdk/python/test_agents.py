"""Agents with orders and keys of their own, named by a header or by the model, through official SDKs at once."""

import concurrent.futures
import json

import anthropic
import openai
import pytest

from callers import CALLERS

ROUNDS = 10
HEADER = "x-coderclaw-agent-id"


@pytest.fixture(
    params=[caller for caller in CALLERS if caller.provider in ("openai", "anthropic")],
    ids=lambda caller: caller.provider,
)
def caller(request):
    """The SDKs that take headers by `default_headers`."""
    return request.param


@pytest.fixture
def house(build, caller):
    """Agents `work` and `play` beside `main`: `main` begins with `a`, `work` has `b` alone, `play` has `c` first."""
    house = build(caller.provider, ("a", "b", "c"), stored=True)
    config = json.loads((house.state / "coderclaw.json").read_text())
    config["agents"] = {
        "defaults": {"model": f"{house.provider}/{caller.model}"},
        "list": [{"id": "work"}, {"id": "play"}],
    }
    (house.state / "coderclaw.json").write_text(json.dumps(config))
    names = {"main": "abc", "work": "b", "play": "ca"}
    for agent, order in names.items():
        profiles = [f"{house.provider}:{name}" for name in order]
        house.auth("order", "set", "--provider", house.provider, "--agent", agent, *profiles)
    return house


def as_agent(caller, house, agent):
    sdk = caller(house.gateway)
    if agent:
        sdk.client = sdk.client.with_options(default_headers={HEADER: agent})
    return sdk


def test_each_agent_is_served_in_its_own_order_at_once(house, caller):
    def ask(agent):
        sdk = as_agent(caller, house, agent)
        for _ in range(ROUNDS):
            assert sdk.ask()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(ask, agent) for agent in (None, "work", "play")]:
            done.result()
    seen = house.keys_seen()
    assert {name: seen.count(name) for name in "abc"} == {"a": ROUNDS, "b": ROUNDS, "c": ROUNDS}


def test_the_model_s_name_names_an_agent_too(house, caller):
    for model, key in (("coderclaw", "a"), ("coderclaw:work", "b"), ("agent:play", "c")):
        assert caller(house.gateway).ask(model=model)
        assert house.keys_seen()[-1] == key, model


def test_an_agent_that_there_is_not_is_said_as_the_sdk_understands_it(house, caller):
    errors = openai if caller.provider == "openai" else anthropic
    with pytest.raises(errors.NotFoundError, match="did you mean `work`"):
        as_agent(caller, house, "wrok").ask()
    with pytest.raises(errors.BadRequestError, match="is no agent's id"):
        as_agent(caller, house, "no agent").ask()
    with pytest.raises(errors.BadRequestError, match="leave one of them out"):
        as_agent(caller, house, "play").ask(model="coderclaw:work")
    assert not house.seen()
