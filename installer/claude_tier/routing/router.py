"""The router: one request, the first of several targets that answers it, and what it cost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, closing
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NamedTuple, final

import anyio
from anyio import to_thread
from claude_tier_hooks import cooldowns, ledger, routed
from claude_tier_hooks import emergency as rule
from claude_tier_hooks.shapes import Json

from claude_tier.errors import UserError
from claude_tier.routing import accounting, emergency, providers, wording
from claude_tier.routing import target as names
from claude_tier.routing.accounting import Books, Exchange
from claude_tier.routing.answer import Answer, Attempt, Lost, NobodyError
from claude_tier.routing.by_hand import Emergency
from claude_tier.routing.chain import Chain, Course, Reply, Request, Timing
from claude_tier.routing.cooldown import Cooldowns, said
from claude_tier.routing.cooling import Cooling
from claude_tier.routing.prompt import Prompt, Used
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.providers import Client

__all__ = ["Allowed", "Answer", "Attempt", "NobodyError", "Origin", "Router"]

Origin = Literal["ask", "mcp", "pipeline", "heartbeat"]
Kept = tuple[Target, str, str]  # with the cause and why
Clients = Callable[["Config", str], AbstractAsyncContextManager["Client"]]
LOCAL_PROMPT = "this prompt stays on this machine"


def _mute(_line: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Allowed:
    """Whom a request may ask, whom it may not and why."""

    targets: tuple[Target, ...]
    kept: tuple[Kept, ...] = ()
    because: Emergency | None = None


class _Known(NamedTuple):
    """What is on, the budget on the plan that is used up, whether anything is cooling at all."""

    on: Emergency | None
    plan: Json | None = None
    cooling: bool = False


@final
class Router:
    """Asks targets in order until one answers; use it in an `async with`.

    `say` gets one line for each retry, fallback, skip and emergency. Without `stand_in` an
    emergency leaves nobody but the local ones of the targets that were asked for.
    """

    def __init__(
        self,
        config: Config,
        rules: Json,
        *,
        origin: Origin = "ask",
        say: Callable[[str], None] = _mute,
        clients: Clients | None = None,
        timing: Timing | None = None,
        stand_in: bool = True,
    ) -> None:
        self._config = config
        self._rules = rules
        self._origin = origin
        self._stand_in = stand_in
        self._say = say
        self._warned: set[str] = set()
        self._make = clients or providers.client
        self._timing = timing or Timing()
        self._open: dict[str, Client] = {}
        self._opening = anyio.Lock()
        self._stack = AsyncExitStack()
        self._folder = emergency.here()
        self._cooldowns = Cooldowns(config, clock=self._timing.clock, warn=self._warn)
        self._books = Books(self._warn, folder=self._folder)
        self._chain = Chain(config, self._client, self._cooldowns, self._timing)

    async def __aenter__(self) -> Router:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def ask(
        self,
        prompt: Prompt,
        targets: Sequence[Target],
        *,
        route: str | None = None,
        on_text: Callable[[str], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
        on_end: Callable[[Exchange], None] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """The first whole answer; NobodyError where there is none within `timeout` seconds.

        Once something was given to `on_text`, a failure ends the request. `on_progress` is told
        how many characters of the present try there are, and after a failure starts anew. `on_end`
        is told what is in the ledger of it, also where whoever asked has gone away meanwhile.
        """
        if not targets:
            raise NobodyError("there is no target to ask")
        began, at = self._timing.elapsed(), self._timing.clock()
        course = Course(self._say)
        deadline = None if timeout is None else began + timeout
        wanted = tuple(dict.fromkeys(targets))
        request = Request(prompt, wanted, on_text, deadline, on_progress)
        exchange = Exchange(
            id=uuid.uuid4().hex,
            at=at,
            origin=self._origin,
            route=route,
            asked=request.targets[0],
            attempts=course.attempts,
            outcome=routed.CANCELLED,
        )
        try:
            reply = await self._reply(request, course)
            exchange = self._judged(exchange, reply)
        finally:
            seconds = self._timing.elapsed() - began
            lost = [Lost(*one, self._price(*one, at)) for one in course.lost]
            exchange = replace(exchange, seconds=seconds, lost=lost)
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._books.write, exchange)
            if on_end:
                on_end(exchange)
        if reply is None:
            raise _nobody(course, exchange)
        return _answer(exchange, reply, course)

    async def _reply(self, request: Request, course: Course) -> Reply | None:
        private = request.prompt.local_only
        allowed = await self.allowed(request.targets, local_only=private)
        _tell(allowed, course, self._timing.clock())
        reply = await self._chain.first(replace(request, targets=allowed.targets), course)
        if reply or course.ended or allowed.because or private:
            return reply
        # What failed just now is cooling now: what runs here may still be asked.
        later = await self.allowed(request.targets)
        left = tuple(one for one in later.targets if one not in request.targets)
        if later.because is None or not left:
            return None
        course.settle()
        _tell_emergency(later.because, None, course, self._timing.clock())
        return await self._chain.first(replace(request, targets=left), course)

    async def allowed(self, asked: tuple[Target, ...], *, local_only: bool = False) -> Allowed:
        """Local targets alone where the prompt or an emergency says so; else all. Asks nobody."""
        paid = [one for one in asked if not names.is_local(self._config, one)]
        if local_only:
            return self._local(asked, [(one, "local", LOCAL_PROMPT) for one in paid])
        now = self._timing.clock()
        known = self._standing(now)
        if known.on:
            because = known.on.reason
            return self._local(asked, [(one, "emergency", because) for one in paid], known.on)
        if known.cooling and (cooling := await self._all_cooling(paid)):
            whys = [wording.cooling(one, now) for one in cooling]
            shut = [(one, "emergency", why) for one, why in zip(paid, whys, strict=True)]
            return self._local(asked, shut, emergency.of_cooling(cooling))
        return self._without_plan(asked, known.plan) if known.plan else Allowed(asked)

    def _local(
        self, asked: tuple[Target, ...], kept: Sequence[Kept], because: Emergency | None = None
    ) -> Allowed:
        here = emergency.local_targets(self._config, asked, stand_in=self._stand_in)
        return Allowed(here, tuple(kept), because)

    def _without_plan(self, asked: tuple[Target, ...], plan: Json) -> Allowed:
        """Only `claude` itself uses the plan, whose window the budget is about."""
        there = names.providers(self._config)
        shut = [one for one in asked if there[one.provider].kind == "claude-cli"]
        why = f"the budget {plan['budget']['name']} on the plan is used up"
        left = tuple(one for one in asked if one not in shut)
        return Allowed(left, tuple((one, "budget", why) for one in shut))

    def _standing(self, now: float) -> _Known:
        """What holds for every request; where the ledger cannot be read, what holds without it."""
        with said(self._warn), closing(ledger.connect()) as db:
            on = emergency.standing(db, self._config, self._rules, now, self._folder)
            plan = emergency.plan_is_used_up(db, self._rules, now, self._folder)
            return _Known(on, plan, bool(cooldowns.listed(db, now)))
        return _Known(emergency.standing(None, self._config, self._rules, now, self._folder))

    async def _all_cooling(self, paid: Sequence[Target]) -> list[Cooling]:
        """What keeps each paid target of a request out; empty where one may be asked."""
        found = []
        for one in paid:
            try:
                kept = self._cooldowns.standing(await self._chain.place(one))
            except UserError:
                return []
            if kept is None or kept.cause == "model":  # a wrong name is no emergency
                return []
            found.append(kept)
        return found

    def _judged(self, exchange: Exchange, reply: Reply | None) -> Exchange:
        if reply is None:
            return replace(exchange, outcome=routed.FAILED)
        usd = self._price(reply.target, reply.end, exchange.at)
        return replace(
            exchange, outcome=routed.ANSWERED, target=reply.target, end=reply.end, usd=usd
        )

    def _price(self, target: Target, used: Used, at: float) -> float | None:
        return accounting.price(self._config, self._rules, target, used, now=at)

    async def _client(self, name: str) -> Client:
        async with self._opening:
            if name not in self._open:
                made = self._make(self._config, name)
                self._open[name] = await self._stack.enter_async_context(made)
            return self._open[name]

    def _warn(self, line: str) -> None:
        """What is wrong beside the request itself, each thing once."""
        if line not in self._warned:
            self._warned.add(line)
            self._say(line)


def _tell(allowed: Allowed, course: Course, now: float) -> None:
    """Once for each request: what may not be asked, and why."""
    for target, cause, why in allowed.kept:
        course.attempts.append(Attempt(target, cause, why, skipped=True))
    shut = ", ".join(str(one[0]) for one in allowed.kept)
    if not shut:
        return
    if allowed.because is None:
        course.pending.append(f"{shut} may not be asked: {allowed.kept[0][2]}")
        return
    _tell_emergency(allowed.because, shut, course, now)
    if not allowed.targets:  # else it is said with the one that is asked instead
        course.settle()


def _tell_emergency(on: Emergency, shut: str | None, course: Course, now: float) -> None:
    whom = f"{shut} may not be asked" if shut else "only models on this machine are asked"
    course.pending.append(f"Emergency mode, {on.text(now)}: {whom}")
    wait = "" if on.until is None else f", or wait until {wording.moment(on.until, now)}"
    course.remedies.append(f"end emergency mode ({rule.way_out(on.ends)}){wait}")


def _nobody(course: Course, exchange: Exchange) -> NobodyError:
    """Why nobody answered, with what can be done about it."""
    whys = [f"{one.target}: {wording.plain(one.why)}" for one in course.attempts]
    told = "; ".join(dict.fromkeys(whys))
    message = f"{course.ended or 'nobody answered'} ({told})" if told else str(course.ended)
    hints = [f"Do this: {wording.plain(one)}" for one in dict.fromkeys(course.remedies)]
    if any(one.cause == "cooling" for one in course.attempts):
        hints.append("`claude-tier cooldown list` shows what is kept out, and how to clear it.")
    hint = "\n".join(hints) or None
    return NobodyError(
        message,
        hint,
        attempts=course.attempts,
        notices=course.notices,
        lost=exchange.lost,
        exchange=exchange.id,
    )


def _answer(exchange: Exchange, reply: Reply, course: Course) -> Answer:
    return Answer(
        text=reply.text,
        asked=exchange.asked,
        target=reply.target,
        model=reply.end.model,
        usage=reply.end.usage,
        usd=exchange.usd,
        seconds=exchange.seconds,
        reason=reply.end.reason,
        attempts=tuple(course.attempts),
        notices=tuple(course.notices),
        lost=tuple(exchange.lost),
        exchange=exchange.id,
    )
