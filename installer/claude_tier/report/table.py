"""Tables as text: they fit the terminal, and are whole and plain in a pipe."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Sequence
from typing import Literal, NamedTuple

GAP = 2
NARROWEST = 12  # columns of a text that is folded; a terminal narrower than that shows longer lines
WIDEST = 1000  # columns of a table in a pipe, where nothing is to be cut


class Column(NamedTuple):
    """A heading, and whether the cells are figures."""

    name: str
    figures: bool = False


def width() -> int:
    """The terminal's columns; no limit to speak of where stdout is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDEST


def render(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int,
    totals: Sequence[Sequence[str]] = (),
) -> str:
    """The rows below their headings, `totals` behind a rule; figures to the right.

    Texts that do not fit are folded, figures never.
    """
    from rich.box import Box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rule = Box("    \n    \n -- \n    \n -- \n    \n    \n    \n", ascii=True)
    table = Table(box=rule, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for one in columns:
        justify: Literal["left", "right"] = "right" if one.figures else "left"
        table.add_column(one.name, justify=justify, no_wrap=one.figures, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    if totals:
        table.add_section()
    for row in totals:
        table.add_row(*map(Text, row))
    out = io.StringIO()
    room = max(width, _least(columns, [*rows, *totals]))
    Console(file=out, width=room, color_system=None, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _least(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """What the figures need, and some room for each text."""
    widths = [
        max(len(cell) for cell in (one.name, *(row[number] for row in rows)))
        for number, one in enumerate(columns)
    ]
    texts = [
        min(width, NARROWEST) if not one.figures else width
        for one, width in zip(columns, widths, strict=True)
    ]
    return sum(texts) + GAP * (len(columns) - 1)
