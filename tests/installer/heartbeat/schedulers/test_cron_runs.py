"""Debian's own cron starts the tick, with an environment that it can work in."""

from __future__ import annotations

import json
import os
import select
import shutil
from pathlib import Path

import crontabs
import pytest
from claude_tier import bundle
from claude_tier.heartbeat import scheduling
from claude_tier_hooks import state
from crontabs import Spool

MINUTES = 150  # seconds: two full minutes, and what a busy machine needs


@pytest.fixture
def told(odd_home: Path) -> int:
    """The tick's own command writes what it was started with into a pipe; its reading end."""
    folder = Path(state.state_dir())
    shutil.copytree(bundle.root() / "hooks", folder / "hooks", dirs_exist_ok=True)
    pipe = odd_home / "told"
    os.mkfifo(pipe)
    tell = 'printf "%s\\0" "$@" "$(env)" >"$HOME/told"'
    command = ["/bin/sh", "-c", tell, "sh"]
    (folder / "policy.json").write_text(json.dumps({"command": command}))
    return os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)


def test_cron_starts_the_tick(spool: Spool, told: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a home with quotes, spaces, a percent sign and an umlaut; nothing of cron's poor
    environment is left to it."""
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    scheduling.install("cron")
    path = os.environ["PATH"].split(":")
    with crontabs.cron(spool.folder):
        assert select.select([told], [], [], MINUTES)[0], "cron started nothing"
        said = os.read(told, 65536).decode()
    os.close(told)
    *words, environment, _ = said.split("\0")
    variables = dict(line.partition("=")[::2] for line in environment.splitlines())
    assert words == ["heartbeat", "tick"]
    assert variables["HOME"] == os.environ["HOME"]
    assert variables["LANG"] == "de_DE.UTF-8"
    assert variables["USER"] == variables["LOGNAME"] == "root"
    assert variables["PATH"].split(":")[: len(path)] == path
