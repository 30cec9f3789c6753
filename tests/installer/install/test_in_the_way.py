"""What stands in the place of settings and hooks: what is followed, and what is refused."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.install import scopes
from claude_tier.install.outcome import Outcome
from claude_tier.install.scopes import Scope, Target
from trees import snapshot, write

Run = Callable[..., Outcome]
Place = Callable[[Scope], Target]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b'{\n  // mine\n  "model": "opus"\n}\n', ":2:3: JSON has no comments"),
        (b'{"model": "opus",}\n', ":1:17: a comma stands before the closing }"),
        (b'{"hooks": {}, "hooks": {}}', ':1:15: the key "hooks" stands here twice'),
        (b'{\r\n"hooks": []\r\n}', ':2:10: "hooks" must be an object'),
        (b'{"statusLine": "x"}', ':1:16: "statusLine" must be'),
        (b'{"model": "\xff"}', ":1:12: not valid UTF-8"),
        (b"\x00\x01", ":1:1: expected a value"),
    ],
)
def test_settings_that_cannot_be_read_are_refused(
    user: Target, install: Run, uninstall: Run, home: Path, content: bytes, where: str
) -> None:
    """File, line and column are named, and nothing at all is changed."""
    user.settings.parent.mkdir()
    user.settings.write_bytes(content)
    before = snapshot(home, without=user.state)
    with pytest.raises(UserError) as refused:
        install(user)
    assert f"{user.settings}{where}" in refused.value.message
    assert snapshot(home, without=user.state) == before


def test_a_folder_in_place_of_the_settings_is_refused(user: Target, install: Run) -> None:
    user.settings.mkdir(parents=True)
    with pytest.raises(UserError, match=r"settings\.json is not a file"):
        install(user)


def test_a_pipe_in_place_of_the_settings_is_refused(user: Target, install: Run) -> None:
    """Nothing waits for somebody to write into it."""
    user.settings.parent.mkdir()
    os.mkfifo(user.settings)
    with pytest.raises(UserError, match=r"settings\.json is not a file"):
        install(user)


def test_linked_settings_stay_a_link(
    user: Target, install: Run, uninstall: Run, tmp_path: Path
) -> None:
    """Dotfiles kept elsewhere are written where they are, with their mode."""
    real = write(tmp_path / "dotfiles" / "settings.json", '{"model": "opus"}\n')
    real.chmod(0o600)
    user.settings.parent.mkdir()
    user.settings.symlink_to(real)
    before = snapshot(tmp_path / "dotfiles")
    install(user)
    assert user.settings.is_symlink()
    assert "hooks" in json.loads(real.read_bytes())
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    uninstall(user)
    assert snapshot(tmp_path / "dotfiles") == before


def test_a_link_to_settings_that_do_not_exist_yet_is_followed(
    user: Target, install: Run, uninstall: Run, tmp_path: Path
) -> None:
    """The file is made where the link points, and goes again; the link stays."""
    user.settings.parent.mkdir()
    user.settings.symlink_to(tmp_path / "later.json")
    install(user)
    assert (tmp_path / "later.json").is_file()
    uninstall(user)
    assert not (tmp_path / "later.json").exists()
    assert user.settings.is_symlink()


def test_a_link_that_leads_to_itself_is_refused(user: Target, install: Run) -> None:
    user.settings.parent.mkdir()
    user.settings.symlink_to(user.settings)
    with pytest.raises(UserError, match=r"settings\.json"):
        install(user)


@pytest.mark.parametrize("link", [".claude", ".claude/agents", ".claude/settings.json"])
def test_a_clone_cannot_make_us_write_elsewhere(
    place: Place, install: Run, tmp_path: Path, project: Path, link: str
) -> None:
    """A link in a project that leads out of it is refused unless forced."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (project / link).parent.mkdir(exist_ok=True)
    (project / link).symlink_to(elsewhere / "file" if link.endswith("json") else elsewhere)
    with pytest.raises(UserError, match="outside the project"):
        install(place("project"))
    assert snapshot(elsewhere) == {}
    config = place("project").config
    install(scopes.target("project", config, project, trusted=True))
    assert snapshot(elsewhere) != {}


def test_a_cloned_hook_that_is_a_link_is_not_written_through(
    place: Place, install: Run, tmp_path: Path
) -> None:
    target = place("project")
    precious = write(tmp_path / "precious", "precious")
    (target.owner / "hooks").mkdir(parents=True)
    (target.owner / "hooks" / "stop.py").symlink_to(precious)
    with pytest.raises(UserError, match="outside the project"):
        install(target)
    assert precious.read_text() == "precious"
