"""Lets targets answer one tiny prompt each, over the router, so that it is priced and accounted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anyio
from claude_tier_hooks import prices
from claude_tier_hooks.shapes import Json

from claude_tier.routing.prompt import Prompt
from claude_tier.routing.router import NobodyError, Router
from claude_tier.routing.setup.checking import Asked, Checked, Named, Progress
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.setup.looking import Clients

ROUTE = "check"  # what these requests are called in the ledger
PATIENCE = 180.0  # seconds for one answer: a large local model is loaded first
PROMPT = replace(Prompt.of("Answer with the one word: ready"), max_tokens=64)


@dataclass(frozen=True)
class Estimate:
    """What asking may cost at most, as far as prices are known, and how many have none."""

    targets: int
    usd: float
    unpriced: int


def asked_for(checked: Sequence[Checked]) -> tuple[Target, ...]:
    """Whom `ask` will ask: what can be reached and is not known to be missing."""
    reached = [target for one in checked if one.found.reachable for target in one.named]
    return tuple(target.target for target in reached if target.there is not False)


def estimate(rules: Json, targets: Sequence[Target], now: float) -> Estimate:
    """Before anything is asked: every answer as long as it may be."""
    found = [_most(rules, target, now) for target in targets]
    return Estimate(len(found), sum(filter(None, found)), found.count(None))


def _most(rules: Json, target: Target, now: float) -> float | None:
    table = prices.of_provider(rules, rules, target.provider)
    if table is None:
        return 0.0
    counts = dict.fromkeys(prices.KINDS, 0)
    usage: Json = {**counts, "input": PROMPT.estimated_tokens, "output": PROMPT.max_tokens}
    return prices.price(table, target.model, now, usage)


async def ask(
    config: Config,
    rules: Json,
    checked: Sequence[Checked],
    *,
    clients: Clients,
    progress: Progress,
) -> tuple[Checked, ...]:
    """The same, with the answer of every target of a provider that can be reached.

    Providers answer at once, the targets of one after another: a machine has memory for one.
    """
    total = sum(len(one.named) for one in checked if one.found.reachable)
    done: list[Named] = []
    found: dict[str, Checked] = {}

    async def visit(router: Router, one: Checked) -> None:
        answers = []
        for target in one.named if one.found.reachable else ():
            asked = await _asked(router, target.target) if target.there is not False else None
            answers.append(replace(target, asked=asked))
            done.append(target)
            progress(len(done), total)
        found[one.name] = replace(one, named=tuple(answers) or one.named)

    async with (
        Router(config, rules, origin="ask", clients=clients, stand_in=False) as router,
        anyio.create_task_group() as tasks,
    ):
        for one in checked:
            tasks.start_soon(visit, router, one)
    return tuple(found[one.name] for one in checked)


async def _asked(router: Router, target: Target) -> Asked:
    try:
        answer = await router.ask(PROMPT, [target], route=ROUTE, timeout=PATIENCE)
    except NobodyError as error:
        why = error.attempts[-1].why if error.attempts else error.message
        return Asked(answered=False, message=why, remedy=error.hint)
    return Asked(True, answer.model, answer.usd, answer.seconds)
