"""`claude-tier` that kills itself with SIGKILL at a named step of a beat's run, for real.

Run as `python killing_beats.py STEP AT heartbeat tick`: as the command line, with the clock of the
tick at that epoch time. STEP is claim or watch (of the tick), spawn, check, call or finish (of a
beat's process); "none" kills nobody.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from claude_tier import cli
from claude_tier.heartbeat import steps, tick


def main(step: str, at: str, *arguments: str) -> int:
    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event == steps.EVENT and given == (step,):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    if arguments == ("heartbeat", "tick"):
        tick.Tick(clock=lambda: float(at)).run()
        return 0
    return cli.main([*arguments])


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
