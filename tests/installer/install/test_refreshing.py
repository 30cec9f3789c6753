"""The runtime follows the package without another install."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier import cli
from claude_tier.install import refreshing, transaction
from claude_tier.install.outcome import Outcome
from claude_tier.install.scopes import Target
from claude_tier_hooks import __version__
from trees import snapshot, times, write

Run = Callable[..., Outcome]


@pytest.fixture
def stale(user: Target, install: Run, bundle: Path) -> Target:
    """A user install of an older version, in a package that has moved on."""
    install(user)
    _record(user, "0.0.9")
    write(bundle / "hooks" / "stop.py", "new\n")
    (bundle / "hooks" / "claude_tier_hooks" / "stop.py").unlink()
    write(bundle / "agents" / "explorer.md", "new\n")
    return user


def _record(user: Target, version: str) -> None:
    manifest = json.loads(user.manifest.read_bytes())
    write(user.manifest, json.dumps({**manifest, "runtime_version": version}))


def test_a_stale_runtime_is_replaced_and_nothing_else(stale: Target, bundle: Path) -> None:
    """Settings and agents wait for an install that was asked for."""
    before = snapshot(stale.config, without=stale.state)
    assert refreshing.refresh(stale.config, bundle)
    assert (stale.state / "hooks" / "stop.py").read_text() == "new\n"
    assert not (stale.state / "hooks" / "claude_tier_hooks" / "stop.py").exists()
    assert snapshot(stale.config, without=stale.state) == before
    assert not refreshing.refresh(stale.config, bundle)


def test_uninstall_after_a_refresh_leaves_nothing(
    stale: Target, bundle: Path, uninstall: Run
) -> None:
    """The manifest knows what the refresh wrote."""
    refreshing.refresh(stale.config, bundle)
    uninstall(stale, purge=True)
    assert not stale.config.exists()


@pytest.mark.parametrize("version", ["99.0.0", "0.1.0"])
def test_a_newer_runtime_is_never_replaced_by_an_older(
    stale: Target, bundle: Path, version: str
) -> None:
    """Of two packages on one machine the newer one wins."""
    _record(stale, version)
    before = times(stale.state)
    assert not refreshing.refresh(stale.config, bundle)
    assert times(stale.state) == before


def test_without_an_install_there_is_nothing_to_refresh(user: Target, bundle: Path) -> None:
    assert not refreshing.refresh(user.config, bundle)
    assert not user.config.exists()


def test_a_refresh_gives_way_to_a_command_at_work(stale: Target, bundle: Path) -> None:
    """Whoever holds the lock goes first; the next command refreshes."""
    with transaction.locked(stale.state):
        assert not refreshing.refresh(stale.config, bundle)
    assert refreshing.refresh(stale.config, bundle)


@pytest.mark.parametrize("command", ["status", "on"])
def test_any_command_follows_an_upgrade(command: str, user: Target, install: Run) -> None:
    """The hooks' copy, its version and its prices come along; the command does its own work."""
    install(user)
    _record(user, "0.0.9")
    (user.state / "policy.json").write_text('{"version": 1}')
    write(user.state / "hooks" / "stop.py", "old\n")
    assert cli.main([command]) == 0
    assert (user.state / "hooks" / "stop.py").read_text() != "old\n"
    assert json.loads(user.manifest.read_bytes())["runtime_version"] == __version__
    assert "prices" in json.loads((user.state / "policy.json").read_bytes())
