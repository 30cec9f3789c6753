"""A mistake in config.yaml: where it is, what is wrong, what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier import config
from claude_tier.config import ConfigError
from claude_tier.config.model import LATER

from .mistakes import faults


def budget(**keys: str) -> str:
    given = {"name": "b", "period": "day", "limit": "{usd: 1}", **keys}
    inside = ", ".join(f"{key}: {value}" for key, value in given.items() if value)
    return f"budgets:\n  - {{{inside}}}\n"


ONE_MISTAKE = [
    ("presett: budget", "1:1: presett: unknown key; did you mean preset? (known: preset, tiers, "),
    ("preset: cheap", "1:1: preset: must be 'balanced', 'budget' or 'premium', not 'cheap'"),
    ("tiers: []", "1:1: tiers: must not be empty"),
    ("tiers: [opus, opus]", "1:15: tiers[1]: is listed twice"),
    ("tiers: [haiku, opus]", "1:1: tiers: must be in order, dearest first: [opus, haiku]"),
    ("tiers: [opus, gpt]", "1:15: tiers[1]: must be 'fable', 'opus', 'sonnet' or 'haiku', not"),
    ("assign: {a: mini}", "1:10: assign.a.tier: must be one of your tiers: fable, opus, sonnet, h"),
    (
        "tiers: [opus, haiku]\nfloor:\n  a: sonnet",
        "3:3: floor.a: must be one of your tiers: opus",
    ),
    ("assign: {a: {effort: low}}", "1:10: assign.a.tier: is required"),
    ("assign: {a: {tier: opus, effort: lo}}", "1:26: assign.a.effort: must be 'low', 'medium', "),
    ("assign: [a]", "1:1: assign: must be a mapping of keys to values"),
    ("exempt: a", "1:1: exempt: must be a list, not 'a'"),
    ("exempt: [5]", "1:10: exempt[0]: must be text, not 5"),
    ('exempt: ["a\\nb"]', "1:10: exempt[0]: must be one line of text, not 'a\\nb'"),
    ("budgets: [5]", "1:11: budgets[0]: must be a mapping of keys to values, not 5"),
    (budget(name=""), "2:5: budgets[0].name: is required"),
    (budget(limit=""), "2:5: budgets[0].limit: is required"),
    (budget(period=""), "2:5: budgets[0].period: is required: session, day, week, month, five_"),
    (budget(period="year"), "2:15: budgets[0].period: must be 'session', 'day', 'week', 'month'"),
    (budget(limit="{usd: 1, tokens: 1}"), "2:28: budgets[0].limit: must have exactly one of usd"),
    (budget(limit="{}"), "2:28: budgets[0].limit: must have exactly one of usd, tokens and plan"),
    (budget(limit="{usd: 0}"), "2:36: budgets[0].limit.usd: must be greater than 0, not 0"),
    (budget(limit="{usd: .inf}"), "2:36: budgets[0].limit.usd: must be a finite number, not inf"),
    (budget(limit="{usd: .nan}"), "2:36: budgets[0].limit.usd: must be a finite number, not nan"),
    (budget(limit='{usd: "1"}'), "2:36: budgets[0].limit.usd: must be a number, not '1'"),
    (budget(limit="{usd: true}"), "2:36: budgets[0].limit.usd: must be a number, not true"),
    (budget(limit="{tokens: 1.5}"), "2:36: budgets[0].limit.tokens: must be a whole number, not"),
    (budget(limit="{euro: 1}"), "2:36: budgets[0].limit.euro: unknown key (known: usd, tokens, p"),
    (budget(limit="{plan_percent: 9}"), "2:15: budgets[0].period: must be five_hour or seven_da"),
    (
        budget(scope="project", period="five_hour", limit="{plan_percent: 9}"),
        "2:34: budgets[0].limit: plan_percent is known for the whole user only: use scope: user",
    ),
    (budget(scope="agent"), "2:45: budgets[0].scope: must be user, project, session or {agent: "),
    (budget(scope="{agent: }"), "2:45: budgets[0].scope.name: must be one line of text"),
    (budget(warn="80"), "2:45: budgets[0].warn: must be a fraction above 0 and at most 2 (0.8 is"),
    (budget(warn="0.9"), "2:5: budgets[0].recover: must be at least warn (0.9), for warn ≤ recov"),
    (budget(cap="0.85"), "2:45: budgets[0].cap: must be above recover (0.85), for warn ≤ recover"),
    (budget(stop="0.89"), "2:45: budgets[0].stop: must be at least cap (0.9), for warn ≤ recover"),
    (budget(cap="never"), "2:5: budgets[0].stop: must be at least cap (never), for warn ≤ recov"),
    (budget(on_stop="kill"), "2:45: budgets[0].on_stop: must be 'deny', 'lowest' or 'ask', not "),
    (budget(limit="~"), "2:28: budgets[0].limit: the preset has no budget b to remove"),
    (budget() + budget()[9:], "3:6: budgets[1].name: another budget has this name"),
    ("fan_out: {per: 600}", "1:11: fan_out.per: must be a duration such as 90s, 10m, 1h30m or 2d"),
    ("fan_out: {per: 0s}", "1:11: fan_out.per: must be between 1s and 366d, not '0s'"),
    ("fan_out: {action: stop}", "1:11: fan_out.action: must be 'warn', 'lower' or 'deny', not "),
    ("model_switch: no", "1:1: model_switch: must be 'ask', 'deny' or 'off', not 'no'"),
    ("week_start: mon", "1:1: week_start: must be 'monday', 'tuesday', "),
    ("log: {descriptions: off}", "1:7: log.descriptions: must be true or false, not 'off'"),
    ("baseline: gpt", "1:1: baseline: must be main, one of your tiers, or a model in the price "),
    ("prices: {m: {input: 1}}", "1:10: prices.m[0].output: is required"),
    ("prices: {m: []}", "1:10: prices.m: must not be empty"),
    ("prices: {m: {input: -1, output: 1}}", "1:10: prices.m[0].input: must be greater than or "),
    ("prices: {m: [{from: 1 May}]}", "1:15: prices.m[0].from: must be a date such as 2026-10-07"),
    (
        "prices:\n  m:\n    - {until: 2026-02-01, input: 1, output: 1}\n"
        "    - {from: 2026-01-31, input: 1, output: 1}",
        "4:7: prices.m[1]: overlaps the dates of an earlier entry",
    ),
    (
        "prices: {m: [{from: 2026-02-01, until: 2026-02-01, input: 1, output: 1}]}",
        "1:33: prices.m[0].until: must be later than from (2026-02-01), not '2026-02-01'",
    ),
    (
        "heartbeat: {every: 10s}",
        "1:13: heartbeat.every: must be at least 1m: beats are started once a minute (it is '10s')",
    ),
    (
        "providers: {a: {kind: claude-cli, base_url: 'http://x'}}",
        "1:35: providers.a.base_url: cannot be set for claude-cli: it runs the unmodified `claude`",
    ),
    ("providers: {a: {free: true}}", "1:13: providers.a.base_url: is required"),
    ("providers: {a: {base_url: 'file:///x'}}", "1:17: providers.a.base_url: must be an http or "),
    ("providers: {a: {base_url: 'http://u:p@x'}}", "1:17: providers.a.base_url: must be an http "),
    ("providers: {a: {base_url: 'http://x:99999'}}", "1:17: providers.a.base_url: must be an ht"),
    (
        "providers:\n  a: {base_url: 'http://x/1', free: true}\n  b: {base_url: 'http://X:80/2'}",
        "3:7: providers.b.base_url: is at x like a, at another price: give both the same `free` ",
    ),
    (
        "providers: {a: {base_url: 'http://x', free: true, prices: {m: {input: 1, output: 1}}}}",
        "1:51: providers.a.prices: cannot be set together with free: true",
    ),
]


@pytest.mark.parametrize(("text", "expected"), ONE_MISTAKE)
def test_a_mistake_names_line_column_key_and_remedy(
    tmp_path: Path, text: str, expected: str
) -> None:
    """One mistake is one fault."""
    [fault] = faults(tmp_path, text)
    assert fault.startswith(expected)


@pytest.mark.parametrize("name", LATER)
def test_a_section_of_a_later_version_is_refused_by_name(tmp_path: Path, name: str) -> None:
    """It is not accepted silently, nor called a typing mistake."""
    expected = f"1:1: {name}: is not supported by this version of claude-tier"
    assert faults(tmp_path, f"{name}: {{}}") == [expected]


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    """Also those that YAML itself lets pass, in the order of the file."""
    text = "preset: x\nasign: {}\nweek_start: !!int q\nexempt: [a, a]\nexempt: [b]\n"
    lines = [int(fault.partition(":")[0]) for fault in faults(tmp_path, text)]
    assert lines == [1, 2, 3, 4, 5]


def test_a_name_given_twice_is_reported_beside_other_mistakes(tmp_path: Path) -> None:
    """Those within the entries, of every kind, too."""
    wrong = budget(stop="0.1")[9:] + budget(scope="x")[9:] + budget(limit="{usd: 0}")[9:]
    found = [fault.split(": ")[1] for fault in faults(tmp_path, budget() + wrong)]
    names = [f"budgets[{index}].name" for index in (1, 2, 3)]
    assert sorted(found) == sorted(
        [*names, "budgets[1].stop", "budgets[2].scope", "budgets[3].limit.usd"]
    )


def test_a_mistake_of_yaml_is_not_reported_again_as_one_of_the_model(tmp_path: Path) -> None:
    """The value that could not be read is not also a missing one."""
    [fault] = faults(tmp_path, budget(name="!!int q"))
    assert fault.startswith("2:12: budgets[0].name: 'q' is not a usable int")


def test_an_empty_section_means_its_default(tmp_path: Path) -> None:
    """A section whose lines are all commented out is not a mistake."""
    file = tmp_path / "config.yaml"
    file.write_text("budgets:\n#  - {}\nassign:\nfan_out:\nprices:\nlog:\n")
    assert config.load(file).config == config.load(tmp_path / "none").config


def test_the_message_says_that_nothing_changed(tmp_path: Path) -> None:
    """What stays in effect is the first thing to know after a mistake."""
    file = tmp_path / "config.yaml"
    file.write_text("x: 1")
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    assert caught.value.hint
    assert "This command needs a valid file" in caught.value.hint
