"""Live updates: one watcher for all pages, which looks only while somebody listens."""

from __future__ import annotations

import http.client
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
import serving
from books import NOON, OPUS, answer, decide
from claude_tier.dashboard import watching
from claude_tier.dashboard.reading import Books
from claude_tier.dashboard.watching import Look, Watcher
from claude_tier_hooks import ledger, state
from serving import Dashboard


@contextmanager
def listening(here: Dashboard) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=60)
    connection.request("GET", "/api/events", headers={"authorization": f"Bearer {here.token}"})
    answered = connection.getresponse()
    assert answered.status == 200
    assert answered.getheader("content-type", "").startswith("text/event-stream")
    yield answered
    answered.close()
    connection.close()


def event(stream: http.client.HTTPResponse) -> tuple[str, str]:
    """(kind, data) of the next one; a comment is of kind ''."""
    lines = iter(lambda: stream.readline().decode().rstrip("\n"), "")
    found = dict(line.partition(": ")[::2] for line in lines)
    return found.get("event", ""), found.get("data", found.get("", ""))


def number(stream: http.client.HTTPResponse) -> int:
    kind, data = event(stream)
    assert kind == "change"
    found = json.loads(data)
    assert found["version"] == 1
    return int(found["number"])


def test_a_transcript_that_grows_is_news_to_every_page(
    home: Path, dashboard: Callable[[], Dashboard]
) -> None:
    """And the figures are there when the news arrives."""
    answer(home, OPUS)
    here = dashboard()
    here.get("/api/stats")
    with listening(here) as one, listening(here) as other:
        began = number(one)
        assert number(other) >= began
        answer(home, OPUS)
        assert number(one) > began
        number(other)
        assert here.get("/api/stats")["ledger"]["responses"] == 2


def test_a_hooks_own_writing_is_news(home: Path, dashboard: Callable[[], Dashboard]) -> None:
    """A decision, which no transcript holds."""
    here = dashboard()
    with listening(here) as stream:
        began = number(stream)
        decide("t1", at=NOON)
        assert number(stream) > began


def test_a_silent_ledger_sends_comments(home: Path) -> None:
    """So that a connection whose page is gone ends."""
    with serving.serving("/repo/app", beat=0.05) as here, listening(here) as stream:
        while (found := event(stream))[0] == "change":
            pass
        assert found == ("", "still here")


def test_the_end_of_the_server_ends_the_streams(home: Path) -> None:
    """Ctrl-C does not wait for pages that are open."""
    with serving.serving("/repo/app") as here:
        connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=60)
        connection.request("GET", "/api/events", headers={"authorization": f"Bearer {here.token}"})
        stream = connection.getresponse()
        number(stream)
    assert b"still here" not in stream.read()
    stream.close()
    connection.close()


def test_only_so_many_pages_may_listen(
    home: Path, dashboard: Callable[[], Dashboard], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are told."""
    monkeypatch.setattr(watching, "MOST", 1)
    here = dashboard()
    with listening(here) as stream:
        number(stream)
        assert here.ask("/api/events", authorization=f"Bearer {here.token}").status == 503


def test_a_place_is_free_again(
    home: Path, dashboard: Callable[[], Dashboard], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A HEAD takes none; one that comes while the last place is given away gets none."""
    monkeypatch.setattr(watching, "MOST", 1)
    here = dashboard()
    for _ in range(3):
        head = here.ask("/api/events", "HEAD", authorization=f"Bearer {here.token}")
        assert head.status == 405
    with listening(here) as stream:
        number(stream)


def test_places_are_counted_as_they_are_given() -> None:
    """Not when the first line is sent."""
    watcher = Watcher(lambda: False)
    assert [watcher.enter() for _ in range(watching.MOST + 1)] == [True] * watching.MOST + [False]
    watcher.leave()
    assert watcher.enter()


class Counted:
    """A look that finds news the first so many times."""

    def __init__(self, news: int) -> None:
        self.looks = 0
        self.news = news

    def __call__(self) -> bool:
        self.looks += 1
        return self.looks <= self.news


def test_nobody_listening_is_no_look() -> None:
    """And two pages share each one."""
    look = Counted(1)

    async def run() -> list[str]:
        watcher = Watcher(look, interval=0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watcher.run)
            for _ in range(20):
                await anyio.sleep(0)
            assert look.looks == 0
            streams = [watcher.events(), watcher.events()]
            assert watcher.enter()
            assert watcher.enter()
            first = [await anext(stream) for stream in streams]
            second = [await anext(stream) for stream in streams]
            for stream in streams:
                await stream.aclose()  # type: ignore[attr-defined]
            tasks.cancel_scope.cancel()
        return [*first, *second]

    found = anyio.run(run)
    assert [json.loads(one.partition("data: ")[2])["number"] for one in found] == [0, 0, 1, 1]
    assert look.looks >= 1


def test_a_look_that_fails_is_news(home: Path) -> None:
    """The page asks again, and shows what is wrong; the reason is in the log."""

    def look() -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    assert Watcher(look)._changed()
    assert "disk I/O error" in Path(state.path("hooks.log")).read_text()


def test_what_counts_as_news(home: Path) -> None:
    """The ledger, the switch, the configuration, a session; not a second look at the same."""
    look = Look(Books("/repo/app"))
    assert look()
    assert not look()
    decide("t1")
    assert look()
    assert not look()
    Path(state.path("off")).write_text("{}")
    assert look()
    (home / ".claude/sessions").mkdir()
    (home / ".claude/sessions/1.json").write_text("{}")
    assert look()
    assert not look()
    look.close()


def test_a_ledger_that_was_replaced_is_news(home: Path) -> None:
    """`ledger rebuild` puts another file in its place."""
    look = Look(Books("/repo/app"))
    look()
    file = Path(ledger.file())
    for path in file.parent.glob("ledger.db*"):
        path.rename(path.with_name("old-" + path.name))
    assert look()
    assert not look()
    look.close()
