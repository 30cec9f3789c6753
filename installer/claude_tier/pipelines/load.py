"""A pipeline file to a checked `Pipeline`: by its path, or by the name of one of the user's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from claude_tier import bundle, paths
from claude_tier.config import ConfigError, document
from claude_tier.config.load import check
from claude_tier.errors import UserError
from claude_tier.pipelines.known import Known, near
from claude_tier.pipelines.model import Pipeline

if TYPE_CHECKING:
    from claude_tier.config import Config

FOLDER = "pipelines"  # in the state folder
SUFFIX = ".yaml"
SHIPPED = Path("skills", "pipelines", "examples")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")


class Source(NamedTuple):
    """Where a pipeline is, and whether it came with claude-tier."""

    path: Path
    shipped: bool = False


def named() -> dict[str, Source]:
    """The pipelines that can be run by name; one of the user's own stands before a shipped one."""
    shipped = {path.stem: Source(path, shipped=True) for path in _in(bundle.root() / SHIPPED)}
    own = {path.stem: Source(path) for path in _in(paths.state_dir() / FOLDER)}
    return {**shipped, **own}


def _in(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.glob(f"*{SUFFIX}")) if _NAME.match(path.stem))


def find(name: str) -> Path:
    """The file of that path or name; UserError where there is none."""
    if _NAME.match(name):
        known = named()
        if name in known:
            return known[name].path
        if not Path(name).is_file():
            raise UserError(
                f"there is no pipeline {name}{near(name, known)}",
                "`claude-tier pipeline list` shows those with a name; any other is run by its"
                " path.",
            )
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        fault = f"{path} is a folder" if path.is_dir() else f"there is no file {path}"
        raise UserError(fault, "A pipeline is a file of steps: see `claude-tier pipeline list`.")
    return path


def load(path: Path, config: Config) -> Pipeline:
    """The pipeline in that file; UserError with every mistake in it, each with its line."""
    try:
        read = document.read(path)
        known = Known.of(read.values, config, path.parent)
        return check(read, Pipeline, {"known": known})
    except ConfigError as error:
        raise UserError(error.message, "Nothing was asked and nothing was changed.") from None
