"""One run of a beat, from its claim to its receipt.

It is a process of its own, in its own group, and writes its own receipt; who started it only steps
in where it does not.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from claude_tier_hooks import ledger, policy, project, state

from claude_tier import config, paths
from claude_tier.config import Config, ConfigError
from claude_tier.errors import UserError
from claude_tier.heartbeat import alerts, free, known, processes, receipts, spending, spool
from claude_tier.heartbeat.alerts import Alert
from claude_tier.heartbeat.case import Asked, Case, Outcome
from claude_tier.heartbeat.checking import StoppedError
from claude_tier.heartbeat.known import Known
from claude_tier.heartbeat.receipts import End, Finished
from claude_tier.heartbeat.steps import step

PATIENCE = 10.0  # seconds to get into the ledger
GONE = "no longer in its file"
STOPPED = "it was told to end"


def run(name: str, say: Callable[[str], None]) -> Outcome | None:
    """Carry out what was claimed under that name; None where it was given up before.

    UserError where the ledger cannot be had before it is known what to ask.
    """
    try:
        return _run(name, say)
    except UserError as error:
        _keep(name, End("interrupted", error.message), time.time())
        raise
    finally:
        processes.kill_rest(name)


def _run(name: str, say: Callable[[str], None]) -> Outcome | None:
    with opened() as db:
        claimed = receipts.claimed(db, name)
    if claimed is None:
        return None
    os.environ[processes.MARK] = name
    loaded = _configuration()
    found = known.current(loaded, claimed[0]) if isinstance(loaded, Config) else None
    timeout = found.beat.timeout if found else 0
    began, at = time.monotonic(), time.time()
    with opened() as db, ledger.Writing(db):
        if not receipts.take(db, name, processes.me(), now=at, deadline=at + timeout):
            return None
    step("spawn")
    if isinstance(loaded, str):
        outcome = Outcome(End("failed", loaded))
    elif found is None:
        outcome = Outcome(End("skipped", GONE))
    else:
        outcome = _carried_out(_case(name, found, loaded, at, began + timeout), say)
    return _finished(name, outcome, loaded if isinstance(loaded, Config) else None)


@contextmanager
def opened() -> Iterator[sqlite3.Connection]:
    """The ledger, for as long as the block; UserError where it cannot be had.

    A damaged one is set aside as by a hook, since nobody may be there: beats begin anew. Where the
    damage is met within the block, that is with the next one.
    """
    try:
        with closing(_connected()) as db:
            yield db
    except (sqlite3.Error, ledger.DamagedError) as fault:
        from claude_tier.report import ledger_file  # dear

        with ledger_file.said():
            if ledger.is_damage(fault):
                _set_aside(fault)
            raise


def _connected() -> sqlite3.Connection:
    try:
        return ledger.connect(patience=PATIENCE)
    except ledger.DamagedError as fault:
        _set_aside(fault)
        return ledger.connect(patience=PATIENCE)


def _set_aside(fault: Exception) -> None:
    state.log_fault("ledger", fault)
    ledger.set_aside()


def _configuration() -> Config | str:
    """The user's configuration, or its first mistake."""
    try:
        return config.load(paths.state_dir() / config.CONFIG).config
    except ConfigError as error:
        return str(error.faults[0])


def _case(name: str, found: Known, loaded: Config, at: float, deadline: float) -> Case:
    folder = found.beat.file.parent
    os.chdir(folder)  # what is asked belongs to that project
    rules = policy.load(project.root(str(folder)))
    with opened() as db:
        standing = receipts.standing(db, found.beat.id)
        by_hand = receipts.is_by_hand(db, name)
        spent = free.spent(db, loaded, rules, folder, at)
    off = standing is not None and standing.disabled is not None and not by_hand
    return Case(
        known=found,
        config=loaded,
        rules=rules,
        spent=spent,
        disabled=(standing.why or "") if standing and off else None,
        evidence=standing.evidence if standing and not by_hand else None,
        at=at,
        deadline=deadline,
    )


def _carried_out(case: Case, say: Callable[[str], None]) -> Outcome:
    """What costs nothing first, then a model."""
    told: list[int] = []
    # No exception out of a handler: it could come between a process and who has to end it.
    before = signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    try:
        found = free.decide(case, lambda: bool(told))
    except StoppedError:
        return Outcome(End("interrupted", STOPPED))
    finally:
        signal.signal(signal.SIGTERM, before)
    if not isinstance(found, Asked):
        return Outcome(found)
    if told:
        return Outcome(End("interrupted", STOPPED))
    from claude_tier.heartbeat import calling  # dear, and most runs end before

    return calling.call(case, found, say)


def _finished(name: str, outcome: Outcome, loaded: Config | None) -> Outcome:
    """Keep what there is to tell, write the receipt, then tell."""
    told = list(filter(None, map(alerts.kept, outcome.alerts)))
    step("finish")
    told += give_up(name, outcome.end)
    if loaded:
        told += _spent(loaded)
        alerts.tell(told, loaded.heartbeat.on_alert)
    return outcome


def _spent(loaded: Config) -> list[Alert]:
    """That the budget of all beats nears its end, once for each level of each period."""
    try:
        with opened() as db:
            found = spending.alert(db, loaded, policy.load(), time.time())
    except UserError as fault:  # the next run tells
        state.log_fault("heartbeat", fault)
        return []
    return list(filter(None, [alerts.kept(found)])) if found else []


def give_up(name: str, end: End) -> list[Alert]:
    """Write what a run came to unless it has its end; what that makes worth telling.

    What it said of itself goes before that. Where the ledger cannot be had, it waits for the next
    who comes by.
    """
    spooled = spool.of(name)
    end, at = spooled or (end, time.time())
    try:
        with opened() as db, ledger.Writing(db):
            found = receipts.finish(db, name, end, at)
    except UserError as fault:
        state.log_fault("heartbeat", fault)
        if spooled is None:
            _keep(name, end, at)
        return []
    spool.forget(name)
    return _judged(found, end, at)


def _keep(name: str, end: End, at: float) -> None:
    try:
        spool.keep(name, end, at)
    except OSError as fault:
        state.log_fault("heartbeat", fault)


def settle() -> list[Alert]:
    """Write every end that the ledger could not take before; what that makes worth telling."""
    found: list[Alert] = []
    for name in spool.runs():
        spooled = spool.of(name)
        if spooled is None:
            spool.forget(name)
            continue
        found += give_up(name, spooled.end)
        if spool.of(name):  # still locked, and each would wait as long as this one
            break
    return found


def _judged(found: Finished | None, end: End, at: float) -> list[Alert]:
    """That a beat is switched off now."""
    if found is None or end.status != "failed" or found.failures != receipts.MOST_FAILURES:
        return []
    return list(filter(None, [alerts.kept(_disabled(found.beat, end, at))]))


def _disabled(beat: str, end: End, at: float) -> Alert:
    file, _, name = beat.rpartition("#")
    text = (
        f"it failed {receipts.MOST_FAILURES} times in a row and is off now ({end.reason})."
        f" `claude-tier heartbeat enable {name}` switches it on again"
    )
    return Alert(at, "disabled", name, file, text)
