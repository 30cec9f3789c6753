"""What it costs to read a history, beside native ccusage on the same transcripts.

    python tests/benchmarks/bench_scan.py [--sizes 300MB 1GB] [--runs 5] [--corpus FOLDER …]

Every round runs each program once; figures are medians, and ratios those of the medians. `cold` is
the whole command with nothing read yet, `warm` with nothing new, `grown` with 1 MB of new lines,
`scan` the reading alone, in the process. Memory is the greatest sum over a command's processes.
The transcripts are made by tests/corpus, or are those of a config folder of your own, which is
linked and not written to. Totals are checked against what is true, or else against ccusage's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "installer"), str(ROOT / "hooks")]

from corpus import build, write  # noqa: E402 - found by the line above
from corpus.__main__ import size_in_bytes  # noqa: E402
from fetching import Fetched  # noqa: E402

PACKAGE = "@ccusage/ccusage-linux-x64"
CCUSAGE = Fetched("ccusage", PACKAGE, "20.0.24", f"node_modules/{PACKAGE}/bin/ccusage")
PIECE = 100_000_000  # bytes of one corpus; a large one is several, to be made in little memory
OUTPUTS = 6  # a response in some 27 KB, as where tools say much
NEW = 1_000_000
OURS = [sys.executable, "-m", "claude_tier", "report", "model", "--json"]
COUNTS = ("requests", "input_tokens", "output_tokens", "cache_read_tokens")
# What a ratio to ccusage's own time or memory may be at most, by size in bytes and above.
LIMITS = {
    "scan": {1_000_000_000: 0.6},
    "cold": {1_000_000_000: 1.0},
    "warm": {300_000_000: 0.3, 1_000_000_000: 0.1},
    "grown": {300_000_000: 0.3, 1_000_000_000: 0.1},
    "memory": {300_000_000: 1.0},
}
# Transcripts made here hold every odd thing, and more rows that grow than a recent client writes.
LIMITS_MADE = LIMITS | {"scan": {1_000_000_000: 0.7}, "cold": {1_000_000_000: 1.7}}
SCAN = """
import sys, time
from claude_tier import backfill
from claude_tier.backfill import workers
from claude_tier_hooks import places
start = time.perf_counter()
files = [backfill.Unread(path, None, size) for path, size, _ in places.walk(sys.argv[1])]
rows = sum(len(batch["rows"]) for found in workers.read(files) for batch in found)
print(time.perf_counter() - start)
"""


class Place(NamedTuple):
    """A config folder with transcripts, and its true sums by model where they are known."""

    folder: Path
    size: int
    true: dict[str, Counter[str]] | None


def made(folder: Path, size: int) -> Place:
    """Transcripts of that size, with what they hold."""
    true: dict[str, Counter[str]] = {}
    written = 0
    while written < size:
        odd = None if not written else []  # every odd thing once, then ordinary work
        size_of_piece = min(PIECE, size - written)
        corpus = build(written // PIECE, size=size_of_piece, scenes=odd, outputs=OUTPUTS)
        write(corpus, folder)
        for model, row in corpus.truth.by(lambda charge: charge.model).items():
            counts = {kind: int(row[kind]) for kind in COUNTS}  # type: ignore[call-overload]
            true.setdefault(model, Counter()).update(counts)
        written += sum(len(file.content) for file in corpus.files)
    return Place(folder, size, true)


def linked(folder: Path, given: Path) -> Place:
    """The transcripts of another config folder, in one of our own."""
    folder.mkdir(parents=True)
    shutil.copytree(given / "projects", folder / "projects", copy_function=os.link)
    size = sum(file.stat().st_size for file in (folder / "projects").rglob("*") if file.is_file())
    return Place(folder, size, None)


def environment(place: Place) -> dict[str, str]:
    paths = os.pathsep.join(str(ROOT / name) for name in ("installer", "hooks"))
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(place.folder),
        "CLAUDE_CONFIG_DIR": str(place.folder),
        "PYTHONPATH": paths,
    }


def run(place: Place, command: list[str]) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(
        command, env=environment(place), capture_output=True, check=True, text=True
    )
    return time.perf_counter() - start, done.stdout


def forget(place: Place) -> None:
    shutil.rmtree(place.folder / "claude-tier", ignore_errors=True)


def grow(place: Place, number: int) -> None:
    """A session that goes on: new lines of a kind that is there already."""
    file = place.folder / "projects" / "-repo-grown" / "00000000-0000-4000-8000-000000000000.jsonl"
    file.parent.mkdir(exist_ok=True)
    corpus = build(1_000_000 + number, size=NEW, scenes=[], outputs=OUTPUTS)
    with file.open("ab") as stream:
        stream.write(b"".join(one.content for one in corpus.files)[:NEW].rpartition(b"\n")[0])
        stream.write(b"\n")


def measure(place: Place, runs: int, theirs: list[str]) -> dict[str, float]:
    """The median of each, in seconds, everything once in each round."""
    times: dict[str, list[float]] = {}
    for number in range(runs):
        forget(place)
        for what, command in (
            ("cold", OURS),
            ("ccusage", theirs),
            ("warm", OURS),
            ("scan", [sys.executable, "-c", SCAN, str(place.folder / "projects")]),
            ("grown", OURS),
        ):
            if what == "grown":
                grow(place, number)
            took, said = run(place, command)
            times.setdefault(what, []).append(float(said) if what == "scan" else took)
    return {what: statistics.median(one) for what, one in times.items()}


def memory(place: Place, command: list[str]) -> int:
    """The greatest sum of memory that the command and its processes had to themselves, in bytes."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    most = 0
    with subprocess.Popen(command, env=environment(place), **quiet) as process:  # type: ignore[call-overload]
        while process.poll() is None:
            most = max(most, sum(map(_proportional, _family(process.pid))))
            time.sleep(0.005)
    return most


def _family(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _proportional(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if "Pss:" in line), 0)


def check(place: Place, theirs: list[str]) -> None:
    """Compare what was counted; SystemExit where it differs."""
    forget(place)
    rows: list[dict[str, Any]] = json.loads(run(place, OURS)[1])["rows"]
    ours = {row["model"]: Counter({kind: row[kind] for kind in COUNTS}) for row in rows}
    if place.true is not None:
        if ours != place.true:
            raise SystemExit(f"the totals differ: {ours} is not {place.true}")
        return
    said = json.loads(run(place, theirs)[1])["totals"]
    output = sum(one["output_tokens"] for one in ours.values())
    sys.stdout.write(f"output tokens: {output:,}; ccusage: {said['outputTokens']:,}\n")


def limit(what: str, place: Place) -> float | None:
    limits = (LIMITS if place.true is None else LIMITS_MADE)[what]
    sizes = [least for least in limits if least <= place.size]
    return limits[max(sizes)] if sizes else None


def judge(place: Place, runs: int, theirs: list[str]) -> bool:
    """Print one table; whether every limit holds."""
    check(place, theirs)
    found = measure(place, runs, theirs)
    base = dict.fromkeys(found, found["ccusage"])
    forget(place)
    found["memory"], base["memory"] = memory(place, OURS), memory(place, theirs)
    sys.stdout.write(f"\n{place.size / 1e6:,.0f} MB      ours   ccusage   ratio   limit\n")
    fine = True
    for what in ("scan", "cold", "warm", "grown", "memory"):
        ratio, most = found[what] / base[what], limit(what, place)
        fine = fine and (most is None or ratio <= most)
        unit, scale = ("MB", 1e-6) if what == "memory" else ("s ", 1)
        figures = f"{found[what] * scale:7.3f} {unit}{base[what] * scale:7.3f} {unit}"
        sys.stdout.write(f"{what:8}{figures}{ratio:8.3f}{most or '':>8}\n")
    return fine


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", nargs="*", type=size_in_bytes, default=[300 * 10**6, 10**9])
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--corpus", nargs="*", type=Path, default=[])
    given = options.parse_args()
    program = CCUSAGE.fetch()
    program.chmod(0o755)
    theirs = [str(program), "daily", "--offline", "--json"]
    fine = True
    for one in given.corpus or given.sizes:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "config"
            place = linked(folder, one) if isinstance(one, Path) else made(folder, one)
            fine = judge(place, given.runs, theirs) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())
