"""What a request would cost, and what is left of the budgets of a step and of the whole run.

A free model costs nothing, and one without a price is unpriced: no budget can hold it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from claude_tier_hooks import policy, prices
from claude_tier_hooks.shapes import Json

from claude_tier.errors import UserError
from claude_tier.routing import accounting
from claude_tier.routing.prompt import Finished, Prompt, Usage
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config


@dataclass(frozen=True)
class Rates:
    """Prices of targets by the configuration and the table in force."""

    config: Config
    rules: Json

    def usd(self, target: Target, *, prompt: int, answer: int = 0) -> float | None:
        """Dollars for so many tokens, an estimate; None where the target has no price."""
        used = Finished(Usage(input=prompt, output=answer), self._full(target.model))
        return accounting.price(self.config, self.rules, target, used, now=time.time())

    def _full(self, model: str) -> str:
        """The model that an alias stands for: sonnet is the newest one that the table has."""
        table, family = self.rules["models"], policy.family(model)
        if family is None or prices.plain_id(model) in table:
            return model
        return next((one for one in table if family in one), model)


class Afford(NamedTuple):
    """The targets that a request may go to, and what is said about that."""

    targets: tuple[Target, ...]
    notices: tuple[str, ...]
    reserved: float


@dataclass
class Purse:
    """What was spent of a limit, and what requests under way may still spend; None is no limit.

    `what` names the limit: the budget of the step a.
    """

    limit: float | None
    what: str
    spent: float = 0.0
    reserved: float = 0.0
    unpriced: int = 0
    above: Purse | None = field(default=None, repr=False)

    @property
    def left(self) -> float | None:
        """Dollars; of the purse above, where that has less."""
        own = None if self.limit is None else self.limit - self.spent - self.reserved
        if self.above is None or self.above.left is None:
            return own
        return self.above.left if own is None else min(own, self.above.left)

    def pay(self, usd: float | None) -> None:
        if usd is None:
            self.unpriced += 1
        else:
            self.spent += usd
        if self.above is not None:
            self.above.pay(usd)

    def check(self) -> None:
        """UserError where nothing is left to begin with."""
        if self.limit is not None and self.spent >= self.limit:
            raise UserError(f"{self.what} is used up: ${self.spent:.4f} of ${self.limit:g}")
        if self.above is not None:
            self.above.check()

    def afford(self, targets: Sequence[Target], prompt: Prompt, rates: Rates) -> Afford:
        """Those whose price for the prompt alone is within what is left; UserError without any."""
        self.check()
        left = self.left
        costs = {one: rates.usd(one, prompt=prompt.estimated_tokens) for one in targets}
        if left is None:
            return Afford(tuple(targets), (), 0.0)
        within = {one: usd for one, usd in costs.items() if usd is None or usd <= left}
        said = [
            f"{one} was left out: its prompt alone costs about ${usd:.4f}, and ${left:.4f} is left"
            for one, usd in costs.items()
            if usd is not None and usd > left
        ]
        if not within:
            raise UserError(f"refused by {self._tightest.what}: {'; '.join(said)}")
        said += [f"{one} has no price: no budget holds it" for one in within if costs[one] is None]
        first = next(iter(within.values()))
        return Afford(tuple(within), tuple(said), first or 0.0)

    @property
    def _tightest(self) -> Purse:
        if self.above is None or self.above.left is None or self.above.left != self.left:
            return self
        return self.above

    @contextmanager
    def holding(self, usd: float) -> Iterator[None]:
        """Keep so much for a request under way: branches side by side share the purse."""
        self._reserve(usd)
        try:
            yield
        finally:
            self._reserve(-usd)

    def _reserve(self, usd: float) -> None:
        self.reserved += usd
        if self.above is not None:
            self.above._reserve(usd)
