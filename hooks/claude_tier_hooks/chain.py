"""The user's own line command, which ours runs before it adds to it."""

from __future__ import annotations

import os

from . import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

SIGPIPE = 13


def command(rules: Json, key: str) -> str | None:
    """The command of `status_line` or `subagent_line`; the manifest has it without a policy."""
    line = rules.get(key)
    if isinstance(line, dict):
        found = line.get("chain")
    else:
        found = (state.read_json(state.path("manifest.json")) or {}).get(key + "_chain")
    return found if isinstance(found, str) else None


def said_by(command: str, data: bytes) -> str:
    """What that command prints for the same input; raises OSError when it cannot be started."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    actions = [
        (os.POSIX_SPAWN_DUP2, theirs_in, 0),
        (os.POSIX_SPAWN_DUP2, theirs_out, 1),
        *((os.POSIX_SPAWN_CLOSE, one) for one in (theirs_in, ours_out, ours_in, theirs_out)),
    ]
    child = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", command],
        os.environ,
        file_actions=actions,
        setsigdef=[SIGPIPE],  # Python ignores it, and a child would too
    )
    os.close(theirs_in)
    os.close(theirs_out)
    said = _told(ours_out, ours_in, data)
    os.close(ours_out)
    with os.fdopen(ours_in, "rb") as stream:
        said += stream.read()
    os.waitpid(child, 0)
    return said.decode("utf-8", "replace")


def _told(ours_out: int, ours_in: int, data: bytes) -> bytes:
    """Write all of it; what the command says before it has read everything."""
    os.set_blocking(ours_out, False)
    said, left, heard = b"", memoryview(data), [ours_in]
    while left:
        written = _written(ours_out, left)
        left = left[written:]
        if written == 0:  # more than a pipe holds
            part = _heard(heard, ours_out)
            said += part or b""
            heard = [] if part == b"" else heard
    return said


def _written(ours_out: int, left: memoryview) -> int:
    """How many bytes there was room for; all, where nobody reads them."""
    try:
        return os.write(ours_out, left)
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(left)


def _heard(heard: list[int], ours_out: int) -> bytes | None:
    """Wait until there is something to read (b"" at the end of it) or room to write (None)."""
    import select  # only who needs it pays for it

    ready = select.select(heard, [ours_out], [])[0]
    return os.read(ready[0], 1 << 16) if ready else None
