"""Figures as people read them. What is not known is a word, never 0."""

from __future__ import annotations

UNPRICED = "unpriced"
UNKNOWN = "unknown"

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def money(usd: float | None, *, at_least: bool = False) -> str:
    """$1,234.50, $0.0042; `at_least` marks a sum that cannot see everything: $1.20+."""
    if usd is None:
        return UNPRICED
    plus = "+" if at_least else ""
    if 0 < abs(usd) < 0.01:
        return f"${usd:.2g}{plus}" if abs(usd) >= 0.0001 else f"$0.0000{plus}"
    return f"${usd:,.2f}{plus}"


def count(number: float) -> str:
    """1,234 below ten thousand, then 12.3k, 4.6M: three digits that matter."""
    if number < 10_000:
        return f"{int(number):,}"
    size, letter = next(step for step in _STEPS if number >= step[0] or step[1] == "k")
    return f"{number / size:.1f}{letter}" if number < 100 * size else f"{number / size:.0f}{letter}"


def share(used: float | None) -> str:
    """82 %, rounded down so that 99.9 % of a limit is not shown as all of it."""
    return UNKNOWN if used is None else f"{int(used * 100 + 1e-9)} %"


def amount(value: float | None, unit: str) -> str:
    """A figure of a budget in its own unit: usd, tokens or plan_percent."""
    if value is None:
        return UNKNOWN
    if unit == "usd":
        return money(value)
    return count(value) if unit == "tokens" else f"{value:g} %"


def size(number: int) -> str:
    """Bytes of a file: 3.4 MB."""
    if number < 1000:
        return f"{number} B"
    value, letter = next((number / s, n) for s, n in _STEPS if number >= s)
    return f"{value:.1f} {letter}B"


def plural(number: int, noun: str) -> str:
    """1 response, 2 responses."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
