"""docs/json.md names every field that the commands print, in the section of that command."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from books import HOUR, NOON, OPUS, answer, budget, charge, decide, policy
from claude_tier import cli
from claude_tier.report import export, reconcile, spending
from claude_tier_hooks import ledger
from shipped import ROOT

PAGE = (ROOT / "docs/json.md").read_text("utf-8")
FREE = {"floor", "assign"}  # their keys are names of agents
COMMANDS = (
    *(f"report {view}" for view in spending.BY),
    "report --savings",
    "report --reconcile",
    "ledger totals",
    "status",
    "log",
    "budget check",
)


def section(command: str) -> str:
    """The part of the page about a command, with those that it refers to."""
    parts = {title.strip(): text for title, text in _parts()}
    name = " ".join(word for word in command.split() if word not in spending.BY)
    found = parts[f"claude-tier {name}"]
    for other in ("Sums", "claude-tier ledger totals", "claude-tier budget check"):
        found += parts[other] if other == "Sums" or name in ("report", "status") else ""
    return found + (parts["claude-tier log"] if name == "status" else "")


def _parts() -> Iterator[tuple[str, str]]:
    for part in PAGE.split("\n## ")[1:]:
        title, _, text = part.partition("\n")
        yield title, text


def named(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def fields(found: object) -> Iterator[str]:
    """Every key in it, however deep."""
    if isinstance(found, list):
        for one in found:
            yield from fields(one)
    if isinstance(found, dict):
        for key, value in found.items():
            yield key
            if key not in FREE:
                yield from fields(value)


@pytest.fixture
def busy(home: Path) -> None:
    """A home with something in every list."""
    policy(home, budgets=[budget()], floor={"reviewer": "sonnet"}, baseline="main")
    answer(home, OPUS)
    answer(home, agent="Explore", at=NOON + HOUR)
    answer(home, "mystery-1", final=False)
    charge(home, OPUS, 5.0, inputTokens=90_000)
    decide("toolu_Explore", agent_id="Explore", at=NOON)
    folder = home / ".claude" / "sessions"
    folder.mkdir()
    row = {"sessionId": "s", "cwd": "/repo/app", "startedAt": 1, "status": "busy"}
    (folder / "1.json").write_text(json.dumps({**row, "pid": os.getpid()}))
    db = ledger.connect(patience=10)
    db.execute("INSERT INTO plan_window VALUES ('five_hour', 40, 4e9, ?)", (NOON,))
    db.close()


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_field_is_on_the_page(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With `null` for what is not known, a field is there in any case."""
    assert cli.main([*command.split(), "--json"]) in (0, 1)
    found = json.loads(capsys.readouterr().out)
    page = named(section(command))
    assert found.pop("version") == 1
    assert {name for name in fields(found) if name not in page} == set()


def test_every_column_of_an_export_is_on_the_page() -> None:
    """And those of a CSV."""
    exported = named(PAGE.partition("## claude-tier ledger export")[2]) | named(section("report"))
    for columns in (export.USAGE, export.UNLISTED, export.DECISIONS):
        assert set(columns) - exported == set()
    for view in spending.BY:
        assert set(spending.columns(view, routed=True)) - named(section("report")) == set()
    flat = {name.removesuffix("_usd").removesuffix("_tokens") for name in reconcile.COLUMNS}
    assert flat - named(section("report --reconcile")) == set()


def test_every_reason_of_a_difference_is_on_the_page() -> None:
    """With the words the screen uses."""
    text = section("report --reconcile")
    assert [reason for reason in reconcile.WORDS if f"`{reason}`" not in text] == []
