"""What every view of the spending is made of: rows of sums, and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from claude_tier_hooks import ledger

from claude_tier.report import totals
from claude_tier.report.totals import Figures, Sums

COLUMNS = (*ledger.SUMS, "cache_share")
NOTHING: Mapping[str, object] = {}


class Row(NamedTuple):
    """One line of a view; `extra` is what only that view says of it."""

    key: str
    figures: Figures
    extra: Mapping[str, object] = NOTHING

    @property
    def sums(self) -> Sums:
        return totals.settled(self.figures)


@dataclass(frozen=True)
class Spending:
    """Rows in the order they are shown, the sum of all, and what stands apart from both.

    `cache_share` is what part of all prompt tokens was read from the cache, None without any.
    `left_out` counts rows that were not asked for; `totals` has them too. `unmeasured` counts
    responses without final figures, `unsaved` sessions of which the client saved no cost,
    `unpriced` names models without a price. `routed` says whether rows tell of the router as well.
    """

    by: str
    rows: Sequence[Row]
    totals: Sums
    unlisted: Sums
    unmeasured: int
    unpriced: tuple[str, ...]
    unsaved: int
    left_out: int = 0
    routed: bool = False

    @property
    def cache_share(self) -> float | None:
        return cache_share(self.totals)

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "by": self.by,
            "rows": [row_fields(self.by, row) for row in self.rows],
            "left_out": self.left_out,
            "totals": _with_share(self.totals),
            "unlisted": totals.fields_of(self.unlisted),
            "unmeasured_requests": self.unmeasured,
            "unsaved_sessions": self.unsaved,
            "unpriced_models": list(self.unpriced),
        }


def row_fields(by: str, row: Row) -> dict[str, object]:
    """The JSON of a row, whose cells a CSV has too."""
    return {by: row.key, **_with_share(row.sums), **row.extra}


def _with_share(sums: Sums) -> dict[str, object]:
    return {**totals.fields_of(sums), "cache_share": cache_share(sums)}


def cache_share(sums: Sums) -> float | None:
    """Cache reads among all tokens of the prompts; None where there were none."""
    prompt = sums.tokens - sums.output_tokens
    return sums.cache_read_tokens / prompt if prompt else None
