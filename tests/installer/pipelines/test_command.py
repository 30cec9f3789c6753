"""The command: budgets, what is listed, shown and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from claude_tier import paths
from claude_tier.pipelines import runs
from fault_server import FaultServer, Reply
from llama_server import Start
from recorder import Recorder

from .conftest import Command, Configure, Write

PRICED = """
  paid:
    kind: openai-compatible
    base_url: {url}
    prices: {{alpha: {{input: 1000, output: 1000}}}}
"""
TWO = """
  - {id: a, target: paid/alpha, prompt: "x"}
  - {id: b, target: paid/alpha, prompt: "{{ steps.a.text }}"}
"""


def priced(server: FaultServer) -> str:
    """A provider whose tokens cost a tenth of a cent each."""
    return "providers:" + PRICED.format(url=server.url)


def test_a_step_that_is_too_dear_is_not_asked(
    configure: Configure, pipeline: Write, command: Command
) -> None:
    """By its estimate, before the request."""
    with FaultServer(Reply()) as server:
        configure(priced(server))
        steps = f'  - {{id: a, target: paid/alpha, budget: {{usd: 0.01}}, prompt: "{"x" * 300}"}}'
        done = command("run", str(pipeline(steps)))
        assert done.code == 1
        assert "refused by the budget of the step a: paid/alpha was left out" in done.err
        assert server.requests == []


def test_what_goes_beyond_the_option_is_refused_by_its_name(
    configure: Configure, pipeline: Write, command: Command
) -> None:
    """No pipeline has a budget then."""
    with FaultServer(Reply()) as server:
        configure(priced(server))
        done = command("run", str(pipeline(TWO)), "--max-usd", "0.00001")
        assert done.code == 1
        assert "refused by --max-usd: paid/alpha was left out" in done.err
        assert server.requests == []


@pytest.mark.parametrize(
    ("how", "named"), [("budget", "the budget of the pipeline p"), ("option", "--max-usd")]
)
def test_what_was_spent_ends_the_run_before_the_next_step(
    how: str, named: str, configure: Configure, pipeline: Write, command: Command
) -> None:
    """18 tokens are 1.8 cents; the first step had its answer, and it is kept."""
    with FaultServer(Reply(input_tokens=11, output_tokens=7)) as server:
        configure(priced(server))
        path = pipeline(TWO, "budget: {usd: 0.015}" if how == "budget" else "")
        limit = [] if how == "budget" else ["--max-usd", "0.015"]
        done = command("run", str(path), *limit, "--json")
        assert done.code == 1
        assert done.json["usd"] == pytest.approx(0.018)
        assert f"{named} is used up: $0.0180 of $0.015" in done.err
        assert len(server.requests) == 1
        again = command("run", "--resume", done.json["run"])
        assert again.code == 1
        more = command("run", "--resume", done.json["run"], "--max-usd", "1", "--json")
        assert (more.code, len(server.requests)) == ((1, 1) if how == "budget" else (0, 2))


def test_what_a_killed_run_has_cost_is_not_forgotten(
    configure: Configure, pipeline: Write, command: Command
) -> None:
    """Its record may lack what its outcomes have."""
    with FaultServer(Reply(input_tokens=11, output_tokens=7)) as server:
        configure(priced(server))
        path = pipeline(TWO.splitlines()[1])
        run = command("run", str(path), "--json").json["run"]
        runs.find(run).note(spent=None, unpriced=None)
        pipeline(TWO)
        done = command("run", "--resume", run, "--max-usd", "0.015")
        assert done.code == 1
        assert "is used up: $0.0180 of $0.015" in done.err
        assert len(server.requests) == 1


def test_a_repaired_answer_is_paid_twice(
    configure: Configure, pipeline: Write, command: Command
) -> None:
    """Both requests are in the step's figures."""
    answers = [
        Reply("no JSON", input_tokens=10, output_tokens=5),
        Reply("[1]", input_tokens=30, output_tokens=1),
    ]
    with FaultServer(answers) as server:
        configure(priced(server))
        path = pipeline("  - {id: a, target: paid/alpha, output: json, prompt: x}")
        done = command("run", str(path), "--json")
    (unit,) = done.json["steps"][0]["outcomes"]
    assert (done.json["result"], unit["requests"], unit["input"], unit["output"]) == ([1], 2, 40, 6)
    assert done.json["usd"] == pytest.approx(0.046)


def test_a_run_is_shown_with_what_each_step_said(
    llama: Start, configure: Configure, pipeline: Write, command: Command
) -> None:
    """The table, one step's text, and all of it as JSON."""
    configure(one=llama("All is tea.").url)
    path = pipeline("  - {id: a, target: one/tiny, prompt: x}")
    run = command("run", str(path), "--json").json["run"]
    assert "answered" in command("show", run).out
    assert command("show", run, "--step", "a").out == "All is tea.\n"
    assert command("show", run[:-2], "--json").json["outcomes"][0]["text"] == "All is tea."
    assert command("show", run, "--step", "b").code == 1
    (listed,) = command("runs", "--json").json["runs"]
    assert (listed["run"], listed["ended"], listed["pipeline"]) == (run, "done", "p")


def test_a_pipeline_is_checked_without_being_run(pipeline: Write, command: Command) -> None:
    """Order, or every mistake."""
    good = pipeline("  - {id: a, target: claude, prompt: x}")
    assert command("check", str(good)).out == f"{good}: p can be run: a\n"
    done = command("check", str(pipeline("  - {id: a, target: nobody/x, prompt: x}", name="q")))
    assert done.code == 1
    assert "q.yaml:5:" in done.err


def test_the_list_has_the_shipped_and_the_users_own(command: Command) -> None:
    """One that cannot be used is there with its fault."""
    folder = paths.state_dir() / "pipelines"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("name: mine")
    found = {one["name"]: one for one in command("list", "--json").json["pipelines"]}
    assert set(found) == {"change", "extract-and-synthesise", "mine"}
    assert found["change"]["shipped"]
    assert "steps: is required" in found["mine"]["fault"]
    listed = command("list").out
    assert "extract-and-synthesise" in listed
    assert "2 mistakes: claude-tier pipeline check mine" in listed
    assert "is required" not in listed


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "x.yaml", "--resume", "1", "--dry-run"),
        ("run", "x.yaml", "--max-usd", "0"),
        ("forget",),
        ("forget", "x", "--older", "1d"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], command: Command) -> None:
    """Before anything is looked at."""
    assert command(*arguments).code == 2


def test_the_shipped_extraction_runs_on_local_models(
    llama: Start, configure: Configure, command: Command, work: Path
) -> None:
    """`small` reads each file, `claude` joins: by name, with files by pattern."""
    said = {"title": "Tea", "summary": "s", "facts": [{"statement": "a", "quote": "b"}], "open": []}
    joined = llama("All is tea.")
    with FaultServer(Reply(json.dumps(said))) as small, Recorder(joined.url) as recorder:
        roles = "router: {small: one/alpha, claude: two/tiny}\n"
        configure(roles, one=small.url, two=recorder.url)
        for name in ("a.md", "b.md"):
            (work / name).write_text(f"text of {name}")
        done = command("run", "extract-and-synthesise", "-i", "files=*.md")
        assert (done.code, done.out) == (0, "All is tea.\n")
        assert len(small.requests) == 2
        last = json.dumps(recorder.requests[-1].body)
        assert "extract: a.md" in last
        assert "extract: b.md" in last


@pytest.mark.parametrize("valid", [True, False])
def test_the_shipped_change_is_applied_only_if_it_was_found_valid(
    valid: bool, configure: Configure, command: Command, work: Path
) -> None:
    """Analysed, planned, checked, written, reviewed; else nothing is written."""
    (work / "app.py").write_text("x = 1\n")
    plan = {"summary": "s", "files": [{"path": "app.py", "content": "x = 2\n"}]}
    said = ["analysis", json.dumps(plan), json.dumps({"ok": valid, "problems": []})]
    with FaultServer([Reply(text) for text in (*said, *["It does."][:valid])]) as server:
        roles = "router: {coding: one/alpha, claude: one/alpha}\n"
        configure(roles, one=server.url)
        done = command("run", "change", "-i", "task=x is 2", "-i", "files=app.py", "--yes")
    assert (work / "app.py").read_text() == ("x = 2\n" if valid else "x = 1\n")
    assert (done.code, done.out) == ((0, "It does.\n") if valid else (1, ""))
    assert valid or "apply: skipped, not steps.validate.json.ok" in done.err
