"""`install --mcp` registers the server by the client's own command, and uninstall takes it back."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import client_program
import pytest
from claude_tier.config.policy import START
from claude_tier.errors import UserError
from claude_tier.install.outcome import Outcome
from claude_tier.install.scopes import Scope, Target
from trees import snapshot, write

Run = Callable[..., Outcome]
NAME = "local-models"
ENTRY = {"type": "stdio", "command": sys.executable, "args": ["-c", START, "mcp"], "env": {}}


@pytest.fixture
def client() -> Path:
    """A `claude` that can be told of servers."""
    return client_program.put(Path(os.environ["PATH"].split(":")[0]))


@pytest.fixture
def servers(home: Path) -> Callable[[], dict[str, Any]]:
    """What it keeps for the user."""

    def read() -> dict[str, Any]:
        found: dict[str, Any] = json.loads((home / ".claude.json").read_bytes())["mcpServers"]
        return found

    return read


def keep(home: Path, **known: object) -> None:
    write(home / ".claude.json", json.dumps({"mcpServers": known}))


@pytest.mark.usefixtures("client")
def test_the_user_scope_starts_this_very_interpreter(
    install: Run, uninstall: Run, user: Target, servers: Callable[[], dict[str, Any]]
) -> None:
    """From any folder; twice is once, and afterwards nothing is registered."""
    assert "Ran claude mcp add --scope user local-models" in "\n".join(
        install(user, mcp=True).lines()
    )
    assert servers() == {NAME: ENTRY}
    assert install(user, mcp=True).calls == ()
    assert "Ran claude mcp remove --scope user local-models" in uninstall(user).lines()
    assert servers() == {}


@pytest.mark.usefixtures("client")
def test_without_the_option_nothing_is_registered(install: Run, user: Target, home: Path) -> None:
    """Nobody gets tools that they did not ask for."""
    assert install(user).calls == ()
    assert not (home / ".claude.json").exists()


@pytest.mark.usefixtures("client")
def test_a_later_install_keeps_the_registration_right(
    install: Run, user: Target, home: Path, servers: Callable[[], dict[str, Any]]
) -> None:
    """One of an interpreter that has gone is renewed, one that was removed comes back."""
    install(user, mcp=True)
    older = ["-c", "from claude_tier.cli import main; main()", "mcp"]
    keep(home, **{NAME: {"command": "/gone/python", "args": older}, "mine": {"command": "x"}})
    assert len(install(user).calls) == 2
    assert servers() == {"mine": {"command": "x"}, NAME: ENTRY}
    keep(home)
    install(user)
    assert servers() == {NAME: ENTRY}


@pytest.mark.usefixtures("client")
def test_variables_that_the_user_gave_the_server_are_not_lost(
    install: Run, user: Target, home: Path, servers: Callable[[], dict[str, Any]]
) -> None:
    """A renewal could pass a key on only where every process sees it."""
    install(user, mcp=True)
    entry = {"command": "/gone/python", "args": ENTRY["args"], "env": {"LAN_KEY": "sk-1"}}
    keep(home, **{NAME: entry})
    outcome = install(user, mcp=True)
    assert outcome.calls == ()
    assert "variables of your own" in "\n".join(outcome.lines())
    assert "sk-1" not in "\n".join(outcome.lines())
    assert servers() == {NAME: entry}


@pytest.mark.usefixtures("client")
def test_another_server_of_that_name_is_left_alone(
    install: Run, uninstall: Run, user: Target, home: Path, state: Path
) -> None:
    """Install refuses and changes nothing; uninstall passes it by."""
    keep(home, **{NAME: {"command": "theirs", "args": ["mcp"]}})
    before = (home / ".claude.json").read_bytes()
    with pytest.raises(UserError, match="another MCP server named local-models") as caught:
        install(user, mcp=True)
    assert "claude mcp remove --scope user local-models" in str(caught.value.hint)
    assert not (state / "manifest.json").exists()
    uninstall(user)
    assert (home / ".claude.json").read_bytes() == before


def test_without_a_client_nothing_is_done(install: Run, user: Target, state: Path) -> None:
    """No command of the client that is missing stands in the hint."""
    with pytest.raises(UserError, match="no `claude` on PATH") as caught:
        install(user, mcp=True)
    assert "claude mcp add" not in str(caught.value.hint)
    assert "`claude-tier install DIR --mcp` writes the .mcp.json" in str(caught.value.hint)
    assert not (state / "manifest.json").exists()


def test_a_client_that_fails_is_quoted(
    install: Run, user: Target, client: Path, state: Path
) -> None:
    """The rest is installed, and the next install tries again."""
    write(client, "#!/bin/sh\necho 'no room' >&2\nexit 1\n")
    with pytest.raises(UserError, match="failed: no room; run it yourself: claude mcp add"):
        install(user, mcp=True)
    assert (state / "hooks/stop.py").exists()
    client_program.put(client.parent)
    assert len(install(user).calls) == 1


def test_uninstall_without_the_client_says_what_to_run(
    install: Run, uninstall: Run, user: Target, client: Path, config: Path
) -> None:
    """Everything else is taken out."""
    install(user, mcp=True)
    client.unlink()
    outcome = uninstall(user)
    assert outcome.calls == ()
    assert outcome.warnings == (
        "no `claude` is on PATH; run it yourself: claude mcp remove --scope user local-models",
    )
    assert not (config / "settings.json").exists()


@pytest.mark.usefixtures("client")
def test_a_registration_without_a_manifest_is_found(
    install: Run, uninstall: Run, user: Target, state: Path, servers: Callable[[], dict[str, Any]]
) -> None:
    """As entries of ours are in settings."""
    install(user, mcp=True)
    (state / "manifest.json").unlink()
    uninstall(user)
    assert servers() == {}


@pytest.mark.usefixtures("client")
def test_a_dry_run_shows_the_command_and_runs_none(
    install: Run, uninstall: Run, user: Target, home: Path, servers: Callable[[], dict[str, Any]]
) -> None:
    """Both ways."""
    outcome = install(user, mcp=True, dry_run=True)
    assert outcome.diff()[-1].startswith("would run claude mcp add --scope user local-models -- ")
    assert outcome.fields()["commands"] == [list(outcome.calls[0].words)]
    assert not (home / ".claude.json").exists()
    install(user, mcp=True)
    wanted = "would run claude mcp remove --scope user local-models"
    assert wanted in uninstall(user, dry_run=True).diff()
    assert servers() == {NAME: ENTRY}


@pytest.mark.usefixtures("client")
def test_the_local_scope_is_for_one_project(
    install: Run, uninstall: Run, place: Callable[[Scope], Target], home: Path, project: Path
) -> None:
    """The client runs in that project, and keeps the server for it alone."""
    install(place("local"), mcp=True)
    whole = json.loads((home / ".claude.json").read_bytes())
    assert whole == {"projects": {str(project): {"mcpServers": {NAME: ENTRY}}}}
    assert install(place("local"), mcp=True).calls == ()
    uninstall(place("local"))
    whole = json.loads((home / ".claude.json").read_bytes())
    assert whole == {"projects": {str(project): {"mcpServers": {}}}}


@pytest.mark.parametrize(
    "text",
    [None, "", "{}", '{"mcpServers": {}}\n', '{"mcpServers":{"a":{"command":"b"}},"x":[1 ]}'],
)
def test_a_project_names_it_in_its_own_file(
    install: Run, uninstall: Run, place: Callable[[Scope], Target], project: Path, text: str | None
) -> None:
    """No client is needed, nothing of this machine is named, and it goes to the byte."""
    if text is not None:
        write(project / ".mcp.json", text)
    before = snapshot(project)
    install(place("project"), mcp=True)
    servers = json.loads((project / ".mcp.json").read_bytes())["mcpServers"]
    assert servers[NAME] == {"type": "stdio", "command": "claude-tier", "args": ["mcp"]}
    manifest = (project / ".claude/claude-tier/manifest.json").read_text()
    assert str(project) not in manifest
    assert sys.executable not in manifest
    assert install(place("project")).changes == ()
    uninstall(place("project"))
    assert snapshot(project) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"mcpServers": {"local-models": {"command": "x"}}}', r"\.mcp\.json:1:33: another MCP"),
        ('{"mcpServers": []}', r'\.mcp\.json:1:16: "mcpServers" must be an object'),
        ("{\n// mine\n}", r"\.mcp\.json:2:1: JSON has no comments"),
    ],
)
def test_a_file_that_cannot_take_it_is_refused_with_the_place(
    install: Run, place: Callable[[Scope], Target], project: Path, text: str, words: str
) -> None:
    """And nothing of the install is done."""
    write(project / ".mcp.json", text)
    with pytest.raises(UserError, match=words):
        install(place("project"), mcp=True)
    assert sorted(path.name for path in project.iterdir()) == [".mcp.json"]


def test_a_project_whose_server_cannot_start_here_says_so(
    install: Run, place: Callable[[Scope], Target]
) -> None:
    """Once: others may have it on their PATH."""
    assert "No `claude-tier` is on PATH here" in str(install(place("project"), mcp=True).notes)
    assert install(place("project"), mcp=True).notes == ()


def test_what_somebody_added_to_the_entry_stays_until_uninstall(
    install: Run, uninstall: Run, place: Callable[[Scope], Target], project: Path
) -> None:
    """It still starts ours."""
    install(place("project"), mcp=True)
    file = project / ".mcp.json"
    whole = json.loads(file.read_bytes())
    whole["mcpServers"][NAME]["env"] = {"KEY": "${KEY}"}
    whole["mcpServers"]["later"] = {"command": "x"}
    write(file, json.dumps(whole))
    install(place("project"))
    assert json.loads(file.read_bytes()) == whole
    uninstall(place("project"))
    assert json.loads(file.read_bytes()) == {"mcpServers": {"later": {"command": "x"}}}
