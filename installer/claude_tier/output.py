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
    click.echo(json.dumps({"version": version, **fields}, indent=2, ensure_ascii=False))
