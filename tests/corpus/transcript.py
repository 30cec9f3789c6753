"""One transcript file being written, row by row, and each answer in it billed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from . import names, rows
from .answer import Answer
from .dialect import Place, Row
from .forms import Form, whole
from .rows import Link, Shown
from .spelling import Spelling, compact

Bill = Callable[[Answer, datetime, Place], None]
Edit = Callable[[Row], Row]


@dataclass
class File:
    """A file of the corpus: its path below the config folder, and what is appended to it.

    `read_whole` says that its meaning is lost when rows between others vanish.
    """

    path: str
    pieces: list[bytes] = field(default_factory=list)
    read_whole: bool = False

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)


@dataclass
class Transcript:
    """The rows of one file.

    `history` holds the rows of the conversation as they were before spelling, for copies; `bill`
    is told of each answer once; `edit` changes every answer's rows before they are spelled.
    """

    file: File
    place: Place
    now: datetime
    rng: Random
    bill: Bill
    spelling: Spelling = compact
    edit: Edit | None = None
    history: list[Row] = field(default_factory=list)
    parent: str | None = None

    def append(self, row: Row) -> None:
        """Write a row as it is."""
        self.file.pieces.append(self.spelling(row))

    def raw(self, data: bytes) -> None:
        """Write bytes that are no row."""
        self.file.pieces.append(data)

    def say(self, row: Row) -> None:
        """Write a row of the conversation."""
        self.history.append(row)
        self.append(row)

    def link(self, after_ms: int | None = None) -> Link:
        """Move the clock and take the next place in the conversation."""
        self.now += timedelta(milliseconds=after_ms or self.rng.randint(20, 4000))
        link = Link(names.uuid(self.rng), self.parent, self.now)
        self.parent = link.uuid
        return link

    def ask(self, size: int = 60) -> None:
        """Write a prompt."""
        self.say(rows.user(self.place, self.link(), names.prose(self.rng, size)))

    def tool_result(self, text: object, **extra: object) -> None:
        """Write what a tool answered."""
        content = rows.tool_result(names.tool_id(self.rng), text)
        self.say(rows.user(self.place, self.link(), content, **extra))

    def answer(self, answer: Answer, form: Form = whole, *, blocks: int | list[Row] = 1) -> Answer:
        """Bill an answer and write its rows; return it with the ids it was given.

        `blocks` are its content, or how many blocks it should have: one row each.
        """
        answer = self.complete(answer)
        shown = form(answer, blocks if isinstance(blocks, list) else self._blocks(blocks))
        if answer.ref is not None:
            digest = names.digest(self.rng)
            self.append(rows.api_request(self.place, answer, self.now, digest))
        self.bill(answer, self._first_row_at(shown), self.place)
        self.show(answer, shown)
        return answer

    def complete(self, answer: Answer) -> Answer:
        """Give an answer the ids that this generation of the client records."""
        if not answer.id:
            answer = replace(answer, id=names.message_id(self.rng))
        if answer.request_id == "":
            answer = replace(answer, request_id=names.request_id(self.rng))
        if self.place.dialect.request_rows and answer.ref is None:
            answer = replace(answer, ref=names.uuid(self.rng))
        return answer

    def show(self, answer: Answer, shown: Sequence[Shown]) -> None:
        """Write an answer's rows without billing it."""
        for index, one in enumerate(shown):
            row = rows.assistant(self.place, self.link(one.after_ms), answer, one, index=index)
            self.say(self.edit(row) if self.edit else row)

    def _first_row_at(self, shown: Sequence[Shown]) -> datetime:
        return self.now + timedelta(milliseconds=shown[0].after_ms)

    def _blocks(self, count: int) -> list[Row]:
        if count == 1:
            return [names.text(self.rng)]
        kinds = (names.thinking, names.text, names.tool_use)
        return [kinds[index % 3](self.rng) for index in range(count)]
