"""`claude-tier` that kills itself with SIGKILL at a named step of a beat's run, for real.

Run as `python killing_beats.py STEP AT heartbeat tick`: as the command line, with the clock of the
tick at that epoch time. STEP is claim or watch (of the tick), spawn, check, call or finish (of a
beat's process); "none" kills nobody, and "named" kills a beat at the step it is named for.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing
from typing import Any

from claude_tier import cli
from claude_tier.heartbeat import processes, steps, tick
from claude_tier_hooks import ledger


def main(step: str, at: str, *arguments: str) -> int:
    last = name() if step == "named" else step

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event == steps.EVENT and given == (last,):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    if arguments == ("heartbeat", "tick"):
        tick.Tick(clock=lambda: float(at)).run()
        return 0
    return cli.main([*arguments])


def name() -> str:
    """That of the beat of this process."""
    of_run = "SELECT text FROM name JOIN receipt ON beat = name.id WHERE run = ?"
    with closing(ledger.connect(patience=10)) as db:
        beat: str = db.execute(of_run, (os.environ[processes.MARK],)).fetchone()[0]
    return beat.rpartition("#")[2]


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
