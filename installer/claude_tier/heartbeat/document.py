"""A HEARTBEAT.md to its beats, or to what is wrong with it and where.

Nothing of a file with a mistake runs: a key that was not understood might have been the one that
holds a beat back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from claude_tier.config import ConfigError
from claude_tier.config import document as documents
from claude_tier.config.document import Document
from claude_tier.config.faults import Fault, Location, Source
from claude_tier.config.load import check
from claude_tier.config.routing import SKIP
from claude_tier.heartbeat import models, schedule
from claude_tier.heartbeat.beat import Beat, Cron, Every
from claude_tier.heartbeat.form import Front, Settings, Task
from claude_tier.heartbeat.naming import NAME
from claude_tier.heartbeat.parts import MisplacedError, Parts, is_empty, parts

if TYPE_CHECKING:
    from claude_tier.config import Config

SOME_TIME = 1_767_225_600  # from here on a beat must be due once


@dataclass(frozen=True)
class Defaults:
    """What holds where a file says nothing; `tz` is None where the machine's is not known."""

    config: Config
    tz: str | None

    @classmethod
    def of(cls, config: Config) -> Defaults:
        """Those of the user's configuration on this machine."""
        return cls(config, config.heartbeat.tz or machine_zone())


class Loaded(NamedTuple):
    """The beats of a file, or its faults; `source` is the version of it that was read."""

    source: Source
    beats: tuple[Beat, ...] = ()
    faults: tuple[Fault, ...] = ()


def load(path: Path, defaults: Defaults) -> Loaded:
    """The beats of the file at that path, known by its real one; every fault instead of raising."""
    file = Path(os.path.realpath(path.expanduser()))
    try:
        source, text = documents.text_of(file)
        if source.size < 0:
            return Loaded(source, faults=(Fault(file, 0, 0, "", "there is no such file"),))
        return read(source, text, defaults)
    except ConfigError as error:
        return Loaded(error.source, faults=error.faults)


def read(source: Source, text: str, defaults: Defaults) -> Loaded:
    """The same for the text of a file."""
    try:
        divided = parts(text)
        document = _document(source, divided)
        front = check(document, Front, {"config": defaults.config})
    except MisplacedError as fault:
        return Loaded(source, faults=(Fault(source.path, fault.line, 1, "", str(fault)),))
    except ConfigError as error:
        return Loaded(source, faults=error.faults)
    beats = tuple(_beats(document, front, text=divided.text, defaults=defaults))
    faults = tuple(_faults(document, beats, defaults))
    return Loaded(source, faults=faults) if faults else Loaded(source, beats)


def _document(source: Source, divided: Parts) -> Document:
    """Front matter, the line of the model and the block of tasks as one; raises ConfigError."""
    front, block = (documents.parse(source, text) for text in (divided.front, divided.tasks))
    added = dict(block.values)
    places = dict(block.places)
    if divided.model_line:
        added["model"] = divided.model
        places["model",] = (divided.model_line, 1)
    faults = [
        Fault(source.path, *places[key,], key, "is given twice, also in the front matter")
        for key in added
        if key in front.values
    ]
    return Document(
        source,
        {**front.values, **added},
        {**front.places, **places},
        (*front.faults, *block.faults, *faults),
    )


def _beats(document: Document, front: Front, *, text: str, defaults: Defaults) -> Iterator[Beat]:
    """One for each task; the text of the file is every task's, beside its own."""
    path = document.source.path
    if front.tasks is None:
        name = front.name or _usual_name(path)
        yield _beat(front, defaults, file=path, name=name, prompt=text, line=1)
        return
    for index, task in enumerate(front.tasks):
        prompt = task.prompt if is_empty(text) else f"{task.prompt}\n\n{text}"
        line, _ = document.places["tasks", index]
        own = _over(front, task)
        yield _beat(own, defaults, file=path, name=task.name, prompt=prompt, line=line)


def _over(front: Front, task: Task) -> Settings:
    """What holds for a task: who names a time names all of it, and who names a model its fallbacks.

    Otherwise a task that was given to a local model could go on to another by the file's list.
    """
    given = {
        key: getattr(task, key) for key in task.model_fields_set & Settings.model_fields.keys()
    }
    if task.interval is not None:
        given["every"] = task.interval
    if given.keys() & {"every", "cron"}:
        given = {"every": None, "cron": None, **given}
    if "model" in given:
        given = {"fallback": None, **given}
    return front.model_copy(update=given)


def _beat(
    own: Settings, defaults: Defaults, *, file: Path, name: str, prompt: str, line: int
) -> Beat:
    usual = defaults.config.heartbeat
    named = _named(own)
    others = named if own.fallback is not None else tuple(usual.fallback)
    return Beat(
        file=file,
        name=name,
        prompt=prompt,
        schedule=Cron(own.cron) if own.cron else Every(own.every or usual.every),
        models=tuple(dict.fromkeys(named if own.model else (usual.model, *others))),
        tz=own.tz or defaults.tz or "",
        line=line,
        named=named,
        active=own.active_hours or usual.active_hours,
        timeout=own.timeout,
        usd=own.budget.usd if own.budget else None,
        tools=tuple(own.tools),
        check=own.check,
        unchanged=own.unchanged,
        missed=own.missed,
        max_age=own.max_age,
        stagger=own.stagger,
    )


def _named(own: Settings) -> tuple[str, ...]:
    """The models that the file names, in order."""
    given = [own.model] if own.model else []
    given += [name for name in own.fallback or () if name != SKIP]
    return tuple(given)


def _usual_name(path: Path) -> str:
    """That of its folder; that of a file which is not called HEARTBEAT.md is its own."""
    word = path.parent.name if path.name.upper() == NAME.upper() else path.stem
    return re.sub(r"[^\w. ]", "-", word).strip("-. ")[:64] or "heartbeat"


def _faults(document: Document, beats: Sequence[Beat], defaults: Defaults) -> Iterator[Fault]:
    for index, beat in enumerate(beats):
        place: Location = ("tasks", index) if "tasks" in document.values else ()
        for key, message in _mistakes(beat, defaults):
            yield document.fault((*place, key), message)


def _mistakes(beat: Beat, defaults: Defaults) -> Iterator[tuple[str, str]]:
    """What is wrong between keys that are right by themselves."""
    for name in beat.models if beat.tools else ():
        if not models.uses_tools(defaults.config, name):
            yield "tools", f"are for claude alone, and {name} is not: name a model such as haiku"
    for name in beat.models:
        if fault := models.unfilled(defaults.config, name):
            yield "model", fault
    if not beat.tz:
        yield "tz", "is required: the time zone of this machine is not known"
    elif schedule.next_slot(beat, SOME_TIME) is None:
        key = "cron" if isinstance(beat.schedule, Cron) else "every"
        yield key, 'never comes within active_hours; `cron: "0 9 * * *"` is nine each day'


def machine_zone() -> str | None:
    """The name of this machine's time zone; None where its settings name none, or several."""
    import tzlocal

    try:
        name = tzlocal.get_localzone_name()
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return None
    return name
