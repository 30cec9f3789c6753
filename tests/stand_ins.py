"""Programs that this machine lacks: each only writes down how it is called."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

# Writes down how it was called; fails where the test says so.
_RECORDER = """\
#!/bin/sh
{{ printf '%s' "${{0##*/}}"; printf ' %s' "$@"; echo; }} >>'{log}'
fails=$(cat '{log}.fails' 2>/dev/null || echo /)
case " $* " in *" $fails "*) echo 'it said no' >&2; exit 5;; esac
printf '%s' "$(cat '{log}.says' 2>/dev/null)"
"""


class Recorded(NamedTuple):
    """A program that only writes down how it is called."""

    log: Path

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def fail(self, word: str) -> None:
        """From now on, where that is one of its words."""
        self.log.with_name(f"{self.log.name}.fails").write_text(word)

    def say(self, text: str) -> None:
        self.log.with_name(f"{self.log.name}.says").write_text(text)


def recorder(program: Path, log: Path) -> Recorded:
    """Put one there."""
    program.write_text(_RECORDER.format(log=log))
    program.chmod(0o755)
    return Recorded(log)
