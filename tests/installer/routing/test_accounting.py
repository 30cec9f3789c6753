"""Requests of the router in the ledger: counted once, priced by who answered, disturbing nobody."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import anyio
import books
import pytest
from claude_tier.livecheck.request import Request
from claude_tier.report import caches, ledger_file, reconcile, savings, totals
from claude_tier.report.days import Slice, Span
from claude_tier.report.spending import by_day
from claude_tier.routing.prompt import Prompt
from claude_tier.routing.router import Router
from claude_tier.routing.target import resolve
from claude_tier_hooks import budget, decisions, ledger, policy, project, unlisted, unpriced
from fault_server import FAULTS, Fault, FaultServer, Reply
from routers import Clock, ask, chain, configured, cooling, provider, refused, rows

WELL = Reply(text="fine", model="served-1", input_tokens=1000, output_tokens=200)
USED = "SELECT n.text, s.text, u.final, u.input_tokens, u.output_tokens, u.usd FROM usage u JOIN name n ON n.id = u.model JOIN name s ON s.id = u.source"  # fmt: skip # noqa: E501
PRICES = ", prices: {served-1: {input: 1, output: 10}}"


def one(server: FaultServer, more: str = "", kind: str = "openai-compatible") -> str:
    """A chain of one provider."""
    return chain("one/alpha", providers=[provider("one", server.url, kind=kind, more=more)])


def test_a_request_is_a_row_of_usage_at_the_served_model() -> None:
    """Under a source that names provider and route, priced as the user says."""
    with FaultServer(WELL) as server:
        answer = ask(one(server, PRICES), "all", route="summarise")
    assert rows(USED) == [("served-1", "router/one/summarise", 1, 1000, 200, 0.003)]
    assert answer.usd == pytest.approx(0.003)


def test_each_request_is_a_row_of_exchange() -> None:
    """With its attempts, and without a word of prompt or answer."""
    with FaultServer(FAULTS["openai_internal"]) as bad, FaultServer(WELL) as good:
        lines = [provider("one", bad.url), provider("two", good.url)]
        text = chain("one/alpha", "two/beta", providers=lines)
        ask(text, "all", "a secret word", route="code")
    (found,) = rows(
        "SELECT origin, route, asked, target, model, usage, outcome, attempts FROM exchange"
    )
    assert found[:5] == ("ask", "code", "one/alpha", "two/beta", "served-1")
    assert rows("SELECT key FROM usage") == [(found[5],)]
    assert found[6] == "answered"
    attempts = json.loads(str(found[7]))
    assert [(each["target"], each["cause"]) for each in attempts] == [("one/alpha", "server")] * 2
    assert "secret" not in str(rows("SELECT * FROM exchange"))
    assert "fine" not in str(rows("SELECT * FROM exchange"))


def test_a_folder_that_is_no_unicode_is_counted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As hooks know it, whom the client tells its name in JSON."""
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    monkeypatch.chdir(folder)
    with FaultServer(WELL) as server:
        assert ask(one(server), "all").text == "fine"
    assert rows("SELECT outcome FROM exchange") == [("answered",)]


def test_a_failure_is_no_usage() -> None:
    """What it cost is not known."""
    with FaultServer(FAULTS["openai_request"]) as server:
        refused(one(server), "all")
    assert rows("SELECT outcome, target, usage FROM exchange") == [("failed", None, None)]
    assert rows(USED) == []


def test_a_cancelled_request_leaves_an_honest_row() -> None:
    """Whoever asked has gone; the target is not to blame."""
    arrived = threading.Event()

    def choose(_request: Request) -> Fault:
        arrived.set()
        return FAULTS["silent"]

    with FaultServer(choose) as server:
        known = configured(one(server))

        async def run() -> None:
            async with (
                Router(known, policy.load(), origin="mcp") as router,
                anyio.create_task_group() as tasks,
            ):
                tasks.start_soon(router.ask, Prompt.of("hello"), resolve(known, "all"))
                await anyio.to_thread.run_sync(arrived.wait)
                tasks.cancel_scope.cancel()

        anyio.run(run)
    assert rows("SELECT origin, outcome, usage FROM exchange") == [("mcp", "cancelled", None)]
    assert cooling() == {}


@pytest.mark.parametrize(
    ("kind", "more", "reply", "usd"),
    [
        ("openai-compatible", "", WELL, None),
        ("openai-compatible", ", free: true", WELL, 0.0),
        ("openrouter", "", Reply(model="m", cost=0.25), 0.25),
        ("openrouter", ", prices: {m: {input: 1, output: 10}}", Reply(model="m", cost=0.25,
         input_tokens=1000, output_tokens=0), 0.001),
        ("anthropic-compatible", "", Reply(model=books.HAIKU), None),
        ("openai-compatible", ", free: true", Reply(counted=False), 0.0),
        ("openai-compatible", PRICES, Reply(model="served-1", counted=False), None),
    ],
)  # fmt: skip
def test_who_answers_decides_the_price(
    kind: str, more: str, reply: Reply, usd: float | None
) -> None:
    """An unknown price is unknown, never 0; a model's name says nothing at another provider."""
    with FaultServer(reply) as server:
        assert ask(one(server, more, kind), "all").usd == usd
    assert rows("SELECT usd, final FROM usage") == [(usd, int(reply.counted))]


def test_what_had_no_price_is_priced_when_the_user_names_one() -> None:
    """By the provider's prices, never by a model's name alone."""
    with FaultServer(Reply(model=books.HAIKU, input_tokens=1_000_000, output_tokens=0)) as server:
        ask(one(server), "all")
        with ledger_file.up_to_date(policy.load()):
            pass
        assert rows("SELECT usd FROM usage") == [(None,)]
        configured(one(server, f", prices: {{{books.HAIKU}: {{input: 3, output: 1}}}}"))
        with ledger_file.up_to_date(policy.load()):
            pass
    assert rows("SELECT usd FROM usage")[0][0] == pytest.approx(3.0 * 5)  # above its long step


def test_a_model_that_only_the_provider_knows_is_priced_later_too() -> None:
    """And an answer without counts never is."""
    with FaultServer([WELL, Reply(model="served-1", counted=False)]) as server:
        ask(one(server), "all")
        ask(one(server), "all")
        configured(one(server, PRICES))
        with ledger_file.up_to_date(policy.load()) as db:
            assert unpriced.settle(db, policy.load()) == 0  # it is done already
    found = rows("SELECT final, usd FROM usage ORDER BY final")
    assert found == [(0, None), (1, pytest.approx(0.003))]


def test_budgets_of_user_and_project_see_it_at_once() -> None:
    """From outside of any session it belongs to the project of the folder."""
    with FaultServer(WELL) as server:
        ask(one(server, PRICES), "all")
    rules = {**policy.load(), "budgets": [
        books.budget("mine"), books.budget("ours", scope={"kind": "project", "name": None}),
    ]}  # fmt: skip
    db = ledger.connect()
    here = {"session": -1, "project": ledger.known_id(db, project.root(str(Path.cwd())))}
    found = budget.standing(db, rules, here, books.NOON + 1)
    db.close()
    assert [each["amount"] for each in found] == [pytest.approx(0.003)] * 2


def test_inside_a_session_it_is_that_sessions(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But the client's own figures are compared without it."""
    books.answer(home, books.HAIKU, at=books.NOON - 10)
    books.charge(home, books.HAIKU, 0.0011, inputTokens=1000, outputTokens=2000)
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "11111111-aaaa")
    reply = Reply(model=books.HAIKU, input_tokens=500, output_tokens=50)
    with FaultServer(reply) as server:
        ask(one(server, ", free: true"), "all", clock=Clock(books.NOON + 3600))
    rules = policy.load()
    with ledger_file.up_to_date(rules) as db:
        number = ledger.known_id(db, "11111111-aaaa")
        assert unlisted.with_rows(db, number)[books.HAIKU][:2] == [1000, 2000]
        assert db.execute("SELECT count(*) FROM unlisted").fetchone() == (0,)
        (session,) = reconcile.query(db, rules, Slice()).sessions
        assert (session.agrees, session.reasons) == (True, ())
        kept = db.execute("SELECT model FROM session WHERE id = ?", (number,)).fetchone()
        assert ledger.text_of(db, kept[0]) == books.HAIKU or kept[0] == books.HAIKU
        assert totals.query(db, "session", Slice()).rows["11111111-aaaa"].requests == 2


def test_savings_are_reckoned_without_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the router did saved nothing by tiering, and cost nothing of it."""
    books.answer(home, books.OPUS, at=books.NOON - 60)
    books.answer(home, books.HAIKU, at=books.NOON - 30, agent="Explore")
    books.decide("toolu_Explore", agent_id="Explore", at=books.NOON - 40)

    def saved() -> dict[str, object]:
        with ledger_file.up_to_date(policy.load()) as db:
            ledger_file.brought_up(db, caches.bring_up)
            savings.bring_up(db, policy.load())
            return savings.query(db, policy.load(), Span(), now=books.NOON + 60).fields()

    before = saved()
    assert before["requests"]
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "11111111-aaaa")
    with FaultServer(Reply(model=books.SONNET, input_tokens=90_000)) as server:
        ask(one(server, f", prices: {{{books.SONNET}: {{input: 30, output: 90}}}}"), "all")
    assert saved() == before


def test_a_session_of_the_routers_own_is_none_of_the_clients() -> None:
    """It saved no cost because there is none to save."""
    with FaultServer(WELL) as server:
        ask(one(server, PRICES), "all")
    rules = policy.load()
    with ledger_file.up_to_date(rules) as db:
        assert totals.unsaved(db, Slice()) == 0
        assert reconcile.query(db, rules, Slice()).sessions == ()


def test_reports_show_it_by_provider_and_route() -> None:
    """By its source."""
    with FaultServer(WELL) as server:
        ask(one(server, PRICES), "all", route="summarise")
    rules = policy.load()
    with ledger_file.up_to_date(rules) as db:
        for view, key in (("provider", "one"), ("route", "summarise"), ("agent", "router")):
            assert by_day.groups(db, Slice(), view, rules).found.keys() == {key}


def test_a_locked_ledger_keeps_no_answer_back() -> None:
    """The request waits in the spool and is imported by the next who writes."""
    clock = Clock()
    with FaultServer(WELL) as server:
        text = one(server, PRICES)
        ask(text, "all", clock=clock)
        holder = ledger.connect()
        holder.execute("BEGIN IMMEDIATE")
        answer = ask(text, "all", clock=clock)
        holder.execute("ROLLBACK")
        holder.close()
    assert answer.text == "fine"
    assert any("counted later" in line for line in clock.said)
    assert len(rows("SELECT id FROM exchange")) == 1
    with ledger_file.up_to_date(policy.load()):
        pass
    assert len(rows("SELECT id FROM exchange")) == 2
    assert len(rows(USED)) == 2
    assert ledger.spooled() == []


def test_a_spool_file_that_was_imported_changes_nothing() -> None:
    """A process may end between the commit and the removal of the file."""
    with FaultServer(WELL) as server:
        text = one(server, PRICES)
        ask(text, "all")
        holder = ledger.connect()
        holder.execute("BEGIN IMMEDIATE")
        ask(text, "all")
        holder.execute("ROLLBACK")
    for _ in range(2):
        with ledger.Writing(holder):
            decisions.drain(holder)
    holder.close()
    assert len(rows(USED)) == 2
    sums = rows("SELECT sum(requests), sum(input_tokens) FROM bucket")
    assert sums == [(2, 2000)]


def test_a_ledger_that_cannot_be_made_keeps_no_answer_back(home: Path) -> None:
    """It is said, and nothing more."""
    clock = Clock()
    with FaultServer(WELL) as server:
        text = one(server)
        configured(text)
        file = Path(ledger.file())
        file.unlink(missing_ok=True)
        file.mkdir()
        assert ask(text, "all", clock=clock).text == "fine"
    assert any("the ledger cannot be" in line for line in clock.said)
    assert [*file.iterdir()] == []
