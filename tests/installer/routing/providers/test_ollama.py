"""Ollama: the context that goes with each request, and what it says of its models."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from claude_tier.routing.prompt import Prompt
from fault_server import FAULTS, Fault, FaultServer, Reply

from .asking import KEY, MODEL, VARIABLE, WAYS, ask, client, look, window

OLLAMA = WAYS["ollama"][0]
SHORT = replace(Prompt.of("hello"), max_tokens=100)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def _showing(document: dict[str, Any]) -> Any:
    """A server whose models are described so."""
    body = json.dumps(document)
    return lambda request: Fault(None, body=body) if request.path == "/api/show" else Reply()


def _options(server: FaultServer) -> Any:
    return server.requests[0].body["options"]


def test_a_short_prompt_gets_a_small_context() -> None:
    """And the longest answer that was asked for."""
    with FaultServer() as server:
        ask(client(server.url, OLLAMA), SHORT)

        assert _options(server) == {"num_ctx": 4096, "num_predict": 100}


def test_a_long_prompt_gets_a_context_that_holds_it() -> None:
    """By doubling, so that prompts of about one size do not load the model anew."""
    with FaultServer() as server:
        ask(client(server.url, OLLAMA), replace(SHORT, messages=Prompt.of("x" * 60_000).messages))

        assert _options(server)["num_ctx"] == 32768


def test_a_context_is_no_larger_than_the_model() -> None:
    """What it was trained for is the most there is."""
    with FaultServer(_showing({"model_info": {"llama.context_length": 6000}})) as server:
        ask(client(server.url, OLLAMA), replace(SHORT, max_tokens=5900))

        assert _options(server)["num_ctx"] == 6000


def test_a_context_of_the_models_own_file_stands() -> None:
    """Whoever made it knew what fits into the memory."""
    shown = {"parameters": "stop x\nnum_ctx    8192", "model_info": {"a.context_length": 131072}}
    with FaultServer(_showing(shown)) as server:
        there = client(server.url, OLLAMA)
        ask(there, SHORT)

        assert _options(server)["num_ctx"] == 8192
        assert window(client(server.url, OLLAMA), MODEL) == 8192


def test_the_configured_window_goes_first() -> None:
    """And nobody is asked."""
    with FaultServer() as server:
        ask(client(server.url, OLLAMA, models={MODEL: {"window": 12345}}), SHORT)

        assert _options(server)["num_ctx"] == 12345
        assert not server.lookups


def test_nothing_is_cut_in_silence() -> None:
    """A prompt that does not fit is refused, and no answer loses its beginning."""
    with FaultServer() as server:
        ask(client(server.url, OLLAMA), SHORT)

        assert (server.requests[0].body["truncate"], server.requests[0].body["shift"]) == (
            False,
            False,
        )


def test_a_schema_and_a_temperature_go_along() -> None:
    """Under the names that Ollama has for them."""
    with FaultServer() as server:
        ask(client(server.url, OLLAMA), replace(SHORT, schema={"type": "object"}, temperature=0.0))

        assert server.requests[0].body["format"] == {"type": "object"}
        assert _options(server)["temperature"] == 0.0


def test_a_model_that_is_not_there_is_to_be_pulled() -> None:
    """By the command that does."""
    with FaultServer(FAULTS["ollama_model"]) as server:
        fault = ask(client(server.url, OLLAMA), model="qwen3:8b").fault

    assert fault is not None
    assert (fault.cause, fault.remedy) == ("model", "ollama pull qwen3:8b")


def test_an_ollama_that_does_not_run_is_to_be_started() -> None:
    """By the command that does."""
    with FaultServer() as server:
        url = server.url
    found = look(client(url, OLLAMA))

    assert (found.reachable, found.remedy) == (False, "ollama serve")


def test_a_look_has_the_window_of_every_model() -> None:
    """One that cannot be described has none."""
    with FaultServer(models=["alpha", "beta"]) as server:
        found = look(client(server.url, OLLAMA))

    assert found.models == {"alpha": 131072, "beta": 131072}
