"""JSON from a model: read, and checked against the JSON Schema of its step.

The checking is the library `jsonschema`'s, which the MCP SDK brings anyway; pydantic can check its
own models only. References that lead out of a schema are refused: nothing is ever fetched. What
can go on for ever is checked in a process of its own, and ended.
"""

from __future__ import annotations

import json
import math
import resource
import time
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import anyio
from anyio import to_process
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from claude_tier.errors import UserError

Schema = Mapping[str, Any]
DEEPEST = 100  # lists and objects within each other; what handles a value goes as deep as it does
SECONDS = 10  # for one check
FENCES = ("```", "```json")
# An expression may try every way to read a text, and references every way through a schema.
LINGERING = frozenset(
    {"pattern", "patternProperties", "uniqueItems", "$ref", "$dynamicRef", "$recursiveRef"}
)


def fault_of(schema: Schema) -> str | None:
    """What is wrong with a schema itself; None where it can be used."""
    if _is_too_deep(schema):
        return "is nested too deeply"
    outside = next((one for one in _references(schema) if not one.startswith("#")), None)
    if outside is not None:
        return f"a $ref must stay inside the schema: {outside[:60]}"
    try:
        _class(schema).check_schema(dict(schema))
    except SchemaError as error:
        return f"is no JSON Schema: {_place(error.path)}{_short(error.message)}"
    return None


def read(text: str) -> Any:
    """The value that an answer is, alone or in one fenced block; ValueError where it is none."""
    try:
        value = json.loads(_unwrapped(text), parse_constant=_refused, parse_float=_finite)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    if _is_too_deep(value):
        raise ValueError("is nested too deeply")
    return value


async def fault_in(value: Any, schema: Schema, *, seconds: int = SECONDS) -> str | None:
    """Why a value does not fit, in one line; UserError where that takes longer than so."""
    if not _may_linger(schema):
        return misfit(value, schema)
    with anyio.move_on_after(seconds):
        try:
            return await to_process.run_sync(_bounded, value, schema, seconds, cancellable=True)
        except anyio.BrokenWorkerProcess:
            pass  # the system has ended it
    raise UserError(
        f"the schema cannot be checked within {seconds} s",
        "Look at its patterns: one like (a+)+ tries every way to read a text.",
    )


def _bounded(value: Any, schema: Schema, seconds: int) -> str | None:
    """In the other process, which may outlive this one: the system ends it then."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + seconds, most))
    return misfit(value, schema)


def misfit(value: Any, schema: Schema) -> str | None:
    """Why a value does not fit, in one line; None where it does."""
    try:
        error = best_match(_validator(schema).iter_errors(value))
    except Unresolvable as unknown:
        return f"the schema refers to what it does not have: {_short(str(unknown))}"
    except RecursionError:
        return "is nested too deeply"
    except Exception as odd:  # noqa: BLE001 - a reference may lead to what is no schema
        return f"the schema cannot be used: {_short(str(odd))}"
    return None if error is None else f"{_place(error.absolute_path)}{_short(error.message)}"


def _class(schema: Schema) -> type[Validator]:
    found: type[Validator] = validator_for(schema, default=Draft202012Validator)
    return found


def _validator(schema: Schema) -> Validator:
    # Without a registry of ours the library would fetch what a reference names.
    return _class(schema)(schema, registry=Registry())


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        named = (value.get(key) for key in ("$ref", "$dynamicRef"))
        yield from (each for each in named if isinstance(each, str))
    for each in _within(value):
        yield from _references(each)


def _may_linger(value: object) -> bool:
    if isinstance(value, Mapping) and not LINGERING.isdisjoint(value):
        return True
    return any(map(_may_linger, _within(value)))


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [each for one in level for each in _within(one)]
        if not level:
            return False
    return True


def _within(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return [*value.values()]
    return value if isinstance(value, list) else []


def _unwrapped(text: str) -> str:
    """What is in the one fenced block that a text is; else the text."""
    opened, _, rest = text.strip().partition("\n")
    if opened.rstrip() in FENCES and rest.endswith(FENCES[0]):
        return rest.removesuffix(FENCES[0])
    return text


def _place(path: object) -> str:
    """Where in the value: files[0].path."""
    text = ""
    for part in path if hasattr(path, "__iter__") else ():
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"{text.lstrip('.')}: " if text else ""


def _short(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= 300 else line[:299] + "…"


def _refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refused(digits)
