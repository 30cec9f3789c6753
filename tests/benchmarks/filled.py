"""A ledger as months of work leave it, for the measurements beside this file."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

DAYS = 90
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")


def fill(state: Path, rows: int) -> None:
    """A ledger as 90 days of work leave it: 40 requests a session, four agent types."""
    os.environ["CLAUDE_CONFIG_DIR"] = str(state.parent)
    from claude_tier_hooks import ledger

    db = ledger.connect(patience=60)
    draw = random.Random(1)
    now = time.time()
    db.execute("BEGIN IMMEDIATE")
    models = [ledger.name_id(db, name) for name in MODELS]
    agents = [ledger.name_id(db, name) for name in ("main", "Explore", "reviewer", "implementer")]
    projects = [ledger.name_id(db, f"/home/dev/project-{n}") for n in range(8)]
    source = ledger.name_id(db, "transcript")
    sums: dict[tuple[int, ...], list[float]] = {}
    usage = []
    for n in range(rows):
        if n % 40 == 0:
            session = ledger.name_id(db, f"session-{n}")
            began = now - draw.random() * DAYS * 86400
            project = draw.choice(projects)
            row = (session, project, began)
            db.execute("INSERT INTO session (id, project, started) VALUES (?, ?, ?)", row)
        at = min(now - 60, began + (n % 40) * 90)
        model, agent = draw.choice(models), draw.choice(agents)
        tokens = (draw.randint(1, 900), draw.randint(50, 4000), draw.randint(0, 150_000), 900, 0, 0)
        who = (session, agent, model, source)
        usage.append((f"msg_{n:024d}", at, *who, 1, 1, 1, 0, *tokens, 0.01))
        total = sums.setdefault((int(at // ledger.BUCKET), *who, project), [0.0] * 9)
        for i, value in enumerate((1, *tokens, 0.01, 0)):
            total[i] += value
    columns = "key, at, session, agent, model, source, requests, final, owned, fast"
    columns += ", " + ", ".join(ledger.KINDS) + ", usd"
    db.executemany(f"INSERT INTO usage ({columns}) VALUES ({', '.join('?' * 17)})", usage)
    db.executemany(ledger.ADD_TO_BUCKET, [(*key, *row) for key, row in sums.items()])
    db.execute("COMMIT")
    db.execute("ANALYZE")
    db.close()


def enrich(state: Path) -> None:
    """What reports look at beside: runs of subagents, decisions, unlisted and unpriced usage."""
    os.environ["CLAUDE_CONFIG_DIR"] = str(state.parent)
    from claude_tier_hooks import ledger

    db = ledger.connect(patience=60)
    main, beyond = ledger.known_id(db, "main"), ledger.name_id(db, "unlisted")
    db.execute("BEGIN IMMEDIATE")
    for statement in _MORE:
        db.execute(statement, {"main": main, "beyond": beyond})
    db.execute("COMMIT")
    db.execute("ANALYZE")
    db.close()


# Every tenth session has a cost beyond its rows and decisions, one response in a hundred has no
# price, and one in two hundred was cut off.
_TENTH = "session.id % 10 = 0"
_OPUS = "(SELECT id FROM name WHERE text = 'claude-opus-5-5')"
_MORE = (
    "UPDATE session SET model = 'claude-opus-5-5', model_at = started,"
    " last = (SELECT max(at) FROM usage WHERE usage.session = session.id)",
    "INSERT INTO run (agent_id, session, agent, tool_use_id, model, last, ended, usd, tokens)"
    " SELECT 'a' || agent, session, agent, 'toolu_' || agent, 'claude-haiku-5-5', max(at), max(at),"
    " sum(usd), sum(input_tokens + output_tokens + cache_read_tokens) FROM usage"
    " WHERE agent <> :main GROUP BY session, agent",
    "UPDATE usage SET run = (SELECT id FROM run WHERE run.session = usage.session"
    " AND run.agent = usage.agent) WHERE agent <> :main",
    "UPDATE usage SET final = 0 WHERE id % 200 = 0",
    "UPDATE usage SET usd = NULL WHERE id % 100 = 0",
    f"INSERT INTO unlisted (session, model, at, input_tokens, output_tokens, usd)"
    f" SELECT session.id, {_OPUS}, last, 900, 400, 0.02 FROM session WHERE {_TENTH}",
    f"INSERT OR IGNORE INTO bucket (start, session, agent, model, source, project, input_tokens,"
    f" output_tokens, usd) SELECT CAST(last AS INTEGER) / 900, session.id, :main,"
    f" {_OPUS}, :beyond, project, 900, 400, 0.02 FROM session WHERE {_TENTH}",
    f"INSERT INTO decision (session, tool_use_id, at, tool, agent, would, origin, action, set_tier,"
    f" reason, level, agent_id, ran, proof) SELECT session.id, run.tool_use_id, started, 'Agent',"
    f" agent, 'claude-opus-5-5', 'parent', 'assigned', 'haiku', 'assigned to haiku', 'ok',"
    " agent_id, 'claude-haiku-5-5', 'held' FROM session JOIN run ON run.session = session.id"
    f" WHERE {_TENTH}",
)
