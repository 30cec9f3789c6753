"""How many requests are at work at once: a local model serves few, the others wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from claude_tier.errors import UserError

MOST_WAITING = 64


class Turns:
    """First come, first served."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(1)

    @asynccontextmanager
    async def take(self, parallel: int, say: Callable[[str], None]) -> AsyncIterator[None]:
        """Wait for a turn; UserError where too many wait already."""
        self._limiter.total_tokens = parallel
        waiting = self._limiter.statistics().tasks_waiting
        if waiting >= MOST_WAITING:
            raise UserError(f"{waiting} requests wait already", "Ask again when some are answered.")
        if self._limiter.available_tokens <= 0:
            say(f"waiting: {waiting + parallel} requests were first")
        async with self._limiter:
            yield
