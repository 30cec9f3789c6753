"""The Python that hooks are started with: one that outlives this environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path


def own_python() -> str:
    """The interpreter below any virtual environment, by its own name.

    Not the environment's, which may go; not a shim, which is slow; and not what its links lead
    to, which an upgrade replaces.
    """
    return next((each for each in _candidates() if os.access(each, os.X_OK)), sys.executable)


def _candidates() -> Iterator[str]:
    if sys.prefix == sys.base_prefix:
        yield sys.executable
    base = getattr(sys, "_base_executable", None)
    if base and base != sys.executable:  # before 3.11 it was the environment's own
        yield base
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for folder in (_home(), Path(sys.base_prefix, "bin")):
        if folder:
            yield from (str(folder / name), str(folder / "python3"))


def _home() -> Path | None:
    """The folder of the interpreter that this environment was made from, as it says itself."""
    try:
        lines = Path(sys.prefix, "pyvenv.cfg").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    settings = (line.partition("=") for line in lines)
    return next((Path(v.strip()) for k, _, v in settings if k.strip() == "home"), None)
