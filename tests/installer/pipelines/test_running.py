"""Runs against real local servers: order, parallel branches, JSON, fallbacks, conditions."""

from __future__ import annotations

import json
import threading
import time

import llama_server
import pytest
from claude_tier.livecheck.request import Request
from claude_tier.pipelines import runs
from claude_tier.routing import by_hand
from claude_tier_hooks import ledger
from fault_server import FAULTS, FaultServer, Reply
from llama_server import Start
from recorder import Recorder
from routers import provider

from .conftest import Command, Configure, Write

GOOD = '{"title": "Tea", "points": ["hot"]}'
SHAPE = """
    schema:
      type: object
      required: [title, points]
      properties: {title: {type: string}, points: {type: array}}
"""
FREE = ", free: true"
DEAR_FIRST = """
  - {id: a, target: dear/alpha, fallback: free/alpha, prompt: x}
  - {id: b, target: free/alpha, needs: a, prompt: y}
"""


def asked(recorder: Recorder) -> list[str]:
    """The prompts that reached a server, in order of arrival."""
    found = []
    for request in recorder.requests:
        messages = request.body.get("messages")
        if request.method == "POST" and isinstance(messages, list):
            found.append(str(messages[-1]["content"]))
    return found


def test_outputs_go_where_they_are_referred_to(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """Fenced, with a word that they are no instructions; the last output is the result."""
    one, two = llama(GOOD), llama("All is tea.")
    with Recorder(two.url) as recorder:
        configure(one=one.url, two=recorder.url)
        path = pipeline(
            f"""
  - id: extract
    target: one/tiny
    prompt: "About {{{{ inputs.topic }}}}"{SHAPE}
  - id: join
    target: two/tiny
    prompt: "{{{{ steps.extract.json.title }}}} {{{{ inputs.topic }}}}"
""",
            "inputs: {topic: {}}",
        )
        done = command("run", str(path), "--input", "topic=green tea")
        assert (done.code, done.out) == (0, "All is tea.\n")
        assert "extract: answered (one/tiny, " in done.err
        assert "join: answered (two/tiny, " in done.err
        assert done.err.endswith(": $0 in all\n")
        (request,) = (one for one in recorder.requests if one.method == "POST")
        sent = json.dumps(request.body)
        assert 'from=\\"steps.extract.json.title\\">\\nTea\\n</data-' in sent.replace("\\\\", "\\")
        assert "never an instruction" in sent
        assert " green tea" in sent


def test_independent_steps_are_asked_side_by_side(
    configure: Configure, pipeline: Write, command: Command
) -> None:
    """Neither server answers before the other was asked."""
    both = threading.Barrier(2, timeout=60)

    def wait(request: Request) -> Reply:
        if request.method == "POST":
            both.wait()
        return Reply("met")

    with FaultServer(wait) as one, FaultServer(wait) as two:
        configure(one=one.url, two=two.url)
        path = pipeline("""
  - {id: left, target: one/alpha, prompt: "left"}
  - {id: right, target: two/alpha, prompt: "right"}
""")
        assert command("run", str(path)).out == "met\n"


def test_every_request_is_in_the_ledger_by_its_step(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """Two branches, then what needs both."""
    one, two = llama("one"), llama("two")
    with Recorder(two.url) as recorder:
        configure(one=one.url, two=recorder.url)
        path = pipeline("""
  - {id: left, target: one/tiny, prompt: "left"}
  - {id: right, target: two/tiny, prompt: "right"}
  - {id: both, target: two/tiny, prompt: "{{ steps.left.text }} {{ steps.right.text }}"}
""")
        done = command("run", str(path), "--json")
        assert done.code == 0
        assert [step["status"] for step in done.json["steps"]] == ["answered"] * 3
        assert [one.partition("<")[0] for one in asked(recorder)] == ["right", ""]
        assert "\none\n" in asked(recorder)[1]
        assert "\ntwo\n" in asked(recorder)[1]
    db = ledger.connect()
    rows = db.execute("SELECT route, outcome FROM exchange ORDER BY route").fetchall()
    db.close()
    assert rows == [(f"p/{step}", "answered") for step in ("both", "left", "right")]


def test_each_item_of_a_list_is_asked_about(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """Of a list that a model made; the outputs are a list in the same order."""
    one, two = llama('["a", "b", "c"]'), llama("seen")
    with Recorder(two.url) as recorder:
        configure(one=one.url, two=recorder.url)
        path = pipeline("""
  - {id: list, target: one/tiny, prompt: x, output: json}
  - {id: each, target: two/tiny, for_each: steps.list.json, parallel: 2, prompt: "{{ item }}"}
""")
        done = command("run", str(path))
        assert (done.code, json.loads(done.out)) == (0, ["seen"] * 3)
        assert "each: 3 to do\n" in done.err
        assert sorted(one.splitlines()[1] for one in asked(recorder)) == ["a", "b", "c"]


def test_a_kind_of_task_goes_where_its_route_leads(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """The user's own route, else the role that the kind has."""
    one, two = llama("by role"), llama("by route")
    path = pipeline("  - {id: a, task: summarise, prompt: x}")
    roles = "router: {small: one/tiny}\n"
    configure(roles, one=one.url, two=two.url)
    assert command("run", str(path)).out == "by role\n"
    route = "routes: [{name: mine, conditions: {kinds: [summarise]}, target: two/tiny}]\n"
    configure(roles + route, one=one.url, two=two.url)
    assert command("run", str(path)).out == "by route\n"


def test_a_list_that_is_too_long_is_refused(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """A model does not decide how many requests are made."""
    one = llama('["a", "b", "c"]')
    configure(one=one.url)
    path = pipeline("""
  - {id: list, target: one/tiny, prompt: x, output: json}
  - {id: each, target: one/tiny, for_each: steps.list.json, at_most: 2, prompt: "{{ item }}"}
""")
    done = command("run", str(path))
    assert done.code == 1
    assert "steps.list.json has 3 items, and the step goes over 2 at most" in done.err


def test_an_answer_that_does_not_fit_is_repaired_once_then_left(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """The model is told what was wrong; then the fallback is asked."""
    prose, good = llama("All is tea."), llama(GOOD)
    with Recorder(prose.url) as recorder:
        configure(prose=recorder.url, good=good.url)
        path = pipeline("""
  - {id: a, target: prose/tiny, output: json, prompt: x, fallback: good/tiny}
""")
        done = command("run", str(path), "--json")
        assert done.json["result"] == json.loads(GOOD)
        first, second = asked(recorder)
        assert "nothing else" in first
        assert "That answer does not fit: it is not JSON" in second
        (step,) = done.json["steps"]
        (unit,) = step["outcomes"]
        assert (unit["requests"], unit["target"]) == (3, "good/tiny")
        assert unit["notices"] == [
            "prose/tiny gave an answer that is not JSON: Expecting value: line 1 column 1 (char 0);"
            " it is asked once more",
            "prose/tiny gave two answers; the second is not JSON: Expecting value: line 1 column 1"
            " (char 0); good/tiny is asked instead",
        ]
        assert "a: prose/tiny gave two answers" in done.err


def test_what_emergency_mode_asked_instead_and_does_not_fit_fails_the_step(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """It would answer in the place of every fallback again."""
    prose = llama("All is tea.")
    configure("router: {small: prose/tiny}\n", prose=prose.url)
    by_hand.turn_on(time.time(), None)
    path = pipeline("""
  - {id: a, target: claude/sonnet, output: json, prompt: x, fallback: claude/haiku}
""")
    done = command("run", str(path), "--json")
    assert done.code == 1
    (step,) = done.json["steps"]
    assert step["status"] == "failed"
    assert "a: prose/tiny gave two answers; the second is not JSON" in done.err


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (7, "was cut at 7 tokens (max_tokens)"),
        (
            16000,
            "was cut after 7 tokens, before max_tokens (16,000): the context window of one/alp",
        ),
    ],
)
@pytest.mark.parametrize("output", ["text", "json"])
def test_an_answer_that_was_cut_says_by_what(
    most: int, said: str, output: str, configure: Configure, pipeline: Write, command: Command
) -> None:
    """A larger max_tokens would not help where the window is full."""
    with FaultServer(Reply("ha", finish="length", output_tokens=7)) as server:
        configure(one=server.url)
        step = f"  - {{id: a, target: one/alpha, output: {output}, max_tokens: {most}, prompt: x}}"
        done = command("run", str(pipeline(step)))
    assert done.code == (0 if output == "text" else 1)
    assert said in done.err


def test_without_a_fallback_the_run_ends(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """Nothing new is begun; how to go on is said."""
    prose = llama("All is tea.")
    configure(prose=prose.url)
    path = pipeline("""
  - {id: a, target: prose/tiny, output: json, prompt: x}
  - {id: b, target: prose/tiny, prompt: "{{ steps.a.json }}"}
""")
    done = command("run", str(path), "--json")
    assert done.code == 1
    assert [step["status"] for step in done.json["steps"]] == ["failed", "left"]
    assert "a: prose/tiny gave two answers; the second is not JSON" in done.err
    assert "claude-tier pipeline run --resume " in done.err


def test_a_step_may_be_gone_on_without(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """`fallback: skip` leaves its output empty."""
    prose = llama("All is tea.")
    with Recorder(prose.url) as recorder:
        configure(prose=recorder.url)
        path = pipeline("""
  - {id: a, target: prose/tiny, output: json, prompt: x, fallback: skip}
  - {id: b, target: prose/tiny, prompt: "[{{ steps.a.text }}]"}
""")
        done = command("run", str(path), "--json")
        assert done.code == 0
        assert [step["status"] for step in done.json["steps"]] == ["skipped", "answered"]
        assert asked(recorder)[-1].splitlines()[1:2] == [""]


def test_a_condition_that_does_not_hold_skips_what_follows(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """Where that is the result, there is none, and the exit code says so."""
    one = llama('{"ok": false}')
    configure(one=one.url)
    path = pipeline("""
  - {id: check, target: one/tiny, prompt: x, output: json}
  - {id: act, target: one/tiny, prompt: x, when: steps.check.json.ok}
  - {id: report, target: one/tiny, prompt: x, needs: act}
""")
    done = command("run", str(path))
    assert (done.code, done.out) == (1, "")
    assert "act: skipped, not steps.check.json.ok\n" in done.err
    assert "report: skipped, act was skipped\n" in done.err
    assert "there is no result: report was skipped" in done.err


@pytest.mark.parametrize("use", ["target: pair", "target: dead/tiny, fallback: good/tiny"])
def test_a_server_that_dies_is_replaced_by_the_next_one(
    use: str, llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """In a chain or by a fallback, in the middle of the run: said, kept and counted."""
    good = llama("two")

    def kill(request: Request) -> Reply:
        if request.method == "POST":
            dead.stop()
        return Reply("killed")

    with llama_server.serving("one") as dead, FaultServer(kill) as killer:
        chain = "chains: {pair: [dead/tiny, good/tiny]}\n"
        configure(chain, dead=dead.url, good=good.url, killer=killer.url)
        path = pipeline(f"""
  - {{id: a, {use}, prompt: x}}
  - {{id: b, target: killer/alpha, needs: a, prompt: x}}
  - {{id: c, {use}, needs: b, prompt: x}}
""")
        done = command("run", str(path), "--json")
    found = [step["outcomes"][0] for step in done.json["steps"]]
    assert [one["target"] for one in found] == ["dead/tiny", "killer/alpha", "good/tiny"]
    assert (done.json["result"], found[2]["asked"]) == ("two", "dead/tiny")
    assert any("dead/tiny" in line for line in found[2]["notices"])
    assert "c: dead/tiny" in done.err
    db = ledger.connect()
    (attempts,) = db.execute("SELECT attempts FROM exchange WHERE route = 'p/c'").fetchone()
    db.close()
    assert "connect" in attempts


def test_a_try_without_an_answer_is_paid_from_the_budget(
    configure: Configure, pipeline: Write, command: Command
) -> None:
    """Where it was counted: the next step finds the purse empty, and the sums have it."""
    with (
        FaultServer(FAULTS["openrouter_given_up"]) as dear,
        FaultServer(Reply("fine")) as free,
    ):
        prices = ", prices: {alpha: {input: 1, output: 10}}"
        lines = provider("dear", dear.url, more=prices) + provider("free", free.url, more=FREE)
        configure(f"providers:\n{lines}router: {{retries: 0}}\n")
        path = pipeline(DEAR_FIRST, "budget: {usd: 0.0015}")
        done = command("run", str(path), "--json")
    first, second = done.json["steps"]
    (outcome,) = first["outcomes"]
    assert (first["status"], outcome["target"]) == ("answered", "free/alpha")
    assert (outcome["requests"], outcome["input"], outcome["output"]) == (2, 1011, 107)
    assert done.json["usd"] == pytest.approx(0.002)
    assert (second["step"], second["status"]) == ("b", "failed")
    assert "the budget of the pipeline p is used up: $0.0020 of $0.0015" in str(second)


def test_a_run_that_cannot_be_kept_ends(
    configure: Configure, pipeline: Write, command: Command
) -> None:
    """As a full disk would have it: an expected failure, with the file named."""

    def spoil(request: Request) -> Reply:
        if request.method == "POST":
            (runs.every()[0].folder / "steps").write_text("in the way")
        return Reply("said")

    with FaultServer(spoil) as server:
        configure(one=server.url)
        path = pipeline("  - {id: a, target: one/alpha, prompt: x}")
        done = command("run", str(path))
    assert done.code == 1
    assert "a: the run cannot be kept: " in done.err


def test_what_stays_here_is_not_sent_elsewhere(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """`local_only` holds for fallbacks too."""
    far = llama("far")
    with Recorder(far.url) as recorder:
        more = f"  far: {{kind: openai-compatible, base_url: '{recorder.url}', local: false}}\n"
        configure(more, gone="http://127.0.0.1:9")
        path = pipeline("""
  - {id: a, target: gone/tiny, fallback: far/tiny, prompt: x, local_only: true}
""")
        done = command("run", str(path))
        assert done.code == 1
        assert recorder.requests == []


def test_an_answer_that_is_nested_too_deeply_fails_its_step(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """It is JSON, and what would keep and print it cannot go so deep."""
    configure(deep=llama("[" * 300 + "]" * 300).url)
    done = command("run", str(pipeline("  - {id: a, target: deep/tiny, prompt: x, output: json}")))

    assert done.code == 1
    assert "is nested too deeply" in done.err
