"""What a configuration means: the preset, with the user's own words over it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, get_args

import pytest
from claude_tier import config
from claude_tier.config.document import read
from claude_tier.config.fields import LADDER
from claude_tier.config.load import shipped_models
from claude_tier.config.model import Config
from claude_tier.config.policy import rules, settled

WHOLE_POLICY = {
    *("preset", "tiers", "assign", "budgets", "floor", "exempt", "fan_out", "model_switch"),
    *("week_start", "log", "hosts", "providers", "router", "prices", "baseline"),
}


def compiled(tmp_path: Path, text: str) -> dict[str, Any]:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return rules(config.load(file).config)


def budgets(policy: dict[str, Any]) -> dict[str, Any]:
    return {budget["name"]: budget for budget in policy["budgets"]}


@pytest.mark.parametrize("name", ["balanced", "budget", "premium"])
def test_a_preset_compiles_to_itself(tmp_path: Path, name: str) -> None:
    """Naming a preset and nothing else gives exactly its table; so the hooks may read that."""
    policy = compiled(tmp_path, f"preset: {name}\n")
    shipped = config.shipped_presets()[name]
    assert policy.keys() == WHOLE_POLICY
    assert {key: policy[key] for key in shipped if key != "on_stop"} == {
        key: value for key, value in shipped.items() if key != "on_stop"
    }


def test_the_presets_are_those_the_configuration_can_name() -> None:
    """A preset added to the data but not to the model, or the reverse, fails."""
    names = get_args(Config.model_fields["preset"].annotation)
    assert list(config.shipped_presets()) == list(names)


def test_nothing_said_is_the_balanced_preset_without_a_limit_in_dollars(tmp_path: Path) -> None:
    """Zero configuration refuses no subagent and counts no dollars against anybody."""
    policy = compiled(tmp_path, "")
    assert policy["preset"] == "balanced"
    assert {budget["unit"] for budget in policy["budgets"]} == {"plan_percent"}
    assert {budget["on_stop"] for budget in policy["budgets"]} == {"lowest"}
    assert policy["fan_out"]["action"] == "warn"


def test_assignments_are_merged_by_agent(tmp_path: Path) -> None:
    """One replaced, one added, one removed by a word and one by nothing; the others stay."""
    policy = compiled(
        tmp_path,
        "preset: budget\n"
        "assign: {Explore: inherit, Plan: , x: opus, general-purpose: {tier: sonnet, effort: low}}",
    )
    assert policy["assign"] == {
        "general-purpose": {"tier": "sonnet", "effort": "low"},
        "x": {"tier": "opus", "effort": None},
    }


def test_budgets_are_merged_by_name(tmp_path: Path) -> None:
    """One replaced whole, one taken away, one added; the preset's third stays as it was."""
    policy = compiled(
        tmp_path,
        "preset: budget\nbudgets:\n"
        "  - {name: daily, period: week, limit: {usd: 30}}\n"
        "  - {name: plan-5h, limit: }\n"
        "  - {name: mine, scope: {agent: reviewer}, period: month, limit: {tokens: 2e6}}\n",
    )
    assert list(budgets(policy)) == ["plan-week", "daily", "mine"]
    assert budgets(policy)["daily"]["period"] == "week"
    assert budgets(policy)["mine"] == {
        "name": "mine",
        "scope": {"kind": "agent", "name": "reviewer"},
        "period": "month",
        "unit": "tokens",
        "limit": 2_000_000.0,
        "warn": 0.8,
        "recover": 0.85,
        "cap": 0.9,
        "stop": 1.0,
        "ceiling": "sonnet",
        "on_stop": "deny",
    }


def test_a_budget_takes_on_stop_from_the_preset(tmp_path: Path) -> None:
    """Where it does not say itself."""
    text = "preset: premium\nbudgets: [{name: b, period: day, limit: {usd: 1}}]\n"
    assert budgets(compiled(tmp_path, text))["b"]["on_stop"] == "ask"


def test_never_is_a_figure_that_nothing_reaches(tmp_path: Path) -> None:
    """It is finite, since JSON knows no infinity."""
    text = "budgets: [{name: b, period: day, limit: {usd: 1}, cap: never, stop: never}]\n"
    budget = budgets(compiled(tmp_path, text))["b"]
    assert budget["cap"] == budget["stop"] > 1e8
    assert math.isfinite(budget["cap"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"max_new_agents": 20, "seconds": 600, "action": "warn"}),
        ("fan_out: {per: 1h30m}", {"max_new_agents": 20, "seconds": 5400, "action": "warn"}),
        (
            "preset: budget\nfan_out: {max_new_agents: 3, action: deny}",
            {"max_new_agents": 3, "seconds": 600, "action": "deny"},
        ),
        ("fan_out: off", None),
    ],
)
def test_the_fan_out_gate_is_merged_by_key(
    tmp_path: Path, text: str, expected: dict[str, object] | None
) -> None:
    """Keys left out stay as the preset has them; `off` is a word and turns it off."""
    assert compiled(tmp_path, text)["fan_out"] == expected


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("model_switch: off", "model_switch", "off"),
        ("preset: premium\nmodel_switch: deny", "model_switch", "deny"),
        ("week_start: sunday", "week_start", 6),
        ("log: {descriptions: false}", "log", {"descriptions": False}),
        ("floor: {a: opus}", "floor", {"a": "opus"}),
        ("exempt: [a, b]", "exempt", ["a", "b"]),
        ("baseline: opus", "baseline", "opus"),
        ("baseline: claude-opus-5-5", "baseline", "claude-opus-5-5"),
        ("baseline: m\nprices: {m: {input: 1, output: 2}}", "baseline", "m"),
    ],
)
def test_other_keys_replace_the_presets(
    tmp_path: Path, text: str, key: str, expected: object
) -> None:
    """As docs/presets.md promises."""
    assert compiled(tmp_path, text)[key] == expected


def test_a_shorter_ladder_takes_the_presets_with_it(tmp_path: Path) -> None:
    """No tier that the user left out is ever set."""
    policy = compiled(tmp_path, "tiers: [opus, haiku]\npreset: budget\n")
    assert {entry["tier"] for entry in policy["assign"].values()} == {"haiku"}
    assert {budget["ceiling"] for budget in policy["budgets"]} == {"haiku"}
    text = "tiers: [opus, haiku]\nbudgets: [{name: b, period: day, limit: {usd: 1}}]\n"
    assert budgets(compiled(tmp_path, text))["b"]["ceiling"] == "opus"


def test_a_tier_off_the_ladder_becomes_a_lower_one() -> None:
    """Never a dearer one, unless there is no lower."""
    assert settled("sonnet", ["fable", "haiku"]) == "haiku"
    assert settled("haiku", ["fable", "opus"]) == "opus"
    for tier in LADDER:
        assert settled(tier, [*LADDER]) == tier


def test_one_undated_price_changes_what_it_names(tmp_path: Path) -> None:
    """The step, the cache prices and the dates of the shipped entry stay."""
    table = compiled(
        tmp_path, "prices: {claude-haiku-5-5: {input: 9}, claude-sonnet-5-5: {cache_read: 7}}"
    )["prices"]
    shipped = shipped_models()
    assert table["claude-haiku-5-5"] == [shipped["claude-haiku-5-5"][0] | {"input": 9.0}]
    assert [entry["cache_read"] for entry in table["claude-sonnet-5-5"]] == [7.0, 7.0]
    assert [entry["from"] for entry in table["claude-sonnet-5-5"]] == [None, "2026-10-07"]
    assert table.keys() == shipped.keys()


def test_dated_prices_replace_a_models_own(tmp_path: Path) -> None:
    """Every field is filled, so that the hooks never have to guess."""
    text = (
        "prices:\n  claude-opus-5-5:\n"
        "    - {until: 2026-12-01, input: 1, output: 2, above: {prompt_tokens: 5, multiplier: 2}}\n"
        "    - {from: 2026-12-01, input: 3, output: 4, cache_read: 0.5, fast: 2}\n"
    )
    first, second = compiled(tmp_path, text)["prices"]["claude-opus-5-5"]
    step = {"prompt_tokens": 5, "multiplier": 2.0}
    caches = ("cache_read", "cache_write_5m", "cache_write_1h")
    assert [first.pop(key) for key in caches] == [1.0, 1.0, 1.0]
    assert [second.pop(key) for key in caches] == [0.5, 3.0, 3.0]
    dates = {"from": None, "until": "2026-12-01"}
    assert first == {**dates, "input": 1.0, "output": 2.0, "above": step, "fast": None}
    dates = {"from": "2026-12-01", "until": None}
    assert second == {**dates, "input": 3.0, "output": 4.0, "above": None, "fast": 2.0}


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost:11434", "localhost:11434"),
        ("https://LLM.example.com:443/v1", "llm.example.com"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("https://[::1]:8443", "[::1]:8443"),
    ],
)
def test_a_provider_is_known_by_host_and_port(tmp_path: Path, url: str, host: str) -> None:
    """In lower case, and without the port that the scheme means anyway."""
    policy = compiled(tmp_path, f'providers: {{p: {{base_url: "{url}", free: true}}}}')
    assert policy["hosts"] == {host: {"name": "p", "free": True}}


def test_what_the_router_may_send_where_is_compiled_for_the_hooks(tmp_path: Path) -> None:
    """Every paid target of roles, chains and routes, each once; what runs here is none."""
    text = (
        "providers:\n"
        "  far: {kind: openrouter}\n"
        "  near: {kind: llama-server}\n"
        "  unused: {kind: openrouter}\n"
        "chains: {all: [near/small, far/x/y]}\n"
        "routes: [{name: mine, target: far/z}]\n"
        "router: {default: all, small: near/small, claude: far/x/y, local_only: true}\n"
    )
    assert compiled(tmp_path, text)["router"] == {
        "local_only": True,
        "paid": [["far", "x/y"], ["far", "z"]],
    }
    alone = {"local_only": False, "paid": []}
    assert compiled(tmp_path, "")["router"] == alone  # nobody is asked but by Claude Code
    with_local = compiled(tmp_path, "providers: {near: {kind: llama-server}}")
    assert with_local["router"] == {**alone, "paid": [["claude", "sonnet"]]}


def test_a_providers_prices_stand_over_the_users_own(tmp_path: Path) -> None:
    """The host has a whole table; what neither names keeps its shipped price."""
    policy = compiled(
        tmp_path,
        "prices: {claude-opus-5-5: {input: 3}, m: {input: 1, output: 1}}\n"
        "providers: {p: {base_url: 'http://x', prices: {claude-opus-5-5: {output: 2}}}}\n",
    )
    table = policy["hosts"]["x"]["prices"]
    assert table.keys() == {*shipped_models(), "m"}
    [entry] = table["claude-opus-5-5"]
    assert (entry["input"], entry["output"], entry["cache_read"]) == (3.0, 2.0, 0.2)


def test_the_document_is_read_as_written(tmp_path: Path) -> None:
    """What `off` means is the model's to say; the reader leaves it a word."""
    file = tmp_path / "config.yaml"
    file.write_text("fan_out: off\nmodel_switch: off\n")
    assert read(file).values == {"fan_out": "off", "model_switch": "off"}
