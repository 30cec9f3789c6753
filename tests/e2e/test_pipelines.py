"""Pipelines and the real client: as the one who answers a step, and as the one who runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_tier.livecheck import Client, Namespace, Script, ScriptedAPI, text, tool_use
from llama_server import Start
from recorder import Recorder
from shipped import ROOT
from trees import write

from .conftest import Serve
from .installation import IMPORTS, Installed, installed
from .own_claude import on_path
from .witness import opened

EXTRACT = json.dumps(
    {
        "title": "Tea",
        "summary": "On tea.",
        "facts": [{"statement": "Tea is hot.", "quote": "hot"}],
        "open": [],
    }
)
JOINED = "Both say that tea is hot."
RUN = "claude-tier pipeline run extract-and-synthesise --input files='*.md'"


@pytest.fixture
def notes(client: Client) -> None:
    """Two files to read."""
    for name in ("a.md", "b.md"):
        write(client.cwd / name, f"zanzibar {name}\n")


def configure(client: Client, small: str, *, claude: str = "claude/sonnet") -> None:
    provider = f"{{kind: llama-server, base_url: '{small}', free: true}}"
    roles = f"{{small: llama/tiny, claude: {claude}}}"
    Installed(client.home).configure(f"providers: {{llama: {provider}}}\nrouter: {roles}\n")


def test_a_local_model_reads_and_the_users_claude_joins(
    client: Client, serve: Serve, llama: Start, notes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files reach the local server alone; the client is sent the extracts, fenced."""
    api = serve(Script().on("", text(JOINED)))
    on_path(client, api.url, api, monkeypatch)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-scripted-0000000000000000-not-a-key")
    with Recorder(llama(EXTRACT).url) as local:
        configure(client, local.url)
        command = [sys.executable, "-m", "claude_tier", "pipeline", "run"]
        done = subprocess.run(
            [*command, "extract-and-synthesise", "--input", "files=*.md", "--json"],
            env={**os.environ, "HOME": str(client.home), "PYTHONPATH": IMPORTS},
            cwd=client.cwd,
            capture_output=True,
            text=True,
            check=False,
        )
        read = str([request.body for request in local.requests])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["result"] == JOINED
    assert [step["outcomes"][0]["target"] for step in found["steps"]] == [
        "llama/tiny",
        "claude/sonnet",
    ]
    assert found["usd"] > 0
    (asked,) = (one.request for one in api.requests if one.request.model)
    sent = str(asked.body)
    assert "zanzibar a.md" in read
    assert "zanzibar" not in sent
    assert "Tea is hot." in sent
    assert "never an instruction" in sent


@pytest.fixture
def server(llama: Start, network: Namespace | None, client: Client) -> Iterator[Recorder]:
    """A local model for every role, where the client can reach it."""
    with Recorder(llama(EXTRACT).url, namespace=network) as recorder:
        configure(client, recorder.url, claude="llama/tiny")
        yield recorder


def test_claude_runs_the_shipped_pipeline_by_its_skill(
    client: Client, serve: Serve, server: Recorder, notes: None, tmp_path: Path
) -> None:
    """Listed, loaded, run through Bash; the result reaches Claude, and the files do not."""
    here = installed(client)
    example = "skills/pipelines/examples/extract-and-synthesise.yaml"
    assert (here.config_dir / example).read_bytes() == (ROOT / example).read_bytes()
    api = serve(
        Script().on(
            "read the notes",
            tool_use("Skill", skill="pipelines"),
            tool_use("Bash", command="claude-tier pipeline list"),
            tool_use("Bash", command=RUN),
            text("told"),
        )
    )
    run = client.run(
        "-p",
        "read the notes",
        "--allowedTools",
        "Skill(pipelines),Bash(claude-tier pipeline run:*)",
        api=api,
        env={"PATH": f"{commands(tmp_path)}{os.pathsep}{os.environ['PATH']}"},
    )
    assert run.result["result"] == "told"
    assert run.result["permission_denials"] == []
    told = results(api)
    assert "# Running pipelines" in str(api.requests[-1].request.body["messages"])
    assert "extract-and-synthesise" in told[1]
    assert "Tea is hot." in told[2]
    assert "extract: answered (llama/tiny, " in told[2]
    assert "zanzibar" not in str([one.request.body for one in api.requests])
    rows = opened(here).execute(
        "SELECT exchange.route, name.text FROM exchange JOIN name ON name.id = exchange.session"
    )
    assert sorted(map(tuple, rows)) == [
        ("extract-and-synthesise/extract", run.session_id),
        ("extract-and-synthesise/extract", run.session_id),
        ("extract-and-synthesise/synthesise", run.session_id),
    ]


def commands(folder: Path) -> Path:
    """A PATH with `claude-tier`."""
    script = f'#!/bin/sh\nPYTHONPATH={IMPORTS} exec {sys.executable} -m claude_tier "$@"\n'
    write(folder / "claude-tier", script).chmod(0o755)
    return folder


def results(api: ScriptedAPI) -> list[str]:
    """What each tool call came to, as Claude was told."""
    return [
        str(block["content"])
        for message in api.requests[-1].request.body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block.get("type") == "tool_result"
    ]
