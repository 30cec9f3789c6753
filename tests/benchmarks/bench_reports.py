"""What every report costs beside `SELECT sum(usd) FROM usage` over the same ledger.

    python tests/benchmarks/bench_reports.py [--rows 1000000] [--runs 9]

Both sides run interleaved in one process with warm caches; the figure is the ratio of the medians.
A report is the query with its whole result object, without the text of it and the start of Python.
The sums that reports read are brought up before, as every command does; what that costs is printed.
"""

from __future__ import annotations

import argparse
import datetime
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "hooks"), str(ROOT / "installer")]

from filled import enrich, fill  # noqa: E402 - beside this file

LIMIT = 1.0
SHOWN = 50  # sessions or blocks on the screen


def reports(db: object, rules: dict[str, object], now: float) -> Mapping[str, Callable[[], object]]:
    """Every question that a command, the status line's screens or the dashboard asks."""
    from claude_tier.dashboard import answers
    from claude_tier.report import (
        budgets,
        days,
        decisions,
        pace,
        savings,
        spending,
        status,
        totals,
    )  # fmt: skip

    today = datetime.date.fromtimestamp(now)
    folder = "/home/dev/project-1"
    month = spending.Slice(days.span(today - datetime.timedelta(29), today))
    place = budgets.here(db, folder)
    mine = spending.Slice(project=place["project"])
    shown = {"session": SHOWN, "block": SHOWN}
    asked: dict[str, Callable[[], object]] = {}
    for by in spending.BY:
        for name, part in (
            (by, spending.Slice()),
            (f"{by}, 30 days", month),
            (f"{by}, one project", mine),
        ):
            asked[f"report {name}"] = lambda by=by, part=part: spending.query(
                db, rules, by, part, last=shown.get(by), now=now
            )
    for by in ("model", "day", "project", "agent"):  # by session: all 25,000 of them at once
        asked[f"ledger totals --by {by}"] = lambda by=by: totals.query(db, by)
    asked["report session, all"] = lambda: spending.query(db, rules, "session", now=now)
    asked["report --savings"] = lambda: savings.query(db, rules, days.Span(), now=now)
    asked["status"] = lambda: status.query(db, rules, folder, now)
    asked["budget check"] = lambda: budgets.query(db, rules, place, now)
    asked["pace"] = lambda: pace.query(db, rules, place, now)
    asked["log"] = lambda: decisions.query(db, decisions.Slice(last=20))
    asked["/api/stats"] = lambda: answers.stats(db, rules, folder, now)
    return asked


def measure(rows: int, runs: int) -> dict[str, float]:
    """The ratio of the medians for each report."""
    with tempfile.TemporaryDirectory() as home:
        state = Path(home) / ".claude" / "claude-tier"
        state.mkdir(parents=True)
        fill(state, rows)
        enrich(state)
        from claude_tier.report import caches, savings
        from claude_tier_hooks import ledger, policy

        db, rules = ledger.connect(patience=60), policy.load()
        for name, bring in (
            ("days and sessions", lambda: caches.bring_up(db)),
            ("savings", lambda: savings.bring_up(db, rules)),
        ):
            say(f"summing {name} for the first time: {timed(bring):.1f} s")
        db.execute("ANALYZE")
        return compare(lambda: whole(db), reports(db, rules, time.time()), runs)


def whole(db: object) -> object:
    return db.execute("SELECT sum(usd) FROM usage").fetchone()


def compare(
    base: Callable[[], object], asked: Mapping[str, Callable[[], object]], runs: int
) -> dict[str, float]:
    for ask in (base, *asked.values()):
        ask()
    bases: list[float] = []
    ours: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(runs):
        for name, ask in asked.items():
            bases.append(timed(base))
            ours[name].append(timed(ask))
    scan = statistics.median(bases)
    say(f"SELECT sum(usd) FROM usage: {scan * 1e3:.1f} ms")
    return {name: statistics.median(times) / scan for name, times in ours.items()}


def timed(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=9)
    given = options.parse_args()
    found = measure(given.rows, given.runs)
    for name, ratio in sorted(found.items(), key=lambda one: -one[1]):
        say(f"{name:32} {ratio:5.2f}" + "  too slow" * (ratio > LIMIT))
    worst = max(found.values())
    say(f"reports over {given.rows:,} usage rows: at most {worst:.2f} x (limit {LIMIT})")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
