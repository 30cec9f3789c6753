"""What every test stands on: a home of its own, and the pinned client where it is asked for."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import llama_server
import pytest
from examples import examples

REAL_HOME = Path(pwd.getpwuid(os.getuid()).pw_dir)
IN_CI = os.environ.get("CI") == "true"
# Fixtures that skip where a program is missing.
PROGRAMS = {
    "analyze",
    "axe",
    "browser",
    "client_program",
    "llama",
    "prometheus_program",
    "spool",
}

# A deadline would be a wall-clock assertion.
hypothesis.settings.register_profile("claude-tier", deadline=None, max_examples=examples())
hypothesis.settings.load_profile("claude-tier")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: much of the time a test waits for a process."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A temporary HOME in UTC, without a word to the client; a write to the real one fails."""
    before = _watched()
    folder = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "UTC")
        time.tzset()
        yield folder
    time.tzset()
    assert _watched() == before, f"a test wrote to {REAL_HOME / '.claude'}"


@pytest.fixture
def llama() -> Iterator[llama_server.Start]:
    """Start a real llama.cpp that says one thing, as `llama_server.serving` does.

    Each one is stopped after the test.
    """
    missing = llama_server.missing()
    if missing:
        pytest.skip(missing)
    with ExitStack() as running:
        yield lambda *args, **options: running.enter_context(llama_server.serving(*args, **options))


def _watched() -> dict[str, int]:
    """What we could write in the real home, with the time of its last change.

    Transcripts and caches are left out: a session of the developer's own may be at work there.
    """
    root = REAL_HOME / ".claude"
    names = ("", "settings.json", "settings.local.json", "agents", "skills", "claude-tier")
    paths = [root / name for name in names]
    paths += [path for path in paths[3:] for path in path.rglob("*")]
    # The folder itself counts only by being there: the client makes and removes files in it.
    return {str(p): p.stat().st_mtime_ns if p != root else 0 for p in paths if p.exists()}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a test of a real program may not skip."""
    report = yield
    if IN_CI and report.skipped and PROGRAMS.intersection(getattr(item, "fixturenames", ())):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"with CI=true this test may not skip: {reason}"
    return report
