"""One request of a step: who may be asked within the budget, one repair, and the fallbacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from claude_tier.errors import UserError
from claude_tier.pipelines import request, schemas
from claude_tier.pipelines.model import Step
from claude_tier.pipelines.outcome import Tally
from claude_tier.pipelines.request import Targets
from claude_tier.pipelines.spending import Purse, Rates
from claude_tier.routing.accounting import Exchange
from claude_tier.routing.answer import Answer, NobodyError
from claude_tier.routing.prompt import Prompt
from claude_tier.routing.router import Router
from claude_tier.routing.target import Target


class Fitting(NamedTuple):
    """An answer, and the JSON that it is where the step wants that."""

    answer: Answer
    value: object


class UnfitError(UserError):
    """A target answered, and what it said cannot be used."""

    def __init__(self, target: Target, message: str) -> None:
        super().__init__(f"{target} {message}")
        self.target = target


@dataclass(frozen=True)
class Desk:
    """What every request of a run needs."""

    router: Router
    rates: Rates
    say: Callable[[str], None]


@dataclass(frozen=True)
class Asking:
    """The requests behind one outcome; `tally` and `purse` are told of all that was paid."""

    desk: Desk
    step: Step
    route: str
    purse: Purse
    tally: Tally

    async def ask(self, prompt: Prompt, targets: Targets) -> Fitting:
        """An answer that fits; UserError where no target gave one."""
        return await self._ask(prompt, targets.all, targets.fallback)

    async def _ask(
        self, prompt: Prompt, targets: Sequence[Target], fallback: Sequence[Target]
    ) -> Fitting:
        try:
            return await self._fitting(prompt, targets)
        except UnfitError as unfit:
            later = _after(unfit.target, targets, fallback)
            if not later:
                raise
            self._say(f"{unfit.message}; {later[0]} is asked instead")
        return await self._ask(prompt, later, fallback)

    async def _fitting(self, prompt: Prompt, targets: Sequence[Target]) -> Fitting:
        answer = await self._one(prompt, targets)
        try:
            return await self._checked(answer)
        except ValueError as fault:
            why = str(fault)
        self._say(f"{answer.target} gave an answer that {why}; it is asked once more")
        try:
            repaired = await self._one(request.again(prompt, answer.text, why), [answer.target])
        except NobodyError as error:
            raise UnfitError(answer.target, f"gave an answer that {why}: {error}") from None
        try:
            return await self._checked(repaired)
        except ValueError as fault:
            raise UnfitError(answer.target, f"gave two answers; the second {fault}") from None

    async def _one(self, prompt: Prompt, targets: Sequence[Target]) -> Answer:
        within = self.purse.afford(targets, prompt, self.desk.rates)
        for line in within.notices:
            self._say(line)
        with self.purse.holding(within.reserved):
            answer = await self._routed(prompt, within.targets)
        self.tally.add(answer)
        if answer.reason == "refusal":
            raise UnfitError(answer.target, "refused to answer")
        return answer

    async def _routed(self, prompt: Prompt, targets: Sequence[Target]) -> Answer:
        router, timeout = self.desk.router, self.step.timeout
        try:
            return await router.ask(
                prompt, targets, route=self.route, on_end=self._pay, timeout=timeout
            )
        except NobodyError as error:
            self.tally.notices += error.notices
            raise

    def _pay(self, exchange: Exchange) -> None:
        """The answer, and what came to none; of a request that was broken off as well."""
        if exchange.end is not None:
            self.purse.pay(exchange.usd)
        for one in exchange.lost:
            self.tally.lose(one)
            self.purse.pay(one.usd)

    async def _checked(self, answer: Answer) -> Fitting:
        """ValueError where the answer is not what the step wants."""
        cut = self._cut(answer)
        if not self.step.is_json:
            if answer.reason == "length":
                self._say(f"the answer {cut}")
            return Fitting(answer, None)
        try:
            value = schemas.read(answer.text)
        except ValueError:
            if answer.reason == "length":
                raise ValueError(cut) from None
            raise
        shape = self.step.shape
        fault = await schemas.fault_in(value, shape) if shape is not None else None
        if fault:
            raise ValueError(f"does not fit the schema: {fault}")
        return Fitting(answer, value)

    def _cut(self, answer: Answer) -> str:
        """What ended an answer that has the reason "length"."""
        given, most = answer.usage.output, self.step.max_tokens
        if not answer.usage.measured or given >= most:
            return f"was cut at {most:,} tokens (max_tokens)"
        return (
            f"was cut after {given:,} tokens, before max_tokens ({most:,}): the context window of"
            f" {answer.target} is full, or its provider allows no more"
        )

    def _say(self, line: str) -> None:
        self.tally.notices.append(line)
        self.desk.say(line)


def _after(
    target: Target, asked: Sequence[Target], fallback: Sequence[Target]
) -> tuple[Target, ...]:
    """The fallbacks that come after that target.

    None after one that emergency mode asked instead: it would answer for each of them again.
    """
    if target not in asked:
        return ()
    rest = asked[asked.index(target) + 1 :]
    return tuple(one for one in rest if one in fallback)
