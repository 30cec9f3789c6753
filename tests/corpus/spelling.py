"""How a row becomes bytes. All of these are JSON that a careful reader understands."""

from __future__ import annotations

import json
from collections.abc import Callable

from .dialect import Row

Spelling = Callable[[Row], bytes]


def compact(row: Row) -> bytes:
    """Spell as the client does: no spaces, UTF-8."""
    text = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def spaced(row: Row) -> bytes:
    """Spell as SDKs do: spaces, and everything beyond ASCII escaped."""
    return json.dumps(row).encode() + b"\n"


def crlf(row: Row) -> bytes:
    """Spell as editors on Windows leave it."""
    return compact(row)[:-1] + b"\r\n"


def reordered(row: Row) -> bytes:
    """Spell with the keys sorted, so that no reader can lean on their order."""
    return json.dumps(row, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def floats(row: Row) -> bytes:
    """Spell every count as a float: 12.0."""
    return compact({key: _floated(value) for key, value in row.items()})


def _floated(value: object) -> object:
    if isinstance(value, dict):
        return {key: _floated(part) for key, part in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def exponents(row: Row) -> bytes:
    """Spell round thousands with an exponent: 12000.0 is 1.2e4."""
    return floats(row).replace(b"000.0,", b"e3,").replace(b"000.0}", b"e3}")
