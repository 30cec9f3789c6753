"""The ledger against the client's own figures: to the token, and to 1e-9 of a dollar."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping

import pytest
from claude_tier.livecheck import (
    Answer,
    Client,
    Script,
    ScriptedAPI,
    Usage,
    spawn,
    text,
    thinking,
    tool_use,
)
from claude_tier_hooks import ledger

from .conftest import Serve
from .installation import Installed
from .witness import FOREGROUND, opened

FIELDS = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cache_read_tokens": "cacheReadInputTokens",
    "cache_write_5m_tokens": "cacheCreationInputTokens",
    "cache_write_1h_tokens": "cacheCreationEphemeral1hInputTokens",
    "web_searches": "webSearchRequests",
}
Figures = dict[str, dict[str, float]]


def counted(here: Installed, session: str) -> Figures:
    """What the ledger holds of a session by model, what is unlisted included."""
    db = opened(here)
    sums = ", ".join(f"sum({kind}) AS {kind}" for kind in (*FIELDS, "usd"))
    rows = db.execute(
        f"SELECT name.text AS model, {sums} FROM bucket JOIN name ON name.id = model"
        " WHERE session = ? GROUP BY model",
        (ledger.known_id(db, session),),
    )
    return {row["model"]: {kind: row[kind] for kind in (*FIELDS, "usd")} for row in rows}


def listed(here: Installed, session: str) -> Figures:
    """The same of its responses alone."""
    db = opened(here)
    sums = ", ".join(f"sum({kind}) AS {kind}" for kind in (*FIELDS, "usd"))
    rows = db.execute(
        f"SELECT name.text AS model, {sums} FROM usage JOIN name ON name.id = model"
        " WHERE session = ? GROUP BY model",
        (ledger.known_id(db, session),),
    )
    return {row["model"]: {kind: row[kind] for kind in (*FIELDS, "usd")} for row in rows}


def charged(models: object) -> Figures:
    """The client's modelUsage in our words: what it wrote to a cache for no hour is for 5 min."""
    assert isinstance(models, dict)
    made = {}
    for model, one in models.items():
        made[model] = {kind: one[field] for kind, field in FIELDS.items()} | {"usd": one["costUSD"]}
        made[model]["cache_write_5m_tokens"] -= made[model]["cache_write_1h_tokens"]
    return made


def cost_state(client: Client, session: str) -> dict[str, object]:
    """The session's last cost-state row."""
    rows: list[dict[str, object]] = []
    for path in (client.home / ".claude/projects").glob(f"*/{session}.jsonl"):
        rows += [json.loads(line) for line in path.read_text().splitlines() if "cost-state" in line]
    return [row for row in rows if row["type"] == "cost-state"][-1]


def assert_equal(ours: Mapping[str, Mapping[str, float]], theirs: Figures) -> None:
    """Tokens exactly, dollars to 1e-9."""
    assert set(ours) == set(theirs)
    for model, figures in theirs.items():
        assert dict(ours[model]) == pytest.approx(figures, abs=1e-9, rel=0)


def less(whole: Figures, part: Figures) -> Figures:
    """What one has beyond the other."""
    nothing = dict.fromkeys((*FIELDS, "usd"), 0.0)
    made = {
        model: {kind: value - part.get(model, nothing)[kind] for kind, value in figures.items()}
        for model, figures in whole.items()
    }
    return {model: figures for model, figures in made.items() if any(figures.values())}


def busy() -> Script:
    """A main turn with several subagents, one of them nested, each with some requests."""
    return (
        Script()
        .on(
            "start",
            [
                thinking("who does what"),
                text("I ask four."),
                spawn("first look", subagent_type="Explore"),
                spawn("second look", subagent_type="Explore"),
                spawn("build", subagent_type="general-purpose", model="opus"),
                spawn("dear", subagent_type="builder"),
            ],
            text("ok"),
        )
        .on("first look", tool_use("Bash", command="echo 1"), [thinking("hm"), text("found")])
        .on("build", spawn("nested look", subagent_type="Explore"), text("built"))
        .on("dear", Answer((text("searched"),), usage=Usage(9, 400, 70, 30, 20, web_searches=3)))
    )


@pytest.mark.parametrize("place", ["background", "foreground"])
def test_a_session_with_subagents_is_counted_to_the_token(
    place: str, client: Client, serve: Serve, here: Installed
) -> None:
    """Main and subagents, nested ones too, each at its own model."""
    here.agent("builder", "fable")
    api = serve(busy())
    env = FOREGROUND if place == "foreground" else None

    run = client.run("-p", "start", "--allowedTools", "Bash", api=api, env=env)

    assert len({one.request.agent_id for one in api.requests}) == 6
    assert_equal(listed(here, run.session_id), charged(run.result["modelUsage"]))
    assert_equal(counted(here, run.session_id), charged(run.result["modelUsage"]))
    total = sum(one["usd"] for one in listed(here, run.session_id).values())
    assert total == pytest.approx(run.result["total_cost_usd"], abs=1e-9, rel=0)


def test_steps_splits_speed_and_places_are_priced_as_the_client_does(
    client: Client, serve: Serve, here: Installed
) -> None:
    """The long-prompt step, the unsplit cache write, fast mode, US inference, web searches."""
    usages = [
        Usage(100_000, 10),
        Usage(100_001, 10),
        Usage(50_000, 10, 40_000, 10_000, 1),
        Usage(5, 6, 7, 8, 9, split=False),
        Usage(5, 6, 7, 8, 9, speed="fast"),
        Usage(5, 6, 7, 8, 9, inference_geo="us", web_searches=2),
        Usage(5, 6, 7, 8, 9, speed="fast", inference_geo="us"),
    ]
    for model in ("haiku", "opus", "fable"):
        steps = [Answer((tool_use("Bash", command="true"),), usage=one) for one in usages]
        api = serve(Script().on("start", *steps))

        run = client.run("-p", "start", "--model", model, "--allowedTools", "Bash", api=api)

        assert len(api.requests) == len(usages) + 1
        assert_equal(listed(here, run.session_id), charged(run.result["modelUsage"]))


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_with_what_no_row_shows_a_session_equals_its_last_cost_state(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Compaction and an interrupted turn leave no rows, or short ones: that is `unlisted`."""
    stall = Answer((text("Working on it"), text("and")), ending="stall", usage=Usage(50, 90))
    # Words of their own: the prompt of a compaction repeats much of what was said.
    script = Script().on("stall-now", stall, times=1)
    script.on("do-survey", spawn("look", subagent_type="Explore"), text("Waiting."), times=2)
    api = serve(script.on("say-more", text("Went on."), times=1))
    with client.terminal("--permission-mode", "acceptEdits", api=api) as terminal:
        terminal.send("do-survey")
        terminal.wait_for("Waiting.")
        terminal.send("stall-now")
        terminal.wait_for("Working on it")
        terminal.key("Escape")
        terminal.wait_for("Interrupted")
        terminal.send("/compact")
        terminal.wait_for("Compacted")
        terminal.send("say-more")
        terminal.wait_for("Went on.")
        terminal.send("/exit")
        terminal.wait_end()
    session = next(one.request.session_id for one in api.requests if one.request.session_id)
    assert session is not None

    run = client.run("-p", "once more", "--resume", session, api=api)

    assert run.session_id == session
    last = cost_state(client, session)
    assert_equal(counted(here, session), charged(last["modelUsage"]))
    total = sum(one["usd"] for one in counted(here, session).values())
    assert total == pytest.approx(last["totalCostUSD"], abs=1e-9, rel=0)
    assert less(counted(here, session), listed(here, session))


def test_a_resume_and_a_compaction_in_print_mode_are_counted(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Two sessions' worth of processes, one session in the ledger."""
    api = serve(busy())
    first = client.run("-p", "start", "--allowedTools", "Bash", api=api)
    client.run("-p", "/compact", "--resume", first.session_id, api=api)

    last = client.run("-p", "go on", "--resume", first.session_id, api=api)

    assert_equal(counted(here, first.session_id), charged(last.result["modelUsage"]))
    assert less(counted(here, first.session_id), listed(here, first.session_id))


def test_a_fork_is_counted_less_its_parents_at_the_fork(
    client: Client, serve: Serve, here: Installed
) -> None:
    """The client's figures of a fork begin with the parent's; its rows are copies."""
    api = serve(busy())
    parent = client.run("-p", "start", "--allowedTools", "Bash", api=api)
    fork = client.run("-p", "more", "--resume", parent.session_id, "--fork-session", api=api)
    client.run("-p", "parent goes on", "--resume", parent.session_id, api=api)

    own = less(charged(fork.result["modelUsage"]), charged(parent.result["modelUsage"]))

    assert_equal(counted(here, fork.session_id), own)
    assert sum(figures["output_tokens"] for figures in own.values()) > 0


def test_what_was_spent_before_the_installation_is_caught_up(
    client: Client, serve: Serve, here: Installed
) -> None:
    """A session that ran without hooks is in the ledger once another one starts."""
    settings = here.config_dir / "settings.json"
    hooks = settings.read_text()
    settings.unlink()
    api: ScriptedAPI = serve(busy())
    before = client.run("-p", "start", "--allowedTools", "Bash", api=api)
    settings.write_text(hooks)

    client.run("-p", "hello", api=api)

    assert_equal(counted(here, before.session_id), charged(before.result["modelUsage"]))
