"""The ledger that the tests of this folder break."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import wreckage


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Where each test's home stands in turn, and where a full one is kept."""
    folder = tmp_path_factory.mktemp("repair")
    return folder / "home", folder / "kept"


@pytest.fixture(autouse=True)
def home(home: Path, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Always at the same place, because a ledger knows transcripts by their paths."""
    folders[0].mkdir()
    monkeypatch.setenv("HOME", str(folders[0]))
    yield folders[0]
    shutil.rmtree(folders[0])


@pytest.fixture
def full(home: Path, folders: tuple[Path, Path]) -> wreckage.Content:
    """What the ledger holds before anything happens to it."""
    if not folders[1].exists():
        wreckage.fill(home)
        shutil.copytree(home, folders[1])
    else:
        shutil.copytree(folders[1], home, dirs_exist_ok=True)
    return wreckage.content()
