"""The repository as the plugin `model-tier`, in the real client and without the command."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.livecheck import Client, Run, Script, ScriptedAPI, spawn, text
from claude_tier_hooks import __version__
from shipped import ROOT

from .command import install
from .conftest import Serve

PLUGIN = ("--plugin-dir", str(ROOT))
PARTS = (".claude-plugin", "agents", "hooks", "skills", "README.md")


def exploring(*names: str) -> Script:
    """The main session spawns Explore once for each task."""
    return Script().on("start", [spawn(name, subagent_type="Explore") for name in names])


def models(api: ScriptedAPI) -> dict[str, str]:
    """prompt -> model of each subagent."""
    asked = [one.request for one in api.requests if one.request.asker == "subagent"]
    return {request.prompt: request.model for request in asked}


def rows(client: Client, query: str) -> list[tuple[object, ...]]:
    ledger = client.home / ".claude/claude-tier/ledger.db"
    with closing(sqlite3.connect(ledger)) as db:
        return db.execute(query).fetchall()


def hook_answers(run: Run, event: str) -> list[str]:
    """What each hook of an event printed, with `--include-hook-events`."""
    ended = [one for one in run.events if one.get("subtype") == "hook_response"]
    return [str(one["stdout"]) for one in ended if one["hook_event"] == event]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The plugin's own files, in a folder whose name is no plain word."""
    folder = tmp_path / "it's a plugin, é"
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            litter = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / part, ignore=litter)
        else:
            shutil.copy(source, folder)
    return folder


def test_the_client_finds_no_fault_in_the_plugin(client: Client, serve: Serve) -> None:
    """`claude plugin validate --strict .` passes, and lists every part."""
    run = client.run("plugin", "validate", "--strict", "--json", str(ROOT), api=serve(Script()))

    report = json.loads(run.stdout)
    assert (run.returncode, report["success"]) == (0, True)
    assert report["manifest"]["errors"] == report["manifest"]["warnings"] == []
    assert len(report["provides"]["agents"]) == 6
    skills = ["budget", "heartbeat", "pipelines", "tiering"]
    assert report["provides"]["skills"] == [f"model-tier:{name}" for name in skills]
    assert report["hosts"]["named"] == []


def test_the_plugin_has_the_version_of_the_package() -> None:
    """One version, in both places."""
    manifest = json.loads((ROOT / ".claude-plugin/plugin.json").read_bytes())
    assert (manifest["name"], manifest["version"]) == ("model-tier", __version__)


def test_a_plugin_folder_assigns_and_counts_without_the_command(
    client: Client, serve: Serve
) -> None:
    """The shipped defaults: Explore on haiku, each request in the ledger."""
    api = serve(exploring("look"))

    run = client.run("-p", "start", *PLUGIN, api=api)

    assert models(api) == {"look": "claude-haiku-5-5"}
    listed = rows(client, "SELECT action, set_tier FROM decision")
    assert listed == [("assigned", "haiku")]
    (tokens,) = rows(client, "SELECT sum(input_tokens), sum(output_tokens) FROM usage")
    usage = run.result["modelUsage"]
    assert isinstance(usage, dict)
    assert tokens == tuple(
        sum(one[kind] for one in usage.values()) for kind in ("inputTokens", "outputTokens")
    )


def test_a_marketplace_install_works_the_same(client: Client, serve: Serve, copy: Path) -> None:
    """Added as a local marketplace, installed by name, and taken out again."""
    api = serve(exploring("look"))
    client.run("plugin", "marketplace", "add", str(copy), api=api)
    added = client.run("plugin", "install", "model-tier@model-tier", api=api)
    assert added.returncode == 0, added.stdout + added.stderr

    client.run("-p", "start", api=api)
    client.run("plugin", "uninstall", "model-tier@model-tier", api=api)
    client.run("-p", "start", api=(after := serve(exploring("look"))))

    assert models(api) == {"look": "claude-haiku-5-5"}
    assert "model-tier:explorer" in api.requests[0].request.conversation
    assert models(after) == {"look": "claude-opus-5-5"}


def test_with_the_command_installed_too_each_spawn_is_decided_once(
    client: Client, serve: Serve
) -> None:
    """Both copies run; one of them answers, the other says nothing."""
    install(client.home)
    tasks = ("one", "two", "three")
    api = serve(exploring(*tasks))

    output = ("--output-format", "stream-json", "--verbose", "--include-hook-events")
    run = client.run("-p", "start", *PLUGIN, *output, api=api)

    assert models(api) == dict.fromkeys(tasks, "claude-haiku-5-5")
    assert rows(client, "SELECT count(*) FROM decision") == [(3,)]
    answers = hook_answers(run, "PreToolUse")
    assert (len(answers), len(list(filter(None, answers)))) == (6, 3)
    assert api.requests[0].request.conversation.count("claude-tier: delegate work") == 1


@pytest.fixture
def no_python(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A PATH with what the client and its plugins need, and no python3."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "bash", "git", "nsenter"):
        program = shutil.which(name)
        if program:
            (folder / name).symlink_to(program)
    return {"PATH": str(folder)}


def test_without_python3_the_session_goes_on(
    client: Client, serve: Serve, no_python: dict[str, str]
) -> None:
    """Nothing is denied, no error is shown, and the user is told once."""
    api = serve(Script().on("start", spawn("look", subagent_type="Explore"), text("ok")))

    output = ("--output-format", "stream-json", "--verbose", "--include-hook-events")
    run = client.run("-p", "start", *PLUGIN, *output, api=api, env=no_python)

    assert models(api) == {"look": "claude-opus-5-5"}
    assert run.stderr == ""
    said = [
        answer for event in ("SessionStart", "PreToolUse") for answer in hook_answers(run, event)
    ]
    assert ["no python3 on PATH" in answer for answer in said] == [True, False]


def test_a_plugin_removed_under_a_session_blocks_nothing(
    client: Client, serve: Serve, copy: Path
) -> None:
    """The folder of an old version is swept away while sessions still use it."""
    shutil.rmtree(copy / "hooks/claude_tier_hooks")
    for script in (copy / "hooks").glob("*.py"):
        script.unlink()
    api = serve(exploring("look"))

    run = client.run("-p", "start", "--plugin-dir", str(copy), api=api)

    assert models(api) == {"look": "claude-opus-5-5"}
    assert run.stderr == ""
