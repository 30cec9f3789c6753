"""Emergency mode and prompts that stay here: who may be asked, and how it ends."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from books import NOON, budget
from claude_tier.config import Config
from claude_tier.routing import by_hand, emergency
from claude_tier.routing.prompt import Message, Prompt
from claude_tier.routing.router import NobodyError, Router
from claude_tier.routing.target import resolve
from claude_tier_hooks import ledger, policy, project
from fault_server import FAULTS, FaultServer, Reply
from routers import Clock, ask, chain, configured, cooling, provider, refused, rows

PRIVATE = Prompt((Message("user", "hello"),), local_only=True)
HERE = ", local: true"


def near_and_far(near: FaultServer, far: FaultServer, more: str = "") -> str:
    """A paid provider in a chain, and a local one that only a role names."""
    lines = [provider("far", far.url), provider("near", near.url, kind="llama-server")]
    text = chain("far/alpha", providers=lines)
    return text + f"router: {{small: near/beta{more}}}\n"


def test_when_every_paid_target_is_cooling_a_local_one_answers() -> None:
    """Of the roles where the chain has none; the cause is said before what follows from it."""
    clock = Clock()
    with FaultServer(FAULTS["openai_quota"]) as far, FaultServer(Reply()) as near:
        text = near_and_far(near, far)
        first = ask(text, "all", clock=clock)
        second = ask(text, "all", clock=clock)
        assert len(far.requests) == 1
    assert [str(one.target) for one in (first, second)] == ["near/beta"] * 2
    assert [one.cause for one in second.attempts] == ["emergency"]
    mode = "Emergency mode, every paid target is cooling (far/alpha), until 12:05: "
    cause, then = first.notices
    assert cause.startswith("far/alpha failed: ")
    assert then == f"{mode}only models on this machine are asked. Asking near/beta instead."
    assert second.notices == (f"{mode}far/alpha may not be asked. Asking near/beta instead.",)


def test_nobody_stands_in_where_a_target_is_checked() -> None:
    """Another's answer would say nothing about it."""
    with FaultServer(FAULTS["openai_quota"]) as far, FaultServer(Reply()) as near:
        known = configured(near_and_far(near, far))

        async def run() -> None:
            async with Router(known, policy.load(), stand_in=False) as router:
                await router.ask(Prompt.of("hello"), resolve(known, "all"))

        for _ in range(2):
            with pytest.raises(NobodyError):
                anyio.run(run)
        assert near.requests == []


def test_a_request_that_it_keeps_from_nobody_is_not_told_of_it() -> None:
    """It would be asked the same without."""
    by_hand.turn_on(NOON, 3600)
    with FaultServer(Reply()) as far, FaultServer(Reply()) as near:
        assert ask(near_and_far(near, far), "small").notices == ()


def test_it_ends_by_itself() -> None:
    """With the cooldown that began it."""
    clock = Clock()
    with FaultServer([FAULTS["openai_quota"], Reply()]) as far, FaultServer(Reply()) as near:
        text = near_and_far(near, far)
        ask(text, "all", clock=clock)
        clock.now += 301
        assert str(ask(text, "all", clock=clock).target) == "far/alpha"


def test_a_wrong_model_name_is_no_emergency() -> None:
    """Nothing answers in its place that nobody named."""
    with FaultServer(FAULTS["openai_model"]) as far, FaultServer(Reply()) as near:
        text = near_and_far(near, far)
        refused(text, "all")
        refused(text, "all")
        assert near.requests == []


def test_without_a_local_model_the_way_out_is_said() -> None:
    """Why, until when, and how to end it."""
    clock = Clock()
    with FaultServer(FAULTS["openai_quota"]) as far:
        text = chain("far/alpha", providers=[provider("far", far.url)])
        refused(text, "all", clock=clock)
        error = refused(text, "all", clock=clock)
    assert "cooling since 12:00 until 12:05 (its money or quota is used up: " in error.message
    assert error.hint == (
        "Do this: end emergency mode (`claude-tier cooldown clear`), or wait until 12:05"
    )
    assert "until 12:05: far/alpha may not be asked." in error.notices[0]


def test_what_is_missing_is_named_while_it_cools(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second request tells what to install, as the first did."""
    monkeypatch.setenv("PATH", "")
    clock = Clock()
    errors = [refused("", "claude/sonnet", clock=clock) for _ in range(2)]
    assert [one.attempts[0].cause for one in errors] == ["connect", "emergency"]
    assert "no `claude` on PATH; install Claude Code, so that" in errors[1].message


def test_a_cause_that_says_itself_that_nobody_was_reached_is_not_said_twice() -> None:
    """The failure alone is told, with what mends it."""
    clock = Clock()
    with FaultServer(FAULTS["refused"]) as far:
        text = chain("far/alpha", providers=[provider("far", far.url)])
        refused(text, "all", clock=clock)
        error = refused(text, "all", clock=clock)
    assert (
        "until 12:00:30 (nobody answers there; start it, or correct its base_url" in error.message
    )
    assert "nobody answered there" not in error.message


@pytest.mark.parametrize("how", ["by hand", "configured"])
def test_it_is_on_when_the_user_says_so(how: str) -> None:
    """No paid target is asked, though it would answer."""
    with FaultServer(Reply()) as far, FaultServer(Reply()) as near:
        if how == "by hand":
            by_hand.turn_on(NOON, 3600)
        more = ", local_only: true" if how == "configured" else ""
        answer = ask(near_and_far(near, far, more), "all")
        assert far.requests == []
    assert str(answer.target) == "near/beta"


def test_the_switch_ends_in_its_time(home: Path) -> None:
    """And when it is taken away."""
    by_hand.turn_on(NOON, 3600)
    assert by_hand.standing(NOON + 3599)
    assert by_hand.standing(NOON + 3600) is None
    assert by_hand.turn_off(NOON)
    assert not by_hand.turn_off(NOON)
    assert (home / ".claude/claude-tier/emergency").exists() is False


def spend(usd: float, folder: str) -> None:
    """What the user's budgets see at noon."""
    db = ledger.connect()
    with ledger.Writing(db):
        names = [ledger.name_id(db, name) for name in ("s", "main", "m", "transcript", folder)]
        db.execute("INSERT INTO session (id, project) VALUES (?, ?)", (names[0], names[4]))
        sums = (1, 10, 10, 0, 0, 0, 0, usd, 0)
        db.execute(ledger.ADD_TO_BUCKET, (int(NOON // 900), *names, *sums))
    db.close()


@pytest.mark.parametrize(("where", "on"), [("here", True), ("/else", False)])
def test_a_budget_of_the_project_at_stop_leaves_local_models_alone(where: str, *, on: bool) -> None:
    """For requests from its folder."""
    spend(11.0, project.root(str(Path.cwd())) if where == "here" else where)
    rules = {**policy.load(), "budgets": [budget(scope={"kind": "project", "name": None})]}
    with closing(ledger.connect()) as db:
        found = emergency.standing(db, Config(), rules, NOON, str(Path.cwd()))
    assert (found is not None) is on
    assert not found or (found.reason, found.until) == ("the budget daily is used up", NOON + 43200)


def test_without_a_ledger_no_budget_holds() -> None:
    """The configuration does, and it is the router's own that counts, compiled or not."""
    rules = {**policy.load(), "budgets": [budget()]}
    alone = Config.model_validate({"router": {"local_only": True}})
    assert emergency.standing(None, Config(), rules, NOON, "/") is None
    found = emergency.standing(None, alone, rules, NOON, "/")
    assert found
    assert found.ends == "router: {local_only: false} in config.yaml"


def test_a_plan_that_is_used_up_keeps_only_claude_itself_out() -> None:
    """Other providers do not use it."""
    db = ledger.connect()
    now = time.time()
    with ledger.Writing(db):
        row = ("seven_day", 100.0, now + 9000, now)
        db.execute("INSERT INTO plan_window VALUES (?, ?, ?, ?)", row)
    db.close()
    with FaultServer(Reply()) as other:
        lines = [provider("other", other.url)]
        plan = (
            "budgets: [{name: plan, scope: user, period: seven_day, limit: {plan_percent: 100}}]\n"
        )
        text = chain("claude/sonnet", "other/alpha", providers=lines, more=plan)
        answer = ask(text, "all", clock=Clock(now))
    assert str(answer.target) == "other/alpha"
    assert [(str(one.target), one.cause) for one in answer.attempts] == [
        ("claude/sonnet", "budget")
    ]
    assert "claude/sonnet may not be asked" in answer.notices[0]


def test_a_private_prompt_is_asked_here_alone() -> None:
    """Also when what is here fails: it is no emergency, and no fallback either."""
    with FaultServer(Reply()) as far, FaultServer([Reply()]) as near:
        text = near_and_far(near, far)
        assert str(ask(text, "all", PRIVATE).target) == "near/beta"
        assert far.requests == []
    with FaultServer(Reply()) as far, FaultServer(FAULTS["llama_server_loading"]) as near:
        refused(near_and_far(near, far), "all", PRIVATE)
        assert far.requests == []
        assert far.lookups == []
    assert cooling() == {}


def test_a_private_prompt_without_a_local_model_is_refused() -> None:
    """With the reason."""
    with FaultServer(Reply()) as far:
        text = chain("far/alpha", providers=[provider("far", far.url)])
        error = refused(text, "all", PRIVATE)
        assert far.seen == []
    assert "this prompt stays on this machine" in error.message
    assert rows("SELECT outcome FROM exchange") == [("failed",)]
