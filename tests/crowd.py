"""Many processes that ask the same chain at once: python crowd.py NUMBER, in a home of the test's.

They are forked when one request has imported everything, so that they meet. Each writes who
answered it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
from claude_tier import config
from claude_tier.routing.prompt import Prompt
from claude_tier.routing.router import Router
from claude_tier.routing.target import resolve
from claude_tier_hooks import policy, state


async def ask(name: str) -> str:
    """The target that answered one request to a chain."""
    known = config.load(Path(state.path("config.yaml"))).config
    async with Router(known, policy.load()) as router:
        answer = await router.ask(Prompt.of("hello"), resolve(known, name))
    return str(answer.target)


def begin() -> int:
    """One more process; its number."""
    child = os.fork()
    if child == 0:
        os.write(1, (anyio.run(ask, "all") + "\n").encode())
        os._exit(0)
    return child


if __name__ == "__main__":
    anyio.run(ask, "warm")
    children = [begin() for _ in range(int(sys.argv[1]))]
    sys.exit(any(os.waitpid(child, 0)[1] for child in children))
