"""When a step runs: steps.check.json.ok, not inputs.fast, steps.count.json.files > 3."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator

from claude_tier.errors import UserError
from claude_tier.pipelines import template
from claude_tier.pipelines.template import Reference, Scope, Unknown

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile("|".join(COMPARISONS))  # == before =, and <= before <


class Condition(NamedTuple):
    """A value and what it is compared with; by itself it holds unless it is empty, 0 or false."""

    place: Reference
    comparison: str | None = None
    value: object = None
    negated: bool = False


def parse(text: str) -> Condition:
    """The condition that a text spells; ValueError where it spells none."""
    compared = _COMPARISON.search(text)
    if compared:
        value = _literal(text[compared.end() :])
        return Condition(_place(text[: compared.start()]), compared[0], value)
    negated = text.strip().startswith("not ")
    return Condition(_place(text.strip().removeprefix("not ")), negated=negated)


def _place(text: str) -> Reference:
    found = template.reference(text.strip())
    if found.filters:
        raise ValueError("a condition has no filters")
    return found


def _literal(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        value = {}
    if isinstance(value, dict | list):
        raise ValueError('is compared with a number, true, false, null or a "text"')  # noqa: TRY004 - pydantic's
    return value


def _spelled(text: str) -> str:
    parse(text)
    return text


When = Annotated[str, AfterValidator(_spelled)]


def holds(text: str, scope: Scope) -> bool:
    """Whether it holds; UserError where its value is not there or cannot be compared so."""
    condition = parse(text)
    value = template.lookup(condition.place, scope)
    if isinstance(value, Unknown):
        return True
    if condition.comparison is None:
        return bool(value) != condition.negated
    try:
        return COMPARISONS[condition.comparison](value, condition.value)
    except TypeError:
        raise UserError(f"{condition.place} cannot be compared so: {text}") from None
