"""Where a task goes: chains of targets, the router's own settings, and routes by condition.

A target is `provider/model` (the model may hold slashes itself), the name of a chain, or one of
the roles that `router` fills.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import InitErrorDetails

from claude_tier.config.fields import (
    Line,
    Seconds,
    Section,
    detail,
    no_repeats,
    several,
    told_apart,
)
from claude_tier.config.providers import CLAUDE, Provider

TaskKind = Literal[
    "heartbeat",
    "file_operations",
    "summarise",
    "classify",
    "simple_qa",
    "code",
    "refactor",
    "architecture",
    "reasoning",
    "security",
    "creative",
    "web",
    "large_context",
]
TASK_KINDS: tuple[str, ...] = get_args(TaskKind)
Complexity = Literal["low", "medium", "high"]
Tool = Literal["files", "shell", "web"]
Role = Literal["small", "coding", "large", "claude"]
ROLES: tuple[Role, ...] = get_args(Role)
SKIP = "skip"  # the last of fallbacks: go on without an answer


Chain = Annotated[
    list[Line], Field(min_length=1, max_length=30), BeforeValidator(several),
    AfterValidator(no_repeats),
]  # fmt: skip


class Router(Section):
    """What the router does where no route of the user's says otherwise.

    The roles are what the shipped routes send work to; one that is not filled is the default.
    """

    default: Line = f"{CLAUDE}/sonnet"
    small: Line | None = None
    coding: Line | None = None
    large: Line | None = None
    claude: Line = f"{CLAUDE}/sonnet"
    retries: Annotated[int, Field(ge=0, le=5)] = 1
    timeout: Seconds = 600
    silence: Seconds = 120
    local_only: bool = False

    def filled(self, role: Role) -> str:
        """The target that role stands for."""
        return getattr(self, role) or self.default


class Conditions(Section):
    """When a route applies: each key that is given must hold."""

    kinds: Annotated[list[TaskKind], BeforeValidator(several)] | None = None
    keywords: Annotated[list[Line], BeforeValidator(several)] | None = None
    complexity: Annotated[list[Complexity], BeforeValidator(several)] | None = None
    max_context_tokens: Annotated[int, Field(gt=0)] | None = None
    tools: list[Tool] | None = None  # what the target can use; a task that needs more is not for it


class Route(Section):
    """A name, when it applies, and where it leads."""

    name: Line
    conditions: Conditions = Conditions()
    target: Line


Chains = dict[Line, Chain]
Routes = Annotated[list[Route], told_apart("route")]


def fault_in(
    target: str, providers: dict[str, Provider], chains: Collection[str] = ()
) -> str | None:
    """What is wrong with a target; None where it can be reached by name."""
    if target in chains or target in ROLES:
        return None
    name, slash, model = target.partition("/")
    if not slash or not model:
        return "must be provider/model" + (f", a chain or one of {', '.join(ROLES)}")
    if name == CLAUDE and name not in providers:
        return None
    if name not in providers:
        known = ", ".join([*providers, CLAUDE])
        return f"names no provider of yours: {name} (there are {known})"
    if providers[name].kind is None:
        return f"the provider {name} has no kind, so it cannot be asked"
    return None


def leads_to(
    name: str, router: Router, chains: Chains, above: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Every provider/model that a checked name stands for, in order: itself, a chain, a role."""
    if name in above:  # a chain that holds a role which stands for that chain
        return
    if name in chains:
        for each in chains[name]:
            yield from leads_to(each, router, chains, above | {name})
    elif name in ROLES:
        yield from leads_to(router.filled(name), router, chains, above | {name})
    else:
        yield name


def faults_of_chains(chains: Chains, providers: dict[str, Provider]) -> Iterator[InitErrorDetails]:
    """What is wrong in chains; they do not hold each other."""
    for name, targets in chains.items():
        if "/" in name or name in ROLES:
            yield detail((name,), "is the name of a role, or has a /")
        for index, target in enumerate(targets):
            if fault := fault_in(target, providers):
                yield detail((name, index), fault)


def faults_of_fallbacks(
    names: Sequence[str], fault_of: Callable[[str], str | None]
) -> Iterator[InitErrorDetails]:
    """What is wrong in names to be asked in turn, by what is wrong with one; `skip` ends them."""
    for index, name in enumerate(names):
        if name != SKIP and (fault := fault_of(name)):
            yield detail((index,), fault)
    if SKIP in names[:-1]:
        yield detail((names.index(SKIP),), "skip must be the last")


def faults_of_router(
    router: Router, providers: dict[str, Provider], chains: Chains
) -> Iterator[InitErrorDetails]:
    """What is wrong in the router's own targets; a role does not stand for another."""
    for key in ("default", *ROLES):
        target = getattr(router, key)
        if target is None:
            continue
        if target in ROLES:
            yield detail((key,), "must be provider/model or a chain, not a role")
        elif fault := fault_in(target, providers, chains):
            yield detail((key,), fault)
