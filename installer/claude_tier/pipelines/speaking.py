"""Whose line it is: a step's, or that of one of its items. Each task of a run has its own."""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple


class Speaker(NamedTuple):
    """A step, and the item it is at."""

    step: str
    item: str | None = None


SPEAKER: ContextVar[Speaker] = ContextVar("speaker")
