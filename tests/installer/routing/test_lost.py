"""Tries that came to no answer: what is known of them was paid for, and is in the ledger."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from books import NOON, budget
from claude_tier import cli
from claude_tier.report import ledger_file, totals
from claude_tier.report.days import Slice
from claude_tier.report.spending import by_day
from claude_tier.routing.accounting import Exchange
from claude_tier.routing.prompt import Prompt
from claude_tier.routing.router import Router
from claude_tier.routing.target import resolve
from claude_tier_hooks import budget as budgets
from claude_tier_hooks import decisions, ledger, policy, project
from fault_server import Fault, FaultServer, Reply
from routers import Clock, ask, chain, configured, cooling, provider, refused, rows

HALF = Reply(text="half of it", model="served-1", input_tokens=1000, output_tokens=200)
WELL = Reply(text="fine", model="served-2", input_tokens=50, output_tokens=5)
BROKEN = Fault("server", course="reset_midway", reply=HALF, plain=False)
STALLED = Fault("timeout", course="stalled", reply=HALF)
PRICES = ", prices: {served-1: {input: 1, output: 10}, served-2: {input: 2, output: 20}}"
ONCE = "router: {retries: 0}\n"
USED = (
    "SELECT s.text, m.text, u.final, u.input_tokens, u.output_tokens, u.usd FROM usage u"
    " JOIN name m ON m.id = u.model JOIN name s ON s.id = u.source ORDER BY u.id"
)
STARTED = ("router/one", "served-1", 0, 1000, 1)  # a stream opens before anything is written


def two(one: FaultServer, other: FaultServer, more: str = ONCE, how: str = PRICES) -> str:
    """A chain of two that speak Messages, which name tokens before the end."""
    lines = [
        provider(name, server.url, kind="anthropic-compatible", more=how)
        for name, server in (("one", one), ("two", other))
    ]
    return chain("one/alpha", "two/beta", providers=lines, more=more)


def watch(_characters: int) -> None:
    """Somebody wants to know, so that the answer is streamed."""


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert cli.main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_stream_that_breaks_is_counted_beside_the_answer_of_the_next() -> None:
    """As far as it had told; each at its own provider, and the answer keeps its own figures."""
    with FaultServer(BROKEN) as one, FaultServer(WELL) as other:
        answer = ask(two(one, other), "all", on_progress=watch)
    assert rows(USED) == [
        ("router/two", "served-2", 1, 50, 5, pytest.approx(0.0002)),
        (*STARTED, pytest.approx(0.00101)),
    ]
    (lost,) = answer.lost
    assert (str(lost.target), lost.used.model) == ("one/alpha", "served-1")
    assert (lost.usd, answer.usd) == (pytest.approx(0.00101), pytest.approx(0.0002))
    assert answer.usage.input == 50
    assert rows("SELECT sum(requests), sum(input_tokens) FROM bucket") == [(2, 1050)]


def test_each_try_is_a_row_of_its_own() -> None:
    """A retry is paid for like a first try."""
    with FaultServer([BROKEN, BROKEN]) as one, FaultServer(WELL) as other:
        ask(two(one, other, more=""), "all", on_progress=watch)
    assert [row[0] for row in rows(USED)] == ["router/two", "router/one", "router/one"]
    ((key,),) = rows("SELECT usage FROM exchange")
    assert rows("SELECT key FROM usage") == [(key,), (f"{key}_1",), (f"{key}_2",)]


def test_a_stream_short_of_its_last_event_has_all_its_figures() -> None:
    """It is no answer; that they were the last is not known."""
    fault = Fault("server", course="no_last_event", reply=HALF, plain=False)
    with FaultServer(fault) as one, FaultServer(WELL) as other:
        ask(two(one, other), "all", on_progress=watch)
    assert rows(USED)[1][2:5] == (0, 1000, 200)


def test_an_answer_at_the_deadline_is_counted_without_one() -> None:
    """Nobody answered, and the row of the request says so."""
    with FaultServer(STALLED) as one, FaultServer(WELL) as other:
        error = refused(two(one, other), "all", on_progress=watch, timeout=2)
        assert other.requests == []
    assert rows(USED) == [(*STARTED, pytest.approx(0.00101))]
    assert rows("SELECT outcome, target, usage FROM exchange") == [("failed", None, None)]
    assert [str(one.target) for one in error.lost] == ["one/alpha"]


def test_an_answer_whose_asker_goes_away_is_counted() -> None:
    """Once some of it has come, and its asker can know; the target is not to blame."""
    told: list[Exchange] = []
    with FaultServer(STALLED) as one, FaultServer(WELL) as other:
        known = configured(two(one, other))

        async def run() -> None:
            async with (
                Router(known, policy.load(), timing=Clock().timing) as router,
                anyio.create_task_group() as tasks,
            ):
                await router.ask(
                    Prompt.of("hello"),
                    resolve(known, "all"),
                    on_progress=lambda _characters: tasks.cancel_scope.cancel(),
                    on_end=told.append,
                )

        anyio.run(run)
    assert rows(USED) == [(*STARTED, pytest.approx(0.00101))]
    assert rows("SELECT outcome, usage, attempts FROM exchange") == [("cancelled", None, "[]")]
    assert rows("SELECT id FROM exchange") == [(one.id,) for one in told]
    assert [one.usd for one in told[0].lost] == [pytest.approx(0.00101)]
    assert cooling() == {}


@pytest.mark.parametrize(
    ("kind", "course", "counted"),
    [
        ("openai-compatible", "reset_midway", True),  # its figures come at the end
        ("anthropic-compatible", "reset_midway", False),
        ("anthropic-compatible", "reset", True),
    ],
)
def test_of_figures_that_nobody_gave_there_is_no_row(kind: str, course: Any, counted: bool) -> None:
    """Nothing is guessed."""
    fault = Fault("server", course=course, reply=Reply(counted=counted))
    with FaultServer(fault) as server:
        text = chain("one/alpha", providers=[provider("one", server.url, kind=kind)], more=ONCE)
        error = refused(text, "all", on_progress=watch)
    assert error.lost == ()
    assert rows(USED) == []
    assert rows("SELECT outcome, usage FROM exchange") == [("failed", None)]


@pytest.mark.parametrize(
    ("how", "usd"), [("", None), (", free: true", 0.0), (PRICES, pytest.approx(0.00101))]
)
def test_where_it_was_asked_decides_the_price(how: str, usd: object) -> None:
    """As of any answer: unknown is unknown."""
    with FaultServer(BROKEN) as server:
        text = two(server, server, how=how)
        error = refused(text, "one/alpha", on_progress=watch)
    assert [one.usd for one in error.lost] == [usd]
    assert rows(USED) == [(*STARTED, usd)]


def test_what_had_no_price_is_priced_when_the_user_names_one() -> None:
    """Figures are there, though they are not final."""
    with FaultServer(BROKEN) as server:
        refused(two(server, server, how=""), "one/alpha", on_progress=watch)
        configured(two(server, server))
    with ledger_file.up_to_date(policy.load()):
        pass
    assert rows(USED) == [(*STARTED, pytest.approx(0.00101))]


def test_a_spool_that_is_imported_twice_counts_once() -> None:
    """The answer and the lost try wait together, and come together."""
    clock = Clock()
    with FaultServer([BROKEN]) as one, FaultServer([WELL]) as other:
        text = two(one, other)
        configured(text)
        with closing(ledger.connect()) as holder:
            holder.execute("BEGIN IMMEDIATE")
            ask(text, "all", clock=clock, on_progress=watch)
            holder.execute("ROLLBACK")
            assert any("counted later" in line for line in clock.said)
            assert rows(USED) == []
            for _ in range(2):
                with ledger.Writing(holder):
                    decisions.drain(holder)
    assert [row[0] for row in rows(USED)] == ["router/two", "router/one"]
    assert rows("SELECT sum(requests), sum(input_tokens) FROM bucket") == [(2, 1050)]


def test_budgets_and_reports_see_it() -> None:
    """By provider, route and agent; a sum that cannot see all of it says so."""
    with FaultServer(BROKEN) as one, FaultServer(WELL) as other:
        ask(two(one, other), "all", route="code", on_progress=watch)
    rules = {**policy.load(), "budgets": [budget("mine")]}
    with ledger_file.up_to_date(rules) as db:
        here = {"session": -1, "project": ledger.known_id(db, project.root(str(Path.cwd())))}
        (found,) = budgets.standing(db, rules, here, NOON + 1)
        assert found["amount"] == pytest.approx(0.00121)
        for view, keys in (
            ("provider", {"one", "two"}),
            ("route", {"code"}),
            ("agent", {"router"}),
        ):
            assert by_day.groups(db, Slice(), view, rules).found.keys() == keys
        assert totals.unmeasured(db, Slice()) == 1


def test_the_log_and_an_export_tell_it_apart_from_the_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A request without lost tries has nothing of it."""
    with FaultServer([BROKEN]) as one, FaultServer(WELL) as other:
        text = two(one, other)
        ask(text, "all", on_progress=watch)
        ask(text, "two/beta", clock=Clock(NOON + 1))
    first, second = printed(capsys, "log", "--router")["requests"]
    assert (first["lost_tokens"], first["lost_usd"]) == (1001, pytest.approx(0.00101))
    assert (first["input_tokens"], first["usd"]) == (50, pytest.approx(0.0002))
    assert (second["lost_tokens"], second["lost_usd"]) == (None, None)
    assert cli.main(["log", "--router"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("55 tokens, $0.0002; 1,001+ tokens, $0.001+ without an answer")
    assert lines[-1].endswith("55 tokens, $0.0002")
    assert cli.main(["ledger", "export"]) == 0
    exported = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["provider"], one["final"]) for one in exported] == [
        ("two", True), ("one", False), ("two", True),
    ]  # fmt: skip
