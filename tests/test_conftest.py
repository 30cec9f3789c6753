"""The rules that hold for every test, each broken on purpose in a run of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import fetch_client
import pytest

TESTS = Path(__file__).parent
CLIENT_TEST = TESTS / "e2e/test_client_drive.py::test_the_version_is_the_pinned_one"
# The account's home is the one thing that no variable moves.
RUN = """
import pwd, sys
user = pwd.struct_passwd(("me", "x", 0, 0, "", sys.argv[1], "/bin/sh"))
pwd.getpwuid = lambda uid: user
import pytest
raise SystemExit(pytest.main(sys.argv[2:]))
"""


def run_pytest(
    *arguments: object, real_home: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, real_home, "-p", "no:cacheprovider", "-rA", *arguments]
    path = os.pathsep.join([str(TESTS), str(TESTS.parent / "installer")])
    env = {"PATH": os.defpath, "HOME": str(real_home), "PYTHONPATH": path, **environment}
    return subprocess.run(
        list(map(str, command)), env=env, cwd=TESTS.parent, capture_output=True, text=True
    )


ESCAPES = ("settings.json", "agents/explorer.md", "claude-tier/off")
BODY = """
import os, time
from pathlib import Path

import pytest

@pytest.mark.parametrize("name", {names})
def test_escapes(name):
    path = Path({real_home!r}, ".claude", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")

def test_clean(home):
    assert os.path.expanduser("~") == str(home)
    assert not [name for name in os.environ if name.startswith(("CLAUDE", "ANTHROPIC_"))]
    assert time.tzname[0] == "UTC"
"""


def test_each_test_has_a_home_of_its_own_and_fails_where_it_writes_to_the_real_one(
    tmp_path: Path,
) -> None:
    """HOME is temporary, the zone is UTC, and no variable of the client passes."""
    test, real_home = tmp_path / "test_body.py", tmp_path / "real-home"
    test.write_text(BODY.format(names=ESCAPES, real_home=str(real_home)))
    real_home.mkdir()
    options = ("-c", os.devnull, "--rootdir", tmp_path, "-p", "conftest")
    user = {"CLAUDE_CONFIG_DIR": "/x", "ANTHROPIC_API_KEY": "y", "TZ": "America/Lima"}
    run = run_pytest(*options, test, real_home=real_home, **user)

    assert run.returncode == 1
    failed = re.findall(r"^ERROR .*::test_escapes\[(.*?)\]", run.stdout, re.MULTILINE)
    assert tuple(failed) == ESCAPES
    assert run.stdout.count("AssertionError: a test wrote to") == len(ESCAPES)
    assert "4 passed, 3 errors" in run.stdout


@pytest.mark.parametrize(("ci", "outcome"), [("", "skipped"), ("true", "error")])
def test_a_missing_client_is_named_and_fails_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    """A client test skips with the command that fetches the client; with CI=true it fails."""
    run = run_pytest(CLIENT_TEST, real_home=tmp_path, XDG_CACHE_HOME=str(tmp_path), CI=ci)

    assert f"1 {outcome}" in run.stdout
    assert fetch_client.COMMAND in run.stdout
