"""What is kept out for a while after it failed: one row for each (provider, account, model).

All processes share the rows, so that a dead provider is tried by few of them. When a cooldown is
over, one process may try (its claim ends by itself) while the others still keep away: an answer
clears the row, another failure makes the next one longer. Model `*` is the whole account.

`until` is an epoch time, None for a key that is refused for everything: that ends with another
key, which is another account, or by `claude-tier cooldown clear`. The callers of what writes hold
the transaction, except in `admit`.
"""

from __future__ import annotations

import sqlite3

from . import ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json, Row

EVERY = "*"
LOGIN = "login"  # the account of a Claude Code that is logged in
NO_KEY = "-"  # the account of what is asked without a key
SHORT = (30, 60, 120, 300)
WIDENING = (300, 900, 1800, 3600)
STEPS = {
    "pace": SHORT,
    "billing": WIDENING,
    "key": WIDENING,  # where no other account would tell that the key has changed
    "model": (300,),
    "server": SHORT,
    "connect": SHORT,
    "timeout": SHORT,
}
CLAIM = 120.0  # seconds one process has for its try
FARTHEST = 32 * 86400.0  # seconds; a server that names a later time is not believed
KEPT = 86400.0  # seconds after its end in which another failure counts as the next one
SKEW = 300.0  # seconds that two processes' times for the same moment may differ
WHY = 200  # characters
COLUMNS = (
    "provider", "account", "model", "cause", "why", "since", "last", "until", "named", "step",
    "probe",
)  # fmt: skip


def fingerprint(key: str) -> str:
    """What stands for a key in the ledger: it tells two keys apart and nothing else."""
    import hashlib  # only who has a key pays for it

    return hashlib.sha256(b"claude-tier:" + key.encode("utf-8", "replace")).hexdigest()[:12]


def listed(db: sqlite3.Connection, now: float) -> list[Json]:
    """Every row that keeps something out now or waits for a try, by provider and model."""
    found = db.execute(
        "SELECT %s FROM cooldown ORDER BY provider, model, account" % ", ".join(COLUMNS)
    )
    rows = [_row(one) for one in found.fetchall()]
    return [row for row in rows if not _forgotten(row, now)]


def standing(db: sqlite3.Connection, place: Row, now: float) -> Json | None:
    """The row that keeps this (provider, account, model) out now; None where nothing does."""
    rows = _rows(db, place, now)
    shut = [row for row in rows if not _over(row, now)]
    if shut:
        return max(shut, key=_ends)
    return next((row for row in rows if is_tried(row, now)), None)


def is_tried(row: Json, now: float) -> bool:
    """Whether one process has its try now; a claim further away is from before a clock was set."""
    return now < (row["probe"] or 0.0) <= now + CLAIM


def what(provider: str, model: str) -> str:
    """openrouter for the whole account, openrouter/x/y for one model."""
    return provider if model == EVERY else "%s/%s" % (provider, model)


def keeps_out(row: Json, now: float) -> bool:
    """Whether that row holds; one that is over only waits for the next request."""
    return not _over(row, now) or is_tried(row, now)


def admit(db: sqlite3.Connection, place: Row, now: float) -> tuple[bool, Json | None]:
    """(whether this is a try of what was kept out, the row that still keeps it out).

    Of all processes that ask when a cooldown is over, one gets the try.
    """
    if not _rows(db, place, now):
        return False, None
    with ledger.Writing(db):
        found = standing(db, place, now)
        if found is not None:
            return False, found
        changed = db.execute(
            "UPDATE cooldown SET probe = ? WHERE provider = ? AND account = ? AND model IN (?, ?)",
            (now + CLAIM, *place, EVERY),
        )
        return changed.rowcount > 0, None


def fail(
    db: sqlite3.Connection, place: Row, fault: Json, now: float, ceiling: float
) -> tuple[Json | None, bool]:
    """(the row that keeps it out from now on, whether it was this failure that began it).

    `fault` is {cause, why, until: the end as the server named it, everywhere}; a cause without
    steps keeps nothing out. `ceiling` is the longest cooldown in seconds, 0 for none.
    """
    if fault["cause"] not in STEPS or ceiling <= 0:
        return None, True
    provider, account, model = place
    at = (provider, account, EVERY if fault.get("everywhere") else model)
    old = next((row for row in _rows(db, at, now) if row["model"] == at[2]), None)
    row = _next(old, fault, now, ceiling)
    row.update(provider=provider, account=account, model=at[2])
    if fault["cause"] == "key" and fault.get("everywhere") and account not in (LOGIN, NO_KEY):
        row["until"] = None
    db.execute(
        "INSERT OR REPLACE INTO cooldown (%s) VALUES (%s)"
        % (", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))),
        tuple(row[column] for column in COLUMNS),
    )
    return row, old is None or _over(old, now)


def _next(old: Json | None, fault: Json, now: float, ceiling: float) -> Json:
    """The row after this failure. Those that were under way together count as one."""
    over = old is None or _over(old, now)
    again = old is not None and old["cause"] == fault["cause"]
    step = old["step"] + int(over) if old and again else 0
    steps = STEPS[fault["cause"]]
    named = fault.get("until")
    until = now + min(steps[min(step, len(steps) - 1)], ceiling)
    if named is not None:
        until = min(max(named, now), now + FARTHEST)
    if old and not over:
        until = max(until, _ends(old))
    return {
        "cause": fault["cause"],
        "why": fault["why"][:WHY],
        "since": old["since"] if old and again else now,
        "last": now,
        "until": None if until == float("inf") else until,
        "named": int(named is not None),
        "step": step,
        "probe": None,
    }


def answered(db: sqlite3.Connection, place: Row, began: float) -> int:
    """What answers is kept out no longer; an answer that began before the failure says nothing.

    Another key of that provider which was refused is history by then.
    """
    done = db.execute(
        "DELETE FROM cooldown WHERE provider = ?1 AND last <= ?5 AND"
        " (account = ?2 AND model IN (?3, ?4) OR account <> ?2 AND cause = 'key')",
        (*place, EVERY, began),
    )
    return done.rowcount


def waits(db: sqlite3.Connection, place: Row) -> bool:
    """Whether there is a row that an answer may clear."""
    query = "SELECT 1 FROM cooldown WHERE provider = ? LIMIT 1"
    return db.execute(query, place[:1]).fetchone() is not None


def release(db: sqlite3.Connection, place: Row) -> None:
    """A try that ended without a verdict is the next process's."""
    db.execute(
        "UPDATE cooldown SET probe = NULL WHERE provider = ? AND account = ? AND model IN (?, ?)",
        (*place, EVERY),
    )


def clear(db: sqlite3.Connection, provider: str | None = None, model: str | None = None) -> int:
    """Let everything, a provider or one of its models be asked again; how many rows that were."""
    named = [("provider = ?", provider), ("model = ?", model)]
    used = [(text, value) for text, value in named if value is not None]
    where = " AND ".join(["1", *(text for text, _ in used)])
    done = db.execute("DELETE FROM cooldown WHERE " + where, [value for _, value in used])
    return done.rowcount


def _rows(db: sqlite3.Connection, place: Row, now: float) -> list[Json]:
    found = db.execute(
        "SELECT %s FROM cooldown WHERE provider = ? AND account = ? AND model IN (?, ?)"
        % ", ".join(COLUMNS),
        (*place, EVERY),
    )
    rows = [_row(one) for one in found.fetchall()]
    return [row for row in rows if not _forgotten(row, now)]


def _row(values: Row) -> Json:
    return dict(zip(COLUMNS, values))


def _ends(row: Json) -> float:
    return float("inf") if row["until"] is None else float(row["until"])


def _over(row: Json, now: float) -> bool:
    return _ends(row) <= now


def _forgotten(row: Json, now: float) -> bool:
    """One that is long over, or of a failure yet to come: a clock was ahead when it was written."""
    return _ends(row) + KEPT <= now or row["last"] > now + SKEW
