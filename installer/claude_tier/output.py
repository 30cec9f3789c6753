"""How a command prints its result: text for people, or the same object as JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., object])


def json_option(function: Decorated) -> Decorated:
    """Add `--json` to a command; it arrives as the keyword `as_json`."""
    option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    return option(function)


def print_json(fields: Mapping[str, object], *, version: int = 1) -> None:
    """Print one JSON object on stdout; `version` rises when a field changes its meaning."""
    found = rounded({"version": version, **fields})
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


def rounded(value: object) -> object:
    """The same without the noise that sums of floats end in: at most ten decimals."""
    if isinstance(value, float):
        return round(value, 10)
    if isinstance(value, Mapping):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, (list, tuple)) else value
