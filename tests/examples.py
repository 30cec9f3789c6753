"""How many examples a property is tried on: few in `make test`, more in `make test-slow`."""

from __future__ import annotations

import os

VARIABLE = "CLAUDE_TIER_EXAMPLES"
USUAL = 50  # where a property says no number itself


def examples(number: int = USUAL) -> int:
    """That many, times what the environment says."""
    return number * int(os.environ.get(VARIABLE, "1"))
