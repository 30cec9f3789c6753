"""A dashboard over this test's own home, and a browser for the tests that look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import serving
from books import HOUR, NOON
from claude_tier_hooks import ledger
from serving import Dashboard

NOW = NOON + HOUR


@pytest.fixture
def dashboard(home: Path) -> Iterator[Callable[[], Dashboard]]:
    """Start the dashboard, at the end of what the test wrote; it is stopped after the test."""
    open_ones = []

    def start() -> Dashboard:
        made = serving.serving("/repo/app", clock=lambda: NOW)
        open_ones.append(made)
        return made.__enter__()

    yield start
    for one in open_ones:
        one.__exit__(None, None, None)
    ledger.own.clear()


@pytest.fixture(scope="module")  # while it is there, Playwright's loop runs in this thread
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window."""
    missing = serving.missing_browser()
    if missing:
        pytest.skip(missing)
    with serving.browsing() as found:
        yield found


@pytest.fixture(scope="module")
def first(browser: Any) -> Iterator[Any]:
    """The tab that every test of a module looks through: each has a process, and takes seconds."""
    with _context(browser) as context:
        yield context.new_page()


@pytest.fixture
def tab(first: Any) -> Iterator[Any]:
    """An empty one, at NOW, that remembers nothing afterwards."""
    first.clock.set_fixed_time(NOW)
    yield first
    first.evaluate("localStorage.clear()")
    first.context.clear_cookies()
    first.goto("about:blank")  # it asks its dashboard no more


@pytest.fixture
def page(browser: Any, tab: Any) -> Iterator[Callable[..., Any]]:
    """Open the page at a width, in a scheme and at a time; a second one is in a browser apart.

    No request leaves loopback, and no error is logged.
    """
    said: list[str] = []
    asked: list[str] = []
    with ExitStack() as open_ones:

        def apart() -> Any:
            return open_ones.enter_context(_context(browser)).new_page()

        def open_at(link: str, *, width: int = 1280, scheme: str = "light", at: float = NOW) -> Any:
            found = apart() if asked else tab
            open_ones.enter_context(_listening(found, said, asked))
            found.set_viewport_size({"width": width, "height": 900})
            found.emulate_media(color_scheme=scheme)
            found.clock.set_fixed_time(at)
            found.goto(link)
            return found

        yield open_at
    assert said == []
    assert asked
    assert [url for url in asked if not url.startswith("http://127.0.0.1:")] == []


def _context(browser: Any) -> Any:
    return browser.new_context(reduced_motion="reduce", timezone_id="UTC", locale="en-US")


@contextmanager
def _listening(page: Any, said: list[str], asked: list[str]) -> Iterator[None]:
    """Write down what it asks for and complains about."""
    listeners = (
        (page.context, "request", lambda one: asked.append(one.url)),
        (page, "console", lambda one: said.append(one.text) if one.type == "error" else None),
        (page, "pageerror", lambda one: said.append(str(one))),
    )
    for where, event, listener in listeners:
        where.on(event, listener)
    yield
    for where, event, listener in listeners:
        where.remove_listener(event, listener)
