"""What the router's own requests tell of each provider: failures, fallbacks, how long it took."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from claude_tier_hooks import ledger, routed

from claude_tier.report.days import Slice
from claude_tier.report.spending.rows import Row
from claude_tier.report.totals import Figures

COLUMNS = ("failed_requests", "fallbacks", "median_seconds")
_NO_USE: Figures = (0,) * len(ledger.SUMS)
_NO_MEAN = {"mean_tokens": None, "cost_share": None}
_QUERY = (
    "SELECT asked, CASE outcome WHEN ?1 THEN target END, e.seconds, attempts"
    " FROM exchange e LEFT JOIN session s ON s.id = e.session"
    " WHERE (?2 IS NULL OR e.at >= ?2) AND (?3 IS NULL OR e.at < ?3)"
    " AND (?4 IS NULL OR s.project = ?4)"
)

Told = Mapping[str, Mapping[str, object]]


def query(db: sqlite3.Connection, part: Slice) -> Told:
    """By provider: requests in which a target of it was asked in vain, requests that it answered
    in the place of the one asked first, and the median seconds of its answers without the tries
    before them. A provider that the router never asked is not in it.
    """
    failed: Counter[str] = Counter()
    fallbacks: Counter[str] = Counter()
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    values = (routed.ANSWERED, *part.span, part.project)
    for asked, target, took, attempts in db.execute(_QUERY, values):
        tries = [one for one in json.loads(attempts) if not one["skipped"]]
        failed.update({_provider(one["target"]) for one in tries if one["target"] != target})
        if target is not None:
            fallbacks[_provider(target)] += target != asked
            lost = sum(one["seconds"] for one in tries)
            seconds[_provider(target)].append(max(0.0, took - lost))
    return {
        name: {
            "failed_requests": failed[name],
            "fallbacks": fallbacks[name],
            "median_seconds": median(seconds[name]) if name in seconds else None,
        }
        for name in failed.keys() | seconds.keys()
    }


def beside(rows: Sequence[Row], told: Told) -> list[Row]:
    """The rows with that in them, null where it is not of the router, and a row of its own for a
    provider that never answered.
    """
    silent = sorted(told.keys() - {row.key for row in rows})
    blank = dict.fromkeys(COLUMNS)
    more = [Row(name, _NO_USE, _NO_MEAN) for name in silent]
    return [
        row._replace(extra={**row.extra, **(told.get(row.key) or blank)}) for row in (*rows, *more)
    ]


def _provider(target: str) -> str:
    return target.partition("/")[0]
