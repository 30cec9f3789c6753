"""Rows as CSV: plain numbers, and no name that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from claude_tier.output import rounded

TIMES = frozenset(("at", "last", "saved_at", "start", "end"))
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(columns: Sequence[str], rows: Iterable[Mapping[str, object]], stream: TextIO) -> None:
    """A header and the rows; what is not known is an empty cell, several values are one text.

    Epoch times become local ones with their zone, which a spreadsheet reads as such.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell_of(row, column) for column in columns] for row in rows)


def _cell_of(row: Mapping[str, object], column: str) -> object:
    value = row.get(column)
    return cell(_moment(value) if column in TIMES else value)


def _moment(value: object) -> object:
    """2026-11-20T14:00:00.000+01:00"""
    if not isinstance(value, (int, float)):
        return value
    try:
        local = datetime.datetime.fromtimestamp(value, datetime.timezone.utc).astimezone()
    except (ValueError, OverflowError, OSError):
        return value  # no date has it
    return local.isoformat(timespec="milliseconds")


def cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)) or value is None:
        return rounded(value)
    text = " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return f"'{text}" if text.startswith(FORMULA) and text != "-" else text
