"""Bars, charts and columns: text with an exact width in cells."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = "_-=#"  # where the terminal knows ASCII only
CUT, PLAIN_CUT = "…", "~"
GAP = 2
LEAST = 6  # cells that a column keeps when it gives


def bar(share: float | None, width: int, *, plain: bool) -> str:
    """As much of it full as is used; all of it at 100 % and above, at least one cell above 0."""
    full, empty = ("#", "-") if plain else ("━", "╌")
    used = 0 if share is None else min(width, int(share * width))
    if share and share > 0:
        used = max(1, used)
    return full * used + empty * (width - used)


def chart(values: Sequence[float], *, each: int, rows: int, plain: bool) -> list[str]:
    """A column for each value, `each` cells wide: the greatest is full, nothing is a dot."""
    steps = PLAIN_BLOCKS if plain else BLOCKS
    top = max(values, default=0.0)
    heights = [math.ceil(value / top * rows * len(steps)) if value > 0 else 0 for value in values]
    return ["".join(_part(one, row, steps) * each for one in heights) for row in range(rows)][::-1]


def _part(height: int, row: int, steps: str) -> str:
    """What a column shows in a row, counted from the lowest."""
    if height == row == 0:
        return "." if steps is PLAIN_BLOCKS else "·"
    here = min(height - row * len(steps), len(steps))
    return steps[here - 1] if here > 0 else " "


def fitted(text: Text, width: int) -> Text:
    """At most that many cells, what is cut marked."""
    text = text.copy()
    text.truncate(max(0, width), overflow="ellipsis")
    return text


def padded(text: Text, width: int) -> Text:
    """Exactly that many cells."""
    text = fitted(text, width)
    text.append(" " * (width - cell_len(text.plain)))
    return text


def columns(
    rows: Sequence[Sequence[Text]], width: int, *, gives: int, right: Sequence[int] = ()
) -> list[Text]:
    """Rows with their cells below each other; column `gives` is cut first when room is short."""
    if not rows:
        return []
    widths = [max(cell_len(row[n].plain) for row in rows) for n in range(len(rows[0]))]
    gaps = GAP * (sum(1 for wide in widths if wide) - 1)
    over = sum(widths) + gaps - width
    widths[gives] = max(min(LEAST, widths[gives]), widths[gives] - max(0, over))
    return [fitted(_row(row, widths, right), width) for row in rows]


def _row(row: Sequence[Text], widths: Sequence[int], right: Sequence[int]) -> Text:
    cells = []
    for number, (text, wide) in enumerate(zip(row, widths, strict=True)):
        if wide:
            cell = fitted(text, wide)
            rest = " " * (wide - cell_len(cell.plain))
            cells.append(Text(rest) + cell if number in right else cell + Text(rest))
    line = Text(" " * GAP).join(cells)
    line.rstrip()
    return line
