"""What became of each request of the router: whom it asked, who answered, how long that took."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from claude_tier_hooks import routed

from claude_tier.report import figures
from claude_tier.report.decisions import Slice, printable, within

NONE = "No request yet: `claude-tier ask`, pipelines and local models make them."
NO_MATCH = "No request matches."
_INPUT = "input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens"
_LOST_TOKENS = f"(SELECT sum({_INPUT} + output_tokens) FROM usage WHERE {routed.OF_LOST})"
_LOST_USD = (
    f"(SELECT CASE count(usd) WHEN count(*) THEN sum(usd) END FROM usage WHERE {routed.OF_LOST})"
)
_COLUMNS = (
    "e.id, e.at, s.text, p.text, e.origin, e.route, e.asked, e.target, e.model, e.seconds,"
    f" e.outcome, u.usd, {_INPUT}, u.output_tokens, {_LOST_TOKENS}, {_LOST_USD}, e.attempts"
)
_FROM = (
    "exchange e LEFT JOIN name s ON s.id = e.session LEFT JOIN session own ON own.id = e.session"
    " LEFT JOIN name p ON p.id = own.project LEFT JOIN usage u ON u.key = e.usage"
)


@dataclass(frozen=True)
class Exchange:
    """One request. `target`, `model` and the figures are None where nobody answered, `usd` also
    where the answer has no price. `attempts` are those that did not answer, in order; `lost` is
    what they used at least, as far as that is known.
    """

    id: str
    at: float
    session: str
    project: str | None
    origin: str
    route: str | None
    asked: str
    target: str | None
    model: str | None
    seconds: float
    outcome: str
    usd: float | None
    input_tokens: int | None
    output_tokens: int | None
    lost_tokens: int | None
    lost_usd: float | None
    attempts: tuple[Mapping[str, object], ...]

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return asdict(self)


def query(db: sqlite3.Connection, part: Slice) -> list[Exchange]:
    """The requests of that part, oldest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE {within('e.at')}"
        " ORDER BY e.at DESC, e.id DESC LIMIT :last",
        part.values,
    )
    return [_exchange(row) for row in rows][::-1]


def _exchange(row: tuple[Any, ...]) -> Exchange:
    values = dict(zip(Exchange.__dataclass_fields__, row, strict=True))
    return Exchange(**{**values, "attempts": tuple(json.loads(values["attempts"]))})


def as_text(found: Sequence[Exchange]) -> str:
    """One block of lines for each."""
    return "\n".join("\n".join(_block(one)) for one in found)


def _block(one: Exchange) -> Iterator[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.at))
    came = f"{one.origin}/{one.route}" if one.route else one.origin
    yield printable(f"{when}  {came}  {_outcome(one)}, {one.seconds:.1f} s{_cost(one)}")
    for each in one.attempts:
        verb = "skipped" if each.get("skipped") else "failed"
        yield printable(f"  {each.get('target')} {verb} ({each.get('cause')}): {each.get('why')}")


def _outcome(one: Exchange) -> str:
    if one.target is None:
        return f"{one.asked} {one.outcome}"
    instead = f" instead of {one.asked}" if one.target != one.asked else ""
    return f"{one.target} answered{instead}"


def _cost(one: Exchange) -> str:
    text = ""
    if one.output_tokens is not None:
        tokens = figures.count((one.input_tokens or 0) + one.output_tokens)
        text = f", {tokens} tokens, {figures.money(one.usd)}"
    if one.lost_tokens is not None:
        cost = figures.money(one.lost_usd, at_least=True)
        text += f"; {figures.count(one.lost_tokens)}+ tokens, {cost} without an answer"
    return text
