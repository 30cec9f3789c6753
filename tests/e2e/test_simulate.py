"""What the real client and the hooks made of a session is made again from the ledger alone."""

from __future__ import annotations

import json

from claude_tier.livecheck import Client, Script, spawn, text

from .command import claude_tier
from .conftest import Serve
from .installation import Installed, budget
from .witness import LIMIT, SPENT, decisions

NO_BUDGET = "assign: {general-purpose: null, Explore: null}\n"


def test_a_session_reproduces_and_costs_more_without_its_policy(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Six at once near the cap, half of them at an assignment; then a denial."""
    here.configure(budget(LIMIT))
    here.spend(SPENT["cap"])
    kinds = ["Explore", "general-purpose", "Plan"] * 2
    calls = [spawn(f"task {n}", subagent_type=kind) for n, kind in enumerate(kinds)]
    api = serve(Script().on("start", calls, text("ok")).on("more", spawn("last"), text("ok")))
    first = client.run("-p", "start", api=api)
    here.spend(SPENT["stop"])
    client.run("-p", "more", "--resume", first.session_id, api=api)
    other = client.home / "other.yaml"
    other.write_text(NO_BUDGET)

    check = claude_tier(client.home, "simulate", "--json")
    simulated = claude_tier(client.home, "simulate", "--policy", str(other), "--json")

    made = [row["action"] for row in decisions(here)]
    assert sorted(set(made)) == ["assigned", "denied", "lowered"]
    assert check.returncode == 0, check.stderr
    found = json.loads(check.stdout)
    assert (found["decisions"], found["identical"], found["approximate"]) == (7, 7, 0)
    found = json.loads(simulated.stdout)
    assert [one["simulated"]["action"] for one in found["changed"]] == ["kept"] * 7
    assert found["simulated_usd"] > found["happened_usd"]
    assert all(one["simulated_usd"] > one["happened_usd"] for one in found["changed"])
