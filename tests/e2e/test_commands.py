"""What the commands say of sessions that really ran."""

from __future__ import annotations

import json

from claude_tier.livecheck import Answer, Client, Script, Usage, spawn, text

from .conftest import Serve
from .installation import Installed, budget, command
from .witness import DOLLAR, FOREGROUND, LIMIT, SPENT


def test_the_log_shows_asked_set_reason_budget_and_what_ran(
    client: Client, serve: Serve, here: Installed
) -> None:
    """For people and for scripts: an assignment, a lowering, one left as asked, then a denial.

    The response that asks takes the budget to its stop, before its own call is decided.
    """
    here.configure(budget(LIMIT))
    here.wait_longer()
    here.spend(SPENT["cap"])
    calls = [
        spawn("one", "find the callers", subagent_type="Explore"),
        spawn("two", "build it", subagent_type="Plan", model="opus"),
        spawn("three", "sum it up", subagent_type="general-purpose", model="haiku"),
    ]
    dear = Answer((spawn("four"),), usage=Usage(output_tokens=25 * DOLLAR))
    api = serve(Script().on("start", calls, dear, text("ok")))
    run = client.run("-p", "start", api=api, env=FOREGROUND)

    done = command(client, "log", "--session", run.session_id, "--json")
    screen = command(client, "log").stdout

    assert done.returncode == 0, done.stderr
    found = {one["description"]: one for one in json.loads(done.stdout)["decisions"]}
    keys = ("agent", "asked", "would", "action", "set", "budget", "ran", "proof")
    shown = {name: tuple(one[key] for key in keys) for name, one in found.items()}
    opus = "claude-opus-5-5"
    assert shown == {
        "find the callers": (
            "Explore", None, opus, "assigned", "haiku", None, "claude-haiku-5-5", "held",
        ),
        "build it": (
            "Plan", "opus", "opus", "lowered", "sonnet", "weekly", "claude-sonnet-5-5", "held",
        ),
        "sum it up": (
            "general-purpose", "haiku", "haiku", "kept", None, None, "claude-haiku-5-5", None,
        ),
        "a task": ("general-purpose", None, opus, "denied", None, "weekly", None, None),
    }  # fmt: skip
    assert found["build it"]["reason"] == "budget weekly is at 95 %"
    for words in ("find the callers", "budget weekly is at 95 %", "claude-sonnet-5-5", "denied"):
        assert words in " ".join(screen.split())


def test_the_totals_are_those_of_the_client_and_budgets_know_what_was_just_spent(
    client: Client, serve: Serve, here: Installed
) -> None:
    """By model, to the token and the cent, with what no row shows apart.

    Both budgets and status read the transcripts themselves: no hook has to have run since.
    """
    here.configure(budget(LIMIT))
    api = serve(Script().on("start", [spawn("one", subagent_type="Explore"), spawn("two")]))
    first = client.run("-p", "start", api=api)
    last = client.run("-p", "/compact", "--resume", first.session_id, api=api)
    usage = last.result["modelUsage"]
    assert isinstance(usage, dict)
    assert last.returncode == 0

    totals = json.loads(command(client, "ledger", "totals", "--by", "model", "--json").stdout)
    before = command(client, "budget", "check")
    here.spend(SPENT["cap"])
    after = command(client, "budget", "check")
    status = command(client, "status")

    for kind, field in (("input_tokens", "inputTokens"), ("output_tokens", "outputTokens")):
        ours = totals["totals"][kind] + totals["unlisted"][kind]
        assert ours == sum(model[field] for model in usage.values())
    dollars = totals["totals"]["usd"] + totals["unlisted"]["usd"]
    assert abs(dollars - sum(model["costUSD"] for model in usage.values())) < 1e-9
    assert totals["unlisted"]["input_tokens"] > 0
    assert (before.returncode, after.returncode, status.returncode) == (0, 1, 0)
    assert "weekly" in status.stdout
    assert "95" in status.stdout
