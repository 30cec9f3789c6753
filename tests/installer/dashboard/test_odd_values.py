"""Odd values in what others write are no bugs; a bug leaves one file, however often it is met."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import serving
from claude_tier.dashboard import answers, bugs
from claude_tier_hooks import state
from serving import Dashboard

Start = Callable[[], Dashboard]


def logs() -> list[str]:
    return sorted(path.name for path in Path(state.state_dir()).glob("bug-*.log"))


def all_answered(here: Dashboard) -> None:
    for path in ("/api/stats", "/api/usage", "/api/decisions", "/metrics"):
        assert here.ask(path, authorization=f"Bearer {here.token}").status == 200
    assert logs() == []


def test_a_folder_whose_name_is_no_text_is_shown_as_far_as_it_is(home: Path) -> None:
    """File names are bytes."""
    with serving.serving(os.fsdecode(b"/repo/caf\xe9")) as here:
        all_answered(here)
        assert here.get("/api/stats")["project"].startswith("/repo/caf")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sessionId", "a\ud800b"),
        ("cwd", "/repo/\udcff"),
        ("startedAt", int("9" * 400)),
        ("startedAt", -1),
        ("startedAt", 10**15),
        ("startedAt", True),
        ("pid", 10**30),
    ],
)
def test_a_session_with_an_odd_field_is_no_bug(
    home: Path, dashboard: Start, field: str, value: object
) -> None:
    """The client's own files are not ours to trust."""
    folder = home / ".claude/sessions"
    folder.mkdir(parents=True)
    row = {"pid": os.getpid(), "sessionId": "s", "cwd": "/repo", "startedAt": 1} | {field: value}
    (folder / "1.json").write_text(json.dumps(row))
    all_answered(dashboard())


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "soon"])
def test_a_time_that_is_none_is_unknown(home: Path, dashboard: Start, text: str) -> None:
    """When a hook last ran."""
    Path(state.state_dir()).mkdir(parents=True, exist_ok=True)
    Path(state.path("live")).write_text(text)
    here = dashboard()
    all_answered(here)
    assert here.get("/api/stats")["last_hook"] is None


def test_a_bug_is_written_once_and_names_no_folder(
    home: Path, dashboard: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that asks every minute would fill the disk."""

    def broken(*_: Any) -> dict[str, object]:
        raise RuntimeError("secret")

    monkeypatch.setattr(answers, "stats", broken)
    monkeypatch.setattr(bugs, "_written", {})
    here = dashboard()
    found = [here.ask("/api/stats", authorization=f"Bearer {here.token}") for _ in range(3)]
    assert [one.status for one in found] == [500] * 3
    (log,) = logs()
    assert {one.json()["error"] for one in found} == {f"this is a bug (RuntimeError): {log}"}
