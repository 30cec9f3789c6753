"""How a run goes, on stderr: a live table on a terminal, else a line for whatever happens."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import anyio
import click

from claude_tier.errors import UserError
from claude_tier.pipelines import screen
from claude_tier.pipelines.outcome import StepOutcome
from claude_tier.pipelines.writing import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.live import Live
    from rich.table import Table

MARKS = {"answered": "done", "written": "done", "skipped": "-", "failed": "failed", "left": "-"}


class Progress(Protocol):
    """A watcher that is open while the run goes."""

    def began(self, step: str, units: int) -> None: ...

    def said(self, step: str, line: str) -> None: ...

    def ended(self, outcome: StepOutcome) -> None: ...

    async def confirm(self, changes: Sequence[Change]) -> bool: ...


class Lines:
    """For logs, pipes, and Claude's own shell. `yes`: files are written unasked."""

    def __init__(self, *, yes: bool) -> None:
        self.yes = yes

    def began(self, step: str, units: int) -> None:
        if units != 1:
            self.say(f"{step}: {units} to do")

    def said(self, step: str, line: str) -> None:
        self.say(screen.safe(f"{step}: {line}"))

    def ended(self, outcome: StepOutcome) -> None:
        self.say(screen.ended(outcome))

    async def confirm(self, changes: Sequence[Change]) -> bool:
        """Whether these may be written: by --yes, or by what is typed on the terminal."""
        if self.yes:
            return True
        if not sys.stdin.isatty():
            raise UserError("files are written with --yes, or where a terminal can be asked")
        for change in changes:
            self.say(screen.safe(change.difference()))
        click.echo(f"Write {_these(changes)}? [y/N] ", err=True, nl=False)
        # A thread that waits for a line could not be ended by Ctrl-C.
        await anyio.wait_readable(sys.stdin)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def say(self, line: str) -> None:
        click.echo(line, err=True)


def _these(changes: Sequence[Change]) -> str:
    return changes[0].name if len(changes) == 1 else f"these {len(changes)} files"


class Screen(Lines):
    """A row for each step that changes in place; what is said stands above and stays."""

    def __init__(self, live: Live, steps: Sequence[str], *, yes: bool) -> None:
        super().__init__(yes=yes)
        self._live = live
        self._rows: dict[str, tuple[str, str]] = dict.fromkeys(steps, ("", ""))

    def began(self, step: str, units: int) -> None:
        self._set(step, "at work", f"{units} to do" if units != 1 else "")

    def ended(self, outcome: StepOutcome) -> None:
        line = screen.ended(outcome).partition(": ")[2]
        self._set(outcome.step, MARKS[outcome.status], line)

    async def confirm(self, changes: Sequence[Change]) -> bool:
        self._live.stop()  # it would write over the question
        try:
            return await super().confirm(changes)
        finally:
            self._live.start()

    def say(self, line: str) -> None:
        from rich.text import Text

        self._live.console.print(Text(line))

    def _set(self, step: str, mark: str, line: str) -> None:
        self._rows[step] = (mark, line)
        self._live.update(self._table())

    def _table(self) -> Table:
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for step, (mark, line) in self._rows.items():
            shown = Spinner("line") if mark == "at work" else Text(mark)
            table.add_row(Text(step), shown, Text(line))
        return table


@contextmanager
def showing(steps: Sequence[str], *, yes: bool) -> Iterator[Progress]:
    """The progress that fits where stderr goes."""
    if not sys.stderr.isatty():
        yield Lines(yes=yes)
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), refresh_per_second=8) as live:
        yield Screen(live, steps, yes=yes)
