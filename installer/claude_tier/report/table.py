"""Tables as text: they fit the terminal, and are whole and plain in a pipe."""

from __future__ import annotations

import io
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

GAP = 2
NARROWEST = 12  # columns of a text that is folded; a terminal narrower than that shows longer lines
LONGEST = 26  # columns of a word that is not broken: claude-haiku-4-5-20251001
_KEPT = "\0"  # a blank that is no place to break
WIDEST = 1000  # columns of a table in a pipe, where nothing is to be cut


class Column(NamedTuple):
    """A heading, whether the cells are figures, and when the column goes where room is short.

    The one with the highest `spare` goes first, one with 0 never.
    """

    name: str
    figures: bool = False
    spare: int = 0


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

    Where room is short, texts are folded between words and spare columns left out; figures are
    never folded.
    """
    from rich.box import Box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = _shown(columns, [*rows, *totals], width)
    columns = [columns[n] for n in shown]
    rows, totals = ([[row[n] for n in shown] for row in part] for part in (rows, totals))
    rule = Box("    \n    \n -- \n    \n -- \n    \n    \n    \n", ascii=True)
    table = Table(box=rule, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    widths = _widths(columns, [*rows, *totals], width)
    for one, room in zip(columns, widths, strict=True):
        justify: Literal["left", "right"] = "right" if one.figures else "left"
        table.add_column(
            one.name, justify=justify, no_wrap=one.figures, overflow="fold", width=room
        )
    for row in rows:
        table.add_row(*map(Text, row))
    if totals:
        table.add_section()
    for row in totals:
        table.add_row(*map(Text, row))
    out = io.StringIO()
    Console(file=out, width=_sum(widths), color_system=None, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _shown(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Which columns there is room for."""
    shown = list(range(len(columns)))
    least = [_least(one, [row[n] for row in rows]) for n, one in enumerate(columns)]
    while _sum([least[n] for n in shown]) > width:
        last = max(shown, key=lambda n: columns[n].spare)
        if not columns[last].spare:
            break
        shown.remove(last)
    return shown


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """What each column gets: the widest text gives first, and none more than a word needs."""
    cells = [[row[n] for row in rows] for n in range(len(columns))]
    widths = [_widest([one.name, *own]) for one, own in zip(columns, cells, strict=True)]
    least = [_least(one, own) for one, own in zip(columns, cells, strict=True)]
    while _sum(widths) > width:
        able = [n for n in range(len(columns)) if widths[n] > least[n]]
        if not able:
            break
        widths[max(able, key=lambda n: widths[n])] -= 1
    return widths


def _least(column: Column, cells: Sequence[str]) -> int:
    """The whole of a figure, of a text its longest word; a path may be broken anywhere."""
    if column.figures:
        return _widest([column.name, *cells])
    words = [word for cell in (column.name, *cells) for word in cell.split()]
    paths = [word for word in words if "/" in word]
    others = [word for word in words if "/" not in word]
    return max(min(_widest(others), LONGEST), min(_widest(paths), NARROWEST))


def _widest(cells: Sequence[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, cells), default=0)


def _sum(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def wrapped(lines: Iterable[str], width: int) -> list[str]:
    """Sentences as lines that fit, broken between words only, and in no `command`."""
    return [part for line in lines for part in _wrapped(line, width)]


def _wrapped(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    if len(line) <= width:
        return [line]
    wrap = textwrap.TextWrapper(
        max(width, NARROWEST),
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    kept = re.sub(r"`[^`]*`", lambda found: found[0].replace(" ", _KEPT), line)
    return [part.replace(_KEPT, " ") for part in wrap.wrap(kept)]
