"""Whatever a SIGKILL interrupts, the next command ends in one of the two right states."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from claude_tier.install.outcome import Outcome
from claude_tier.install.scopes import Scope, Target
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from settings_text import settings_texts
from trees import Tree, snapshot, write

ROOT = Path(__file__).parents[3]
Run = Callable[..., Outcome]
Place = Callable[[Scope], Target]


@dataclass
class Killer:
    """The program that is killed, one request after the other."""

    process: subprocess.Popen[str]

    def __call__(
        self,
        action: str,
        target: Target,
        bundle: Path,
        at: int,
        *,
        torn: bool = False,
        purge: bool = False,
    ) -> str | None:
        """Kill that action the n-th time it touches the file system; None if it got through."""
        request = {
            "action": action,
            "scope": target.scope,
            "config": str(target.config),
            "root": str(target.root) if target.root else None,
            "bundle": str(bundle),
            "at": at,
            "torn": torn,
            "purge": purge,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        ended, doing = json.loads(self.process.stdout.readline())
        assert ended in {0, signal.SIGKILL}
        return cast("str", doing) if ended else None


@pytest.fixture(scope="module")
def kill() -> Iterator[Killer]:
    paths = os.pathsep.join([str(ROOT / "installer"), str(ROOT / "hooks")])
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "killing.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": paths},
    ) as process:
        yield Killer(process)
        assert process.stdin is not None
        process.stdin.close()


def _outside(target: Target) -> Tree:
    """All that a user sees: what is in the settings' folder beside the state folder."""
    return snapshot(target.folder, without=target.state)


def _fill(target: Target) -> None:
    """A folder with settings, an agent of the same name as ours and one of another."""
    write(target.settings, '{\r\n\t"model": "opus",\r\n\t"statusLine": {"command": "x"}\r\n}')
    target.settings.chmod(0o600)
    write(target.folder / "agents" / "explorer.md", "mine\n")


@pytest.mark.parametrize(("scope", "step"), [("user", 1), ("project", 3), ("local", 3)])
def test_an_install_killed_anywhere_is_completed_or_undone(
    kill: Killer,
    place: Place,
    install: Run,
    uninstall: Run,
    bundle: Path,
    scope: Scope,
    step: int,
) -> None:
    """Killed at each change: settings are old or new, and the next command brings the rest.

    Other scopes change other files in the same way: every third of their changes will do.
    """
    target = place(scope)
    _fill(target)
    before = _outside(target)
    install(target)
    after = _outside(target)
    uninstall(target, purge=True)
    at, torn = 1, False
    while (doing := kill("install", target, bundle, at, torn=torn)) is not None:
        seen = target.settings.read_bytes()
        assert seen in {before[target.settings.name][2], after[target.settings.name][2]}, doing
        if at % 2:
            install(target)
            assert _outside(target) == after, doing
        uninstall(target, purge=True)
        assert _outside(target) == before, doing
        torn = doing == "os.fsync" and not torn  # there once more, with half of it written
        at += 0 if torn else max(1, step // examples(1))
    assert at > 20


@pytest.mark.parametrize("purge", [False, True])
def test_an_uninstall_killed_anywhere_is_completed_or_undone(
    kill: Killer,
    user: Target,
    install: Run,
    uninstall: Run,
    bundle: Path,
    purge: bool,
) -> None:
    """Killed at each change: a second uninstall, or an install, ends where it should."""
    before = _outside(user)
    install(user)
    after = _outside(user)
    at = 1
    while (doing := kill("uninstall", user, bundle, at, purge=purge)) is not None:
        if at % 2:
            uninstall(user, purge=purge)
            assert _outside(user) == before, doing
        install(user)
        assert _outside(user) == after, doing
        at += 1
    assert _outside(user) == before == {}


def test_what_others_write_after_a_kill_is_kept(
    kill: Killer, user: Target, install: Run, uninstall: Run, bundle: Path
) -> None:
    """Settings and an agent edited between the kill and the next command stay edited."""
    explorer = user.folder / "agents" / "explorer.md"
    at, doing = 1, ""
    while doing is not None:
        write(user.settings, '{"model": "opus", "hooks": {}}')
        doing = kill("install", user, bundle, at)
        write(user.settings, user.settings.read_text().replace("opus", "haiku"))
        edited = explorer.exists()
        if edited:
            write(explorer, "mine")
        if at % 2:
            install(user)
        kept = uninstall(user, purge=True).kept
        assert user.settings.read_text() == '{"model": "haiku", "hooks": {}}', doing
        assert _outside(user).keys() == {"settings.json"} | (
            {"agents", "agents/explorer.md"} if edited else set()
        )
        assert [path for path, _ in kept] == ([explorer] if edited else [])
        shutil.rmtree(user.config)
        at += 1


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.none() | settings_texts(),
    actions=st.lists(
        st.tuples(st.sampled_from(["install", "uninstall"]), st.integers(1, 60), st.booleans()),
        min_size=1,
        max_size=3,
    ),
)
def test_no_series_of_kills_loses_a_byte_of_others(
    kill: Killer,
    user: Target,
    uninstall: Run,
    bundle: Path,
    text: str | None,
    actions: list[tuple[str, int, bool]],
) -> None:
    """Installs and uninstalls killed one after the other, then one that is not."""
    shutil.rmtree(user.config, ignore_errors=True)
    if text is not None:
        write(user.settings, text)
    before = snapshot(user.config)
    for action, at, torn in actions:
        kill(action, user, bundle, at, torn=torn)
    uninstall(user, purge=True)
    assert snapshot(user.config) == before
