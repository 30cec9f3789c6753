"""How much memory a model can have, as this machine says it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest
from claude_tier.routing.setup import memory
from claude_tier.routing.setup.memory import GIB, MIB, Memory


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """An `nvidia-smi` that does this, first on PATH."""
    file = folder / "nvidia-smi"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever these tests run on."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")


def test_the_machine_has_memory(linux: None) -> None:
    """What it says is above nothing and below what anybody has."""
    ram = memory.found()[-1]
    assert ram.kind == "ram"
    assert 64 * MIB < ram.size < 2**50
    assert ram.usable == ram.size // 2


def test_the_largest_gpu_counts_and_comes_first(
    linux: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that needs two of them may not fit as well."""
    program(tmp_path, monkeypatch, "printf '8192\\n24576\\n'")
    first = memory.found()[0]
    assert first == Memory("gpu", 24 * GIB)
    assert str(first) == "24 GiB of the GPU"


@pytest.mark.parametrize("text", ["exit 9", "echo '[N/A]'", "echo"])
def test_a_gpu_that_does_not_say_is_none(
    linux: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """A driver that is not loaded, or a card without a figure."""
    program(tmp_path, monkeypatch, text)
    assert [one.kind for one in memory.found()] == ["ram"]


def test_apple_shares_its_memory_with_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """One kind of memory, of which a part may be lent."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    [one] = memory.found()
    assert one.kind == "unified"
    assert one.usable < one.size


@pytest.mark.parametrize(("text", "limit"), [("1073741824\n", GIB), ("max\n", None), ("", None)])
def test_a_containers_limit_is_what_it_has(tmp_path: Path, text: str, limit: int | None) -> None:
    """Without one the machine's own memory counts."""
    file = tmp_path / "memory.max"
    file.write_text(text)
    assert memory.contained(file) == limit
    assert memory.contained(tmp_path / "none") is None
