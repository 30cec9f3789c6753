"""What a run is given: `--input topic=tea`, `--input notes=docs/*.md`, `--input text=@file`."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from claude_tier.errors import UserError
from claude_tier.pipelines import confined
from claude_tier.pipelines.known import near
from claude_tier.pipelines.model import Input, Pipeline
from claude_tier.pipelines.template import Content

MOST = 1000  # files of one input


def values(pipeline: Pipeline, given: Sequence[str], folder: Path) -> dict[str, object]:
    """The value of each input by name; UserError with everything that is wrong."""
    named, faults = _by_name(given), list[str]()
    for name in named.keys() - pipeline.inputs.keys():
        faults.append(f"there is no input {name}{near(name, pipeline.inputs)}")
    found: dict[str, object] = {}
    for name, wanted in pipeline.inputs.items():
        value = _tried(name, wanted, named.get(name), folder=folder)
        if isinstance(value, UserError):
            faults.append(value.message)
        found[name] = value
    if faults:
        raise UserError("\n".join(sorted(faults)), _needed(pipeline.inputs), code=2)
    return found


def _by_name(given: Sequence[str]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise UserError(f"an input is given as NAME=VALUE or NAME=@FILE, not {one}", code=2)
        named.setdefault(name, []).append(value)
    return named


def _tried(name: str, wanted: Input, given: list[str] | None, *, folder: Path) -> object:
    """The value, or the fault in it: all of them are told together."""
    try:
        return _value(name, wanted, given, folder=folder)
    except UserError as error:
        return error


def _value(name: str, wanted: Input, given: list[str] | None, *, folder: Path) -> object:
    if given is None and wanted.must_be_given:
        raise UserError(f"the input {name} is missing")
    said = (wanted.default or []) if given is None else given
    if wanted.type != "files" and len(said) > 1:
        raise UserError(f"the input {name} is given twice")
    if wanted.type == "text":
        text = said[0] if said else ""
        if given is None or not text.startswith("@"):
            return text
        return _content(text[1:], folder, theirs=False)
    found = [
        _content(path, folder, theirs=given is None)
        for one in said
        for path in _paths(one, folder, several=wanted.type == "files")
    ]
    if wanted.type == "files":
        return found
    return found[0] if found else ""


def _paths(said: str, folder: Path, *, several: bool) -> Iterator[str]:
    """A path, or the files that a pattern fits, by name."""
    said = said.removeprefix("@")
    if not several or not glob.has_magic(said):
        yield said
        return
    found = sorted(glob.glob(said, root_dir=folder, recursive=True))  # noqa: PTH207 - the user's own spelling stays
    files = [path for path in found if (folder / path).is_file()]
    if not files or len(files) > MOST:
        raise UserError(f"{said} fits {len(files)} files, and must fit 1 to {MOST}")
    yield from files


def _content(name: str, folder: Path, *, theirs: bool) -> Content:
    """A file that the user named, or one that the pipeline did, which stays below the folder."""
    if theirs:
        return Content(name, confined.read(folder, name))
    return Content(name, confined.text_of(folder / Path(name).expanduser()))


def _needed(inputs: Mapping[str, Input]) -> str:
    """What to give, in one line."""
    if not inputs:
        return "This pipeline has no inputs."
    shown = [
        f"{name} ({one.type}{'' if one.must_be_given else ', optional'})"
        for name, one in inputs.items()
    ]
    return f"Its inputs are {', '.join(shown)}."
