"""Which file a command means: HEARTBEAT.md of this folder, that of another, or any by its path."""

from __future__ import annotations

from pathlib import Path

import click

NAME = "HEARTBEAT.md"


def meant(path: Path) -> Path:
    """A folder stands for the file of the usual name in it."""
    own = path.expanduser().absolute()
    return own / NAME if own.is_dir() else own


def _meant(_ctx: click.Context, _param: click.Parameter, value: Path) -> Path:
    return meant(value)


file_argument = click.argument(
    "file",
    metavar="[PATH]",
    default=Path(NAME),
    type=click.Path(path_type=Path),
    callback=_meant,
)
