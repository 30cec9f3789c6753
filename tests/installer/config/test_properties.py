"""What holds for any configuration: a valid one compiles and stays, a broken one has a line."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from claude_tier.config import ConfigError, compile_user_policy, load
from claude_tier.config.document import LARGEST
from claude_tier.config.fields import EFFORTS, LADDER
from claude_tier.config.model import WEEKDAYS
from hypothesis import given
from hypothesis import strategies as st

# A letter first: YAML 1.1 writes 1e3 without quotes, and the reader takes that for a number.
tails = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=9)
names = tails.map(lambda tail: "n" + tail)
figures = st.floats(min_value=0, max_value=1e6, allow_nan=False)


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with any of these keys."""
    return st.fixed_dictionaries({}, optional=keys)


@st.composite
def thresholds(draw: st.DrawFn) -> dict[str, float]:
    """All four in order, or none."""
    if draw(st.booleans()):
        return {}
    share = st.integers(1, 199).map(lambda percent: percent / 100)
    warn, recover, cap, stop = sorted(draw(st.tuples(share, share, share, share)))
    return {"warn": warn, "recover": recover, "cap": cap + 0.001, "stop": stop + 0.001}


def limits(period: str, scope: object) -> st.SearchStrategy[dict[str, Any]]:
    units = [
        st.builds(lambda usd: {"usd": usd}, st.floats(0.01, 1e6)),
        st.builds(lambda tokens: {"tokens": tokens}, st.integers(1, 10**12)),
    ]
    if scope == "user" and period in ("five_hour", "seven_day"):
        units.append(st.builds(lambda part: {"plan_percent": part}, st.floats(0.1, 100)))
    return st.one_of(units)


@st.composite
def budgets(draw: st.DrawFn, tiers: Sequence[str]) -> dict[str, Any]:
    """A budget whose limit suits its scope and period."""
    scope = draw(st.sampled_from(["user", "project", "session"]) | agents_scope)
    period = draw(st.sampled_from(["session", "day", "week", "month", "five_hour", "seven_day"]))
    rest = some(ceiling=st.sampled_from(tiers), on_stop=st.sampled_from(["deny", "lowest", "ask"]))
    return {
        "name": draw(names),
        "scope": scope,
        "period": period,
        "limit": draw(limits(period, scope)),
        **draw(thresholds()),
        **draw(rest),
    }


agents_scope = st.builds(lambda name: {"agent": name}, names)
prices = st.builds(
    lambda first, more: {"input": first, "output": first} | more,
    figures,
    some(cache_read=figures, cache_write_5m=figures, cache_write_1h=figures),
)


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """Any valid configuration."""
    rungs = [*draw(st.lists(st.sampled_from(LADDER), min_size=1, unique=True))]
    rungs.sort(key=LADDER.index)
    tiers = st.sampled_from(rungs)
    entry = some(effort=st.sampled_from(EFFORTS))
    assigned = st.none() | tiers | st.builds(lambda t, e: {"tier": t} | e, tiers, entry)
    rest = some(
        preset=st.sampled_from(["balanced", "budget", "premium"]),
        assign=st.dictionaries(names, assigned, max_size=3),
        budgets=st.lists(budgets(rungs), max_size=3, unique_by=lambda budget: budget["name"]),
        floor=st.dictionaries(names, tiers, max_size=3),
        exempt=st.lists(names, max_size=3, unique=True),
        fan_out=some(max_new_agents=st.integers(1, 999), per=st.sampled_from(["9s", "1h30m"])),
        model_switch=st.sampled_from(["ask", "deny", "off"]),
        week_start=st.sampled_from(WEEKDAYS),
        log=some(descriptions=st.booleans()),
        prices=st.dictionaries(names, prices | st.lists(prices, min_size=1, max_size=1)),
    )
    return {"tiers": rungs, **draw(rest)}


def dumped(values: object) -> bytes:
    return yaml.safe_dump(values, allow_unicode=True, sort_keys=False).encode()


@given(configurations())
def test_any_valid_configuration_compiles_and_stays(values: dict[str, Any]) -> None:
    """Compiling twice gives the same bytes, and every tier in them is on the user's ladder."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        (state / "config.yaml").write_bytes(dumped(values))
        compile_user_policy(state)
        written = (state / "policy.json").read_bytes()
        assert not compile_user_policy(state).changed
        policy = json.loads(written)
    named = {entry["tier"] for entry in policy["assign"].values()}
    named |= {budget["ceiling"] for budget in policy["budgets"]} | {*policy["floor"].values()}
    assert named <= {*policy["tiers"]} == {*values["tiers"]}
    for budget in policy["budgets"]:
        assert budget["warn"] <= budget["recover"] < budget["cap"] <= budget["stop"]
        assert budget["limit"] > 0


@given(configurations(), st.data())
def test_a_mutation_compiles_or_has_a_line(values: dict[str, Any], data: st.DataObject) -> None:
    """Bytes cut out or put in anywhere never end in a traceback."""
    content = dumped(values)
    at = data.draw(st.integers(0, len(content)))
    cut = data.draw(st.integers(0, 8))
    new = data.draw(
        st.binary(max_size=8) | st.sampled_from([b"{", b"- ", b": ", b"'", b"&a ", b"\n"])
    )
    _judged(content[:at] + new + content[at + cut :])


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8")))
def test_garbage_compiles_or_has_a_line(content: bytes) -> None:
    """So does anything that was never a configuration."""
    _judged(content)


@given(configurations(), st.data())
def test_a_wrong_value_is_found_at_its_own_line(
    values: dict[str, Any], data: st.DataObject
) -> None:
    """A scalar replaced by one that fits nowhere is reported on the line where it stands."""
    wrong = "\u2718 wrong"
    values = {**values, "week_start": "monday", "model_switch": "ask"}
    key = data.draw(st.sampled_from(["week_start", "model_switch"]))
    content = dumped({**values, key: wrong})
    lines = content.decode().splitlines()
    [fault] = _judged(content)
    assert lines[fault.line - 1].startswith(f"{key}: ")


def _judged(content: bytes) -> list[Any]:
    """The faults of a file with that content; any exception but ConfigError fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_bytes(content)
        try:
            load(file)
        except ConfigError as error:
            lines = content.count(b"\n") + content.count(b"\r") + 2
            faults = list(error.faults)
            assert faults
            for fault in faults:
                assert (
                    1
                    <= fault.line
                    <= lines + content.count(b"\xe2\x80") + content.count(b"\xc2\x85")
                )
                assert fault.column >= 1
                assert fault.message
            return faults
    assert len(content) <= LARGEST
    return []
