"""A dashboard over this test's own home, and a browser for the tests that look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


@pytest.fixture
def page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open the page at a width and in a scheme; no request leaves loopback, no error is logged."""
    contexts = []
    said: list[str] = []
    asked: list[str] = []

    def open_at(link: str, *, width: int = 1280, scheme: str = "light", **more: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            timezone_id="UTC",
            locale="en-US",
            **more,
        )
        contexts.append(context)
        context.on("request", lambda one: asked.append(one.url))
        found = context.new_page()
        found.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        found.on("pageerror", lambda one: said.append(str(one)))
        found.clock.set_fixed_time(NOW)
        found.goto(link)
        return found

    yield open_at
    for one in contexts:
        one.close()
    assert said == []
    assert asked
    assert [url for url in asked if not url.startswith("http://127.0.0.1:")] == []
