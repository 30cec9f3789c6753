"""The ledger's tables, and how a ledger of an older version gets what is new.

Read only where a ledger is made or brought up to date: no other hook pays for it. A migration only
adds, so that an older runtime goes on with a newer file.
"""

from __future__ import annotations

import sqlite3

from .ledger import BUCKET, KINDS, SPANS, VERSION

_COUNTS = ", ".join("%s INTEGER NOT NULL DEFAULT 0" % kind for kind in KINDS)
_TOTALS = (
    "requests INTEGER NOT NULL DEFAULT 0, "
    + _COUNTS
    + ", usd REAL NOT NULL DEFAULT 0, unpriced_requests INTEGER NOT NULL DEFAULT 0"
)

# What budgets sum: quarter hours and whole days without session, model and source. A month is some
# thirty days and two ragged ends, whatever was used in it.
_TOKENS = " + ".join("%s" + kind for kind in KINDS[:5])
_TO_SPAN = (
    "INSERT INTO span (length, start, project, agent, usd, tokens, unpriced_requests)"
    " VALUES (%(length)d, {row}.start / %(quarters)d, {row}.project, {row}.agent,"
    " {sign} {row}.usd, {sign} ({tokens}), {sign} {row}.unpriced_requests)"
    " ON CONFLICT DO UPDATE SET usd = usd + excluded.usd, tokens = tokens + excluded.tokens,"
    " unpriced_requests = unpriced_requests + excluded.unpriced_requests;"
)


def _trigger(event: str, *changes: tuple[str, str]) -> str:
    """A trigger that brings both spans along with every change of a quarter hour's sums."""
    steps = [
        (_TO_SPAN % {"length": length, "quarters": length // BUCKET}).format(
            row=row, sign=sign, tokens=_TOKENS % ((row + ".",) * 5)
        )
        for row, sign in changes
        for length in SPANS
    ]
    return "CREATE TRIGGER span_%s AFTER %s ON bucket BEGIN %s END" % (
        event.lower(), event, " ".join(steps),
    )  # fmt: skip


# Texts that repeat (sessions, models, agents, projects, hosts) are kept once, in `name`.
FIRST = (
    "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    "CREATE TABLE session (id INTEGER PRIMARY KEY, project INTEGER NOT NULL, started REAL,"
    " file TEXT, host INTEGER, model TEXT, model_at REAL, parent INTEGER,"
    " parent_at REAL)",
    "CREATE TABLE run (id INTEGER PRIMARY KEY, agent_id TEXT NOT NULL, session INTEGER NOT NULL,"
    " agent INTEGER NOT NULL, model TEXT, tool_use_id TEXT, last REAL, ended REAL,"
    " usd REAL NOT NULL DEFAULT 0, tokens INTEGER NOT NULL DEFAULT 0, UNIQUE (agent_id, session))",
    "CREATE INDEX run_by_agent ON run (agent, last)",
    "CREATE INDEX run_by_session ON run (session)",
    "CREATE TABLE usage (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, at REAL NOT NULL,"
    " session INTEGER NOT NULL, agent INTEGER NOT NULL, run INTEGER, model INTEGER NOT NULL,"
    " source INTEGER NOT NULL, requests INTEGER NOT NULL, final INTEGER NOT NULL,"
    " owned INTEGER NOT NULL, fast INTEGER NOT NULL, geo TEXT, " + _COUNTS + ", usd REAL,"
    " asked INTEGER)",  # the model that was asked for, where another answered
    "CREATE INDEX usage_by_session ON usage (session, at)",
    "CREATE INDEX usage_unpriced ON usage (model) WHERE usd IS NULL",
    "CREATE INDEX usage_renamed ON usage (session) WHERE asked IS NOT NULL",
    "CREATE INDEX usage_free ON usage (session) WHERE usd = 0",
    "CREATE INDEX usage_unmeasured ON usage (at) WHERE final = 0",
    "CREATE TABLE bucket (start INTEGER NOT NULL, session INTEGER NOT NULL, agent INTEGER NOT NULL,"
    " model INTEGER NOT NULL, source INTEGER NOT NULL, project INTEGER NOT NULL,"
    " requests INTEGER NOT NULL DEFAULT 0, " + _COUNTS + ", usd REAL NOT NULL DEFAULT 0,"
    " unpriced_requests INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (start, session, agent, model, source)) WITHOUT ROWID",
    "CREATE INDEX bucket_by_session ON bucket (session)",
    "CREATE TABLE span (length INTEGER NOT NULL, start INTEGER NOT NULL, project INTEGER NOT NULL,"
    " agent INTEGER NOT NULL, usd REAL NOT NULL, tokens INTEGER NOT NULL,"
    " unpriced_requests INTEGER NOT NULL, PRIMARY KEY (length, start, project, agent))"
    " WITHOUT ROWID",
    _trigger("INSERT", ("NEW", "+")),
    _trigger("UPDATE", ("OLD", "-"), ("NEW", "+")),
    _trigger("DELETE", ("OLD", "-")),
    "CREATE TABLE cost_state (session INTEGER NOT NULL, seq INTEGER NOT NULL, at REAL,"
    " total REAL NOT NULL, models TEXT NOT NULL, PRIMARY KEY (session, seq)) WITHOUT ROWID",
    "CREATE TABLE unlisted (session INTEGER NOT NULL, model INTEGER NOT NULL, at REAL NOT NULL, "
    + _COUNTS
    + ", usd REAL, PRIMARY KEY (session, model)) WITHOUT ROWID",
    "CREATE TABLE offset (path TEXT PRIMARY KEY, inode INTEGER NOT NULL, size INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL, offset INTEGER NOT NULL, mark INTEGER NOT NULL,"
    " pending TEXT) WITHOUT ROWID",
    "CREATE TABLE decision (session INTEGER NOT NULL, tool_use_id TEXT NOT NULL, at REAL NOT NULL,"
    " tool TEXT NOT NULL, agent INTEGER, description TEXT, asked TEXT, would TEXT, origin TEXT,"
    " action TEXT NOT NULL, set_tier TEXT, reason TEXT, budget TEXT, level TEXT, used REAL,"
    " parent TEXT, agent_id TEXT, ran TEXT, proof TEXT, PRIMARY KEY (session, tool_use_id))"
    " WITHOUT ROWID",
    "CREATE INDEX decision_by_time ON decision (at)",
    "CREATE TABLE reservation (session INTEGER NOT NULL, tool_use_id TEXT NOT NULL,"
    " at REAL NOT NULL, expires REAL NOT NULL, agent INTEGER NOT NULL, project INTEGER NOT NULL,"
    " agent_id TEXT, usd REAL NOT NULL, tokens INTEGER NOT NULL,"
    " PRIMARY KEY (session, tool_use_id)) WITHOUT ROWID",
    "CREATE TABLE level (budget TEXT NOT NULL, scope TEXT NOT NULL, period REAL NOT NULL,"
    " fingerprint INTEGER NOT NULL, level TEXT NOT NULL, at REAL NOT NULL,"
    " PRIMARY KEY (budget, scope)) WITHOUT ROWID",
    "CREATE TABLE told (session INTEGER NOT NULL, what TEXT NOT NULL, value TEXT,"
    " PRIMARY KEY (session, what)) WITHOUT ROWID",
    "CREATE TABLE plan_window (name TEXT PRIMARY KEY, used REAL NOT NULL, resets_at REAL NOT NULL,"
    " at REAL NOT NULL) WITHOUT ROWID",
)
# Reports sum by local day and by session. These sums are kept apart, since hooks have no use for
# them: a change only marks the UTC day and the session (`stale`), and the next report sums these
# anew. `host` is 0 for Anthropic itself.


def _marking(event: str, row: str) -> str:
    """A trigger that marks what a change of a quarter hour's sums leaves behind."""
    return (
        "CREATE TRIGGER stale_%s AFTER %s ON bucket BEGIN INSERT INTO stale (number, kind)"
        " VALUES (%s.start / %d, 'day'), (%s.session, 'session') ON CONFLICT DO NOTHING; END"
        % (event.lower(), event, row, 86400 // BUCKET, row)
    )


_MARKED = (
    "CREATE TABLE stale (number INTEGER NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (number, kind))"
    " WITHOUT ROWID",
    _marking("INSERT", "NEW"),
    _marking("UPDATE", "NEW"),
    _marking("DELETE", "OLD"),
    "CREATE TRIGGER stale_host AFTER UPDATE OF host ON session WHEN OLD.host IS NOT NEW.host"
    " BEGIN INSERT INTO stale (number, kind) SELECT DISTINCT start / %d, 'day'"
    " FROM bucket WHERE session = NEW.id ON CONFLICT DO NOTHING; END" % (86400 // BUCKET),
    "CREATE TABLE daily (day INTEGER NOT NULL, project INTEGER NOT NULL, agent INTEGER NOT NULL,"
    " model INTEGER NOT NULL, source INTEGER NOT NULL, host INTEGER NOT NULL, " + _TOTALS + ","
    " PRIMARY KEY (day, project, agent, model, source, host)) WITHOUT ROWID",
    "CREATE TABLE session_sum (session INTEGER NOT NULL, model INTEGER NOT NULL,"
    " source INTEGER NOT NULL, " + _TOTALS + ", PRIMARY KEY (session, model, source))"
    " WITHOUT ROWID",
    "CREATE TABLE quarter (start INTEGER NOT NULL, project INTEGER NOT NULL,"
    " source INTEGER NOT NULL, " + _TOTALS + ", PRIMARY KEY (start, project, source))"
    " WITHOUT ROWID",
    "CREATE TABLE session_total (session INTEGER PRIMARY KEY, project INTEGER NOT NULL, at REAL,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL, models TEXT NOT NULL, " + _TOTALS + ")",
    "CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",  # the time zone of days
)
# What a decision was made from (`facts`, JSON) and under which rules, so that it can be replayed.
_REPLAYED = (
    "CREATE TABLE rules (id INTEGER PRIMARY KEY, at REAL NOT NULL, text TEXT NOT NULL)",
    "CREATE TABLE plan_sample (at REAL NOT NULL, name TEXT NOT NULL, used REAL NOT NULL,"
    " resets_at REAL NOT NULL, PRIMARY KEY (at, name)) WITHOUT ROWID",
)
# What tiering saved, one row for each subagent's run and, with run 0, for what the conversation
# itself has to do with it. Kept by time, since that is how it is asked for; `would_net` is measured
# against the model that would have run without the decision on this run. `saving_day` has the sums
# of local days. The next report that needs them brings them up to date.
_SAVING = "INSERT INTO stale (number, kind) VALUES (NEW.%s, 'saving') ON CONFLICT DO NOTHING;"
_SAVED = (
    "CREATE TABLE saving (at REAL NOT NULL, session INTEGER NOT NULL, run INTEGER NOT NULL,"
    " project INTEGER NOT NULL, agent INTEGER NOT NULL, model INTEGER NOT NULL,"
    " baseline INTEGER NOT NULL, requests INTEGER NOT NULL, left_out INTEGER NOT NULL,"
    " corrected INTEGER NOT NULL, uncorrected INTEGER NOT NULL, usd REAL NOT NULL,"
    " baseline_usd REAL NOT NULL, startup_usd REAL NOT NULL, rebuild_usd REAL NOT NULL,"
    " would_net REAL, PRIMARY KEY (at, session, run)) WITHOUT ROWID",
    "CREATE INDEX saving_by_session ON saving (session, run)",
    "CREATE TABLE saving_day (day INTEGER NOT NULL, project INTEGER NOT NULL,"
    " agent INTEGER NOT NULL, model INTEGER NOT NULL, baseline INTEGER NOT NULL,"
    " requests INTEGER NOT NULL, left_out INTEGER NOT NULL, corrected INTEGER NOT NULL,"
    " uncorrected INTEGER NOT NULL, usd REAL NOT NULL, baseline_usd REAL NOT NULL,"
    " startup_usd REAL NOT NULL, rebuild_usd REAL NOT NULL,"
    " PRIMARY KEY (day, project, agent, model, baseline)) WITHOUT ROWID",
    "CREATE TRIGGER saving_session AFTER UPDATE OF model, host, project ON session"
    " WHEN OLD.model IS NOT NEW.model OR OLD.host IS NOT NEW.host OR OLD.project <> NEW.project"
    " BEGIN " + _SAVING % "id" + " END",
    "CREATE TRIGGER saving_decision AFTER INSERT ON decision BEGIN " + _SAVING % "session" + " END",
    "CREATE TRIGGER saving_link AFTER UPDATE OF agent_id ON decision BEGIN "
    + _SAVING % "session" + " END",
)  # fmt: skip
_SECOND = (
    "ALTER TABLE session ADD COLUMN last REAL",
    "CREATE INDEX session_by_last ON session (last)",
    "ALTER TABLE decision ADD COLUMN facts TEXT",
    "ALTER TABLE decision ADD COLUMN rules INTEGER",
    *_MARKED,
    *_REPLAYED,
    *_SAVED,
)
_FILL_SECOND = (
    "UPDATE session SET last = (SELECT max(at) FROM usage WHERE usage.session = session.id)",
    "INSERT OR IGNORE INTO stale (number, kind) SELECT DISTINCT start / %d, 'day' FROM bucket"
    % (86400 // BUCKET),
    "INSERT OR IGNORE INTO stale (number, kind) SELECT id, 'session' FROM session",
)
# What the router keeps: targets that failed, and one row for each request (`usage` is its key in
# that table, None where it got no figures). It never holds a prompt or an answer.
_THIRD = (
    "CREATE TABLE cooldown (provider TEXT NOT NULL, account TEXT NOT NULL, model TEXT NOT NULL,"
    " cause TEXT NOT NULL, why TEXT NOT NULL, since REAL NOT NULL, last REAL NOT NULL, until REAL,"
    " named INTEGER NOT NULL, step INTEGER NOT NULL, probe REAL,"
    " PRIMARY KEY (provider, account, model)) WITHOUT ROWID",
    "CREATE TABLE exchange (id TEXT PRIMARY KEY, at REAL NOT NULL, session INTEGER NOT NULL,"
    " origin TEXT NOT NULL, route TEXT, asked TEXT NOT NULL, target TEXT, model TEXT, usage TEXT,"
    " seconds REAL NOT NULL, attempts TEXT NOT NULL, outcome TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX exchange_by_time ON exchange (at)",
)
# What the heartbeat keeps: how far each beat's time is accounted for (`mark` never goes back), and
# one receipt for each planned time, or for several in a row that came to the same (`slot` to
# `last`). `pid` and `started` are of who works on it, `exchange` is what it asked the router.
_BEATS = (
    "CREATE TABLE beat (beat INTEGER NOT NULL, mark REAL NOT NULL, schedule TEXT NOT NULL,"
    " failures INTEGER NOT NULL, disabled REAL, why TEXT, evidence TEXT, PRIMARY KEY (beat))"
    " WITHOUT ROWID",
    "CREATE TABLE receipt (beat INTEGER NOT NULL, slot REAL NOT NULL, last REAL NOT NULL,"
    " slots INTEGER NOT NULL, origin TEXT NOT NULL, status TEXT NOT NULL, reason TEXT, run TEXT,"
    " pid INTEGER, started TEXT, began REAL, deadline REAL, ended REAL, asked TEXT, served TEXT,"
    " exchange TEXT, ok INTEGER, saved_bytes INTEGER, saved_usd REAL, PRIMARY KEY (beat, slot))"
    " WITHOUT ROWID",
    "CREATE INDEX receipt_by_time ON receipt (last)",
    "CREATE INDEX receipt_open ON receipt (beat) WHERE status IN ('claimed', 'running')",
)
SCHEMA = (*FIRST, *_SECOND, *_THIRD, *_BEATS)


def bring_up(db: sqlite3.Connection) -> None:
    """Make every table, or add what the file's version lacks; the caller holds the transaction."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    third = (*_THIRD, *_BEATS)
    steps = {0: SCHEMA, 1: (*_SECOND, *_FILL_SECOND, *third), 2: third}.get(found, ())
    for statement in steps:
        db.execute(statement)
    if found < VERSION:
        db.execute("PRAGMA user_version = %d" % VERSION)
