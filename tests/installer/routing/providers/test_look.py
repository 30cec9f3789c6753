"""What a look at a provider finds, and whose word a window is."""

from __future__ import annotations

import json

import anyio
import pytest
from claude_tier.config import Config
from claude_tier.config.providers import Provider
from claude_tier.errors import UserError
from claude_tier.livecheck.request import Request
from claude_tier.routing import providers
from claude_tier.routing.providers import windows
from claude_tier.routing.providers.llama_server import LlamaServer
from fault_server import FAULTS, Fault, FaultServer

from .asking import EVERY_WAY, HASTY, KEY, PATIENT, VARIABLE, WAYS, Way, client, look, window

HAVE_WINDOWS = [*WAYS["openrouter"], *WAYS["litellm"], *WAYS["ollama"]]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_a_look_lists_the_models(way: Way) -> None:
    """Without asking one."""
    with FaultServer(models=["alpha", "beta"]) as server:
        found = look(client(server.url, way))

        assert not server.requests
    assert found.reachable, found.message
    assert [*found.models] == ["alpha", "beta"]


@pytest.mark.parametrize("way", HAVE_WINDOWS, ids=str)
def test_a_window_is_the_providers_own_word(way: Way) -> None:
    """Where the configuration has none."""
    with FaultServer() as server:
        assert window(client(server.url, way), "alpha") == 131072
        assert window(client(server.url, way), "unknown") is None
        assert window(client(server.url, way, models={"alpha": {"window": 7}}), "alpha") == 7


def test_a_suffix_of_openrouter_is_no_other_model() -> None:
    """It only picks among those who serve it."""
    with FaultServer() as server:
        assert window(client(server.url, WAYS["openrouter"][0]), "alpha:nitro") == 131072


@pytest.mark.parametrize(
    "name", ["refused", "reset", "silent", "garbage", "bad_gateway", "redirect", "leaky_error"]
)
@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_a_look_that_finds_nothing_says_why(way: Way, name: str) -> None:
    """It raises nothing, and its words hold no key."""
    with FaultServer(FAULTS[name]) as server:
        found = look(client(server.url, way, HASTY))

    assert not found.reachable
    assert found.message
    assert KEY not in repr(found)


def test_a_wrong_key_of_openrouter_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although its list of models is open to everybody."""
    refusal = FAULTS["openrouter_key"]
    with FaultServer(lambda request: refusal if "key" in request.path else Fault(None)) as server:
        found = look(client(server.url, WAYS["openrouter"][0]))

    assert (found.reachable, found.remedy) == (False, f"set {VARIABLE} to a valid key")


def test_litellm_without_details_still_lists_its_models() -> None:
    """A key may be kept from them."""
    details = Fault("key", 403, {"error": {"message": "not for this key"}})
    with FaultServer(lambda asked: details if "info" in asked.path else Fault(None)) as server:
        found = look(client(server.url, WAYS["litellm"][0]))

    assert found.models == {"alpha": None, "beta": None}


def test_a_prompt_has_to_fit_the_smallest_that_shares_a_name() -> None:
    """LiteLLM spreads requests for a name over several deployments."""
    sizes = (8000, 4000, None)
    data = [{"model_name": "alpha", "model_info": {"max_input_tokens": size}} for size in sizes]
    with FaultServer(Fault(None, body=json.dumps({"data": data}))) as server:
        assert window(client(server.url, WAYS["litellm"][0]), "alpha") == 4000


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("haiku", 1_000_000),
        ("claude-haiku-5-5", 1_000_000),
        ("claude-haiku-4-5-20251001", 200_000),
        ("claude-opus-4-7", 1_000_000),
        ("claude-opus-4-20250514", 200_000),
        ("claude-sonnet-4-5[1m]", 1_000_000),
        ("Sonnet", 1_000_000),
        ("gpt-5.2", None),
        ("claude-next-9", None),
    ],
)
def test_windows_of_claude_models_are_shipped(model: str, size: int | None) -> None:
    """For where nobody can be asked."""
    assert windows.shipped(model) == size


def test_anthropic_has_windows_that_its_list_leaves_out() -> None:
    """Its list names none in this case."""
    with FaultServer(models=["claude-haiku-4-5"]) as server:
        assert window(client(server.url, Way("anthropic")), "claude-haiku-4-5") == 200_000


def test_one_that_did_not_answer_is_asked_again_after_a_while() -> None:
    """Not at every turn; and not never: it may have been started since."""
    now = 1000.0

    async def over_time(url: str) -> list[int | None]:
        nonlocal now
        provider = Provider.model_validate({"kind": "llama-server", "base_url": url})
        async with LlamaServer("there", provider, PATIENT, now=lambda: now) as there:
            first = await there.window("alpha")
            gone.clear()
            soon = await there.window("alpha")
            now += 61
            return [first, soon, await there.window("alpha")]

    gone = [FAULTS["bad_gateway"]]
    with FaultServer(lambda asked: gone[0] if gone else _sized(asked)) as server:
        assert anyio.run(over_time, server.url) == [None, None, 2048]


def _sized(asked: Request) -> Fault:
    """A model list, and the context of a llama-server."""
    props = {"default_generation_settings": {"n_ctx": 2048}}
    body = props if asked.path == "/props" else {"data": [{"id": "alpha"}]}
    return Fault(None, body=json.dumps(body))


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_a_list_of_models_is_there(status: int) -> None:
    """Of those that speak Anthropic's API many have none; Anthropic itself has one."""
    missing = Fault("model", status, {"error": {"message": "no such path"}})
    with FaultServer(missing) as server:
        found = look(client(server.url, Way("anthropic-compatible")))
        itself = look(client(server.url, Way("anthropic")))

    assert (found.reachable, dict(found.models)) == (True, {})
    assert not itself.reachable


@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_a_name_of_a_model_holds_no_key(way: Way) -> None:
    """And nothing that a terminal would obey."""
    with FaultServer(models=[f"by-{KEY}", "\x1b[2J"]) as server:
        found = look(client(server.url, way))

    assert [*found.models] == ["by-[key]", "[2J"]


def test_every_kind_has_a_client() -> None:
    """None is forgotten in the registry."""
    for kind in providers.KINDS:
        given = {"kind": kind} | (
            {} if kind == "claude-cli" else {"base_url": "http://127.0.0.1:1"}
        )
        config = Config(providers={"one": Provider.model_validate(given)})
        assert providers.client(config, "one").name == "one"


def test_a_provider_without_a_kind_cannot_be_asked() -> None:
    """It only says what a host costs."""
    config = Config(providers={"one": Provider.model_validate({"base_url": "http://127.0.0.1:1"})})

    with pytest.raises(UserError, match="has no kind"):
        providers.client(config, "one")
