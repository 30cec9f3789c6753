"""Where a task goes: the user's own routes in order, then the shipped table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from claude_tier.config.routing import Conditions, Role, Route
from claude_tier.routing import target as names
from claude_tier.routing.evidence import tokens
from claude_tier.routing.target import Target

if TYPE_CHECKING:
    from claude_tier.config import Config
    from claude_tier.routing.classify import Recognised

# Invention and tone show in every sentence, so that `creative` goes where the best free model is;
# what can do harm, leaves the machine anyway or is huge goes to Claude.
SHIPPED: dict[str, Role] = {
    "heartbeat": "small",
    "file_operations": "small",
    "classify": "small",
    "simple_qa": "small",
    "summarise": "small",
    "code": "coding",
    "refactor": "coding",
    "architecture": "large",
    "reasoning": "large",
    "creative": "large",
    "security": "claude",
    "web": "claude",
    "large_context": "claude",
}
DEFAULT = "default"
_WORD = re.compile(r"\w+")
_INFLECTED = ("", "s", "es", "e", "n", "en", "er", "ern", "em", "ed", "ing")


class Considered(NamedTuple):
    """One route that was looked at; `why` is what spoke against it, None where it was taken."""

    route: str
    leads_to: str
    why: str | None

    @property
    def matched(self) -> bool:
        return self.why is None


@dataclass(frozen=True)
class Choice:
    """The route that was taken, its targets in order, and why not another."""

    route: str
    targets: tuple[Target, ...]
    why: str
    considered: tuple[Considered, ...] = ()


def choose(config: Config, recognised: Recognised, text: str = "") -> Choice:
    """The first route of the user's that applies, else the shipped one; `text` is for keywords."""
    considered: list[Considered] = []
    for route in config.routes:
        why = _against(config, route, recognised, text)
        considered.append(Considered(route.name, route.target, why))
        if why is None:
            targets = _fitting(config, route.target, recognised.context_tokens)
            return Choice(route.name, targets, f"your route {route.name}", tuple(considered))
    return _shipped(config, recognised.kind, recognised.context_tokens, considered)


def of_kind(config: Config, kind: str) -> Choice:
    """Where a task of that kind goes by the kind alone."""
    considered: list[Considered] = []
    for route in config.routes:
        given = route.conditions.model_dump(exclude_none=True)
        if given.keys() == {"kinds"} and kind in given["kinds"]:
            taken = Considered(route.name, route.target, None)
            targets = names.resolve(config, route.target)
            return Choice(route.name, targets, f"your route {route.name}", (*considered, taken))
        considered.append(Considered(route.name, route.target, "it is not for this kind alone"))
    return _shipped(config, kind, 0, considered)


def named(config: Config, name: str) -> Choice:
    """A target, chain or role that somebody chose."""
    return Choice(name, names.resolve(config, name), "as you asked")


def _shipped(
    config: Config, kind: str | None, context_tokens: int, considered: Sequence[Considered]
) -> Choice:
    """The role of the kind; the first of role, default and `claude` that can hold the context."""
    role = SHIPPED.get(kind or "")
    leads = [config.router.filled(role)] if role else []
    made = list(considered)
    for name in dict.fromkeys((*leads, config.router.default, config.router.claude)):
        targets = _fitting(config, name, context_tokens)
        if targets:
            made.append(Considered(kind or DEFAULT, name, None))
            return Choice(kind or DEFAULT, targets, _why(config, kind, role), tuple(made))
        made.append(Considered(kind or DEFAULT, name, _too_long(context_tokens)))
    last = names.resolve(config, config.router.claude)  # the chain says itself that it is too long
    return Choice(kind or DEFAULT, last, "no model is known to hold the context", tuple(made))


def _why(config: Config, kind: str | None, role: Role | None) -> str:
    if role is None:
        return "the kind of task cannot be told, so the default answers"
    if getattr(config.router, role) is None:
        return f"{kind} goes to the role {role}, which is not filled: the default answers"
    return f"{kind} goes to the role {role}"


def _fitting(config: Config, name: str, context_tokens: int) -> tuple[Target, ...]:
    """What a name stands for, without models whose window the configuration knows as too small."""
    return tuple(
        target
        for target in names.resolve(config, name)
        if (window_of(config, target) or context_tokens) >= context_tokens
    )


def window_of(config: Config, target: Target) -> int | None:
    """The context window of a target in tokens as the configuration has it."""
    model = names.providers(config)[target.provider].models.get(target.model)
    return model.window if model else None


def _too_long(context_tokens: int) -> str:
    return f"none of its models holds {context_tokens:,} tokens"


def _against(config: Config, route: Route, found: Recognised, text: str) -> str | None:
    """The first condition of a route that does not hold; None where it applies."""
    unmet = next(_unmet(route.conditions, found, text), None)
    if unmet is None and not _fitting(config, route.target, found.context_tokens):
        return _too_long(found.context_tokens)
    return unmet


def _unmet(conditions: Conditions, found: Recognised, text: str) -> Iterator[str]:
    kinds, most = conditions.kinds, conditions.max_context_tokens
    if kinds is not None and found.kind not in kinds:
        yield f"it is for {', '.join(kinds)}"
    if conditions.complexity is not None and found.complexity not in conditions.complexity:
        yield f"it is for a complexity that is {' or '.join(conditions.complexity)}"
    if most is not None and found.context_tokens > most:
        yield f"it is for at most {most:,} tokens of context"
    if conditions.tools is not None and (missing := found.tools - set(conditions.tools)):
        yield f"it cannot use {', '.join(sorted(missing))}"
    if conditions.keywords is not None and not has_keyword(text, conditions.keywords):
        yield f"none of its keywords is there: {', '.join(conditions.keywords)}"


def has_keyword(text: str, keywords: Sequence[str]) -> bool:
    """Whether one of these stands in the text as whole words, in any case and inflection."""
    words = _WORD.findall(tokens.spelled(tokens.ends(text)))
    wanted = [_WORD.findall(tokens.spelled(keyword)) for keyword in keywords]
    return any(
        all(map(same_word, one, words[at:])) and at + len(one) <= len(words)
        for one in wanted
        if one
        for at in range(len(words))
    )


def same_word(one: str, other: str) -> bool:
    """Whether two words differ in their ending at most: note and notes, Rechnung and Rechnungen."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    common = next((n for n, c in enumerate(short) if c != long[n]), len(short))
    if len(short) < 4:  # too short for more than a plural
        return common == len(short) and long[common:] in ("s", "es")
    return common >= 4 and short[common:] in _INFLECTED and long[common:] in _INFLECTED
