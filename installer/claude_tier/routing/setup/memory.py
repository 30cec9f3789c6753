"""How much memory of this machine a model can have."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MIB = 1024 * 1024
GIB = 1024 * MIB
PATIENCE = 10  # seconds that nvidia-smi may take
CONTAINER = Path("/sys/fs/cgroup/memory.max")
_GPU = ("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")

Kind = Literal["gpu", "unified", "ram"]
# What is left to a model: the desktop wants some of a GPU, macOS lends a GPU about two thirds of
# its memory, and without a GPU everything else on the machine lives in the same memory.
SHARE: dict[Kind, float] = {"gpu": 0.9, "unified": 0.65, "ram": 0.5}
WORDS: dict[Kind, str] = {"gpu": "of the GPU", "unified": "shared with the GPU", "ram": "of RAM"}


@dataclass(frozen=True)
class Memory:
    """One kind of memory and its size in bytes."""

    kind: Kind
    size: int

    @property
    def usable(self) -> int:
        """Bytes that a model and its context may take."""
        return int(self.size * SHARE[self.kind])

    def __str__(self) -> str:
        return f"{self.size / GIB:.0f} GiB {WORDS[self.kind]}"


def found() -> tuple[Memory, ...]:
    """What there is, the fastest first; empty where the system does not say."""
    ram, gpu = _ram(), _gpu()
    if ram and platform.system() == "Darwin" and platform.machine() == "arm64":
        return (Memory("unified", ram),)
    both = Memory("gpu", gpu) if gpu else None, Memory("ram", ram) if ram else None
    return tuple(one for one in both if one)


def _ram() -> int | None:
    """The machine's memory, or what a container may have of it."""
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
    limit = contained(CONTAINER)
    return min(machine, limit) if limit else machine


def contained(file: Path) -> int | None:
    """The limit of a control group; None where there is none."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return None


def _gpu() -> int | None:
    """The largest NVIDIA GPU's memory: a model on two of them may not fit as well."""
    try:
        answer = subprocess.run(
            _GPU, capture_output=True, text=True, timeout=PATIENCE, check=True
        ).stdout
        return max(int(line) for line in answer.split()) * MIB
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
