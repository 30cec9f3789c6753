"""HEARTBEAT.md files that were added in a scratch home, and ticks as real processes."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from claude_tier import config
from claude_tier.heartbeat import document, known, planning, receipts, tick, trust
from claude_tier.heartbeat.beat import Beat
from claude_tier.heartbeat.document import Defaults
from claude_tier_hooks import ledger
from routers import configured

TESTS = Path(__file__).parent
IMPORTS = os.pathsep.join(str(TESTS.parent / name) for name in ("installer", "hooks", "tests"))
LOCAL = "providers: {{local: {{kind: openai-compatible, base_url: '{url}', free: true}}}}\n"
NOWHERE = LOCAL.format(url="http://127.0.0.1:9")
NINE = 1_795_251_600.0  # Saturday 2026-11-21 09:00 UTC
PATIENCE = 120  # seconds until a process counts as hanging


@dataclass(frozen=True)
class Home:
    """One that a beat's file was added in."""

    folder: Path
    project: Path

    @property
    def file(self) -> Path:
        return self.project / "HEARTBEAT.md"

    def add(self, text: str) -> tuple[Beat, ...]:
        """Write the file and let it run."""
        self.project.mkdir(exist_ok=True)
        self.file.write_text(text)
        loaded = config.load(self.folder / ".claude/claude-tier/config.yaml").config
        found = document.load(self.file, Defaults.of(loaded))
        assert not found.faults, found.faults
        trust.add(self.file, found.beats, time.time())
        return found.beats

    def plan(self, mark: float) -> None:
        """As if each beat had been planned up to that time."""
        with closing(ledger.connect(patience=10)) as db, ledger.Writing(db):
            for one in known.read().beats:
                receipts.begin(db, one.beat.id, planning.spelled(one.beat), mark)

    def rows(self) -> list[dict[str, object]]:
        """The receipts, oldest first."""
        with closing(ledger.connect(patience=10)) as db:
            found = db.execute("SELECT * FROM receipt ORDER BY slot, beat")
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found]

    def record(self, *command: str) -> None:
        """What ticks and beats are started with."""
        file = self.folder / ".claude/claude-tier/policy.json"
        policy = json.loads(file.read_text())
        file.write_text(json.dumps({**policy, "command": [*command]}))

    def start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        """A process of this home, told of nothing else."""
        return subprocess.Popen(
            command,
            env={
                "HOME": str(self.folder),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": IMPORTS,
                "TZ": "UTC",
                **more,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def settle(self) -> None:
        """Wait until no beat is at work: each holds a place."""
        for place in (self.folder / ".claude/claude-tier/heartbeat/places").iterdir():
            with place.open("wb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)

    def tick(self, at: float, step: str = "none") -> int:
        """A tick at that time, where a process may kill itself at that step; its exit code."""
        command = [sys.executable, str(TESTS / "killing_beats.py"), step, str(at)]
        self.record(*command)
        with self.start(*command, "heartbeat", "tick") as process:
            output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode in (0, -9), output.decode()
        return process.returncode

    def tick_here(self, at: float, step: str = "none") -> None:
        """The same within this process, where none of a tick's own steps kills: half the time."""
        imports = f"PYTHONPATH={IMPORTS}"
        command = [sys.executable, str(TESTS / "killing_beats.py"), step, str(at)]
        self.record("env", imports, *command)
        tick.Tick(clock=lambda: at).run()


def made(home: Path, text: str = "") -> Home:
    """A home with that config.yaml, compiled."""
    configured(text)
    return Home(home, home / "project")


def tasks(number: int, check: str, more: str = "") -> str:
    """So many beats that only check, and find nothing."""
    lines = "".join(
        f"  - {{name: t{one}, prompt: look, model: local/alpha, check: {json.dumps(check)}}}\n"
        for one in range(number)
    )
    return f"---\nevery: 1h\n{more}\ntasks:\n{lines}---\n"
