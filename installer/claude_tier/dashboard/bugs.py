"""One file for each distinct bug, however often the page runs into it."""

from __future__ import annotations

import traceback

from claude_tier import bug_log

MOST = 50  # files of one server
_written: dict[tuple[str, int | None, str], str | None] = {}


def written(fault: BaseException) -> str | None:
    """The name of the file that describes it, without the folder; made the first time.

    None where none could be written.
    """
    last = traceback.extract_tb(fault.__traceback__)[-1]
    place = (last.filename, last.lineno, type(fault).__name__)
    if place not in _written:
        path = bug_log.write(fault) if len(_written) < MOST else None
        _written[place] = path.name if path else None
    return _written[place]
