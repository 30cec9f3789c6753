"""One request over several targets, in order: the only loop that retries.

A retry asks the same target again, a fallback asks the next one, a cooldown keeps a target away
from later requests. What is done about a failure follows from its cause alone:

| cause           | this target                        | later requests         |
|-----------------|------------------------------------|------------------------|
| pace            | once more after a short named wait | cools                  |
| billing, key    | given up                           | cools, or is stopped   |
| model           | given up                           | cools, that model only |
| size            | given up; then only larger ones    |                        |
| server, connect | `router.retries` more              | cools for short        |
| timeout         | given up                           | cools for short        |
| request         | ends the request                   |                        |

A fault that says it is lasting is not tried again, whatever its cause.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import anyio

from claude_tier.errors import UserError
from claude_tier.routing import wording
from claude_tier.routing.answer import Attempt
from claude_tier.routing.cooldown import Cooldowns, Place
from claude_tier.routing.cooling import Cooling
from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Finished, Prompt, Used
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.providers import Client

PATIENT = 10.0  # seconds; a wait that a server names is waited out up to this
WAITS = 2  # how often one target is waited for
BACKOFF = 0.5  # seconds before the first retry, doubled for each and spread by half
SMALL = 8192  # tokens that fit wherever the file says nothing else, so that nobody is asked


@dataclass(frozen=True)
class Timing:
    """What tests put in the place of time and chance; `clock` is in epoch seconds."""

    clock: Callable[[], float] = time.time
    elapsed: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True)
class Request:
    """What is asked of whom, and until when in `elapsed` seconds (None for no end).

    `on_text` gets the answer as it comes, `on_progress` only how many characters there are.
    """

    prompt: Prompt
    targets: tuple[Target, ...]
    on_text: Callable[[str], None] | None = None
    deadline: float | None = None
    on_progress: Callable[[int], None] | None = None

    @property
    def watched(self) -> bool:
        """Whether anybody wants to know of the answer before it is whole."""
        return self.on_text is not None or self.on_progress is not None


@dataclass
class Course:
    """What has happened to one request so far.

    `ended` is why nobody else may be asked. `larger` is the window in tokens that the next target
    must exceed, since one found the prompt too long. `pending` waits to be said until somebody
    else is asked. `lost` is what tries without an answer used, as far as that is known.
    """

    say: Callable[[str], None]
    attempts: list[Attempt] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    lost: list[tuple[Target, Used]] = field(default_factory=list)
    ended: str | None = None
    larger: int | None = None
    spoken: bool = False

    def tell(self, line: str) -> None:
        self.notices.append(line)
        self.say(line)

    def skip(self, target: Target, cause: str, why: str) -> None:
        """A target that is not asked, and why."""
        self.attempts.append(Attempt(target, cause, why, skipped=True))
        self.pending.append(f"{target} is skipped: {wording.plain(why)}")

    def fail(self, target: Target, fault: Fault, seconds: float) -> None:
        """An attempt that failed."""
        self.attempts.append(Attempt(target, fault.cause, fault.message, seconds))
        if fault.remedy and fault.remedy not in self.remedies:
            self.remedies.append(fault.remedy)

    def settle(self) -> None:
        """Say what was passed over, before something else is said of it."""
        if self.pending:
            self.tell(f"{'; '.join(self.pending)}.")
            self.pending.clear()

    def turn_to(self, target: Target) -> None:
        """Say what was passed over, now that another is asked."""
        if self.pending:
            self.tell(f"{'; '.join(self.pending)}. Asking {target} instead.")
            self.pending.clear()


class Reply(NamedTuple):
    """A whole answer and who gave it."""

    target: Target
    text: str
    end: Finished


@dataclass
class Trial:
    """One target of one request. `mine`: no other process had found out that it fails.

    `used` is of the present try, so far.
    """

    target: Target
    client: Client
    place: Place
    probe: bool
    window: int | None = None
    judged: bool = False
    mine: bool = False
    waits: int = 0
    retries: int = 0
    used: Used | None = None


class Chain:
    """Tries targets for requests; `client` opens the provider of a target, or raises UserError."""

    def __init__(
        self,
        config: Config,
        client: Callable[[str], Awaitable[Client]],
        cooldowns: Cooldowns,
        timing: Timing,
    ) -> None:
        self._config = config
        self._client = client
        self._cooldowns = cooldowns
        self._timing = timing

    async def first(self, request: Request, course: Course) -> Reply | None:
        """The first whole answer; None when there is none, and `course` says why."""
        for target in request.targets:
            reply = await self._ask(target, request, course)
            if reply or course.ended:
                return reply
        return None

    async def place(self, target: Target) -> Place:
        """Under which account that target is asked; UserError where it cannot be."""
        return Place(target.provider, (await self._client(target.provider)).account, target.model)

    async def _ask(self, target: Target, request: Request, course: Course) -> Reply | None:
        try:
            client = await self._client(target.provider)
        except UserError as error:
            course.skip(target, "key", error.message)
            course.remedies += [error.hint] if error.hint else []
            return None
        place = Place(target.provider, client.account, target.model)
        admission = self._cooldowns.admit(place)
        if admission.kept:
            course.skip(target, "cooling", wording.cooling(admission.kept, self._timing.clock()))
            return None
        trial = Trial(target, client, place, admission.probe)
        try:
            if too_small := await self._too_small(trial, request, course):
                course.skip(target, "window", too_small)
                return None
            course.turn_to(target)
            return await self._try(trial, request, course)
        finally:
            if trial.probe and not trial.judged:
                self._cooldowns.release(place)

    async def _try(self, trial: Trial, request: Request, course: Course) -> Reply | None:
        """Ask one target as often as the causes of its failures allow."""
        while True:
            began, at = self._timing.elapsed(), self._timing.clock()
            try:
                reply = await self._once(trial, request, course)
            except Fault as fault:
                course.fail(trial.target, fault, self._timing.elapsed() - began)
                delay = self._delay(trial, fault, request, course)
                if delay is None:
                    return None
                wait = wording.seconds(delay)
                why = wording.plain(fault.message)
                course.tell(f"{trial.target} failed: {why}. Trying it again in {wait}.")
                await self._timing.sleep(delay)
            else:
                trial.judged = True
                self._cooldowns.answered(trial.place, at)
                return reply

    async def _once(self, trial: Trial, request: Request, course: Course) -> Reply:
        """One try. What it used is paid for without an answer too, whatever ended it."""
        trial.used = None
        try:
            return await self._heard(trial, request, course)
        except BaseException:
            if trial.used and not trial.used.usage.is_empty:
                course.lost.append((trial.target, trial.used))
            raise

    async def _heard(self, trial: Trial, request: Request, course: Course) -> Reply:
        parts, characters = list[str](), 0
        with anyio.move_on_after(self._left(request)):
            answer = trial.client.answer(trial.target.model, request.prompt, stream=request.watched)
            async with aclosing(answer) as events:
                async for event in events:
                    if isinstance(event, Used):
                        trial.used = event
                        if isinstance(event, Finished):
                            return Reply(trial.target, "".join(parts), event)
                        continue
                    parts.append(event.text)
                    characters += len(event.text)
                    if event.text:
                        _show(event.text, characters, request, course)
            raise Fault("server", "the answer ended before its end", broke_off=bool(parts))
        course.ended = "the time for this request is over"
        raise Fault("timeout", "no whole answer in the time that was given")

    def _delay(self, trial: Trial, fault: Fault, request: Request, course: Course) -> float | None:
        """Seconds until the same target is asked again; None when it is given up."""
        if course.ended:  # our own deadline says nothing about the target
            return None
        if course.spoken:
            course.ended = f"{trial.target} broke off after part of its answer was shown"
        elif fault.cause == "request":
            course.ended = f"{trial.target} refused the request"
        elif (wait := self._named_wait(trial, fault, request)) is not None:
            return wait
        kept, first = self._cooldowns.fail(trial.place, fault)
        trial.mine = trial.mine or first
        trial.judged = trial.judged or kept is not None
        if not course.ended and (wait := self._backoff(trial, fault, request)) is not None:
            return wait
        if fault.cause == "size":
            course.larger = max(trial.window or 0, course.larger or 0)
        course.pending.append(_given_up(trial.target, fault, kept, self._timing.clock()))
        return None

    def _named_wait(self, trial: Trial, fault: Fault, request: Request) -> float | None:
        """A pace that is soon over is waited out, and keeps nobody else away."""
        wait = fault.retry_after
        if wait is None and fault.until is not None:
            wait = max(0.0, fault.until - self._timing.clock())
        if fault.cause != "pace" or wait is None or wait > PATIENT or trial.probe:
            return None
        if trial.waits >= WAITS or not self._fits(wait, request):
            return None
        trial.waits += 1
        return wait

    def _backoff(self, trial: Trial, fault: Fault, request: Request) -> float | None:
        """Of all processes that meet a failure, the one that met it first tries again."""
        retries = self._config.router.retries
        if fault.cause not in ("server", "connect") or trial.probe or not trial.mine:
            return None
        if fault.lasting or trial.retries >= retries:
            return None
        delay = BACKOFF * 2.0**trial.retries * (0.5 + self._timing.chance())
        trial.retries += 1
        return delay if self._fits(delay, request) else None

    def _left(self, request: Request) -> float | None:
        return None if request.deadline is None else request.deadline - self._timing.elapsed()

    def _fits(self, wait: float, request: Request) -> bool:
        left = self._left(request)
        return left is None or wait < left

    async def _too_small(self, trial: Trial, request: Request, course: Course) -> str | None:
        """Why the prompt does not fit; None where it does, or where nobody knows."""
        prompt = request.prompt
        trial.window = window = await self._window(trial, request, course)
        if course.larger is not None and (window is None or window <= course.larger):
            return "its window is not known to be larger"
        if window is None:
            return None
        # A short prompt is fit for a small window although the answer might fill it.
        need = prompt.estimated_tokens + min(prompt.max_tokens, window // 2)
        if need <= window:
            return None
        return f"about {need:,} tokens are more than its window of {window:,}"

    async def _window(self, trial: Trial, request: Request, course: Course) -> int | None:
        """The window as configured; the provider itself is asked only where it can matter."""
        name, model = trial.target
        provider = self._config.providers.get(name)
        given = provider.models.get(model) if provider else None
        if given and given.window:
            return given.window
        prompt = request.prompt
        if course.larger is None and prompt.estimated_tokens + prompt.max_tokens <= SMALL:
            return None
        with anyio.move_on_after(self._left(request)):
            return await trial.client.window(model)
        return None


def _show(text: str, characters: int, request: Request, course: Course) -> None:
    """One more piece of an answer that now has so many characters, to whoever waits for it."""
    if request.on_progress:
        request.on_progress(characters)
    if request.on_text:
        course.spoken = True
        request.on_text(text)


def _given_up(target: Target, fault: Fault, kept: Cooling | None, now: float) -> str:
    said = f"{target} failed: {wording.plain(fault.message)}"
    if fault.cause == "model":
        said += " (look at its name in config.yaml)"
    if fault.remedy:
        said += f" ({wording.plain(fault.remedy)})"
    if kept and fault.cause in ("key", "billing"):
        said += f", and it is not asked {wording.until(kept, now)}"
    return said
