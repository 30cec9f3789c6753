"""Dry runs: what would be asked and what it would cost, without asking."""

from __future__ import annotations

import time

import pytest
from claude_tier.pipelines import runs
from claude_tier.routing import by_hand
from llama_server import Start
from recorder import Recorder
from syrupy.assertion import SnapshotAssertion

from .conftest import Command, Configure, Write

STEPS = """
  - {id: list, target: free, prompt: "{{ inputs.topic }}", output: json, max_tokens: 100}
  - {id: each, target: dear/x, for_each: steps.list.json, at_most: 10, prompt: "{{ item }}"}
  - {id: odd, target: odd/x, prompt: "x", when: steps.list.json.ok}
  - {id: save, write: {path: out.md, content: "{{ steps.odd.text }}"}}
"""
MORE = """
  dear:
    kind: openai-compatible
    base_url: http://127.0.0.1:9
    prices: {x: {input: 10, output: 100}}
  odd: {kind: llama-server, base_url: "http://127.0.0.1:10"}
chains: {free: [local/tiny, dear/x]}
"""


@pytest.fixture
def recorder(llama: Start, configure: Configure) -> Recorder:
    recorder = Recorder(llama("x").url)
    configure(MORE.lstrip("\n"), local=recorder.url)
    return recorder


def test_a_dry_run_asks_nobody_and_keeps_nothing(
    recorder: Recorder, pipeline: Write, command: Command
) -> None:
    """By the server's own record."""
    with recorder:
        done = command(
            "run", str(pipeline(STEPS, "inputs: {topic: {}}")), "-i", "topic=x", "--dry-run"
        )
        assert done.code == 0
        assert recorder.requests == []
    assert runs.every() == ()


def test_the_plan_says_order_targets_and_estimates(
    recorder: Recorder, pipeline: Write, command: Command, snapshot: SnapshotAssertion
) -> None:
    """And what no price is known for."""
    path = pipeline(STEPS, "inputs: {topic: {}}")
    with recorder:
        done = command("run", str(path), "-i", "topic=green tea", "--dry-run")
    assert done.out == snapshot


def test_each_request_is_priced_by_itself(
    recorder: Recorder, pipeline: Write, command: Command
) -> None:
    """Ten prompts with the list's 100 tokens among them, and ten answers of 4096."""
    path = pipeline(STEPS, "inputs: {topic: {}}")
    with recorder:
        found = command("run", str(path), "-i", "topic=x", "--dry-run", "--json").json
    steps = {step["step"]: step for step in found["steps"]}
    each = steps["each"]
    assert (found["estimate"], found["unpriced"]) == (True, ["odd"])
    assert (each["requests"], each["at_most"], each["after"]) == (10, True, ["list"])
    assert 100 < each["prompt_tokens"] < 1000
    assert each["usd"] == pytest.approx(each["prompt_tokens"] * 10e-6)
    assert each["usd_most"] == pytest.approx(each["usd"] + 10 * 4096 * 100e-6)
    assert steps["list"]["usd_most"] == 0
    assert steps["odd"]["usd"] is None


def test_emergency_mode_is_in_the_plan(
    recorder: Recorder, pipeline: Write, command: Command
) -> None:
    """Who is not asked is not listed and not priced; the reason is said once."""
    by_hand.turn_on(time.time(), None)
    paid = """
  - {id: any, target: free, prompt: x}
  - {id: own, target: claude/sonnet, prompt: x}
"""
    path = str(pipeline(paid))
    with recorder:
        found = command("run", path, "--dry-run", "--json").json
        assert recorder.requests == []
        said = command("run", path, "--dry-run").out
    free, own = found["steps"]
    assert free["targets"] == ["local/tiny"]
    assert (own["targets"], own["requests"], own["usd"]) == ([], 0, 0)
    assert [*free["why_not"], *own["why_not"]] == ["dear/x", "claude/sonnet"]
    assert "dear/x, claude/sonnet may not be asked: emergency mode, " in said
    assert "Nobody may be asked for own." in said


def test_a_step_that_stays_here_is_planned_here(
    recorder: Recorder, pipeline: Write, command: Command
) -> None:
    """As the run would have it."""
    path = str(pipeline("  - {id: a, target: free, local_only: true, prompt: x}"))
    with recorder:
        (step,) = command("run", path, "--dry-run", "--json").json["steps"]
    assert step["targets"] == ["local/tiny"]
    assert step["why_not"] == {"dear/x": "this prompt stays on this machine"}
