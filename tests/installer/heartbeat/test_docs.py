"""The page on heartbeats says what a file may hold, and its examples are files."""

from __future__ import annotations

import re
from pathlib import Path

from claude_tier.heartbeat.form import TOOLS, Front

from .loading import beats

PAGE = (Path(__file__).parents[3] / "docs/heartbeat.md").read_text("utf-8")


def test_every_key_stands_in_the_table() -> None:
    """A key without a row, or a row without a key, fails."""
    rows = re.findall(r"^\| `([a-z_.]+)`", PAGE, re.MULTILINE)
    keys = {"budget.usd" if key == "budget" else key for key in Front.model_fields}
    assert set(rows) == keys
    assert all(f"`{tool}`" in PAGE for tool in TOOLS)


def test_every_example_loads(tmp_path: Path) -> None:
    """The checklist is one beat, the front matter two."""
    examples = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)
    assert [len(beats(tmp_path, example)) for example in examples] == [1, 2]
