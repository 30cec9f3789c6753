"""JSON from a model: read, and checked against the JSON Schema of its step.

The checking is the library `jsonschema`'s, which the MCP SDK brings anyway; pydantic can check its
own models only. References that lead out of a schema are refused: nothing is ever fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

Schema = Mapping[str, Any]
_ONE_BLOCK = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?```\s*\Z", re.DOTALL)


def fault_of(schema: Schema) -> str | None:
    """What is wrong with a schema itself; None where it can be used."""
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
    block = _ONE_BLOCK.match(text)
    try:
        return json.loads(block[1] if block else text, parse_constant=_refused)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None


def misfit(value: Any, schema: Schema) -> str | None:
    """Why a value does not fit, in one line; None where it does."""
    try:
        error = best_match(_validator(schema).iter_errors(value))
    except Unresolvable as unknown:
        return f"the schema refers to what it does not have: {_short(str(unknown))}"
    except RecursionError:
        return "is nested too deeply"
    return None if error is None else f"{_place(error.absolute_path)}{_short(error.message)}"


def _class(schema: Schema) -> type[Validator]:
    found: type[Validator] = validator_for(schema, default=Draft202012Validator)
    return found


def _validator(schema: Schema) -> Validator:
    # Without a registry of ours the library would fetch what a reference names.
    return _class(schema)(schema, registry=Registry())


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key in ("$ref", "$dynamicRef") and isinstance(each, str):
                yield each
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _place(path: object) -> str:
    """Where in the value: files[0].path."""
    text = ""
    for part in path if hasattr(path, "__iter__") else ():
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"{text.lstrip('.')}: " if text else ""


def _short(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= 300 else line[:299] + "…"


def _refused(name: str) -> object:
    raise ValueError(f"{name} is no JSON")
