"""What keeps a session of Claude Code from going on keeps the router from asking there as well.

The client names the kind of failure in `error`, and never the model. At Anthropic the whole account
cools; elsewhere, where a proxy may have many accounts behind it, the conversation's model alone.
"""

from __future__ import annotations

import datetime
import sqlite3

from . import cooldowns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Json

CAUSES = {
    "rate_limit": "pace",
    "billing_error": "billing",
    "authentication_failed": "key",
    "server_error": "server",
    "overloaded": "server",
}
LIMIT = "API usage limits"  # a spend limit comes as `unknown`, with its end in words
REGAIN = "regain access on "
OWN_HOST = "api.anthropic.com"
# As long as no policy was compiled: the user's own `claude`.
PROVIDERS = {"claude": {"host": None, "anthropic": True, "cooldown": 7200}}


def cause(event: Json) -> str | None:
    """Which cause the failure is of; None where it says nothing about the provider."""
    if LIMIT in str(event.get("last_assistant_message")):
        return "billing"
    return CAUSES.get(str(event.get("error")))


def keep(db: sqlite3.Connection, event: Json, rules: Json, environment: Json, now: float) -> int:
    """Write the cooldowns that follow from a failed turn; how many. The caller holds the
    transaction."""
    found = cause(event)
    if found is None:
        return 0
    host, account = _endpoint(environment)
    model = cooldowns.EVERY if host is None else _model(db, event)
    fault = {
        "cause": found,
        "why": "a session of Claude Code ended so (%s)" % event.get("error"),
        "until": _until(db, event, found, account, now),
        "everywhere": host is None,
    }
    written = 0
    for name, one in (rules.get("providers") or PROVIDERS).items():
        if model and _serves(one, host, account):
            place = (name, account, model)
            row, _ = cooldowns.fail(db, place, fault, now, one.get("cooldown") or 0)
            written += row is not None
    return written


def _model(db: sqlite3.Connection, event: Json) -> str | None:
    """The model of the conversation, as far as it is known."""
    row = db.execute(
        "SELECT model FROM session WHERE id = (SELECT id FROM name WHERE text = ?)",
        (event.get("session_id"),),
    ).fetchone()
    return str(row[0]) if row and row[0] else None


def _endpoint(environment: Json) -> tuple[str | None, str]:
    """(host, None for Anthropic itself; the account there)."""
    url = environment.get("ANTHROPIC_BASE_URL") or ""
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2].lower()
    own = host in ("", OWN_HOST)
    key = environment.get("ANTHROPIC_API_KEY")
    if not own:
        key = environment.get("ANTHROPIC_AUTH_TOKEN") or key
    nobody = cooldowns.LOGIN if own else cooldowns.NO_KEY
    return None if own else host, cooldowns.fingerprint(key) if key else nobody


def _serves(provider: Json, host: str | None, account: str) -> bool:
    """Whether that provider asks the same account; a login is the client's own alone."""
    if host is not None:
        return bool(provider.get("host") == host)
    if account == cooldowns.LOGIN:
        return bool(provider.get("anthropic")) and provider.get("host") is None
    return bool(provider.get("anthropic"))


def _until(
    db: sqlite3.Connection, event: Json, found: str, account: str, now: float
) -> float | None:
    """When it is over, as the message or the plan's windows name it."""
    if found == "billing":
        return _named(str(event.get("last_assistant_message")))
    if found != "pace" or account != cooldowns.LOGIN:
        return None
    query = "SELECT max(resets_at) FROM plan_window WHERE used >= 100 AND resets_at > ?"
    (resets,) = db.execute(query, (now,)).fetchone()
    return float(resets) if resets else None


def _named(text: str) -> float | None:
    """The time in `You will regain access on 2026-12-01 at 00:00 UTC.`"""
    words = text.partition(REGAIN)[2].partition(" UTC")[0].replace(" at ", "T")
    try:
        return datetime.datetime.fromisoformat(words + "+00:00").timestamp()
    except ValueError:
        return None
