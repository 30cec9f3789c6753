"""`providers`: what each mistake is told as, and what holds where the file says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier import config
from claude_tier.config.providers import USUAL, Kind, Provider

from .mistakes import faults

KEY = "sk-proj-abcdef0123456789abcdef"


def provider(**keys: str) -> str:
    inside = ", ".join(f"{key}: {value}" for key, value in keys.items())
    return f"providers:\n  a: {{{inside}}}\n"


ONE_MISTAKE = [
    (
        provider(kind="ollma"),
        "2:7: providers.a.kind: must be 'anthropic', 'openai', 'openrouter', ",
    ),
    (provider(kind="openai-compatible"), "2:3: providers.a.base_url: is required"),
    (provider(kind="anthropic-compatible"), "2:3: providers.a.base_url: is required"),
    (
        provider(base_url="'http://x/v1?key=k'"),
        "2:7: providers.a.base_url: must be an address with",
    ),
    (provider(base_url="'http://[::1'"), "2:7: providers.a.base_url: must be an http or https add"),
    (
        provider(kind="claude-cli", base_url="https://x"),
        "2:25: providers.a.base_url: cannot be set for claude-cli: it runs the unmodified `claude`",
    ),
    (
        provider(kind="claude-cli", key_env="K"),
        "2:3: providers.a.key_file: cannot be set for claude-cli: `claude` uses your own login",
    ),
    (
        provider(kind="openai", key_env="K", key_file="f"),
        "2:33: providers.a.key_file: cannot be set together with key_env",
    ),
    (
        provider(kind="openai", key_env="'A B'"),
        "2:21: providers.a.key_env: must be the name of an environment variable",
    ),
    (
        provider(kind="litellm", base_url="'http://llm.lan'", key_file="k"),
        "2:50: providers.a.key_file: a key is sent to https addresses, to this machine, and to w",
    ),
    (provider(kind="openai", api="text"), "2:21: providers.a.api: must be 'chat' or 'responses', "),
    (
        provider(kind="ollama", models="{m: {window: 0}}"),
        "2:34: providers.a.models.m.window: must be greater than 0, not 0",
    ),
    (
        provider(kind="ollama", models="{m: {max_output: 1.5}}"),
        "2:34: providers.a.models.m.max_output: must be a whole number, not 1.5",
    ),
    (
        provider(kind="ollama", models="{m: {windows: 1}}"),
        "2:34: providers.a.models.m.windows: unknown key; did you mean window? (known: window, m",
    ),
    (
        provider(kind="ollama", models="[m]"),
        "2:21: providers.a.models: must be a mapping of keys to values",
    ),
    (
        provider(kind="ollama", timeout="5"),
        "2:21: providers.a.timeout: must be a duration such as 90s, 10m, 1h30m or 2d, not 5",
    ),
    (
        provider(kind="ollama", silence="0s"),
        "2:21: providers.a.silence: must be between 1s and 366d, not '0s'",
    ),
    (
        provider(kind="ollama", cooldown="never"),
        "2:21: providers.a.cooldown: must be a duration such as 90s, 10m, 1h30m or 2d, not 'never'",
    ),
    (
        provider(kind="ollama", local="maybe"),
        "2:21: providers.a.local: must be true or false, not 'maybe'",
    ),
    (
        "providers: {a/b: {kind: ollama}}",
        "1:13: providers.a/b: a name has no / and no space",
    ),
    (
        "providers: {a b: {kind: ollama}}",
        "1:13: providers.a b: a name has no / and no space",
    ),
    (
        "providers:\n  a: {kind: ollama}\n  b: {kind: ollama, free: true}",
        "3:3: providers.b: is at 127.0.0.1:11434 like a, at another price: give both the same `",
    ),
    ("providers: {a: }", "1:13: providers.a: must be a mapping of keys to values"),
]


@pytest.mark.parametrize(("text", "expected"), ONE_MISTAKE)
def test_a_mistake_names_line_column_key_and_remedy(
    tmp_path: Path, text: str, expected: str
) -> None:
    """One mistake is one fault."""
    [fault] = faults(tmp_path, text)
    assert fault.startswith(expected)


@pytest.mark.parametrize("kind", USUAL)
def test_every_kind_can_be_named(kind: Kind, tmp_path: Path) -> None:
    """With an address where it has no usual one."""
    where = {} if USUAL[kind].base_url or kind == "claude-cli" else {"base_url": "https://x/v1"}
    (tmp_path / "config.yaml").write_text(provider(kind=kind, **where))
    found = config.load(tmp_path / "config.yaml").config.providers["a"]
    assert found.url == (where.get("base_url") or USUAL[kind].base_url)


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({}, "OPENAI_API_KEY"),
        ({"base_url": "https://api.openai.com/v1/"}, "OPENAI_API_KEY"),
        ({"base_url": "https://elsewhere.example/v1"}, None),
        ({"key_env": "MINE"}, "MINE"),
        ({"key_file": "~/key"}, None),
    ],
)
def test_the_usual_key_is_for_the_usual_address(given: dict[str, str], variable: str) -> None:
    """It is sent to no other host unless the file names it for that one."""
    assert Provider.model_validate({"kind": "openai", **given}).key_variable == variable


@pytest.mark.parametrize(
    ("given", "model", "local"),
    [
        ({"kind": "ollama"}, "qwen3:8b", True),
        ({"kind": "ollama"}, "gpt-oss:120b-cloud", False),
        ({"kind": "ollama"}, "GPT-OSS:120B-Cloud", False),  # Ollama finds it all the same
        ({"kind": "ollama", "local": True}, "glm-4.6:cloud", False),
        ({"kind": "ollama", "base_url": "http://10.0.0.5:11434"}, "qwen3:8b", False),
        ({"kind": "ollama", "base_url": "http://10.0.0.5:11434", "local": True}, "qwen3:8b", True),
        ({"kind": "ollama", "local": False}, "qwen3:8b", False),
        ({"kind": "llama-server", "base_url": "http://[::1]:8080"}, "m", True),
        ({"kind": "litellm"}, "m", False),
        ({"kind": "openai"}, "m", False),
        ({"kind": "openai-compatible", "base_url": "http://localhost.example.com"}, "m", False),
    ],
)
def test_only_what_stays_here_is_local(given: dict[str, object], model: str, local: bool) -> None:
    """A proxy on loopback is not, nor a model of Ollama's cloud."""
    assert Provider.model_validate(given).runs_here(model) is local


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"kind": "anthropic"}, 7200),
        ({"kind": "openrouter"}, 1800),
        ({"kind": "ollama"}, 0),
        ({"kind": "anthropic", "cooldown": "off"}, 0),
        ({"kind": "ollama", "cooldown": "5m"}, 300),
        ({"base_url": "https://x"}, 0),
    ],
)
def test_the_longest_cooldown_is_the_kinds_unless_given(
    given: dict[str, object], seconds: int
) -> None:
    """`off` is none at all."""
    assert Provider.model_validate(given).longest_cooldown == seconds


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "openai", "key_env": KEY},
        {"kind": "openai", "key_file": KEY, "key_env": "A_KEY"},
        {"kind": "openai", "key": KEY},
        {"base_url": f"'https://me:{KEY}@far.example/v1'"},
        {"base_url": f"'https://far.example/v1?key={KEY}'"},
    ],
)
def test_a_key_that_stands_at_the_wrong_place_is_not_repeated(
    given: dict[str, str], tmp_path: Path
) -> None:
    """A mistake is told in terminals, logs and reports of bugs."""
    found = faults(tmp_path, provider(**given))
    assert found
    assert KEY not in "".join(found)
