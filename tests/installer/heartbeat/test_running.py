"""One run of a beat: what costs nothing first, then the models it names, then its receipt."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.heartbeat import alerts, known, processes, receipts, running
from claude_tier.heartbeat.alerts import Alert
from claude_tier_hooks import ledger, routed
from fault_server import FaultServer, Reply
from heartbeats import LOCAL, made

from .conftest import CarryOut, file

WELL = Reply("HEARTBEAT_OK")
PRICE = "{input: 1, output: 1, cache_read: 1, cache_write_5m: 1, cache_write_1h: 1}"


def spend(usd: float) -> None:
    """A beat's request of so much, just now."""
    row = {
        "id": uuid.uuid4().hex, "at": time.time(), "session": "heartbeat:x", "cwd": "/x",
        "agent": "heartbeat", "origin": "heartbeat", "route": "heartbeat", "asked": "a/b",
        "target": "a/b", "model": "b", "seconds": 1.0, "attempts": [], "outcome": "answered",
        "used": {"provider": "a", "model": "b", "final": True, "usd": usd,
                 **dict.fromkeys(ledger.KINDS, 1)},
    }  # fmt: skip
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        assert routed.record(db, row)


def test_a_beat_that_answers_well_is_not_asked_again_about_the_same(
    home: Path, carry_out: CarryOut
) -> None:
    """The skip says what was saved; other evidence is asked about, and by hand anything."""
    with FaultServer(WELL) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(file("model: local/alpha\ncheck: cat state"))
        (here.project / "state").write_text("one")
        ends = [carry_out().end, carry_out().end]
        (here.project / "state").write_text("two")
        ends += [carry_out().end, carry_out(origin="hand").end]
        assert len(server.requests) == 3

    assert [one.status for one in ends] == ["ran", "skipped", "ran", "ran"]
    assert ends[1].reason == "unchanged since all was well"
    assert ends[1].saved_bytes
    assert ends[1].saved_bytes > 1500
    assert ends[1].saved_usd == 0  # the provider is free
    assert [row["saved_bytes"] for row in here.rows()] == [None, ends[1].saved_bytes, None, None]


@pytest.mark.parametrize("change", ["text", "notes"])
def test_another_text_or_another_note_is_asked_about(
    home: Path, carry_out: CarryOut, change: str
) -> None:
    """As is anything after an answer that was not well."""
    with FaultServer([WELL, WELL]) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(file("model: local/alpha\ntz: UTC"))
        assert carry_out().end.status == "ran"
        if change == "text":
            here.add(file("model: local/alpha\ntz: UTC", "Look at that."))
        else:
            notes = here.project / "notes"
            notes.mkdir()
            for days in (0, 1):
                day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86_400))
                (notes / f"{day}.md").write_text("Deployed.")
        assert carry_out().end.status == "ran"
        assert ("Deployed." in str(server.requests[1].body)) == (change == "notes")


def test_an_alert_is_told_and_asked_about_again(home: Path, carry_out: CarryOut) -> None:
    """The same words are held back; the user's own command got them once."""
    with FaultServer([Reply("It is full.")] * 2) as server:
        config = LOCAL.format(url=server.url)
        here = made(home, f"{config}heartbeat: {{on_alert: 'cat >> {home}/told'}}\n")
        here.add(file())
        outcomes = [carry_out(), carry_out()]

    assert [one.end.ok for one in outcomes] == [False, False]
    (kept,) = alerts.listed()
    assert (kept.kind, kept.beat, kept.text, kept.times) == ("answer", "it", "It is full.", 2)
    (line,) = (home / "told").read_text().splitlines() or [""]
    assert json.loads(line)["text"] == "It is full."


def test_what_is_not_allowed_any_more_does_not_run(home: Path, carry_out: CarryOut) -> None:
    """Its check is another than the one that was added."""
    here = made(home, LOCAL.format(url="http://127.0.0.1:9"))
    here.add(file())
    here.file.write_text(file(f"model: local/alpha\ncheck: touch {home}/marked"))

    assert carry_out().end == receipts.End("skipped", known.CHANGED)
    assert not (home / "marked").exists()


def test_a_beat_that_left_its_file_after_its_claim_is_skipped(
    home: Path, carry_out: CarryOut
) -> None:
    """Between the plan and the run."""
    here = made(home, LOCAL.format(url="http://127.0.0.1:9"))
    (beat,) = here.add(file())
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        receipts.claim(db, beat.id, 7.0, run="r", origin="planned", worker=processes.me())
    here.add(file().replace("name: it", "name: other"))

    outcome = running.run("r", lambda _line: None)

    assert outcome
    assert outcome.end == receipts.End("skipped", running.GONE)
    assert running.run("r", lambda _line: None) is None


def test_a_mistake_in_the_configuration_fails_the_run(home: Path, carry_out: CarryOut) -> None:
    """It says where."""
    here = made(home)
    (beat,) = here.add(file("model: haiku"))
    with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
        receipts.claim(db, beat.id, 7.0, run="r", origin="planned", worker=processes.me())
    (home / ".claude/claude-tier/config.yaml").write_text("nonsense: 1\n")

    outcome = running.run("r", lambda _line: None)

    assert outcome
    assert outcome.end.status == "failed"
    assert "config.yaml:1:1: nonsense" in str(outcome.end.reason)


@pytest.mark.parametrize(
    ("check", "status", "reason"),
    [
        ("exit 0", "skipped", "its check found nothing"),
        ("exit 7", "failed", "the check ended with exit code 7"),
    ],
)
def test_a_check_decides_before_any_model(
    home: Path, carry_out: CarryOut, check: str, status: str, reason: str
) -> None:
    """Nobody is asked."""
    here = made(home, LOCAL.format(url="http://127.0.0.1:9"))
    here.add(file(f"model: local/alpha\ncheck: {check}"))
    end = carry_out().end
    assert (end.status, end.reason) == (status, reason)


@pytest.mark.parametrize(
    ("usd", "asked"), [(0.3, "paid/alpha"), (0.46, "local/alpha"), (0.5, None)]
)
def test_near_the_end_of_a_budget_local_models_go_first(
    home: Path, carry_out: CarryOut, usd: float, asked: str | None
) -> None:
    """At its end only what is free runs: the check."""
    with FaultServer(WELL) as local, FaultServer(WELL) as paid:
        paid_one = (
            f"{{kind: openai-compatible, base_url: '{paid.url}', prices: {{alpha: {PRICE}}}}}"
        )
        free_one = f"{{kind: openai-compatible, base_url: '{local.url}', free: true, local: true}}"
        here = made(home, f"providers: {{paid: {paid_one}, local: {free_one}}}\n")
        here.add(file("model: paid/alpha\nfallback: local/alpha\ncheck: echo x >> ran; echo found"))
        spend(usd)
        end = carry_out().end
        got = {"paid/alpha": len(paid.requests), "local/alpha": len(local.requests)}

    assert (here.project / "ran").exists()
    assert got == {name: int(name == asked) for name in got}
    assert end.status == ("ran" if asked else "skipped")
    if asked is None:
        assert end.reason == "the budget heartbeat is used up"
        assert end.saved_usd


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        (0.39, None),
        (0.4, "has reached 80 %"),
        (0.45, "has reached 90 %: of a beat's models, those on this machine are asked first"),
        (0.5, "is used up: only checks that cost nothing run"),
    ],
)
def test_the_budget_of_all_beats_is_told_of_once_for_each_level(
    usd: float, said: str | None, home: Path, carry_out: CarryOut
) -> None:
    """With the period it is about; to the user's own command as well."""
    with FaultServer(WELL) as server:
        config = LOCAL.format(url=server.url)
        here = made(home, f"{config}heartbeat: {{on_alert: 'cat >> {home}/told'}}\n")
        here.add(file("model: local/alpha\ncheck: echo found"))
        spend(usd)
        carry_out()
        carry_out()

    day = time.strftime("%Y-%m-%d")
    words = [f"heartbeat.budget ($0.5 a day, since {day}) {said}"] if said else []
    assert [one.text for one in alerts.listed() if one.kind == "budget"] == words
    told = home / "told"
    assert [json.loads(one)["text"] for one in filter(None, _lines(told))] == words


def _lines(file: Path) -> list[str]:
    return file.read_text().replace("}{", "}\n{").splitlines() if file.exists() else []


def test_ten_failures_are_one_notice(home: Path, carry_out: CarryOut) -> None:
    """Then the beat is off, until it is enabled."""
    here = made(home, LOCAL.format(url="http://127.0.0.1:9"))
    here.add(file("model: local/alpha\ncheck: exit 7"))

    ends = [carry_out().end for _ in range(12)]

    assert [one.status for one in ends] == ["failed"] * 10 + ["skipped"] * 2
    assert ends[-1].reason == "disabled: failed 10 times in a row"
    (alert,) = alerts.listed()
    assert isinstance(alert, Alert)
    assert (alert.kind, alert.beat) == ("disabled", "it")
    assert "`claude-tier heartbeat enable it`" in alert.text


def test_notes_that_lead_elsewhere_are_not_read(home: Path, carry_out: CarryOut) -> None:
    """A link in a clone could name any file of the user's."""
    (home / "secret").write_text("zanzibar")
    with FaultServer(WELL) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(file("model: local/alpha\ntz: UTC"))
        (here.project / "notes").mkdir()
        for days in (0, 1):
            day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86_400))
            (here.project / f"notes/{day}.md").symlink_to(home / "secret")
        carry_out()
        assert "zanzibar" not in str(server.requests[0].body)
