"""Billable responses into the ledger: each counted once, whoever copied it, in its own session.

Of several rows of one response the greatest (output tokens, finished, total) wins and a tie goes
to the last; the earliest time is kept. Every change moves the quarter-hour sums by the difference,
in the same transaction. The caller holds the transaction.
"""

from __future__ import annotations

import json
import sqlite3

from . import greatest, ledger, places, prices, project, state, transcripts, unlisted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Cells, Json, Row

# How sure we are that a row stands in the session that paid for it.
COPY, PLAIN, PAID = 0, 1, 2

_SELECT = (
    "SELECT at, session, agent, run, model, source, requests, final, owned, fast, geo,"
    " input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,"
    " cache_write_1h_tokens, web_searches, usd, asked FROM usage WHERE key = ?"
)
_COLUMNS = (
    "at", "session", "agent", "run", "model", "source", "requests", "final", "owned", "fast",
    "geo", *ledger.KINDS, "usd", "asked",
)  # fmt: skip
INSERT = "INSERT INTO usage (key, %s) VALUES (%s)" % (
    ", ".join(_COLUMNS),
    ", ".join("?" * (len(_COLUMNS) + 1)),
)
USD = _COLUMNS.index("usd")
UPDATE = "UPDATE usage SET %s WHERE key = ?" % ", ".join(c + " = ?" for c in _COLUMNS)


class Recorder:
    """Writes batches of usage into one open transaction, then `finish()` brings the sums along."""

    def __init__(self, db: sqlite3.Connection, policy: Json, source: str = "transcript") -> None:
        self.db = db
        self.table = {key: policy.get(key) for key in ("models", "geo", "web_search_usd")}
        self.hosts = policy.get("hosts") or {}
        self.policy = policy
        self.source = ledger.name_id(db, source)
        self.forget()

    def forget(self) -> None:
        """Look everything up again, and sum from nothing."""
        self.ids: dict[str, int] = {}
        self.files: set[str] = set()
        self.agents: dict[tuple[int, str], tuple[int, int]] = {}
        self.sessions: dict[int, Json] = {}
        self.sums: dict[tuple[int, ...], list[float]] = {}
        self.runs: dict[int, list[float]] = {}
        self.last: dict[int, float] = {}
        self.answered: dict[tuple[str, int], tuple[str, float]] = {}
        self.touched: set[int] = set()

    def id(self, text: str) -> int:
        if text not in self.ids:
            self.ids[text] = ledger.name_id(self.db, text)
        return self.ids[text]

    def session(self, text: str, cwd: object = None, file: str | None = None) -> Json:
        """The session's row, made on first sight from the head of its own transcript."""
        number = self.id(text)
        known = self.sessions.get(number)
        if known is None:
            known = _load_session(self.db, number) or self._new_session(number, cwd, file)
            self.sessions[number] = known
        if file and file not in self.files:
            self.files.add(file)
            self._learn(known, file)
        return known

    def _learn(self, session: Json, file: str) -> None:
        """A session known by copies of its rows, or that moved, is owned by its first folder."""
        if session["file"] == file:
            return
        first = transcripts.head(file)
        if "at" not in first:
            return
        if session["file"] and (session["started"] or 0) <= first["at"]:
            return
        root = project.root(first["cwd"]) if "cwd" in first else None
        session.update(file=file, started=first["at"])
        if root:
            session["project"] = self.id(root)
            self.db.execute(
                "UPDATE bucket SET project = ?1 WHERE session = ?2 AND project <> ?1",
                (session["project"], session["id"]),
            )
        self.db.execute(
            "UPDATE session SET file = ?, started = ?, project = ? WHERE id = ?",
            (file, first["at"], session["project"], session["id"]),
        )

    def _new_session(self, number: int, cwd: object, file: str | None) -> Json:
        first = transcripts.head(file) if file else {}
        where = first.get("cwd") or cwd
        root = project.root(where) if isinstance(where, str) else "unknown"
        made = {
            "id": number, "project": self.id(root), "started": first.get("at"), "host": None,
            "parent": None, "parent_at": None, "file": file if first else None,
        }  # fmt: skip
        self.db.execute(
            "INSERT INTO session (id, project, started, file) VALUES (?, ?, ?, ?)",
            (number, made["project"], made["started"], made["file"]),
        )
        return made

    def run(self, session: int, agent_id: str, meta: Json) -> tuple[int, int]:
        """(run, agent type) of one subagent's transcript."""
        known = self.agents.get((session, agent_id))
        if known is None:
            known = self.agents[session, agent_id] = self._run(session, agent_id, meta)
        return known

    def _run(self, session: int, agent_id: str, meta: Json) -> tuple[int, int]:
        row = self.db.execute(
            "SELECT id, agent FROM run WHERE agent_id = ? AND session = ?", (agent_id, session)
        ).fetchone()
        kind = meta.get("agentType")
        if row is None:
            agent = self.id(state.storable(kind) if isinstance(kind, str) and kind else "unknown")
            made = self.db.execute(
                "INSERT INTO run (agent_id, session, agent, tool_use_id) VALUES (?, ?, ?, ?)",
                (
                    agent_id,
                    session,
                    agent,
                    state.storable(str(meta.get("toolUseId") or "")) or None,
                ),
            )
            return int(made.lastrowid or 0), agent
        return int(row[0]), int(row[1])

    def apply(self, batch: Json) -> None:
        """One batch of a transcript: its responses, its cost-states, how far it was read."""
        placed, agent_id = places.place(batch["path"])
        main = None if agent_id else batch["path"]
        if agent_id and placed:
            main = batch["path"].partition("/%s/subagents/" % placed)[0] + "/%s.jsonl" % placed
        meta = batch.get("meta") or {}
        best: dict[str, Json] = {}
        for row in batch["rows"]:
            greatest.keep(best, row, placed)
        answered = {row["ref"] for row in best.values()}
        place = (placed, agent_id, main, meta)
        owners: dict[str | None, Row] = {}
        for key, row in best.items():
            if row["copied_from"]:
                self._record(key, row, batch, self._copied(row, place))
                continue
            named = row["session"] if isinstance(row["session"], str) else None
            if named not in owners:
                owners[named] = self._placed(row, place)
            self._record(key, row, batch, owners[named])
        for model, at in () if agent_id else batch.get("models", ()):
            self._tell_model(self.session(placed, None, main)["id"], model, at)
        for cost, at in batch["costs"]:
            self._cost_state(cost, at or batch["modified"], placed, main)
        _save_offset(self.db, batch, sorted(batch["refs"] - answered))

    def _placed(self, row: Json, place: Row) -> Row:
        """(session, run, agent) of a row that stands where it was paid for."""
        placed, agent_id, main, meta = place
        here = row["session"] if isinstance(row["session"], str) else placed
        session = self.session(here or placed or "unknown", row["cwd"], main)
        return session, *self._agent(session, agent_id, meta)

    def _copied(self, row: Json, place: Row) -> Row:
        """The same of a row that a fork or a resume copied: it is its first session's."""
        _, agent_id, _, meta = place
        session = self._placed(row, (place[0], None, *place[2:]))[0]
        owner = self.session(row["copied_from"], row["cwd"])
        self._note_parent(session, owner["id"], row["at"])
        return owner, *self._agent(owner, agent_id, meta)

    def _agent(self, owner: Json, agent_id: str | None, meta: Json) -> Row:
        return self.run(owner["id"], agent_id, meta) if agent_id else (None, self.id(ledger.MAIN))

    def _record(self, key: str, row: Json, batch: Json, place: Row) -> None:
        owner, run, agent = place
        at = row["at"] if row["at"] is not None else batch["modified"]
        owned = COPY if row["copied_from"] else PAID if row["ref"] in batch["refs"] else PLAIN
        new = [
            at, owner["id"], agent, run, self.id(row["model"]), self.source, row["requests"],
            int(row["final"]), owned, int(row["speed"] == "fast"), row["geo"] or None,
            *[row[kind] for kind in greatest.TOKENS], None, self._asked(row),
        ]  # fmt: skip
        if owned != COPY:
            self._note_model(owner, run, row, at)
        self._merge(key, new, owner, row)

    def _asked(self, row: Json) -> int | None:
        """The model asked for, by which the client sums its costs, where another answered."""
        return self.id(row["asked"]) if row["asked"] not in (None, row["model"]) else None

    def _price(self, row: Json, at: float, session: Json) -> float | None:
        """Where the request went decides: a host named in the configuration has its own prices."""
        host = ledger.text_of(self.db, session["host"]) if session["host"] else None
        table = prices.of_host(self.table, self.hosts, host)
        return prices.price(table, row["model"], at, row) if table is not None else 0.0

    def _merge(self, key: str, new: Cells, owner: Json, row: Json) -> None:
        old = self._kept(key)
        if old is None:
            new[USD] = self._price(row, new[0], owner)
            self._insert(key, new)
            self._move(new, 1)
            return
        merged = self._merged(new, old, row)
        if merged[1] != new[1]:
            self._note_parent(self.sessions[new[1]], merged[1], new[0])
        elif old[1] != new[1]:
            copy = self.sessions.get(old[1]) or _load_session(self.db, old[1])
            if copy:
                self._note_parent(copy, new[1], old[0])
        if merged != old:
            self._update(key, merged)
            self._move(old, -1)
            self._move(merged, 1)

    def _kept(self, key: str) -> Cells | None:
        """The columns of a response the ledger holds."""
        found = self.db.execute(_SELECT, (key,)).fetchone()
        return list(found) if found else None

    def _insert(self, key: str, cells: Cells) -> None:
        self.db.execute(INSERT, (key, *cells))

    def _update(self, key: str, cells: Cells) -> None:
        self.db.execute(UPDATE, (*cells, key))

    def _merged(self, new: Cells, old: Cells, row: Json) -> Cells:
        """The greater of two rows of one response, where it was paid, when it began."""
        greater = greatest.weight(new) >= greatest.weight(old)
        place = new if self._owns(new, old) else old
        merged = list(new if greater else old)
        merged[0] = min(new[0], old[0])
        merged[1:4] = place[1:4]
        merged[8] = place[8]
        if greater or merged[0] != old[0]:
            # Dated by its first row, it is priced by that day.
            usage = row if greater else self._as_usage(old)
            session = self.sessions.get(place[1]) or _load_session(self.db, place[1])
            merged[USD] = self._price(usage, merged[0], session or {"host": None})
        return merged

    def reprice(self, key: str) -> bool:
        """Price a response from what is kept of it; False when its model has no price still."""
        old = self._kept(key)
        if old is None:
            return False
        session = self.sessions.get(old[1]) or _load_session(self.db, old[1])
        source = ledger.text_of(self.db, old[5]) or ""
        usage = self._as_usage(old)
        if source.startswith("router/"):
            table = prices.of_provider(self.table, self.policy, source.split("/")[1])
            usd = 0.0 if table is None else prices.price(table, usage["model"], old[0], usage)
        else:
            usd = self._price(usage, old[0], session or {"host": None})
        if usd is None:
            return False
        new = [*old[:USD], usd, *old[USD + 1 :]]
        self._update(key, new)
        self._move(old, -1)
        self._move(new, 1)
        return True

    def _as_usage(self, cells: Cells) -> Json:
        return dict(
            zip(greatest.TOKENS, cells[11:17]),
            model=ledger.text_of(self.db, cells[4]),
            speed="fast" if cells[9] else None,
            geo=cells[10],
        )

    def _owns(self, new: Cells, old: Cells) -> bool:
        """Whether the new row's place is better: paid there, then main, then began first."""
        if new[8] != old[8]:
            return bool(new[8] > old[8])
        if new[1] == old[1]:  # a fork subagent's file begins with a copy of the main one's row
            return old[3] is not None and new[3] is None
        mine = self.sessions[new[1]]["started"]
        theirs = (_load_session(self.db, old[1]) or {}).get("started")
        return mine is not None and theirs is not None and mine < theirs

    def _note_parent(self, session: Json, parent: int, at: float | None) -> None:
        """A session that holds copies was forked from the owner of the latest of them."""
        at = at or 0.0
        if session["id"] == parent or at < (session["parent_at"] or 0.0):
            return
        if session["parent"] != parent:
            self.touched.add(session["id"])
        session.update(parent=parent, parent_at=at)
        self.db.execute(
            "UPDATE session SET parent = ?, parent_at = ? WHERE id = ?", (parent, at, session["id"])
        )

    def _tell_model(self, session: int, model: str, at: float) -> None:
        """The conversation runs on that model from then on, as the client itself says."""
        self.db.execute(
            "UPDATE session SET model = ?1, model_at = ?2 WHERE id = ?3"
            " AND coalesce(model_at, 0) <= ?2",
            (model, at, session),
        )

    def _note_model(self, session: Json, run: int | None, row: Json, at: float) -> None:
        """The model each conversation runs on: that of a response, where the client says none."""
        key = ("run", run) if run else ("session", session["id"])
        if row["requests"] and at >= self.answered.get(key, ("", 0.0))[1]:
            self.answered[key] = (row["model"], at)

    def _keep_models(self) -> None:
        for (kind, number), (model, at) in self.answered.items():
            if kind == "run":
                self.db.execute(
                    "UPDATE run SET model = ?1, last = ?2 WHERE id = ?3"
                    " AND coalesce(last, 0) <= ?2",
                    (model, at, number),
                )
            else:
                self.db.execute(
                    "UPDATE session SET model = ?1 WHERE id = ?3"
                    " AND (model_at IS NULL OR (model IS NULL AND model_at <= ?2))",
                    (model, at, number),
                )
        self.answered = {}

    def _move(self, row: Cells, sign: int) -> None:
        """Add a row to the sums of its quarter hour, or take it out."""
        at, session, agent, run, model, source, requests = row[:7]
        usd = row[USD]
        key = (int(at // ledger.BUCKET), session, agent, model, source)
        unpriced = int(usd is None)  # an advisor's call too, though it is no request
        sums = self.sums.get(key)
        if sums is None:
            sums = self.sums[key] = [0.0] * len(ledger.SUMS)
        for n, value in enumerate(row[11:17], 1):
            if value:
                sums[n] += sign * value
        sums[0] += sign * requests
        sums[-2] += sign * (usd or 0.0)
        sums[-1] += sign * unpriced
        if run:
            of_run = self.runs.get(run)
            if of_run is None:
                of_run = self.runs[run] = [0.0, 0]
            of_run[0] += sign * (usd or 0.0)
            of_run[1] += sign * (row[11] + row[12] + row[13] + row[14] + row[15])
        self.touched.add(session)
        if sign > 0:
            self.last[session] = max(at, self.last.get(session, at))

    def _cost_state(self, row: Json, at: float, placed: str, main: str | None) -> None:
        named = row.get("sessionId")
        session = self.session(named if isinstance(named, str) else placed, None, main)
        if unlisted.remember(self.db, session["id"], row, at):
            self.touched.add(session["id"])

    def finish(self) -> None:
        """Bring the sums along, then what the client charged beyond them."""
        for key, sums in self.sums.items():
            project_id = _project_of(self.db, self.sessions, key[1])
            self.db.execute(ledger.ADD_TO_BUCKET, (*key, project_id, *sums))
        for run, (usd, tokens) in self.runs.items():
            self.db.execute(
                "UPDATE run SET usd = usd + ?, tokens = tokens + ? WHERE id = ?", (usd, tokens, run)
            )
        for session, at in self.last.items():
            self.db.execute(
                "UPDATE session SET last = ?1 WHERE id = ?2 AND coalesce(last, 0) < ?1",
                (at, session),
            )
        self._keep_models()
        unlisted.recompute(self.db, self.touched, self.table, self.hosts)
        self.sums, self.runs, self.last, self.touched = {}, {}, {}, set()


def _load_session(db: sqlite3.Connection, number: int) -> Json | None:
    columns = ("id", "project", "started", "host", "parent", "parent_at", "file")
    row = db.execute(
        "SELECT %s FROM session WHERE id = ?" % ", ".join(columns), (number,)
    ).fetchone()
    return dict(zip(columns, row)) if row else None


def _project_of(db: sqlite3.Connection, sessions: dict[int, Json], number: int) -> int:
    known = sessions.get(number) or _load_session(db, number)
    return int(known["project"]) if known else 0


def skip(db: sqlite3.Connection, batch: Json) -> None:
    """Leave a batch that cannot be written, and go on behind it."""
    _save_offset(db, batch, [])


def _save_offset(db: sqlite3.Connection, batch: Json, waiting: list[str]) -> None:
    """How far the file was read; another process that read further is not set back."""
    pending = json.dumps(waiting[-transcripts.PENDING :]) if waiting else None
    db.execute(
        "INSERT INTO offset (path, inode, size, mtime_ns, offset, mark, pending)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET"
        " inode = ?2, size = ?3, mtime_ns = ?4, offset = ?5, mark = ?6, pending = ?7"
        " WHERE ?8 OR inode <> ?2 OR offset <= ?5",
        (
            batch["path"], batch["inode"], batch["size"], batch["mtime_ns"], batch["offset"],
            batch["mark"], pending, batch["restart"],
        ),
    )  # fmt: skip
