"""What a saving is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Amounts(NamedTuple):
    """Counts of responses, then dollars.

    `left_out` have no price on either side and are in no other figure. The tokens of `corrected`
    were converted between two tokenizers; those of `uncorrected` were not, as no conversion is
    known. `startup_usd` and `rebuild_usd` are what tiering costs beside: they are taken off.
    """

    requests: int = 0
    left_out: int = 0
    corrected: int = 0
    uncorrected: int = 0
    actual_usd: float = 0.0
    baseline_usd: float = 0.0
    startup_usd: float = 0.0
    rebuild_usd: float = 0.0

    @property
    def gross_usd(self) -> float:
        return self.baseline_usd - self.actual_usd

    @property
    def net_usd(self) -> float:
        return self.gross_usd - self.startup_usd - self.rebuild_usd

    @property
    def usd(self) -> float | None:
        """The net saving, below 0 where it was a loss; None where nothing of it has a price."""
        return None if self.left_out and not self.requests else self.net_usd


def total(found: Iterable[Amounts]) -> Amounts:
    """The sum of them."""
    columns = [*zip(*found, strict=True)]
    return Amounts(*map(sum, columns)) if columns else Amounts()
