"""From what is there to what config.yaml lacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest
from claude_tier import config
from claude_tier.config import Config
from claude_tier.config.providers import Kind
from claude_tier.routing import providers
from claude_tier.routing.providers import Found
from claude_tier.routing.setup import looking, proposing
from claude_tier.routing.setup.looking import Seen, Server
from claude_tier.routing.setup.memory import GIB, Memory
from claude_tier.routing.setup.proposing import Proposal

ABSENT = Found(reachable=False, message="nobody there")
GPU = (Memory("gpu", 8 * GIB),)


def configured(folder: Path, text: str = "") -> Config:
    file = folder / "config.yaml"
    file.write_text(text)
    return config.load(file).config


def seen(
    given: Config, found: Mapping[Kind, Found], keys: Mapping[Kind, str] | None = None
) -> Seen:
    """Those servers as found, each for the provider it would be."""
    owners = {kind: looking.owner(given, kind) for kind in looking.SERVERS}
    servers = {kind: Server(kind, owners[kind], found.get(kind, ABSENT)) for kind in owners}
    return Seen(servers, keys or {})


def ollama(*models: str) -> dict[Kind, Found]:
    return {"ollama": Found(reachable=True, models=dict.fromkeys(models))}


def proposed(folder: Path, text: str, found: Mapping[Kind, Found]) -> Proposal:
    given = configured(folder, text)
    return proposing.proposal(given, seen(given, found), GPU)


def test_an_ollama_becomes_a_provider_and_fills_the_roles(tmp_path: Path) -> None:
    """With the models that fit, the window each should have, and what has to be pulled."""
    found = proposed(tmp_path, "", ollama("llama3.2:3b"))
    assert found.additions == {
        "providers": {
            "ollama": {
                "kind": "ollama",
                "free": True,
                "models": {
                    "llama3.2:3b": {"window": 16384},
                    "qwen2.5-coder:7b": {"window": 32768},
                },
            }
        },
        "router": {"small": "ollama/llama3.2:3b", "coding": "ollama/qwen2.5-coder:7b"},
    }
    assert [str(target) for target in found.pulls] == ["ollama/qwen2.5-coder:7b"]


def test_what_is_filled_stays(tmp_path: Path) -> None:
    """A role of the user's own is not proposed again, nor is a provider of that kind."""
    text = (
        "providers: {mine: {kind: ollama, base_url: 'http://127.0.0.1:9999'}}\n"
        "router: {small: mine/phi3, coding: claude/haiku}\n"
    )
    assert proposed(tmp_path, text, ollama()).additions == {}


def test_the_users_own_provider_gets_the_models(tmp_path: Path) -> None:
    """By the name that it has in the file."""
    text = "providers: {mine: {kind: ollama}}\nrouter: {coding: claude/haiku}\n"
    assert proposed(tmp_path, text, ollama()).additions == {
        "providers": {"mine": {"models": {"llama3.2:3b": {"window": 16384}}}},
        "router": {"small": "mine/llama3.2:3b"},
    }


def test_a_host_that_only_had_a_price_gets_its_kind(tmp_path: Path) -> None:
    """A second provider of the same host would be a mistake."""
    text = "providers: {home: {base_url: 'http://localhost:11434', free: true}}\n"
    found = proposed(tmp_path, text, ollama()).additions["providers"]
    assert isinstance(found, dict)
    assert list(found) == ["home"]
    assert found["home"]["kind"] == "ollama"
    assert "free" not in found["home"]


def test_a_name_that_is_taken_is_not_taken_twice(tmp_path: Path) -> None:
    """Somebody may call another endpoint `ollama`."""
    text = "providers: {ollama: {base_url: 'https://x.example.com'}}\n"
    found = proposed(tmp_path, text, ollama()).additions["providers"]
    assert isinstance(found, dict)
    assert list(found) == ["ollama-here"]


def test_a_running_llama_server_fills_roles_with_the_model_it_has(tmp_path: Path) -> None:
    """As far as its window goes; there is nothing to pull."""
    running: dict[Kind, Found] = {"llama-server": Found(True, {"tiny": 40960})}
    found = proposed(tmp_path, "", running)
    assert found.additions == {
        "providers": {"llama-server": {"kind": "llama-server", "free": True}},
        "router": {"small": "llama-server/tiny", "coding": "llama-server/tiny"},
    }
    assert found.pulls == ()
    assert (
        found.reasons[-1] == "large stays empty: no model here takes its 65,536 tokens of context"
    )


@pytest.mark.parametrize("window", [None, 4096])
def test_a_window_that_is_small_or_unknown_fills_no_role(
    tmp_path: Path, window: int | None
) -> None:
    """The provider is still one."""
    found = proposed(tmp_path, "", {"llama-server": Found(True, {"tiny": window})})
    assert list(found.additions) == ["providers"]


def test_a_litellm_is_a_provider_and_no_more(tmp_path: Path) -> None:
    """Nobody knows where it sends what it gets, or what that costs."""
    found = proposed(tmp_path, "", {"litellm": Found(True, {"gpt-5": 128000})})
    assert found.additions == {"providers": {"litellm": {"kind": "litellm"}}}


def test_a_key_makes_a_provider_and_no_target(tmp_path: Path) -> None:
    """Nothing goes to another vendor until the user names it; one that is there stays."""
    given = configured(tmp_path, "providers: {api: {kind: anthropic}}\n")
    keys: dict[Kind, str] = {"anthropic": "ANTHROPIC_API_KEY", "openrouter": "OPENROUTER_API_KEY"}
    found = proposing.proposal(given, seen(given, {}, keys), GPU)
    assert found.additions == {"providers": {"openrouter": {"kind": "openrouter"}}}
    assert "until you name it" in found.reasons[0]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("127.0.0.1:11500", "http://127.0.0.1:11500"),
        ("http://localhost:11500", "http://localhost:11500"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        (":11500", "http://127.0.0.1:11500"),
        ("[::1]:11500", "http://[::1]:11500"),
        ("10.0.0.5:11434", "http://127.0.0.1:11434"),
        ("x:y:z", "http://127.0.0.1:11434"),
    ],
)
def test_ollama_is_looked_for_where_its_own_variable_says(
    tmp_path: Path, given: str, url: str
) -> None:
    """On this machine only: what is elsewhere is for the user to name."""
    address = looking.address("ollama", {"OLLAMA_HOST": given})
    assert looking.owner(Config(), "ollama", address).provider.url == url


def test_keys_are_seen_by_name_alone() -> None:
    """The text of a key is in nothing that comes of it."""
    environ = {"OPENAI_API_KEY": "sk-1234567890", "OPENROUTER_API_KEY": " ", "OLLAMA_HOST": ":1"}

    async def around() -> Seen:
        return await looking.around(Config(), environ, providers.client)

    found = anyio.run(around)
    assert found.keys == {"openai": "OPENAI_API_KEY"}
    assert "sk-1234567890" not in repr(found)
