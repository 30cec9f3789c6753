"""A line of parts in the columns a terminal has: whole parts or none, never a piece of a word."""

from __future__ import annotations

GAP = " · "


def plain(text: object) -> str:
    """A name as it may be printed: no control character, no mark that turns the direction."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def wide(text: str) -> int:
    """The columns a text without control characters takes; a Chinese character takes two."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width  # only who needs it pays for it

    # A variation selector can make the character before it wide, so it counts.
    return sum(
        0 if category(c) in ("Mn", "Me") and not "\ufe00" <= c <= "\ufe0f"
        else 2 if east_asian_width(c) in "WF" else 1
        for c in text
    )  # fmt: skip


def fit(parts: list[tuple[int, str]], room: int | None) -> str:
    """The parts on one line, in their order; what has the highest rank goes first.

    A part that begins with a comma belongs to the one before it, whose rank is lower.
    """
    left = list(parts)
    while left and room is not None and _wide(left) > room:
        left.remove(max(left, key=lambda part: part[0]))
    return "".join(_gap(n, text) + text for n, (_, text) in enumerate(left))


def _gap(place: int, text: str) -> str:
    return "" if not place or text.startswith(",") else GAP


def _wide(parts: list[tuple[int, str]]) -> int:
    return sum(len(_gap(n, text)) + wide(text) for n, (_, text) in enumerate(parts))
