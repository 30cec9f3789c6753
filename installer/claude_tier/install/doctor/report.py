"""What the doctor found: lines for people, or the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Verdict = Literal["ok", "warning", "fault"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at: how it is, and what to do about it (None where nothing is to do)."""

    name: str
    verdict: Verdict
    what: str
    todo: str | None = None

    def lines(self, width: int) -> list[str]:
        head = f"{self.verdict:<7}  {self.name:<{width}}  {self.what}"
        return [head] if self.todo is None else [head, " " * (width + 11) + self.todo]


def ok(name: str, what: str) -> Finding:
    return Finding(name, "ok", what)


def warning(name: str, what: str, todo: str | None = None) -> Finding:
    return Finding(name, "warning", what, todo)


def fault(name: str, what: str, todo: str | None = None) -> Finding:
    return Finding(name, "fault", what, todo)


def closed(place: Path) -> Finding:
    """A file or folder that we may not use; the same whoever came upon it."""
    todo = f"See with `ls -ld` whose it is; `chmod 700 '{place}'` opens a folder of yours."
    return fault("access", f"{place} is not yours to read and write", todo)


@dataclass(frozen=True)
class Report:
    """All findings of one examination, and what was examined."""

    findings: tuple[Finding, ...]
    subject: Mapping[str, str] = field(default_factory=dict)

    def count(self, verdict: Verdict) -> int:
        return sum(finding.verdict == verdict for finding in self.findings)

    @property
    def exit_code(self) -> int:
        return 1 if self.count("fault") else 0

    def lines(self) -> list[str]:
        """One line for each finding, with what to do below it, and the sum."""
        width = max((len(finding.name) for finding in self.findings), default=0)
        lines = [line for finding in self.findings for line in finding.lines(width)]
        return [*lines, self._sum()]

    def fields(self) -> dict[str, object]:
        """The same as one JSON object."""
        return {**self.subject, "checks": [asdict(finding) for finding in self.findings]}

    def _sum(self) -> str:
        found = [(self.count("fault"), "fault"), (self.count("warning"), "warning")]
        words = [f"{number} {word}{'s' * (number != 1)}" for number, word in found if number]
        return ", ".join(words) + "." if words else "Nothing is wrong."
