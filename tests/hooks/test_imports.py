"""What a hook imports: its cost at every event, so the set is asserted, not the time."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

from .process import EVENTS, FOUND, sample, script, transcript

# Together 10 ms above a bare interpreter; zlib, fcntl and datetime come with them or cost nothing.
ALLOWED = "import __future__, json, os, sys, sqlite3, time, zlib, fcntl, datetime"


@cache
def allowed(python: str) -> set[str]:
    """The modules that a hook may import."""
    return imported(python, "-c", ALLOWED)


def imported(python: str, *arguments: str, stdin: bytes = b"") -> set[str]:
    """The modules the interpreter says it imported."""
    done = subprocess.run(
        [python, "-S", "-E", "-X", "importtime", *arguments],
        input=stdin,
        env={"HOME": os.environ["HOME"], "PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    lines = done.stderr.decode().splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


@pytest.mark.parametrize("python", FOUND.values(), ids=FOUND.keys())
@pytest.mark.parametrize("name", EVENTS)
def test_a_hook_imports_nothing_dear(name: str, python: str, home: Path) -> None:
    """Beyond our own modules only json, os, sys, sqlite3, time and what they bring."""
    transcript(home)
    found = imported(python, script(name), stdin=json.dumps(sample(name, home)).encode())
    ours = {module for module in found if module.partition(".")[0] == "claude_tier_hooks"}
    assert ours
    assert found - ours <= allowed(python)
    assert "claude_tier_hooks.shapes" not in ours
