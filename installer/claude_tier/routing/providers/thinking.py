"""Keeps out of the text what a local model thinks aloud before it answers: <think>…</think>."""

from __future__ import annotations

from typing import Literal

OPEN, CLOSE = "<think>", "</think>"


class Thinking:
    """Takes text as it comes and gives the part that is the answer.

    Only thoughts at the very start are ones; later the words may belong to what was asked for.
    """

    def __init__(self) -> None:
        self._held = ""
        self._state: Literal["start", "thought", "gap", "answer"] = "start"

    def feed(self, text: str) -> str:
        """What of the text so far is to be told; a beginning that could be the mark is held."""
        if self._state == "answer":
            return text
        self._held += text
        if self._state == "start":
            self._begin()
        if self._state == "thought":
            self._think()
        if self._state == "gap":
            self._held = self._held.lstrip()
            self._state = "answer" if self._held else "gap"
        return self._release() if self._state == "answer" else ""

    def rest(self) -> str:
        """What was held when the text ended."""
        return self._release() if self._state == "start" else ""

    def _begin(self) -> None:
        said = self._held.lstrip()
        if said.startswith(OPEN):
            self._held, self._state = said[len(OPEN) :], "thought"
        elif not OPEN.startswith(said):
            self._state = "answer"

    def _think(self) -> None:
        thought, closed, after = self._held.partition(CLOSE)
        if closed:
            self._held, self._state = after, "gap"
        else:  # no more is kept than could be the start of the mark
            self._held = thought[-len(CLOSE) :]

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held
