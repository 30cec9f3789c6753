"""Many processes and one provider that is dead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fault_server import FAULTS, FaultServer, Reply
from routers import chain, configured, cooling, provider, rows

CROWD = 50
AT_MOST = 20  # those that had looked before the first failure was known
SCRIPT = Path(__file__).parents[2] / "crowd.py"


def test_a_dead_provider_is_tried_a_handful_of_times_by_fifty_processes() -> None:
    """The first failure is known to all others at once, and each of them gets its answer."""
    with FaultServer(FAULTS["reset"]) as dead, FaultServer(Reply()) as alive:
        lines = [provider("dead", dead.url), provider("alive", alive.url)]
        text = chain("dead/alpha", "alive/beta", providers=lines)
        configured(text.replace("chains: {", "chains: {warm: [alive/beta], "))
        crowd = subprocess.run(
            [sys.executable, SCRIPT, str(CROWD)], capture_output=True, text=True, check=True
        )
        asked = len(dead.seen)
    assert crowd.stdout.split() == ["alive/beta"] * CROWD
    assert 1 <= asked <= AT_MOST
    assert cooling()["dead/*"]["cause"] == "connect"
    assert rows("SELECT count(*), sum(outcome = 'answered') FROM exchange") == [
        (CROWD + 1, CROWD + 1)
    ]
    assert rows("SELECT count(*) FROM usage") == [(CROWD + 1,)]
