"""Answers that are longer than one result: kept in this process, and read page by page."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Any, NamedTuple

from claude_tier.errors import UserError

MOST_ANSWERS = 32
MOST_CHARACTERS = 8_000_000


class Page(NamedTuple):
    """One page of an answer, counted from 1; no id where the answer has no other page."""

    text: str
    number: int
    of: int
    id: str | None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.of else None

    def place(self) -> dict[str, Any]:
        """Where it stands, as a result names it; of an only page just that there is no next."""
        if self.id is None:
            return {"next_page": None}
        return {
            "page": self.number,
            "pages": self.of,
            "page_id": self.id,
            "next_page": self.next,
        }


class Pages:
    """The last long answers; the oldest go first, and all of them with the process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def first(self, text: str, size: int) -> Page:
        """The first page of an answer, and the others kept."""
        parts = cut(text, size)
        if len(parts) == 1:
            return Page(text, 1, 1, None)
        name = secrets.token_hex(4)
        self._kept[name] = parts
        self._forget()
        return Page(parts[0], 1, len(parts), name)

    def read(self, name: str, number: int) -> Page:
        """A page that was kept; UserError where there is none of that name and number."""
        parts = self._kept.get(name)
        if parts is None:
            raise UserError(
                f"no answer is kept as {name[:40]!r}",
                f"The last {MOST_ANSWERS} long answers of this session are; ask again.",
            )
        if not 1 <= number <= len(parts):
            raise UserError(f"that answer has the pages 1 to {len(parts)}")
        self._kept.move_to_end(name)
        return Page(parts[number - 1], number, len(parts), name)

    def _forget(self) -> None:
        """Drop the oldest; the one whose page is given out now stays, however long it is."""
        while len(self._kept) > 1 and (
            len(self._kept) > MOST_ANSWERS or self._size() > MOST_CHARACTERS
        ):
            self._kept.popitem(last=False)

    def _size(self) -> int:
        return sum(len(part) for parts in self._kept.values() for part in parts)


def cut(text: str, size: int) -> tuple[str, ...]:
    """The text in parts of at most `size` characters, each ending with a line where one ends."""
    parts, start = list[str](), 0
    while len(text) - start > size:
        end = text.rfind("\n", start, start + size) + 1 or start + size
        parts.append(text[start:end])
        start = end
    return (*parts, text[start:])
