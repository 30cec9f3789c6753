"""One request for a beat: whom it may ask, and what the answer comes to."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, cast

import anyio

from claude_tier.errors import UserError
from claude_tier.heartbeat import answer, models
from claude_tier.heartbeat.alerts import Alert
from claude_tier.heartbeat.case import Asked, Case, Outcome
from claude_tier.heartbeat.receipts import End
from claude_tier.heartbeat.steps import step
from claude_tier.pipelines.spending import Purse, Rates
from claude_tier.routing import providers, target
from claude_tier.routing.accounting import Exchange
from claude_tier.routing.answer import Answer, Attempt, NobodyError
from claude_tier.routing.providers.claude_cli import ClaudeCli, Work
from claude_tier.routing.providers.http import Limits
from claude_tier.routing.router import Router
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.providers import Client

ROUTE = "heartbeat"
KEPT_OUT = frozenset({"cooling", "emergency", "local", "budget"})  # nobody was asked
THE_USERS = frozenset({"key", "billing", "model"})  # nobody but the user can end these
STOPPED = "it was told to end"
LONGEST = 500  # characters of a reason
NO_ANSWERS = {
    "refusal": "the model declined to answer",
    "budget": "it was ended at the budget of one run",
}


def call(case: Case, asked: Asked, say: Callable[[str], None]) -> Outcome:
    """Ask, and judge what came of it."""
    step("call")
    try:
        found = anyio.run(_call, case, asked, say)
    except NobodyError as error:
        return _nobody(case, error)
    except UserError as error:
        return Outcome(End("failed", _cut(error.message), asked=_first(case)))
    if isinstance(found, End):
        return Outcome(found)
    return _judged(case, asked, found)


async def _call(case: Case, asked: Asked, say: Callable[[str], None]) -> Answer | End:
    """The answer, or the end of a run that was told to end before."""
    answers: list[Answer] = []
    errors: list[UserError] = []
    counted: list[Exchange] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_when_told, tasks.cancel_scope)
        try:
            answers.append(await _answered(case, asked, say, on_end=counted.append))
        except UserError as error:
            errors.append(error)
        tasks.cancel_scope.cancel()
    if errors:
        raise errors[0]
    if answers:
        return answers[0]
    exchange = counted[0].id if counted else None
    return End("interrupted", STOPPED, asked=_first(case), exchange=exchange)


async def _end_when_told(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return


async def _answered(
    case: Case, asked: Asked, say: Callable[[str], None], *, on_end: Callable[[Exchange], None]
) -> Answer:
    wanted = targets(case)
    rates = Rates(case.config, case.rules)
    budget = f"the budget of {case.known.beat.name}"
    allowed = Purse(case.known.beat.usd, budget).afford(wanted, asked.prompt, rates)
    # A beat reaches nobody whom it does not name.
    async with Router(
        case.config,
        case.rules,
        origin="heartbeat",
        say=say,
        clients=_clients(case),
        stand_in=False,
    ) as router:
        return await router.ask(
            asked.prompt, allowed.targets, route=ROUTE, on_end=on_end, timeout=case.left
        )


def targets(case: Case) -> tuple[Target, ...]:
    """Those of its models, in order; near the end of a budget what runs here goes first."""
    beat, config = case.known.beat, case.config
    found = dict.fromkeys(one for name in beat.models for one in models.targets(config, name))
    if case.spent.level != "cap":
        return tuple(found)
    return tuple(sorted(found, key=lambda one: not target.is_local(config, one)))


def _clients(case: Case) -> Callable[[Config, str], AbstractAsyncContextManager[Client]]:
    """`claude` gets the beat's tools and what one run may cost; the others have neither."""
    beat = case.known.beat

    def client(config: Config, name: str) -> AbstractAsyncContextManager[Client]:
        provider = target.providers(config)[name]
        if provider.kind != "claude-cli":
            return providers.client(config, name)
        timeout = provider.timeout or config.router.timeout
        limits = Limits(timeout, provider.silence or config.router.silence)
        folder = beat.file.parent if beat.tools else None
        work = Work(folder, beat.tools, beat.usd)
        return cast("Client", ClaudeCli(name, provider, limits, work=work))

    return client


def _judged(case: Case, asked: Asked, found: Answer) -> Outcome:
    """All is well, something to tell, or no answer at all; and who really gave it."""
    beat = case.known.beat
    said = answer.read(found.text, case.config.heartbeat.ok_chars)
    end = End(
        "ran",
        asked=_first(case),
        served=found.model,
        exchange=found.exchange,
        ok=said.ok,
        evidence=asked.evidence.fingerprint(beat) if said.ok else None,
    )
    alerts = []
    if not models.is_served_by(found.target, found.model):
        text = f"{found.target} was asked, and {found.model} answered"
        alerts.append(_alert(case, "model", text))
    no_answer = NO_ANSWERS.get(found.reason) or (None if found.text.strip() else "an empty answer")
    if no_answer:
        end = End("failed", no_answer, end.asked, end.served, end.exchange)
    elif not said.ok:
        alerts.append(_alert(case, "answer", said.text))
    return Outcome(end, tuple(alerts), said.text)


def _nobody(case: Case, error: NobodyError) -> Outcome:
    """Why nobody answered. Where nobody was asked, that says nothing about the beat."""
    asked = [one for one in error.attempts if not one.skipped]
    if error.attempts and not asked and {one.cause for one in error.attempts} <= KEPT_OUT:
        cause = error.attempts[0].cause
        return Outcome(End("skipped", _cut(f"{cause}: {error.message}"), asked=_first(case)))
    last = asked[-1] if asked else next(iter(error.attempts), None)
    reason = _cut(f"{last.cause if last else 'nobody'}: {error.message}")
    end = End("failed", reason, asked=_first(case), exchange=error.exchange)
    if not any(_is_the_users(case.config, one) for one in asked):
        return Outcome(end)  # it may pass by itself
    text = error.message if error.hint is None else f"{error.message}. {error.hint}"
    return Outcome(end, (_alert(case, "failure", text),))


def _is_the_users(config: Config, one: Attempt) -> bool:
    """Whether nobody else can mend it. A server that is not there may come back; `claude` not."""
    client = target.providers(config)[one.target.provider].kind == "claude-cli"
    return one.cause in THE_USERS or (client and one.cause == "connect")


def _alert(case: Case, kind: str, text: str) -> Alert:
    beat = case.known.beat
    return Alert(case.at, kind, beat.name, str(beat.file), text)  # type: ignore[arg-type]


def _first(case: Case) -> str:
    return case.known.beat.models[0]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
