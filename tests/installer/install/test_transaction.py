"""Several files change as one, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.install import files, installing, transaction
from claude_tier.install.plan import Plan
from claude_tier.install.scopes import Target
from claude_tier.install.transaction import (
    ChangedMeanwhileError,
    DropFolder,
    MakeFolder,
    Replace,
    Step,
)
from trees import snapshot, write


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file to change, one to remove and a folder to drop."""
    folder = tmp_path / "folder"
    write(folder / "changed", "old")
    write(folder / "removed", "going").chmod(0o600)
    (folder / "dropped").mkdir()
    return folder


def _steps(folder: Path) -> list[Step]:
    return [
        MakeFolder(folder / "made"),
        Replace(folder / "made" / "new", None, b"new"),
        Replace(folder / "changed", b"old", b"new"),
        Replace(folder / "removed", b"going", None),
        DropFolder(folder / "dropped"),
    ]


def test_all_steps_are_done_and_nothing_else_is_left(state: Path, folder: Path) -> None:
    """No journal and no temporary file outlives the transaction."""
    transaction.run(state, _steps(folder))
    assert {name: entry[2] for name, entry in snapshot(folder).items()} == {
        "made": b"",
        "made/new": b"new",
        "changed": b"new",
    }
    assert snapshot(state) == {}


def test_a_file_changed_meanwhile_takes_everything_back(state: Path, folder: Path) -> None:
    """Somebody else's content stays, and no step before it has happened."""
    steps = [*_steps(folder), Replace(folder / "last", None, b"ours")]
    write(folder / "last", "theirs")
    before = snapshot(folder)
    with pytest.raises(ChangedMeanwhileError):
        transaction.run(state, steps)
    assert {name: entry[2] for name, entry in snapshot(folder).items()} == {
        name: entry[2] for name, entry in before.items()
    }
    assert snapshot(state) == {}


def test_a_write_that_fails_takes_everything_back(state: Path, folder: Path) -> None:
    """The file that could not be written is named."""
    (folder / ".last.claude-tier-new").mkdir()
    before = snapshot(folder).keys()
    with pytest.raises(UserError, match=r"last.*cannot be written") as failed:
        transaction.run(state, [*_steps(folder), Replace(folder / "last", None, b"ours")])
    assert failed.value.hint == "Nothing was changed."
    assert snapshot(folder).keys() == before
    assert (folder / "changed").read_bytes() == b"old"


def test_what_cannot_be_taken_back_is_completed_later(state: Path, folder: Path) -> None:
    """A journal that stays behind is said, and the next command goes on with it."""
    steps = [
        _Blocking(folder / "changed", b"old", b"new"),
        MakeFolder(folder / "missing" / "made"),
    ]
    with pytest.raises(UserError) as failed:
        transaction.run(state, steps)
    assert failed.value.hint == "It is half done: run the command again."
    assert transaction.is_pending(state)
    files.beside(folder / "changed").rmdir()
    (folder / "missing").mkdir()
    assert transaction.recover(state)
    assert (folder / "changed").read_bytes() == b"new"
    assert not transaction.is_pending(state)


class _Blocking(Replace):
    """A change after which the folder lets no other through."""

    def apply(self) -> None:
        super().apply()
        files.beside(self.path).mkdir()


def test_recovery_leaves_what_others_wrote_since(state: Path, folder: Path) -> None:
    """A file that is neither old nor new is not ours to touch; the rest is completed."""
    steps = _steps(folder)
    write(state / transaction.JOURNAL, transaction.dump(steps).decode())
    write(folder / "changed", "theirs")
    write(folder / ".changed.claude-tier-new", "half")
    assert transaction.recover(state)
    assert (folder / "changed").read_bytes() == b"theirs"
    assert (folder / "made" / "new").read_bytes() == b"new"
    assert not (folder / ".changed.claude-tier-new").exists()
    assert not transaction.recover(state)


def test_a_second_command_waits_and_then_gives_up(state: Path) -> None:
    """Two installs never work at the same time."""
    with (
        transaction.locked(state),
        pytest.raises(UserError, match="another claude-tier command"),
        transaction.locked(state, seconds=0),
    ):
        pass


def test_the_lock_of_a_purged_folder_is_not_taken_for_one(state: Path) -> None:
    """Whoever waited for a folder that is gone makes a new one."""
    with transaction.locked(state):
        (state / transaction.LOCK).unlink()
        with transaction.locked(state, seconds=0):
            assert (state / transaction.LOCK).exists()


def test_a_file_keeps_its_mode_and_a_new_one_follows_the_umask(tmp_path: Path) -> None:
    kept = write(tmp_path / "kept", "old")
    kept.chmod(0o640)
    files.write(kept, b"new", private=True)
    files.write(tmp_path / "new", b"new", private=False)
    files.write(tmp_path / "private", b"new", private=True)
    modes = {name: entry[1] for name, entry in snapshot(tmp_path).items()}
    umask = 0o666 & ~(tmp_path / "new").stat().st_mode
    assert modes == {"kept": 0o640, "new": 0o666 & ~umask, "private": 0o600}


def test_a_planted_link_beside_a_file_is_not_written_through(tmp_path: Path) -> None:
    """The name of the temporary file is known, so a clone could hold one."""
    precious = write(tmp_path / "precious", "precious")
    files.beside(tmp_path / "file").symlink_to(precious)
    files.write(tmp_path / "file", b"new", private=False)
    assert precious.read_text() == "precious"


def test_settings_written_between_reading_and_writing_are_read_again(
    user: Target, bundle: Path
) -> None:
    """The client's own change, made while we planned, is in the file afterwards."""
    write(user.settings, '{"model": "opus"}')
    request = installing.Request(user, bundle, python="/usr/bin/python3")
    writes = iter(['{"model": "haiku"}', '{"model": "sonnet"}'])

    def plan() -> Plan:
        made = installing.draft(request)
        changed = next(writes, None)
        if changed:
            write(user.settings, changed)
        return made

    with transaction.locked(user.state):
        installing.carry_out(user, plan)
    assert user.settings.read_text().startswith('{"model": "sonnet", "hooks": ')


def test_settings_that_never_rest_are_left_alone(user: Target, bundle: Path) -> None:
    """After some attempts the command gives up with nothing changed."""
    write(user.settings, "{}")
    request = installing.Request(user, bundle, python="/usr/bin/python3")
    rounds = iter(range(100))

    def plan() -> Plan:
        made = installing.draft(request)
        write(user.settings, f'{{"round": {next(rounds)}}}')
        return made

    with pytest.raises(UserError, match="keeps writing"), transaction.locked(user.state):
        installing.carry_out(user, plan)
    assert user.settings.read_text() == '{"round": 4}'
    assert not (user.folder / "agents").exists()


Run = Callable[..., object]


def test_a_state_folder_that_cannot_be_made_is_said(user: Target, install: Run) -> None:
    """A file in the place of Claude Code's folder is named, not a traceback."""
    write(user.config, "in the way")
    with pytest.raises(UserError, match="claude-tier"):
        install(user)
