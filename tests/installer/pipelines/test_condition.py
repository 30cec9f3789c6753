"""Conditions: one value, or one comparison."""

from __future__ import annotations

import pytest
from claude_tier.errors import UserError
from claude_tier.pipelines import condition

SCOPE = {
    "inputs": {"mode": "fast", "none": ""},
    "steps": {"check": {"text": "yes", "json": {"ok": True, "n": 3, "problems": []}}},
}


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("steps.check.json.ok", True),
        ("not steps.check.json.ok", False),
        ("steps.check.json.problems", False),
        ("inputs.none", False),
        ('inputs.mode == "fast"', True),
        ('inputs.mode != "fast"', False),
        ("steps.check.json.n > 2", True),
        ("steps.check.json.n<=2", False),
        ("steps.check.json.ok == true", True),
    ],
)
def test_a_condition_holds_by_its_value(text: str, held: bool) -> None:
    """Empty, 0 and false do not hold."""
    assert condition.holds(text, SCOPE) is held


@pytest.mark.parametrize(
    "text", ["", "ok", "steps.a.text == fast", "inputs.a == [1]", "inputs.a or 1"]
)
def test_anything_else_is_refused(text: str) -> None:
    """When the file is read, not when the step would run."""
    with pytest.raises(ValueError, match=r"."):
        condition.parse(text)


def test_what_cannot_be_compared_is_said() -> None:
    """A text is not more than a number."""
    with pytest.raises(UserError, match=r"inputs\.mode cannot be compared so"):
        condition.holds("inputs.mode > 3", SCOPE)


def test_blanks_without_an_end_keep_nobody_busy() -> None:
    """A comparison was sought after each of them."""
    with pytest.raises(ValueError, match="is no reference"):
        condition.parse(f"inputs.a{' ' * 1_000_000}x")
