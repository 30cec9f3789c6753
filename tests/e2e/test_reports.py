"""Reports of a real session: what the client saved of its cost is what they show."""

from __future__ import annotations

import json
from typing import Any

import pytest
from claude_tier.livecheck import Client, Script, spawn, text, thinking

from .command import claude_tier
from .conftest import Serve
from .installation import Installed


def shown(client: Client, *arguments: str) -> Any:
    """A command's JSON."""
    done = claude_tier(client.home, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.usefixtures("here")
def test_a_session_reconciles_with_the_cost_that_the_client_saved(
    client: Client, serve: Serve
) -> None:
    """Subagents, a compaction and a resume; every view has the same total."""
    start = [thinking("whom"), spawn("look", subagent_type="Explore")]
    api = serve(Script().on("start", start, text("ok")))
    first = client.run("-p", "start", api=api)
    client.run("-p", "/compact", "--resume", first.session_id, api=api)
    last = client.run("-p", "go on", "--resume", first.session_id, api=api)

    (found,) = shown(client, "report", "--reconcile")["sessions"]
    views = {view: shown(client, "report", view) for view in ("day", "session", "model", "block")}

    assert found["agrees"] is True
    assert found["reasons"] == ["unlisted"]
    assert found["difference"]["usd"] == pytest.approx(0, abs=1e-9)
    assert found["client"]["usd"] == pytest.approx(
        sum(one["costUSD"] for one in last.result["modelUsage"].values()), abs=1e-9
    )
    for view in views.values():
        both = view["totals"]["usd"] + view["unlisted"]["usd"]
        assert both == pytest.approx(found["client"]["usd"], abs=1e-9)


def test_an_export_has_no_text_of_the_session(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Neither prompt nor answer; a description only where it is kept."""
    here.configure("log: {descriptions: false}")
    secret = "the-secret-word"
    answers = ([spawn(f"look for {secret}", subagent_type="Explore")], text(f"{secret} found"))
    api = serve(Script().on("start", *answers))
    client.run("-p", f"start {secret}", api=api)

    for what in ("usage", "decisions", "unlisted"):
        for form in ("jsonl", "csv"):
            done = claude_tier(client.home, "ledger", "export", "--what", what, "--format", form)
            assert done.returncode == 0, done.stderr
            assert secret not in done.stdout
    decisions = claude_tier(client.home, "ledger", "export", "--what", "decisions").stdout
    assert json.loads(decisions.splitlines()[0])["description"] is None
