"""The worked example of docs/savings.md comes to what the code comes to."""

from __future__ import annotations

import re
from pathlib import Path

from books import HAIKU, NOON, OPUS, answer
from claude_tier.report import caches, ledger_file, savings
from claude_tier.report.days import Span
from claude_tier.report.savings import tokenizers
from claude_tier_hooks import ledger, policy

PAGE = (Path(__file__).parents[4] / "docs" / "savings.md").read_text("utf-8")
KINDS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)


def counts(name: str) -> list[int]:
    """A row of the example's table of tokens."""
    row = re.search(rf"^\| {name} \|([\d, |]+)\|$", PAGE, re.MULTILINE)
    assert row
    return [int(cell.replace(",", "")) for cell in row[1].split("|")]


def figure(name: str) -> float:
    """The dollars at the end of a row of the example's sum."""
    row = re.search(rf"^\| \**{re.escape(name)}\** .*\| \**(-?[\d.]+)\** \|$", PAGE, re.MULTILINE)
    assert row, name
    return float(row[1])


def test_the_example_of_the_page_is_reckoned_as_the_code_does(home: Path) -> None:
    rules = policy.load()
    answer(home, OPUS, at=NOON)
    for n, name in enumerate(("first", "second")):
        used = dict(zip(KINDS, counts(name), strict=True))
        answer(home, HAIKU, at=NOON + 60 + n, agent="Explore", **used)
    db = ledger.connect(patience=10)
    ledger_file.catch_up(db, rules)
    caches.bring_up(db)
    savings.bring_up(db, rules)
    found = savings.query(db, rules, Span(), now=NOON)
    db.close()

    assert found.usd is not None
    shown = {
        "gross": found.total.gross_usd,
        "as it ran, both": -found.actual_usd,
        "start": -found.startup_usd,
        "caches built again": -found.rebuild_usd,
        "saved": found.usd,
    }
    assert {name: round(usd, 6) for name, usd in shown.items()} == {n: figure(n) for n in shown}
    both = figure("first on Opus") + figure("second on Opus")
    assert round(found.baseline_usd, 6) == round(both, 6)


def test_the_page_names_the_factor_in_use() -> None:
    assert f"{tokenizers.FACTOR:g}" in PAGE
