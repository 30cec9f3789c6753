"""Copies of what we are about to change, in the state folder: a safety net, never restored whole.

Uninstall takes our entries out of the file as it is then; a copy would undo later edits.
"""

from __future__ import annotations

import contextlib
import time
import zlib
from pathlib import Path

from claude_tier.install.plan import Plan

KEPT = 20


def add(plan: Plan, path: Path, content: bytes, now: float) -> None:
    """Back up that content: settings.json.1f3a09bc.20261121T081500Z."""
    folder = plan.target.state / "backups"
    plan.make_folder(folder)
    origin = zlib.crc32(str(path).encode())
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    copy = folder / f"{path.name}.{origin:08x}.{stamp}"
    if not copy.exists():
        plan.replace(copy, None, content, "backup")


def prune(state: Path, kept: int = KEPT) -> None:
    """Remove all but the newest backups; one that cannot be removed is no harm."""
    with contextlib.suppress(OSError):
        copies = sorted((state / "backups").iterdir(), key=_age)
        for copy in copies[: max(0, len(copies) - kept)]:
            copy.unlink()


def _age(copy: Path) -> tuple[int, str]:
    return copy.stat().st_mtime_ns, copy.name
