"""The one exception a command raises on purpose, and what a group of tasks hides."""

from __future__ import annotations

from collections.abc import Sequence


class UserError(Exception):
    """An expected failure: what went wrong, and what to do about it.

    The command line prints both on stderr and exits with `code` (1 unless told, 2 for usage).
    """

    def __init__(self, message: str, hint: str | None = None, *, code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def alone(error: Exception) -> Exception:
    """The one exception within a group of tasks that failed, however often it is wrapped."""
    inner: Sequence[object] = getattr(
        error, "exceptions", ()
    )  # by its shape: Python 3.10 has no such class
    if len(inner) == 1 and isinstance(inner[0], Exception):
        return alone(inner[0])
    return error
