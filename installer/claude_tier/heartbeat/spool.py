"""Ends of runs that the ledger could not take: a file for each, until it can."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from claude_tier_hooks import state

from claude_tier.heartbeat.receipts import End

FOLDER = ("heartbeat", "ends")


class Spooled(NamedTuple):
    """What a run came to, and when."""

    end: End
    at: float


def keep(run: str, end: End, at: float) -> None:
    """Have it written later; raises OSError."""
    file = _file(run)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.write_private(str(file), json.dumps({"at": at, "end": asdict(end)}) + "\n")


def of(run: str) -> Spooled | None:
    """What waits for that run; None for nothing, also where another version of ours wrote it."""
    found = state.read_json(str(_file(run))) or {}
    try:
        spooled = Spooled(End(**found["end"]), float(found["at"]))
    except (KeyError, TypeError, ValueError):
        return None
    # The ledger would refuse them, and with them every tick to come.
    nested = any(isinstance(value, (dict, list)) for value in asdict(spooled.end).values())
    return None if nested else spooled


def runs() -> list[str]:
    """The runs whose end waits, oldest first."""
    files = Path(state.path(*FOLDER)).glob("*.json")
    return [file.stem for file in sorted(files, key=lambda one: (_time(one), one.name))]


def forget(run: str) -> None:
    """It is written."""
    _file(run).unlink(missing_ok=True)


def _file(run: str) -> Path:
    return Path(state.path(*FOLDER, f"{run}.json"))


def _time(file: Path) -> float:
    """When it was written; what another process has removed meanwhile comes first."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
