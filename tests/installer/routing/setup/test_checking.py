"""Every provider is looked at, all at once, and none is waited for without end."""

from __future__ import annotations

import threading
from collections.abc import Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import anyio
import pytest
from claude_tier import config
from claude_tier.config import Config
from claude_tier.config.providers import Kind
from claude_tier.livecheck.request import Request
from claude_tier.routing import providers
from claude_tier.routing.setup import asking, checking, screen
from claude_tier.routing.setup.checking import Checked
from claude_tier.routing.target import Target
from claude_tier_hooks import policy
from fault_server import FAULTS, FaultServer, Reply


def configured(folder: Path, text: str) -> Config:
    (folder / "config.yaml").write_text(text)
    return config.load(folder / "config.yaml").config


def check(
    given: Config, names: Collection[str], patience: float = 30.0
) -> tuple[tuple[Checked, ...], list[tuple[int, int]]]:
    """What was found, and what a bar would have been told."""
    told: list[tuple[int, int]] = []
    look = partial(
        checking.check,
        given,
        names,
        clients=providers.client,
        progress=lambda done, total: told.append((done, total)),
        patience=patience,
    )
    return anyio.run(look), told


FAILURES = [
    ("silent", "it said nothing for 0.3 s"),
    ("drip", "it said nothing for 0.3 s"),
    ("redirect_get", ""),
    ("garbage", ""),
    ("login_page", ""),
]


@pytest.mark.parametrize(("fault", "message"), FAILURES)
def test_what_is_no_list_of_models_does_not_work(fault: str, message: str, tmp_path: Path) -> None:
    """Silence, drops, a redirect, no JSON, a page: nothing hangs, and there is a reason."""
    with FaultServer(FAULTS[fault]) as server:
        given = configured(
            tmp_path,
            f"providers: {{x: {{kind: openai-compatible, base_url: '{server.url}'}}}}\n",
        )
        [one], _ = check(given, ["x"], patience=0.3)
    assert one.works is False
    assert one.found.message
    assert message in one.found.message


def test_all_are_looked_at_together(tmp_path: Path) -> None:
    """Each answer waits until every provider was asked."""
    everybody = threading.Barrier(3)

    def choose(request: Request) -> Reply:
        everybody.wait(60)
        return Reply()

    with ExitStack() as stack:
        urls = [stack.enter_context(FaultServer(choose)).url for _ in "abc"]
        lines = [
            f"  {name}: {{kind: openai-compatible, base_url: '{url}'}}\n"
            for name, url in zip("abc", urls, strict=True)
        ]
        found, told = check(configured(tmp_path, f"providers:\n{''.join(lines)}"), ["a", "b", "c"])
    assert [one.name for one in found] == ["a", "b", "c"]
    assert told == [(1, 3), (2, 3), (3, 3)]


KINDS: list[tuple[Kind, str]] = [
    ("ollama", ""),
    ("litellm", ""),
    ("openrouter", "/api/v1"),
    ("anthropic-compatible", ""),
    ("openai-compatible", "/v1"),
]


@pytest.mark.parametrize(("kind", "path"), KINDS)
def test_a_missing_model_is_told_for_every_kind(kind: Kind, path: str, tmp_path: Path) -> None:
    """With the nearest one that is there, or the command that fetches it."""
    with FaultServer(models=["alpha", "beta"]) as server:
        given = configured(
            tmp_path,
            f"providers: {{x: {{kind: {kind}, base_url: '{server.url}{path}'}}}}\n"
            "chains: {c: [x/alpha, x/betta]}\n",
        )
        [one], _ = check(given, ["x"])
    assert one.found.reachable, one.found
    assert [(target.target.model, target.there) for target in one.named] == [
        ("alpha", True),
        ("betta", False),
    ]
    expected = "ollama pull betta" if kind == "ollama" else "name one that it has, such as beta"
    assert one.named[1].remedy == expected


def test_llama_server_answers_other_names_than_it_lists(tmp_path: Path) -> None:
    """What it lists is there; of the rest it does not say."""
    with FaultServer(models=["alpha"]) as server:
        given = configured(
            tmp_path,
            f"providers: {{x: {{kind: llama-server, base_url: '{server.url}'}}}}\n"
            "chains: {c: [x/alpha, x/beta]}\n",
        )
        [one], _ = check(given, ["x"])
    assert [target.there for target in one.named] == [True, None]


def test_a_provider_without_a_kind_is_not_checked(tmp_path: Path) -> None:
    """It says what a host costs, and cannot be asked."""
    given = configured(tmp_path, "providers: {x: {base_url: 'https://x.example.com'}}\n")
    assert list(checking.chosen(given, [])) == ["claude"]


TEXT = """\
providers:
  free: {kind: ollama, free: true}
  dear: {kind: openai, prices: {m: {input: 1, output: 10}}}
  unknown: {kind: openrouter}
"""


def test_what_asking_may_cost_is_told_as_far_as_it_is_known(home: Path) -> None:
    """Free is nothing, no price is no figure."""
    folder = home / ".claude/claude-tier"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(TEXT)
    config.compile_user_policy(folder)
    rules = policy.load()

    def told(*names: str) -> str:
        targets = [Target(name, "m") for name in names]
        return screen.before(asking.estimate(rules, targets, 0.0))

    most = (asking.PROMPT.estimated_tokens + 10 * asking.PROMPT.max_tokens) / 1e6
    assert asking.estimate(rules, [Target("dear", "m")], 0.0).usd == pytest.approx(most)
    assert told("free") == "1 target gets a tiny prompt: free."
    assert told("unknown") == "1 target gets a tiny prompt: 1 without a known price."
    assert told("free", "dear") == "2 targets get a tiny prompt each: at most $0.00065."
    assert told("dear", "unknown").endswith("at most $0.00065, 1 without a known price.")
