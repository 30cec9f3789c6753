"""The ledger against the client's own figures: to the token, and to 1e-9 of a dollar."""

from __future__ import annotations

import json
import shutil
from collections import Counter
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
from .witness import FABLE, FOREGROUND, HAIKU, OPUS, opened

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


def test_a_session_with_subagents_is_counted_to_the_token_through_resumes_and_a_fork(
    client: Client, serve: Serve, here: Installed
) -> None:
    """Main and subagents, nested ones too, each at its own model, in the back and the foreground.

    Of a fork, whose rows are copies and whose figures begin with the parent's, what is its own;
    the processes of a resumed session are one session, what a compaction cost is `unlisted`.
    """
    here.agent("builder", "fable")
    api = serve(busy())
    busily = ("--allowedTools", "Bash")
    first = client.run("-p", "start", *busily, api=api)
    session, resumed = first.session_id, ("--resume", first.session_id)
    assert len({one.request.agent_id for one in api.requests}) == 6
    whole = charged(first.result["modelUsage"])
    assert_equal(listed(here, session), whole)
    assert_equal(counted(here, session), whole)
    total = sum(one["usd"] for one in listed(here, session).values())
    assert total == pytest.approx(first.result["total_cost_usd"], abs=1e-9, rel=0)

    fork = client.run("-p", "more", *resumed, "--fork-session", api=api)
    client.run("-p", "/compact", *resumed, api=api)
    last = client.run("-p", "start again", *resumed, *busily, api=api, env=FOREGROUND)

    own = less(charged(fork.result["modelUsage"]), whole)
    assert_equal(counted(here, fork.session_id), own)
    assert sum(figures["output_tokens"] for figures in own.values()) > 0
    assert len({one.request.agent_id for one in api.requests}) == 11
    assert_equal(counted(here, session), charged(last.result["modelUsage"]))
    assert less(counted(here, session), listed(here, session))


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
    steps = [Answer((tool_use("Bash", command="true"),), usage=one) for one in usages]
    script = Script().on("cheap", *steps).on("dear", *steps)
    calls = [spawn("cheap", model="haiku"), spawn("dear", model="fable")]
    api = serve(script.on("start", *steps, calls, text("ok")))

    run = client.run("-p", "start", "--allowedTools", "Bash", api=api, env=FOREGROUND)

    models = Counter(one.request.model for one in api.requests)
    assert models == {HAIKU: len(usages) + 1, FABLE: len(usages) + 1, OPUS: len(usages) + 2}
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
