"""What beats have to tell: kept for a month, shown once at the next session's start.

One file for each, so that writers never meet. The same words of the same beat within a day are one
alert, which counts; said again after that, it comes with the number of times. A beat that has
other words every minute is told a few times an hour, and its newest are kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Literal

from claude_tier_hooks import beats, state

from claude_tier.heartbeat import processes

Kind = Literal["answer", "failure", "model", "disabled", "clock", "file", "budget"]
FOLDER = ("heartbeat", "alerts")
KEPT = 30 * 86_400  # seconds
DIGEST = 86_400  # seconds in which the same is not told twice
MOST = 100  # of one beat that are kept
HOUR = 3600
HOURLY = 6  # of one kind and beat that are told within an hour
LONGEST = 20_000  # characters
SKEW = 3600  # seconds; what is later than that was written by a clock that has been set since
PATIENCE = 30  # seconds for the user's own command


@dataclass(frozen=True)
class Alert:
    """One thing to tell. `times` is how often it was said since it was last told, itself included.

    `beat` is None where no beat of its own is concerned, `file` empty where no file is. `held` is
    one of too many within an hour: kept, and not given to the user's command; `more` is how many
    of those came right before this one.
    """

    at: float
    kind: Kind
    beat: str | None
    file: str
    text: str
    times: int = 1
    more: int = 0
    held: bool = False

    @property
    def sameness(self) -> str:
        """The same for the same words of the same beat."""
        words = json.dumps([self.kind, self.beat, self.file, " ".join(self.text.split())])
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return asdict(self)


def listed() -> list[Alert]:
    """Those that are kept, oldest first."""
    return [one for _, one in _read()]


def raise_(alert: Alert) -> Alert | None:
    """Keep it; as it is to be told, or None where the same was, or too much, not long ago."""
    text, file = map(state.storable, (alert.text[:LONGEST], alert.file))
    alert = replace(alert, text=text, file=file)
    own = list(_own(alert))
    same = [each for each in own if each[1].sameness == alert.sameness]
    alert = _paced(alert, [one for _, one in own if one.kind == alert.kind])
    if same:
        kept_as, one = same[-1]
        untold = one.held and not alert.held  # it was one too many, and still goes on
        if alert.at - one.at < DIGEST and not untold:
            _keep(kept_as, replace(one, times=one.times + 1))
            return None
        # How often it was said meanwhile is told with this one.
        _keep(kept_as, replace(one, times=1))
        alert = replace(alert, times=one.times + 1 if one.held else one.times)
    _write(alert)
    _make_room([kept_as for kept_as, _ in own])
    return None if alert.held else alert


def _own(alert: Alert) -> Iterator[tuple[Path, Alert]]:
    """What is kept of the same beat, oldest first; what is too old of any beat goes."""
    for kept_as, one in _read():
        if alert.at - one.at > KEPT:
            kept_as.unlink(missing_ok=True)
        elif (one.beat, one.file) == (alert.beat, alert.file) and one.at <= alert.at + SKEW:
            yield kept_as, one


def _paced(alert: Alert, before: Sequence[Alert]) -> Alert:
    """The same, held where enough of that kind was told within the hour."""
    told = [one for one in before if not one.held and alert.at - one.at < HOUR]
    if len(told) >= HOURLY:
        return replace(alert, held=True)
    untold = takewhile(lambda one: one.held, reversed(before))
    return replace(alert, more=sum(one.sameness != alert.sameness for one in untold))


def _make_room(before: Sequence[Path]) -> None:
    """For one more; those that no session has shown are still counted."""
    gone = before[: max(0, len(before) + 1 - MOST)]
    unseen = {*beats.unseen()} if gone else set()
    for file in gone:
        file.unlink(missing_ok=True)
    if number := len({file.name for file in gone} & unseen):
        descriptor = os.open(beats.passed_file(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as passed:
            passed.write(b"." * number)


def _write(alert: Alert) -> None:
    folder = Path(state.path(*FOLDER))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _keep(folder / f"{int(alert.at * 1e6):017d}-{alert.sameness}.json", alert)


def _keep(file: Path, alert: Alert) -> None:
    state.write_private(str(file), json.dumps(alert.fields(), ensure_ascii=False) + "\n")


def _read() -> Iterator[tuple[Path, Alert]]:
    for file in sorted(Path(state.path(*FOLDER)).glob("*.json")):
        with suppress(TypeError):  # of another version of ours
            yield file, Alert(**(state.read_json(str(file)) or {}))


def tell(told: Iterable[Alert], command: str | None) -> None:
    """Give each to the user's own command, where there is one."""
    if command:
        for one in told:
            send(one, command)


def send(alert: Alert, command: str) -> None:
    """Give it to the user's own command, as JSON; one that fails is in the log of hooks."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            input=json.dumps(alert.fields()).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # What it leaves behind, a mail that is under way say, is not ended with the run.
            env={name: value for name, value in os.environ.items() if name != processes.MARK},
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        state.log_fault("on_alert", fault)
    else:
        if done.returncode:
            state.log_fault("on_alert", RuntimeError(f"it ended with exit code {done.returncode}"))


def kept(alert: Alert) -> Alert | None:
    """The same, where a folder that cannot be written keeps nothing from being told."""
    try:
        return raise_(alert)
    except OSError as fault:
        state.log_fault("heartbeat", fault)
        return alert
