"""A configuration file to a checked `Config`; every mistake in it is reported at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast, get_args

from claude_tier_hooks import policy, prices, state
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from claude_tier.config import document as documents
from claude_tier.config.document import Document
from claude_tier.config.faults import ConfigError, Fault, Location, shown
from claude_tier.config.fields import LADDER, Section
from claude_tier.config.model import Config
from claude_tier.config.pricing import Table

Checked = TypeVar("Checked", bound=Section)
Policy = dict[str, object]  # the shape of policy.json, see docs/config.md

# Where people put a key by mistake: what stands there is not repeated.
CONFIDENTIAL = frozenset({"base_url", "key_env", "key_file", "env"})
WORDING = {
    "missing": "is required",
    "string_type": "must be text",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "list_type": "must be a list",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "date_type": "must be a date such as 2026-10-07",
    "too_short": "must not be empty",
}


@dataclass(frozen=True)
class Loaded:
    """A checked configuration and the document it came from."""

    config: Config
    document: Document


def load(path: Path) -> Loaded:
    """The configuration at that path, the defaults when there is none; raises ConfigError."""
    document = documents.read(path)
    return Loaded(check(document, Config, context(document.values)), document)


def check(document: Document, model: type[Checked], context: dict[str, object]) -> Checked:
    """The document as that model; raises ConfigError with every fault."""
    faults = list(document.faults)
    checked = None
    try:
        checked = model.model_validate(document.values, context=context)
    except ValidationError as error:
        known = {fault.key for fault in faults}
        found = _translate(document, model, error)
        faults += [fault for fault in found if fault.key not in known]
    if faults or checked is None:
        raise ConfigError(document.source, faults)
    return checked


def context(values: dict[str, object]) -> dict[str, object]:
    """What validators need to know of the rest of the file and of what is shipped."""
    tiers = values.get("tiers")
    usable = isinstance(tiers, list) and tiers and set(map(str, tiers)) <= set(LADDER)
    return {
        "tiers": tiers if usable else LADDER,
        "shipped": shipped_models(),
        "presets": shipped_presets(),
    }


def shipped_presets() -> dict[str, Policy]:
    """The presets that come with this version, by name, in the shape of policy.json."""
    return cast("dict[str, Policy]", state.read_json(policy.data_file("presets.json")) or {})


def shipped_models() -> Table:
    """The price table that comes with this version, by model."""
    return cast("Table", prices.shipped().get("models", {}))


def _translate(document: Document, model: type[Section], error: ValidationError) -> Iterator[Fault]:
    for details in error.errors(include_url=False):
        location = tuple(part for part in details["loc"] if part != "[key]")
        yield document.fault(location, _message(model, location, details))


def _message(model: type[Section], location: Location, details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "extra_forbidden":
        return _unknown_key(model, location)
    if kind in ("missing", "fault"):
        return WORDING.get(kind, details["msg"])
    if kind == "literal_error":
        text = f"must be {details['ctx']['expected']}"
    else:
        text = WORDING.get(kind) or details["msg"].replace("Input should", "must")
    text = text.removeprefix("Value error, ")
    return text if CONFIDENTIAL.intersection(location) else _beside(text, details["input"])


def _beside(text: str, value: object) -> str:
    """The message and the value: "not VALUE" only after what should be there, never after advice.

    must be text, not 5; must be at least 1m: beats are started once a minute (it is '30s')
    """
    if value is None or isinstance(value, dict | list):
        return text
    is_wanted = text.startswith("must") and ": " not in text.partition("{")[0]
    return f"{text}, not {shown(value)}" if is_wanted else f"{text} (it is {shown(value)})"


def _unknown_key(model: type[Section], location: Location) -> str:
    key, keys = str(location[-1]), keys_at(model, location[:-1])
    if len(location) == 1:
        refusal = model.refusal(key)
        if refusal:
            return refusal
    near = difflib.get_close_matches(key, keys, n=1)
    guess = f"; did you mean {near[0]}?" if near else ""
    return f"unknown key{guess} (known: {', '.join(keys)})"


def keys_at(model: type[Section], location: Location = ()) -> list[str]:
    """The keys that the mapping at this place of a document may have."""
    section = model
    for part in location:
        field = next(
            (f for name, f in section.model_fields.items() if part in (name, f.alias)), None
        )
        nested = section_in(field.annotation) if field else None
        section = nested or section  # else a list index, or a key of the user's own choice
    return [field.alias or name for name, field in section.model_fields.items()]


def section_in(annotation: object) -> type[Section] | None:
    """The one section that a key's type holds, in whatever list or mapping."""
    inside = get_args(annotation)  # asked first: Python 3.10 takes list[Budget] for a class
    if inside:
        return next(filter(None, map(section_in, inside)), None)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return None
