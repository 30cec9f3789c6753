"""What the client is told while a model writes: how much there is, and what happened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

Tell = Callable[[float, str], Awaitable[None]]

INTERVAL = 0.25  # seconds between two notifications at least
_STEP = 0.001  # the protocol wants each figure above the last, also where only the words are new


class Progress:
    """Collects what happens in an answer, and tells it a few times a second."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._news = anyio.Event()
        self._characters = 0
        self._told = 0.0
        self._said: str | None = None

    def heard(self, characters: int) -> None:
        """So much of the answer is there; less than before where another is asked for it."""
        self._characters = characters
        self._news.set()

    def say(self, line: str) -> None:
        """One line of the router's, or of ours."""
        self._said = line
        self._news.set()

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """Tell while the body works, and the rest when it is done."""
        failed = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run)
            try:
                yield
            except Exception as error:  # noqa: BLE001 - the group would wrap it
                failed = error
            tasks.cancel_scope.cancel()
        if failed is not None:
            raise failed
        if self._news.is_set():
            await self._now()

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            await self._now()
            await anyio.sleep(INTERVAL)

    async def _now(self) -> None:
        self._news = anyio.Event()
        words = self._said or f"{self._characters:,} characters so far"
        self._said = None
        self._told = max(float(self._characters), self._told + _STEP)
        await self._tell(self._told, words)
