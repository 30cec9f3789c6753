"""What is wrong in a configuration file, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from claude_tier.errors import UserError

Location = tuple[str | int, ...]  # keys and list indexes from the top: ("budgets", 0, "limit")


@dataclass(frozen=True)
class Fault:
    """One mistake; line and column count from 1, and are 0 where the file has no such place."""

    path: Path
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}" if self.line else f"{self.path}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


@dataclass(frozen=True)
class Source:
    """One version of a file, as policy.json records it; size -1 stands for no file.

    `unread` marks a file whose content could not be read.
    """

    path: Path
    size: int = -1
    mtime_ns: int = 0
    crc32: int = 0
    unread: bool = False

    def record(self) -> dict[str, object]:
        unread = {"unread": True} if self.unread else {}
        return {
            "path": str(self.path),
            "size": self.size,
            "mtime_ns": self.mtime_ns,
            "crc32": self.crc32,
            **unread,
        }


class ConfigError(UserError):
    """A configuration file that cannot be used: every fault found, and in which version of it."""

    def __init__(self, source: Source, faults: Iterable[Fault]) -> None:
        self.source = source
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
        super().__init__(
            "\n".join(str(fault) for fault in self.faults),
            hint="This command needs a valid file; for hooks the previous configuration stays in"
            " effect.",
        )


def dotted(location: Location) -> str:
    """A location as people write it: budgets[0].limit.usd."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{printable(part)}" if text else printable(part)
    return text


def printable(text: str) -> str:
    """The text, shortened, with nothing in it that a terminal would obey."""
    shown = text if len(text) <= 60 else text[:59] + "…"
    return shown if shown.isprintable() else ascii(shown)[1:-1]


def shown(value: object) -> str:
    """A value for a message: scalars as written, everything else by its kind."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{printable(value)}'"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return "a list" if isinstance(value, list) else "a mapping"
