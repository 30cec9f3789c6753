"""A block of our own in the user's crontab, read and written through `crontab` alone.

A crontab without a last line break gets one, and keeps it: `crontab` takes none without.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

from claude_tier.errors import UserError
from claude_tier.heartbeat.schedulers import programs
from claude_tier.heartbeat.schedulers.job import SCRIPT, USUAL, Added, Job

CRONTAB = "crontab"  # among what was made
LONGEST = 980  # bytes of a command: Vixie's cron takes fewer than 1,000
ATTEMPTS = 5
NO_CRONTAB = ("no crontab for", "No such file")  # Vixie's and its heirs'; BusyBox's


def missing() -> str | None:
    return None if shutil.which("crontab") else "no `crontab` on PATH"


def preview(job: Job) -> str:
    return "# in your crontab\n" + os.fsdecode(_block(_fitting(job))).rstrip()


def add(job: Job) -> Added:
    fitting = _fitting(job)
    block = _block(fitting)

    def with_ours(content: bytes) -> bytes:
        return _ended(_without(content, job.name)) + block

    before = _change(with_ours)
    stood = before is not None and with_ours(before) == before
    lines = [
        "The entry stands in your crontab already."
        if stood
        else "Wrote the entry into your crontab."
    ]
    lost = [each for each in _folders(job) if each not in _folders(fitting)]
    if lost:
        lines.append(f"Its PATH has no {', '.join(lost)}: a crontab takes no line so long.")
    return Added(tuple(lines), () if before is not None else (CRONTAB,))


def remove(name: str, made: Collection[str]) -> list[str]:
    if place(name) is None:
        return []
    if CRONTAB in made and not _without(_read() or b"", name):
        programs.require("crontab", "-r")
    else:
        _change(lambda content: _without(content, name))
    return ["Took the entry out of your crontab."]


def place(name: str) -> str | None:
    if missing():
        return None
    return "your crontab" if _marks(name)[0] in (_read() or b"").splitlines() else None


def look(name: str) -> str:  # noqa: ARG001 - every scheduler's
    return "Look whether cron runs (`pgrep cron`), and at what `crontab -l` says."


def _marks(name: str) -> tuple[bytes, bytes]:
    return f"# {name}: begin".encode(), f"# {name}: end".encode()


def _block(job: Job) -> bytes:
    """The entry between its marks, for whatever shell the crontab names."""
    begin, end = _marks(job.name)
    return b"\n".join([begin, b"* * * * * " + _command(job), end, b""])


def _command(job: Job) -> bytes:
    """In words for sh; a % would end the command, and what cron makes of \\ differs."""
    variables = [f"{key}={value}" for key, value in job.environment.items()]
    line = f"{shlex.join(['/usr/bin/env', *variables, *job.words])} >/dev/null 2>&1"
    if "\\" in line or "=" in job.python:
        raise UserError(
            "a path with a \\, or a Python in a folder with a =, cannot stand in a crontab",
            "Rename that folder, or set CLAUDE_CONFIG_DIR to another.",
        )
    return os.fsencode(line.replace("%", "\\%"))


def _folders(job: Job) -> list[str]:
    return job.environment["PATH"].split(":")


def _fitting(job: Job) -> Job:
    """The same with as much of its PATH as a crontab has room for."""
    folders = _folders(job)
    spare = [each for each in folders if each not in USUAL and not Path(each, "claude").exists()]
    while len(_command(job)) > LONGEST:
        if not spare:
            raise UserError("its paths are too long for a crontab", "Use another scheduler.")
        folders.remove(spare.pop())
        job = replace(job, environment={**job.environment, "PATH": ":".join(folders)})
    return job


def _ended(content: bytes) -> bytes:
    return content if not content or content.endswith(b"\n") else content + b"\n"


def _without(content: bytes, name: str) -> bytes:
    return b"".join(_others(content.splitlines(keepends=True), *_marks(name)))


def _others(lines: Collection[bytes], begin: bytes, end: bytes) -> Iterator[bytes]:
    """All but our marks and, after the first of them, our entry; whoever wrote into it keeps it."""
    inside = False
    for line in lines:
        inside = inside or line.rstrip(b"\n") == begin
        ours = line.rstrip(b"\n") in (begin, end) or SCRIPT.encode() in line
        if not (inside and ours):
            yield line
        inside = inside and line.rstrip(b"\n") != end


def _read() -> bytes | None:
    """The crontab; None where the user has none."""
    said = programs.run("crontab", "-l")
    if said.code == 0:
        return said.out
    if any(words in said.err for words in NO_CRONTAB):
        return None
    raise UserError(f"`crontab -l` failed: {said.err or f'exit code {said.code}'}")


def _change(edit: Callable[[bytes], bytes]) -> bytes | None:
    """Write what comes of it; the crontab before. Nobody else's change in between is lost."""
    before = _read()
    for _ in range(ATTEMPTS):
        after = edit(before or b"")
        now = _read()
        if now == before:
            if after != before:
                programs.require("crontab", "-", given=after)
            return before
        before = now
    raise UserError("something keeps writing to your crontab", "Nothing was changed.")
