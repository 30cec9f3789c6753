"""The state of things on one screen: what is on, what is spent, what is left, what is wrong."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from claude_tier_hooks import (
    __version__,
    backup,
    ledger,
    liveness,
    policy,
    prices,
    project,
    refresh,
    state,
    unpriced,
)
from claude_tier_hooks.shapes import Json

from claude_tier.report import budgets, days, decisions, pace, sessions, totals
from claude_tier.report.budgets import Standing
from claude_tier.report.decisions import Decision
from claude_tier.report.pace import Pace
from claude_tier.report.sessions import Session
from claude_tier.report.totals import Totals
from claude_tier.routing import health
from claude_tier.routing.by_hand import Emergency
from claude_tier.routing.cooling import Cooling

DECISIONS = 5  # the last ones, shown
# A hook of ours, or the plugin that brings them, in a settings file.
_OURS = re.compile(r'claude-tier/hooks/[a-z_]+\.py|"model-tier@[^"]*"\s*:\s*true')


@dataclass(frozen=True)
class Rung:
    """A tier: the model its alias means, dollars per million tokens in and out, who is on it."""

    tier: str
    model: str | None
    input: float | None
    output: float | None
    agents: tuple[str, ...]


@dataclass(frozen=True)
class PolicyState:
    """Whether the configuration is in force; `errors` are its mistakes: path, line, message.

    `compiled` is None where no policy was ever compiled: the balanced preset stands then.
    """

    preset: str
    compiled: str | None
    stale: bool
    errors: tuple[dict[str, object], ...]
    floor: dict[str, str]
    exempt: tuple[str, ...]
    fan_out: dict[str, object] | None


@dataclass(frozen=True)
class Health:
    """The ledger's file, and what of it waits to be looked after."""

    path: str
    bytes: int
    responses: int
    spooled: int
    damaged: tuple[str, ...]
    last_backup: str | None


@dataclass(frozen=True)
class Status:
    """`off_until` is an epoch time, infinity when there is no end, None while on.

    `installed` says whether a settings file in effect in that folder has our hooks. `cooldowns`
    and `emergency` are about the router alone. `heartbeat` is None where nothing is to run.
    """

    installed: bool
    off_until: float | None
    last_hook: float | None
    policy: PolicyState
    tiers: tuple[Rung, ...]
    budgets: tuple[Standing, ...]
    pace: tuple[Pace, ...]
    today: Totals
    sessions: tuple[Session, ...]
    subagents: int
    decisions: tuple[Decision, ...]
    unpriced: tuple[tuple[str, int], ...]
    cooldowns: tuple[Cooling, ...]
    emergency: Emergency | None
    heartbeat: Json | None
    ledger: Health
    folder: str

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        until = self.off_until
        return {
            "claude_tier": __version__,
            "installed": self.installed,
            "on": until is None,
            "off_until": None if until in (None, float("inf")) else until,
            "last_hook": self.last_hook,
            "policy": asdict(self.policy),
            "tiers": [asdict(rung) for rung in self.tiers],
            "budgets": budgets.fields(self.budgets),
            "pace": pace.fields(self.pace),
            "today": self.today.fields(),
            "sessions": [asdict(one) for one in self.sessions],
            "subagents": self.subagents,
            "decisions": [one.fields() for one in self.decisions],
            "unpriced": [{"model": name, "responses": n} for name, n in self.unpriced],
            "cooldowns": [one.fields() for one in self.cooldowns],
            "emergency": self.emergency.fields() if self.emergency else None,
            "heartbeat": self.heartbeat,
            "ledger": asdict(self.ledger),
            "folder": self.folder,
        }


def query(db: sqlite3.Connection, rules: Json, folder: str, now: float) -> Status:
    """Everything the screen shows, for a user who works in that folder."""
    today = days.parse("today", now)
    found = db.execute("SELECT count(*) FROM reservation WHERE expires > ?", (now,)).fetchone()
    place = budgets.here(db, folder)
    router = health.query(db, rules, place["project"], now)
    return Status(
        installed=_installed(folder),
        off_until=state.off_until(now),
        last_hook=_last_hook(),
        policy=_policy(rules, folder),
        tiers=tuple(_rungs(rules, now)),
        budgets=budgets.query(db, rules, place, now),
        pace=pace.query(db, rules, place, now),
        today=totals.query(db, "model", totals.Slice(days.span(today, today))),
        sessions=tuple(sessions.running()),
        subagents=found[0],
        decisions=tuple(decisions.query(db, decisions.Slice(last=DECISIONS))),
        unpriced=tuple(unpriced.models(db)),
        cooldowns=router.cooldowns,
        emergency=router.emergency,
        heartbeat=liveness.standing(db, now),
        ledger=_health(db),
        folder=state.state_dir(),
    )


def _installed(folder: str) -> bool:
    own = Path(project.root(folder), ".claude")
    files = (Path(state.config_dir(), "settings.json"), own / "settings.json")
    return any(_names_us(file) for file in (*files, own / "settings.local.json"))


def _names_us(settings: Path) -> bool:
    try:
        return _OURS.search(settings.read_text("utf-8", "replace")) is not None
    except OSError:
        return False


def _last_hook() -> float | None:
    try:
        at = float(Path(state.path("live")).read_text())
    except (OSError, ValueError):
        return None
    return at if math.isfinite(at) else None


def _policy(rules: Json, folder: str) -> PolicyState:
    compiled = Path(state.path("policy.json"))
    return PolicyState(
        preset=rules.get("preset") or "balanced",
        compiled=str(compiled) if compiled.exists() else None,
        stale=refresh.stale(rules.get("sources") or []),
        errors=tuple(refresh.faults(project.root(folder))),
        floor=rules["floor"],
        exempt=tuple(rules["exempt"]),
        fan_out=rules["fan_out"],
    )


def _rungs(rules: Json, now: float) -> Iterator[Rung]:
    """The ladder, dearest first, with the agents that are assigned to each rung."""
    named = (state.read_json(policy.data_file("builtins.json")) or {}).get("models", {})
    for tier in rules["tiers"]:
        model = named.get(tier)
        price = prices.entry(rules["models"], model, now) if model else None
        agents = (agent for agent, given in rules["assign"].items() if given["tier"] == tier)
        yield Rung(
            tier=tier,
            model=model,
            input=price["input"] if price else None,
            output=price["output"] if price else None,
            agents=tuple(sorted(agents)),
        )


def _health(db: sqlite3.Connection) -> Health:
    path = ledger.file()
    files = [Path(path), Path(path + "-wal")]
    copies = backup.kept()
    return Health(
        path=path,
        bytes=sum(file.stat().st_size for file in files if file.exists()),
        responses=db.execute("SELECT coalesce(sum(requests), 0) FROM session_total").fetchone()[0],
        spooled=len(ledger.spooled()),
        damaged=tuple(backup.damaged()),
        last_backup=copies[0] if copies else None,
    )
