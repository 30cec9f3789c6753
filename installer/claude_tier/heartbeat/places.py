"""Places for beats at work: as many as may run at once, over all ticks of this machine.

A place is a locked file. The lock is its beat's process, so that a place is free again however that
ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from claude_tier_hooks import state

FOLDER = ("heartbeat", "places")


def take(number: int) -> int | None:
    """A free one of so many, as a descriptor to hand to the process; None when all are taken."""
    folder = Path(state.path(*FOLDER))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for place in range(number):
        descriptor = os.open(folder / str(place), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
        else:
            return descriptor
    return None
