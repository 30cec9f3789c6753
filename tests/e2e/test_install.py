"""What `install` writes works in the real client, in every scope, and uninstall ends it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from claude_tier.install import interpreter
from claude_tier.livecheck import Client, Script, spawn, text
from trees import snapshot, write

from .command import claude_tier, install
from .conftest import Serve
from .installation import Installed
from .witness import HAIKU, OPUS, decisions, messages, spawning, streamed

EXPLORING = Script().on("start", spawn("the task", subagent_type="Explore"), text("ok"))


@pytest.fixture
def odd(client: Client, tmp_path: Path) -> Client:
    """A user whose home and project have every character in their names that a shell minds."""
    folder = tmp_path / "odd 'name' \"of\" $HOME & é"
    (folder / "home").mkdir(parents=True)
    (folder / "project").mkdir()
    return Client(folder / "home", binary=client.binary, cwd=folder / "project")


def test_each_scope_works_until_it_is_uninstalled(odd: Client, serve: Serve) -> None:
    """Explore runs on haiku while one is installed, and as before once none is."""
    before = snapshot(odd.cwd)
    for number, scope in enumerate(("user", "project", "local"), start=1):
        where = [] if scope == "user" else [str(odd.cwd), "--scope", scope]
        install(odd.home, *where)
        seen = spawning(odd, serve, subagent_type="Explore")
        assert seen.subagents == {"the task": HAIKU}, scope
        assert [row["proof"] for row in decisions(Installed(odd.home))] == ["held"] * number
        assert claude_tier(odd.home, "uninstall", *where).returncode == 0
        assert snapshot(odd.cwd) == before
    assert spawning(odd, serve, subagent_type="Explore").subagents == {"the task": OPUS}


def test_a_project_install_works_for_whoever_clones_it(
    odd: Client, serve: Serve, tmp_path: Path
) -> None:
    """A home that never saw claude-tier counts and assigns by the committed runtime alone."""
    install(odd.home, str(odd.cwd))
    clone = shutil.copytree(odd.cwd, tmp_path / "clone")
    (tmp_path / "other").mkdir()
    other = Client(tmp_path / "other", binary=odd.binary, cwd=clone)
    assert spawning(other, serve, subagent_type="Explore").subagents == {"the task": HAIKU}
    assert len(decisions(Installed(other.home))) == 1


def test_two_installs_decide_once(odd: Client, serve: Serve) -> None:
    """User and project hooks both fire; one of them acts."""
    install(odd.home)
    install(odd.home, str(odd.cwd))
    assert spawning(odd, serve, subagent_type="Explore").subagents == {"the task": HAIKU}
    assert len(decisions(Installed(odd.home))) == 1


def test_a_vanished_interpreter_is_told_and_the_session_goes_on(
    client: Client, serve: Serve, here: Installed
) -> None:
    """One line at the start; the subagent runs as if nothing were installed."""
    settings = here.config_dir / "settings.json"
    write(settings, settings.read_text().replace(interpreter.own_python(), "/gone/python3"))
    seen = streamed(client, serve, EXPLORING)
    (told,) = messages(seen)
    assert "claude-tier install" in told
    assert seen.subagents == {"the task": OPUS}


def test_a_deleted_state_folder_is_silent(client: Client, serve: Serve, here: Installed) -> None:
    """Hooks left in the settings by whoever removed the rest by hand block nothing."""
    shutil.rmtree(here.state)
    seen = streamed(client, serve, EXPLORING)
    assert (messages(seen), seen.subagents) == ([], {"the task": OPUS})
    assert not here.state.exists()


def test_the_users_status_line_is_still_shown(client: Client, serve: Serve) -> None:
    """In a real terminal, beside ours, and alone again after uninstalling."""
    settings = client.home / ".claude" / "settings.json"
    line = {"type": "command", "command": "echo \"my 'own' line\""}
    write(settings, json.dumps({"statusLine": line}))
    install(client.home)
    with client.terminal(api=serve(Script())) as terminal:
        terminal.wait_for("my 'own' line")
    assert claude_tier(client.home, "uninstall").returncode == 0
    assert json.loads(settings.read_bytes()) == {"statusLine": line}


def test_the_client_accepts_every_entry(client: Client, serve: Serve) -> None:
    """Its own check of the settings has nothing to say about ours."""
    install(client.home)
    said = client.run("doctor", api=serve(Script())).stdout
    assert "Running" in said
    assert "Invalid settings" not in said
