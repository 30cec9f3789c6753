"""A dashboard on loopback, in a thread of this process, and a browser to look at it."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from claude_tier.dashboard import app, keys, reading, server, watching

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 60  # seconds until a server counts as hanging


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(frozen=True)
class Dashboard:
    """One that runs; `token` is its bearer."""

    port: int
    token: str
    keys: keys.Keys

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def link(self) -> str:
        """A new one-time link."""
        return f"{self.address}/#code={self.keys.code()}"

    def ask(self, path: str, method: str = "GET", /, **headers: str | None) -> Answer:
        """An answer to exactly these headers; `sec_fetch_site` is sent as sec-fetch-site."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        given = {"host": f"127.0.0.1:{self.port}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}  # type: ignore[dict-item]
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders()
        found = connection.getresponse()
        answer = Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        connection.close()
        return answer

    def get(self, path: str) -> dict[str, Any]:
        """The JSON behind that address, asked for with the token."""
        answer = self.ask(path, authorization=f"Bearer {self.token}")
        assert answer.status == 200, answer
        return answer.json()


@contextmanager
def serving(
    folder: str,
    *,
    clock: Callable[[], float] = time.time,
    interval: float = 0.05,
    beat: float = 15.0,
) -> Iterator[Dashboard]:
    """A dashboard over the ledger of this HOME; `clock` is what its figures are told."""
    books = reading.Books(folder, fresh=0.0)
    look = watching.Look(books)
    watcher = watching.Watcher(look, close=look.close, interval=interval, beat=beat)
    token, where = keys.token(), server.listen(0)
    own = keys.Keys(token, where.port, metrics=keys.token(keys.metrics_file()))
    ready = threading.Event()
    site = app.Site(own, books, watcher, clock)
    made = server.server(app.application(site, where.port), ready=ready.set, end=watcher.end)
    thread = threading.Thread(target=made.run, kwargs={"sockets": [where.socket]})
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield Dashboard(where.port, token, own)
    finally:
        made.should_exit = True
        thread.join(PATIENCE)
    assert not thread.is_alive()


def missing_browser() -> str | None:
    """Why no browser can be driven here; None where one can."""
    if shutil.which(CHROMIUM) is None:
        return f"{CHROMIUM} is missing: install Debian's package chromium"
    return None


@contextmanager
def browsing() -> Iterator[Any]:
    """A headless Chromium, as Playwright's Browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        try:
            yield browser
        finally:
            browser.close()
