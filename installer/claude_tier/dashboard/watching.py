"""News for the pages that are open: one look at the ledger now and then, however many there are."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable

import anyio
from anyio import to_thread
from claude_tier_hooks import emergency, ledger, state

from claude_tier.dashboard.reading import Books

INTERVAL = 2.0  # seconds between two looks
BEAT = 15.0  # seconds of silence after which a comment shows whether the page is still there
SHARE = 10  # a look that took long is followed by a pause of so many times that
MOST = 32  # pages at once


class Look:
    """Whether anything changed since the last time: the ledger, a switch, a running session."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._db: sqlite3.Connection | None = None
        self._inode = 0
        self._seen: object = None

    def __call__(self) -> bool:
        """Takes in new transcripts first; raises what opening and reading a ledger raises.

        The first look is news: what a page read before it may be older.
        """
        self._books.catch_up()
        seen, self._seen = self._seen, (self._version(), _files())
        return seen != self._seen

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _version(self) -> tuple[int, int]:
        """SQLite's own count of what others commit; this connection writes nothing."""
        inode = os.stat(ledger.file()).st_ino  # noqa: PTH116 - a rebuilt ledger is another file
        if inode != self._inode:
            self.close()
        if self._db is None:
            # Each look runs in whatever thread is free, one after another.
            self._db = sqlite3.connect(ledger.file(), check_same_thread=False)
            self._inode = inode
        return inode, int(self._db.execute("PRAGMA data_version").fetchone()[0])


def _files() -> list[tuple[str, int]]:
    """What the page shows that is in no ledger: switches, configuration, running sessions."""
    switches = ("off", emergency.SWITCH, "live")
    names = (*switches, "policy.json", "config.yaml", "compile-error.json")
    sessions = os.path.join(state.config_dir(), "sessions")  # noqa: PTH118 - as hooks do
    try:
        running = [one.path for one in os.scandir(sessions)]
    except OSError:
        running = []
    return [(path, _changed(path)) for path in (*map(state.path, names), *sorted(running))]


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - as above
    except OSError:
        return 0


class Watcher:
    """Looks while a page listens, and tells every one that does."""

    def __init__(
        self,
        look: Callable[[], bool],
        *,
        close: Callable[[], None] = lambda: None,
        interval: float = INTERVAL,
        beat: float = BEAT,
    ) -> None:
        self._look = look
        self._close = close
        self._interval = interval
        self._beat = beat
        self._number = 0
        self._pages = 0
        self._ended = False
        self._news: anyio.Event | None = None

    def enter(self) -> bool:
        """Take a page's place, until `leave`; False where there is none left."""
        free = self._pages < MOST
        self._pages += free
        return free

    def leave(self) -> None:
        self._pages -= 1

    async def run(self) -> None:
        """Until it is cancelled. A look that fails is one more reason to look at the page."""
        try:
            while True:
                began = time.monotonic()
                if self._pages and await to_thread.run_sync(self._changed):
                    self._number += 1
                    self._tell()
                await anyio.sleep(max(self._interval, SHARE * (time.monotonic() - began)))
        finally:
            self._close()

    def end(self) -> None:
        """Let go of every page."""
        self._ended = True
        self._tell()

    async def events(self) -> AsyncIterator[str]:
        """A server-sent stream: `change` with a growing number, and comments in between."""
        seen = None
        while not self._ended:
            before, seen = seen, self._number
            yield ": still here\n\n" if seen == before else _event(seen)
            if seen == self._number and not self._ended:
                await self._something()

    async def _something(self) -> None:
        """News, the end, or so long a silence that it is to be broken."""
        if self._news is None:
            self._news = anyio.Event()
        with anyio.move_on_after(self._beat):
            await self._news.wait()

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()
        self._news = None

    def _changed(self) -> bool:
        try:
            return self._look()
        except Exception as fault:  # noqa: BLE001 - the page asks, and shows what is wrong
            state.log_fault("dashboard", fault)
            return True


def _event(number: int) -> str:
    return f"event: change\ndata: {json.dumps({'version': 1, 'number': number})}\n\n"
