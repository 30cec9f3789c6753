"""The status line: what it shows, in how many columns, and what it keeps of a plan."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import pytest
from claude_tier_hooks import columns, cooldowns, ledger, status_line
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .process import run, sample

DAY = {
    "name": "daily", "scope": {"kind": "user"}, "period": "day", "unit": "usd", "limit": 10.0,
    "warn": 0.8, "recover": 0.85, "cap": 0.9, "stop": 1.0, "ceiling": "sonnet", "on_stop": "deny",
}  # fmt: skip
NOON = 1_795_262_400.0  # Saturday 2026-11-21 12:00 UTC
OPUS = {"id": "claude-opus-5-5"}
SHARED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(40)
)


@pytest.fixture
def state(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COLUMNS", raising=False)
    folder = home / ".claude/claude-tier"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook's clock stands at noon."""
    monkeypatch.setattr(status_line.time, "time", lambda: NOON)  # type: ignore[attr-defined]


def policy(state: Path, *budgets: dict[str, object], **more: object) -> None:
    (state / "policy.json").write_text(json.dumps({"budgets": budgets, **more}))


def spend(usd: float, at: float = NOON - 1800) -> None:
    db = ledger.connect(patience=10)
    row = (int(at // 900), 1, ledger.name_id(db, "main"), 90, 91, 2)
    db.execute(ledger.ADD_TO_BUCKET, (*row, 1, 1000, 0, 0, 0, 0, 0, usd, 0))
    db.close()


def shown(home: Path, **more: object) -> str:
    """The line for that status, in this process."""
    event = sample("StatusLine", home, **{"model": OPUS, **more})
    return status_line.answer(json.dumps(event).encode())


def limits(five: float, seven: float, resets: float = NOON + 7200) -> dict[str, Any]:
    return {
        "five_hour": {"used_percentage": five, "resets_at": resets},
        "seven_day": {"used_percentage": seven, "resets_at": resets + 3 * 86400},
    }


@pytest.mark.usefixtures("noon")
def test_what_is_tight_and_when_it_is_full(home: Path, state: Path) -> None:
    """$8.50 of $10, $1 of it in the last hour: full at 13:30."""
    policy(state, DAY, {**DAY, "name": "monthly", "period": "month", "limit": 100.0})
    spend(7.5, NOON - 7200)
    spend(1.0)

    assert shown(home) == "tier opus · today $8.50 · daily 85 % warn, 100 % at 13:30"


@pytest.mark.usefixtures("noon")
def test_what_the_router_does_not_ask_is_said_while_there_is_anything(
    home: Path, state: Path
) -> None:
    """At the end of the line; whoever switched tiering off did not switch that off."""
    policy(state)
    fault = {"cause": "pace", "why": "", "until": None}
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        cooldowns.fail(db, ("openrouter", "-", "m"), fault, NOON, 60)
    assert shown(home) == "tier opus · today $0.00 · openrouter cooling"
    (state / "emergency").write_text(json.dumps({"since": NOON, "until": NOON + 9000}))
    (state / "off").write_text("{}")
    assert shown(home) == (
        "tier opus · today $0.00 · off · local only until 14:30, switched on by hand,"
        " `claude-tier emergency off` ends it"
    )


@pytest.mark.usefixtures("noon")
def test_the_router_is_left_out_before_anything_else(
    home: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before dollars at list prices, which go next; the way out first, then the reason."""
    policy(state)
    (state / "emergency").write_text("{}")
    line = "tier opus · 5h 42 % · 7d 66 %, 100 % at Mon 12:25 · today $0.00 list price"
    way_out = ", `claude-tier emergency off` ends it"
    for part in ("", " · local only", ", switched on by hand", way_out):
        line += part
        monkeypatch.setenv("COLUMNS", str(columns.wide(line) + status_line.MARGIN))
        assert shown(home, rate_limits=limits(42, 66)) == line


@pytest.mark.usefixtures("noon")
def test_a_budget_at_stop_keeps_the_router_here(home: Path, state: Path) -> None:
    """Where there is one it says why and how that ends, and a project's in that project alone."""
    router = {"local_only": False, "paid": [["far", "x/y"]]}
    policy(state, DAY, router=router)
    spend(11.0)
    alone = "local only until Sun 00:00, the budget daily is used up"
    ending = " · " + alone + ", `claude-tier off --for 1h` ends it"
    assert shown(home).endswith(" · daily 110 % stop" + ending)
    policy(state, {**DAY, "scope": {"kind": "project"}}, router=router)
    assert "local only" not in shown(home)
    policy(state, DAY)
    assert shown(home).endswith(" · daily 110 % stop")
    policy(state, DAY, router=router)
    (state / "off").write_text("{}")
    assert "local only" not in shown(home)


@pytest.mark.usefixtures("noon")
def test_a_router_that_is_configured_to_stay_here_says_so(home: Path, state: Path) -> None:
    """From the compiled policy, as hooks read no YAML."""
    policy(state, router={"local_only": True, "paid": []})
    assert shown(home) == (
        "tier opus · today $0.00 · local only, router.local_only is set,"
        " setting router: {local_only: false} in config.yaml ends it"
    )


@pytest.mark.usefixtures("noon")
def test_what_will_last_has_a_pace(home: Path, state: Path) -> None:
    """$2 of $10 at half of the day."""
    policy(state, DAY)
    spend(2.0, NOON - 7200)

    assert shown(home) == "tier opus · today $2.00 · daily 20 %, pace 0.4x"


@pytest.mark.usefixtures("noon")
def test_on_a_plan_percent_lead_and_dollars_are_list_prices(home: Path, state: Path) -> None:
    """66 % in 94 hours: the 80 the budget allows are there in 20, and so on Sunday morning."""
    policy(state, {**DAY, "name": "plan", "period": "seven_day", "unit": "plan_percent",
                   "limit": 80.0})  # fmt: skip
    spend(2.0, NOON - 7200)

    line = shown(home, rate_limits=limits(42, 66))

    assert line == (
        "tier opus · 5h 42 % · 7d 66 % warn, 80 % at Sun 07:56 · today $2.00 list price"
    )


@pytest.mark.usefixtures("noon")
def test_a_window_that_is_missing_is_not_shown(home: Path, state: Path) -> None:
    """Some accounts have no 5-hour window."""
    policy(state)
    found = limits(42, 66)
    del found["five_hour"]

    assert shown(home, rate_limits=found) == (
        "tier opus · 7d 66 %, 100 % at Mon 12:25 · today $0.00 list price"
    )


@pytest.mark.usefixtures("noon")
def test_a_figure_is_kept_once_and_for_eight_days(home: Path, state: Path) -> None:
    """A repaint says the same again; what changed is appended, what is old goes."""
    policy(state)
    db = ledger.connect()
    old = (NOON - 9 * 86400, "five_hour", 1, NOON)
    db.execute("INSERT INTO plan_sample (at, name, used, resets_at) VALUES (?, ?, ?, ?)", old)

    for used in (10, 10, 9, 12):
        shown(home, rate_limits={"five_hour": limits(used, 0)["five_hour"]})

    rows = db.execute("SELECT used FROM plan_sample ORDER BY used").fetchall()
    assert rows == [(12.0,)]  # the clock stands still, so the second took the first one's place
    assert db.execute("SELECT used FROM plan_window").fetchall() == [(12.0,)]
    db.close()


@pytest.mark.usefixtures("noon")
def test_while_off_only_that_is_said(home: Path, state: Path) -> None:
    """No level holds then."""
    policy(state, DAY)
    (state / "off").write_text(json.dumps({"until": NOON + 3600}))
    assert shown(home) == "tier opus · today $0.00 · off until 13:00"


NAMES = st.text(max_size=30) | st.sampled_from(
    ["日本語の予算", "x" * 200, "naïve é", "a\nb\x1b[31m", "\u202eabc", "👩‍💻 team", "e\u0301" * 5]
)


@SHARED
@given(name=NAMES, model=NAMES, wide=st.integers(1, 120))
def test_no_line_is_wider_than_its_terminal(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, model: str, wide: int
) -> None:
    """Whatever budgets and models are called; and parts are whole or not there."""
    monkeypatch.setattr(status_line.time, "time", lambda: NOON)  # type: ignore[attr-defined]
    folder = home / ".claude/claude-tier"
    folder.mkdir(parents=True, exist_ok=True)
    policy(folder, {**DAY, "name": name})
    more = {"model": {"id": model}, "rate_limits": limits(42, 66)}
    monkeypatch.setenv("COLUMNS", "100000")
    whole = shown(home, **more)
    monkeypatch.setenv("COLUMNS", str(wide))

    line = shown(home, **more)

    assert line.isprintable()
    assert cells(line) <= max(0, wide - 4)
    assert words_of(line) <= words_of(whole)


def words_of(line: str) -> set[str]:
    """Its parts, a pace apart from the budget it is about."""
    return {word.strip() for part in line.split(" · ") for word in part.split(",")} - {""}


def cells(line: str) -> int:
    """At least the columns a terminal needs: marks that combine may take none."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in line) - sum(
        not columns.wide(c) for c in line
    )


def test_parts_go_from_the_least_important() -> None:
    """The model is the last to go, then the tightest budget, today and the pace."""
    parts = [(0, "tier opus"), (3, "today $8.50"), (1, "daily 85 %"), (4, ", pace 1.7x")]
    full = "tier opus · today $8.50 · daily 85 %, pace 1.7x"
    assert columns.fit(parts, len(full)) == full
    assert columns.fit(parts, len(full) - 1) == "tier opus · today $8.50 · daily 85 %"
    assert columns.fit(parts, 30) == "tier opus · daily 85 %"
    assert columns.fit(parts, 21) == "tier opus"
    assert columns.fit(parts, 8) == ""
    assert columns.fit(parts, None) == full


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("日本", 4), ("é", 1), ("e\u0301", 1), ("👍", 2)]
)
def test_columns_are_counted_as_a_terminal_does(text: str, width: int) -> None:
    """Marks that combine take none, Chinese and emoji two."""
    assert columns.wide(text) == width


@pytest.mark.parametrize("told", ["", "0", "-3", "wide", "8" * 5000])
def test_a_width_that_is_none_limits_nothing(home: Path, state: Path, told: str) -> None:
    """An odd COLUMNS is as good as none."""
    policy(state, DAY)
    done = run("StatusLine", sample("StatusLine", home), env={"COLUMNS": told})
    assert b"daily 0 %" in done.stdout


BROKEN = {
    "no JSON": b"{",
    "a list": b"[1]",
    "nothing": b"",
    "not text": b"\xff\xfe",
    "no fields": b"{}",
    "odd fields": b'{"model": 7, "workspace": [], "cwd": {}, "rate_limits": "x"}',
}


@pytest.mark.parametrize("kind", BROKEN)
def test_the_users_own_line_is_shown_whatever_comes(home: Path, state: Path, kind: str) -> None:
    """First, as it was, with the same input."""
    policy(state, DAY, status_line={"chain": f"cat > {home / 'got'}; echo mine"})

    done = run("StatusLine", BROKEN[kind])

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.splitlines()[0] == b"mine"
    assert (home / "got").read_bytes() == BROKEN[kind]


@pytest.mark.parametrize("trouble", ["locked", "damaged", "no policy", "broken policy"])
def test_the_users_own_line_is_shown_in_any_trouble(home: Path, state: Path, trouble: str) -> None:
    """The manifest knows it too, where no policy was compiled."""
    (state / "manifest.json").write_text(json.dumps({"status_line_chain": "echo mine"}))
    policy(state, DAY, status_line={"chain": "echo mine"})
    ledger.connect().close()
    if "policy" in trouble:
        (state / "policy.json").write_text("{" if trouble == "broken policy" else "null")
    if trouble == "damaged":
        (state / "ledger.db").write_bytes(b"no database" * 1000)
    lock = sqlite3.connect(state / "ledger.db", isolation_level=None)
    if trouble == "locked":
        lock.execute("BEGIN EXCLUSIVE")

    given_ = sample("StatusLine", home, rate_limits=limits(5, 5, time.time() + 600))
    done = run("StatusLine", given_)

    lock.close()
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.splitlines()[0] == b"mine"
