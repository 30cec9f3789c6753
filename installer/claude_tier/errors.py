"""The one exception a command raises on purpose."""

from __future__ import annotations


class UserError(Exception):
    """An expected failure: what went wrong, and what to do about it.

    The command line prints both on stderr and exits with `code` (1 unless told, 2 for usage).
    """

    def __init__(self, message: str, hint: str | None = None, *, code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
