"""Whether what is configured works: every provider at once, and the targets that the file names.

`asking` has each target answer a tiny prompt besides; that is accounted like any other request.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import anyio

from claude_tier.config.faults import printable
from claude_tier.config.providers import Kind, Provider
from claude_tier.errors import UserError
from claude_tier.routing.providers import Found
from claude_tier.routing.setup.looking import PATIENCE, Clients, has, look
from claude_tier.routing.setup.naming import named
from claude_tier.routing.target import Target, providers

if TYPE_CHECKING:
    from claude_tier.config import Config

AT_ONCE = 8  # providers that are looked at together
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Asked:
    """What came of one tiny prompt: `usd` is None without a known price, `message` why not."""

    answered: bool
    model: str | None = None
    usd: float | None = None
    seconds: float = 0.0
    message: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Named:
    """A target and the places that name it; `there` is None where the provider does not say."""

    target: Target
    places: tuple[str, ...]
    there: bool | None
    window: int | None = None
    message: str | None = None
    remedy: str | None = None
    asked: Asked | None = None

    @property
    def works(self) -> bool:
        return self.there is not False and (self.asked is None or self.asked.answered)

    def fields(self) -> dict[str, object]:
        asked = vars(self.asked) if self.asked else None
        return {**vars(self), "target": str(self.target), "works": self.works, "asked": asked}


@dataclass(frozen=True)
class Checked:
    """One provider as it was found, with the targets that it should serve."""

    name: str
    kind: Kind
    address: str | None
    found: Found
    seconds: float
    named: tuple[Named, ...] = field(default=())

    @property
    def works(self) -> bool:
        return self.found.reachable and all(one.works for one in self.named)

    def fields(self) -> dict[str, object]:
        return {
            "name": self.name,
            "kind": self.kind,
            "address": self.address,
            "works": self.works,
            "reachable": self.found.reachable,
            "message": self.found.message,
            "remedy": self.found.remedy,
            "seconds": self.seconds,
            "models": [
                {"model": model, "window": window} for model, window in self.found.models.items()
            ],
            "targets": [one.fields() for one in self.named],
        }


def chosen(config: Config, names: Collection[str]) -> dict[str, Provider]:
    """The providers of these names, all where none is given; raises UserError for an unknown one.

    A provider without a kind only says what its host costs: there is nothing to check.
    """
    there = {name: one for name, one in providers(config).items() if one.kind}
    unknown = [name for name in names if name not in there]
    if unknown:
        raise UserError(
            f"there is no provider {unknown[0]} that can be asked",
            f"There are {', '.join(there)}; `claude-tier providers` shows them.",
        )
    return {name: one for name, one in there.items() if not names or name in names}


async def check(
    config: Config,
    names: Collection[str],
    *,
    clients: Clients,
    progress: Progress,
    patience: float = PATIENCE,
) -> tuple[Checked, ...]:
    """Look at all of them at once; in the order of the configuration."""
    wanted = chosen(config, names)
    found: dict[str, Checked] = {}
    limiter = anyio.CapacityLimiter(AT_ONCE)
    targets = named(config)

    async def visit(name: str, provider: Provider) -> None:
        async with limiter:
            began = time.monotonic()
            seen = await look(config, name, clients, patience)
        found[name] = _checked(name, provider, seen, time.monotonic() - began, targets)
        progress(len(found), len(wanted))

    async with anyio.create_task_group() as tasks:
        for name, provider in wanted.items():
            tasks.start_soon(visit, name, provider)
    return tuple(found[name] for name in wanted)


def only(checked: Sequence[Checked], wanted: Collection[Target]) -> tuple[Checked, ...]:
    """The same with these targets alone."""
    return tuple(
        replace(one, named=tuple(each for each in one.named if each.target in wanted))
        for one in checked
    )


def _checked(
    name: str,
    provider: Provider,
    found: Found,
    seconds: float,
    targets: Mapping[Target, Sequence[str]],
) -> Checked:
    assert provider.kind is not None
    own = {target: places for target, places in targets.items() if target.provider == name}
    judged = [_named(provider, found, target, tuple(places)) for target, places in own.items()]
    return Checked(name, provider.kind, provider.url, found, seconds, tuple(judged))


def _named(provider: Provider, found: Found, target: Target, places: tuple[str, ...]) -> Named:
    window = found.models.get(target.model) or found.models.get(f"{target.model}:latest")
    one = Named(target, places, None, window)
    if not found.reachable or not found.models or provider.kind == "claude-cli":
        return one  # nobody says what it has
    if has(found, target.model):
        return replace(one, there=True)
    if provider.kind == "llama-server":  # it answers whatever model is named
        return one
    return replace(
        one,
        there=False,
        message=f"{target.provider} has no model {target.model}",
        remedy=_missing(provider, found, target.model),
    )


def _missing(provider: Provider, found: Found, model: str) -> str:
    if provider.kind == "ollama":
        return f"ollama pull {model}"
    near = difflib.get_close_matches(model, found.models, n=1)
    return f"name one that it has, such as {printable((near or [*found.models])[0])}"
