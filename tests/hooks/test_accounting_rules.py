"""Rules of counting that only odd transcripts show."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_tier_hooks import backup, ingest, ledger, policy, state, status_line

from .process import run, sample, transcript

OPUS = "claude-opus-5-5"
RATE = {
    "from": None, "until": None, "input": 1.0, "output": 2.0, "cache_read": 0.0,
    "cache_write_5m": 0.0, "cache_write_1h": 0.0, "above": None, "fast": None,
}  # fmt: skip


@pytest.fixture
def db(home: Path) -> Iterator[sqlite3.Connection]:
    connection = ledger.connect(patience=10)
    yield connection
    connection.close()


def answer(key: str, output: int, *, model: str = OPUS, **more: object) -> dict[str, object]:
    """One response of session s1, at noon; `usage` adds to its figures."""
    usage = {"input_tokens": 0, "output_tokens": output, **more.pop("usage", {})}  # type: ignore[dict-item]
    message = {"id": key, "model": model, "stop_reason": "end_turn", "usage": usage}
    return {
        "type": "assistant", "sessionId": "s1", "cwd": "/w",
        "timestamp": "2026-11-20T12:00:00.000Z", "message": message, **more,
    }  # fmt: skip


def saved(total: float, **models: tuple[int, float]) -> dict[str, object]:
    """A cost-state; `models` are (output tokens, dollars) by id, with _ for -."""
    figures = {
        name.replace("_", "-"): {"outputTokens": output, "costUSD": usd}
        for name, (output, usd) in models.items()
    }
    return {"type": "cost-state", "sessionId": "s1", "totalCostUSD": total, "modelUsage": figures}


def write(home: Path, *rows: dict[str, object] | str, session: str = "s1") -> Path:
    path = home / ".claude/projects/-w" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        for row in rows:
            text = row if isinstance(row, str) else json.dumps(row, separators=(",", ":"))
            stream.write(text + "\n")
    return path


def read(db: sqlite3.Connection, rules: dict[str, object] | None = None) -> None:
    ingest.everything(db, rules or policy.load())


def counted(db: sqlite3.Connection) -> tuple[int, float]:
    """Output tokens and dollars of the sums, what has no row included."""
    found: tuple[int, float] = db.execute(
        "SELECT sum(output_tokens), sum(usd) FROM bucket"
    ).fetchone()
    return found


def by_model(db: sqlite3.Connection) -> dict[str, int]:
    """Output tokens of the sums."""
    query = "SELECT text, sum(output_tokens) FROM bucket JOIN name ON name.id = model GROUP BY 1"
    return {model: output for model, output in db.execute(query) if output}


def unlisted(db: sqlite3.Connection) -> dict[str, int]:
    """Output tokens that have no row."""
    query = "SELECT text, output_tokens FROM unlisted JOIN name ON name.id = model"
    return dict(db.execute(query).fetchall())


ODD_USAGE = [
    {"inference_geo": {"a": 1}},
    {"inference_geo": ["us"]},
    {"speed": ["fast"]},
    {"output_tokens": "²"},
    {"iterations": [{"type": "advisor_message", "model": OPUS, "inference_geo": {}}, 5, None]},
    {"iterations": [{"type": "advisor_message", "model": OPUS, "speed": [1]}]},
]


@pytest.mark.parametrize("usage", ODD_USAGE, ids=json.dumps)
def test_an_odd_figure_spoils_nothing_else(
    usage: dict[str, object], home: Path, db: sqlite3.Connection
) -> None:
    """Neither the rest of its own response nor any other."""
    write(home, answer("msg_1", 5, usage=usage), answer("msg_2", 7))
    read(db)
    assert counted(db)[0] == 7 + (0 if usage.get("output_tokens") else 5)
    assert not Path(state.path("hooks.log")).exists()


@pytest.mark.parametrize("reference", [{"id": "x"}, [1], 5])
def test_an_odd_request_reference_is_none(
    reference: object, home: Path, db: sqlite3.Connection
) -> None:
    """The response counts all the same."""
    write(home, answer("msg_1", 5, requestRef=reference))
    read(db)
    assert counted(db)[0] == 5


@pytest.mark.parametrize("amount", ["NaN", "1e999", "1" * 400, "-1", '"1"'])
def test_an_odd_amount_is_none(amount: str, home: Path, db: sqlite3.Connection) -> None:
    """A cost-state without a total says nothing; one with an odd share has its tokens still."""
    row = json.dumps(saved(0.0, claude_opus_5_5=(9, 0.0)))
    whole = row.replace('"totalCostUSD": 0.0', f'"totalCostUSD": {amount}')
    share = row.replace('"costUSD": 0.0', f'"costUSD": {amount}')
    write(home, answer("msg_1", 5), whole)
    read(db)
    assert counted(db)[0] == 5
    write(home, share)
    read(db)
    assert counted(db)[0] == 9


def test_a_file_that_cannot_be_counted_stops_no_other(
    home: Path, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said and left behind, without half of it in the sums; the others are counted."""
    write(home, answer("msg_1", 5))
    path = write(home, answer("msg_2", 6, sessionId="s2"), answer("msg_3", 7), session="s2")
    write(home, answer("msg_4", 8, sessionId="s3"), session="s3")
    known = ingest.offsets(db)
    batches = list(ingest.read([str(one) for one in sorted(path.parent.iterdir())], known, None))
    batches[1]["rows"][1]["geo"] = {"not": "a value"}  # what no check of ours had thought of
    with ledger.Writing(db):
        ingest.apply(db, batches, policy.load())
    assert counted(db)[0] == 13
    assert db.execute("SELECT count(*), sum(output_tokens) FROM usage").fetchone() == (2, 13)
    assert "s2.jsonl was not counted" in Path(state.path("hooks.log")).read_text()
    assert len(ingest.offsets(db)) == 3
    write(home, answer("msg_5", 9, sessionId="s2"), session="s2")
    read(db)
    assert counted(db)[0] == 22


def test_a_full_disk_is_no_fault_of_a_transcript(home: Path, db: sqlite3.Connection) -> None:
    """The ledger could not be written: the file is read again next time."""
    path = write(home, answer("msg_1", 5))
    batches = list(ingest.read([str(path)], {}, None))
    db.execute("PRAGMA query_only = 1")
    with pytest.raises(sqlite3.OperationalError), ledger.Writing(db):
        ingest.apply(db, batches, policy.load())
    db.execute("PRAGMA query_only = 0")
    read(db)
    assert counted(db)[0] == 5


def test_copies_of_answers_with_local_ids_count_once(home: Path, db: sqlite3.Connection) -> None:
    """A fork repeats what a local server answered; its ids are known within a session alone."""
    mine = [answer(f"chatcmpl-{n}", 10, usage={"input_tokens": 5 + n}) for n in range(3)]
    write(home, *mine)
    copies = [{**row, "sessionId": "s2", "requestSessionId": "s1"} for row in mine]
    write(home, *copies, session="s2")
    read(db)
    assert db.execute("SELECT count(*), sum(output_tokens) FROM usage").fetchone() == (3, 30)


def test_an_answer_of_another_model_is_what_was_asked_for(
    home: Path, db: sqlite3.Connection
) -> None:
    """The client sums by the model it asked for: a gateway's answer is not charged twice."""
    rows = [answer("msg_1", 5, model="qwen3:8b", requestedModel=OPUS), answer("msg_2", 7)]
    write(home, *rows, saved(0.0003, claude_opus_5_5=(15, 0.0003)))
    read(db)
    assert unlisted(db) == {OPUS: 3}
    assert by_model(db) == {"qwen3:8b": 5, OPUS: 10}


def test_a_dated_answer_is_that_model(home: Path, db: sqlite3.Connection) -> None:
    """Also where no row says what was asked for, and in a window of its own."""
    write(home, answer("msg_1", 5, model=OPUS + "-20261001"), answer("msg_2", 5))
    figures = {"claude_opus_5_5": (6, 0.1), "claude_opus_5_5[1m]": (8, 0.1)}
    write(home, saved(0.2, **figures))
    read(db)
    assert unlisted(db) == {OPUS: 4}


def test_the_greater_row_says_what_was_asked_for(home: Path, db: sqlite3.Connection) -> None:
    """A response that grew while another model took it over."""
    write(home, answer("msg_1", 1), saved(0.1, claude_opus_5_5=(9, 0.1)))
    read(db)
    write(home, answer("msg_1", 9, model="other", requestedModel=OPUS))
    read(db)
    assert unlisted(db) == {}
    assert by_model(db) == {"other": 9}


def noted(db: sqlite3.Connection, host: str | None) -> None:
    """Session s1's requests go to that host."""
    number = ledger.name_id(db, host) if host else None
    project = ledger.name_id(db, "/w")
    session = ledger.name_id(db, "s1")
    db.execute(
        "INSERT INTO session (id, project, host) VALUES (?1, ?2, ?3)"
        " ON CONFLICT DO UPDATE SET host = ?3",
        (session, project, number),
    )


def beyond(db: sqlite3.Connection) -> list[float | None]:
    """Dollars of what has no row."""
    return [row[0] for row in db.execute("SELECT usd FROM unlisted")]


def test_what_has_no_row_is_free_where_answers_are(home: Path, db: sqlite3.Connection) -> None:
    """The client reckons with list prices whoever answers."""
    noted(db, "localhost:1")
    write(home, answer("msg_1", 5), saved(9.0, claude_opus_5_5=(50, 9.0)))
    rules = dict(policy.load(), hosts={"localhost:1": {"name": "local", "free": True}})
    read(db, rules)
    assert unlisted(db) == {OPUS: 45}
    assert beyond(db) == [0.0]
    noted(db, None)  # resumed at Anthropic: what was free stays free
    write(home, answer("msg_2", 50), saved(10.0, claude_opus_5_5=(110, 10.0)))
    read(db, rules)
    assert unlisted(db) == {OPUS: 55}
    assert beyond(db) == [pytest.approx(55 * rules["models"][OPUS][-1]["output"] * 1e-6)]


def test_what_has_no_row_costs_what_its_host_takes(home: Path, db: sqlite3.Connection) -> None:
    """And has no price where the host has none for that model."""
    noted(db, "gateway:1")
    figures = {"claude_opus_5_5": (50, 9.0), "claude_haiku_5_5": (10, 1.0)}
    write(home, answer("msg_1", 5), saved(10.0, **figures))
    hosts = {"gateway:1": {"name": "gateway", "free": False, "prices": {OPUS: [RATE]}}}
    read(db, dict(policy.load(), hosts=hosts))
    assert sorted(beyond(db), key=str) == [pytest.approx(45 * 2e-6), None]


def test_what_has_no_row_costs_what_the_user_says(home: Path, db: sqlite3.Connection) -> None:
    """The difference to the client's figure is dollars of another price."""
    write(home, answer("msg_1", 5), saved(9.0, claude_opus_5_5=(50, 9.0)))
    rules = policy.load()
    read(db, dict(rules, models={**rules["models"], OPUS: [RATE]}))
    assert beyond(db) == [pytest.approx(45 * 2e-6)]


def test_what_has_no_row_costs_what_the_client_says(home: Path, db: sqlite3.Connection) -> None:
    """With the prices that we have of it, its own figure is exact."""
    write(home, answer("msg_1", 5), saved(9.0, claude_opus_5_5=(50, 9.0)))
    read(db)
    assert counted(db) == (50, pytest.approx(9.0))


def test_a_session_resumed_twice_at_a_time_has_no_fall(home: Path, db: sqlite3.Connection) -> None:
    """Both go on from the same figure; who writes last may have used less."""
    states = [(20, 2.0), (40, 4.0), (21, 2.01)]
    write(home, *(saved(usd, claude_opus_5_5=(output, usd)) for output, usd in states))
    read(db)
    assert counted(db) == (40, pytest.approx(4.0))
    write(home, saved(0.5, claude_opus_5_5=(5, 0.5)))  # /clear
    read(db)
    assert counted(db) == (45, pytest.approx(4.5))


def test_a_session_back_at_anthropic_is_free_no_more(home: Path) -> None:
    """The host of a session is that of its last start."""
    rules = dict(policy.load(), hosts={"local:1": {"name": "local", "free": True}}, budgets=[])
    state.ensure()
    Path(state.path("policy.json")).write_text(json.dumps(rules))
    path = transcript(home)
    local = {"ANTHROPIC_BASE_URL": "http://Local:1"}
    run("SessionStart", sample("SessionStart", home), env=local)
    row = json.loads(path.read_text())
    row["message"]["id"] = "msg_2"
    with path.open("a") as stream:
        stream.write(json.dumps(row) + "\n")
    run("SessionStart", sample("SessionStart", home, source="resume"))
    hosts = ledger.connect().execute("SELECT host FROM session").fetchall()
    assert hosts == [(None,)]


def test_an_advisor_without_a_price_is_unpriced(home: Path, db: sqlite3.Connection) -> None:
    """It is no request, but its dollars are missing from the sum all the same."""
    advice = {"type": "advisor_message", "model": "claude-new-9", "output_tokens": 1000}
    write(home, answer("msg_1", 10, usage={"iterations": [advice]}))
    read(db)
    query = "SELECT text, requests, unpriced_requests FROM bucket JOIN name ON name.id = model"
    assert sorted(db.execute(query)) == [("claude-new-9", 0, 1), (OPUS, 1, 0)]


def test_columns_of_a_newer_version_are_no_obstacle(home: Path, db: sqlite3.Connection) -> None:
    """An older one running beside it goes on counting."""
    for table in ("told", "offset", "plan_window", "unlisted", "cost_state", "usage"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN newer TEXT")
    db.execute("PRAGMA user_version = 99")
    write(home, answer("msg_1", 5), saved(9.0, claude_opus_5_5=(50, 9.0)))
    read(db)
    assert counted(db)[0] == 50
    assert ledger.once(db, 1, "table", "told")
    run("StatusLine", sample("StatusLine", home, rate_limits=limits(50, 1000)))
    assert db.execute("SELECT used FROM plan_window").fetchall() == [(50.0,)]


def limits(used: object, left: float) -> dict[str, object]:
    """What the client says of the five-hour window; it ends so many seconds after a set time."""
    return {"five_hour": {"used_percentage": used, "resets_at": 4_000_000_000 + left}}


def windows(db: sqlite3.Connection, said: list[tuple[object, float]]) -> list[tuple[float, ...]]:
    """What is kept after sessions said all that, 2 hours before the set time."""
    for used, left in said:
        status_line._keep_windows(db, limits(used, left), 4_000_000_000 - 7200.0)
    query = "SELECT used, resets_at - 4000000000 FROM plan_window"
    return db.execute(query).fetchall()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([(96, 0), (40, 0)], (96, 0)),  # an idle session's older figure
        ([(96, 0), (40, 30)], (96, 0)),  # the same window, told a little later
        ([(96, 0), (97, -30)], (97, -30)),
        ([(96, 0), (10, 18000)], (10, 18000)),  # the next window
        ([(10, 18000), (96, 0)], (10, 18000)),  # an idle session in the one before
        ([(5, 1e9), (7, 0)], (7, 0)),  # nonsense
        ([(96, 0), (int("1" * 400), 0), (float("nan"), 0)], (96, 0)),
    ],
)
def test_a_plan_window_does_not_go_back(
    said: list[tuple[object, float]], kept: tuple[float, float], db: sqlite3.Connection
) -> None:
    """Every session says what it last heard, however long ago that was."""
    assert windows(db, said) == [kept]


def test_the_users_status_line_dies_of_a_closed_pipe(home: Path) -> None:
    """As it does in a shell: Python ignores that signal, and a child would too."""
    state.ensure()
    endless = "(while :; do echo mine || exit; done; echo) 2>/dev/null | head -1"
    mask = "grep SigIgn /proc/self/status" if Path("/proc/self/status").exists() else endless
    rules = dict(policy.load(), status_line={"chain": mask}, budgets=[])
    Path(state.path("policy.json")).write_text(json.dumps(rules))
    first = run("StatusLine", sample("StatusLine", home)).stdout.decode().split("\n")[0]
    ignored = int(first.split()[1], 16) if mask != endless else 0
    assert not ignored & 1 << 12


def test_copies_of_killed_backups_are_removed_after_a_day(home: Path) -> None:
    """One that another process is writing is left alone."""
    ledger.connect().close()
    folder = Path(state.path("backups"))
    folder.mkdir()
    old, young = folder / "ledger-2026-11-01.db.7.tmp", folder / "ledger-2026-11-02.db.8.tmp"
    for file, age in ((old, 90_000), (young, 60)):
        file.touch()
        os.utime(file, (1_795_000_000 - age,) * 2)
    backup.write(1_795_000_000)
    assert not old.exists()
    assert young.exists()
