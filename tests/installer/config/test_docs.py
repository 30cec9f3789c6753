"""The reference and the table of presets say what the models and the data say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from claude_tier import config
from claude_tier.config.document import read
from claude_tier.config.fields import NEVER, Section
from claude_tier.config.load import section_in
from claude_tier.config.model import LATER, Config

DOCS = Path(__file__).parents[3] / "docs"
# What stands for a key of the user's own choice, or for one item of a list.
CHOSEN = {
    "assign": ".NAME",
    "budgets": "[]",
    "chains": ".NAME",
    "floor": ".NAME",
    "groups": ".NAME",
    "local_models.tools": "[]",
    "prices": ".MODEL",
    "providers": ".NAME",
    "providers.NAME.models": ".MODEL",
    "routes": "[]",
}
PARTS_ONLY = {
    "budgets[]",
    "heartbeat",
    "heartbeat.budget",
    "local_models.tools[]",
    "log",
    "providers.NAME",
    "providers.NAME.models.MODEL",
    "routes[]",
}
WHOLE = {"budgets[].scope", "providers.NAME.prices"}  # explained in one row


def test_every_key_stands_in_the_reference() -> None:
    """A key of the models without a row, or a row without a key, fails."""
    rows = re.findall(r"^\| `([^`]+)` \|", (DOCS / "config.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(_keys(Config, ""))


def test_names_of_a_later_version_stand_in_the_reference() -> None:
    """The reference names every section that this version refuses."""
    text = (DOCS / "config.md").read_text()
    assert all(f"`{name}`" in text for name in LATER)


def test_the_example_loads(tmp_path: Path) -> None:
    """The commented example is a valid file that uses every section."""
    example = re.search(r"```yaml\n(.*?)```", (DOCS / "config.md").read_text(), re.DOTALL)
    assert example
    file = tmp_path / "config.yaml"
    file.write_text(example[1])
    config.load(file)
    assert set(read(file).values) == set(Config.model_fields)


def test_the_table_of_presets_is_the_data() -> None:
    """Each column is made from presets.json."""
    presets = config.shipped_presets()
    table = [line for line in (DOCS / "presets.md").read_text().splitlines() if line[:1] == "|"]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    for index, name in enumerate(presets, start=1):
        assert rows[0][index].split()[0] == name
        assert {row[0]: row[index] for row in rows[2:]} == dict(_column(presets[name]))


def _keys(section: type[Section], prefix: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        plain = prefix + (field.alias or name)
        key = plain + CHOSEN.get(plain, "")
        nested = None if key in WHOLE else section_in(field.annotation)
        if key not in PARTS_ONLY:
            yield key
        if nested:
            yield from _keys(nested, key + ".")


def _column(preset: dict) -> Iterator[tuple[str, str]]:  # type: ignore[type-arg]
    for agent in ("Explore", "Plan", "general-purpose"):
        yield f"`{agent}` runs on", preset["assign"].get(agent, {}).get("tier", "as asked")
    budgets = {budget["name"]: budget for budget in preset["budgets"]}
    labels = {
        "daily": "`daily`: $10 a day",
        "plan-5h": "`plan-5h`: the plan's 5 hours",
        "plan-week": "`plan-week`: the plan's week",
    }
    assert budgets.keys() <= labels.keys()
    for name, label in labels.items():
        yield label, _levels(budgets[name]) if name in budgets else "none"
    yield "your own budgets, at 100 %", preset["on_stop"]
    gate = preset["fan_out"]
    assert gate["seconds"] == 600
    yield "more new subagents in 10 min than", f"{gate['max_new_agents']}: {gate['action']}"
    yield "`/model` above a ceiling", preset["model_switch"]


def _levels(budget: dict) -> str:  # type: ignore[type-arg]
    text = f"warn at {budget['warn']:.0%}"
    if budget["cap"] < NEVER:
        text += f", at most {budget['ceiling']} from {budget['cap']:.0%}"
    if budget["stop"] < NEVER:
        text += ", " + {"deny": "none new", "lowest": "haiku"}[budget["on_stop"]]
        text += f" at {budget['stop']:.0%}"
    return text.replace("%", " %")
