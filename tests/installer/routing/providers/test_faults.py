"""Everything that can go wrong with a provider, against a server where it does."""

from __future__ import annotations

from dataclasses import fields

import pytest
from claude_tier.routing.fault import Fault
from fault_server import FAULTS, FaultServer
from faults import fault as catalogue

from .asking import (
    EVERY_WAY,
    HASTY,
    KEY,
    PATIENT,
    VARIABLE,
    WAYS,
    Outcome,
    Way,
    ask_each,
    client,
)

NOW = 1795780800.0  # 2026-11-27 12:00 UTC, shortly before the dates that the catalogue names
SMALL = PATIENT._replace(largest=100_000)
# Nothing of an answer can have come before these.
TEXTLESS = frozenset({"whole", "refused", "reset", "silent", "silent_after_head"})
QUICK = frozenset({"silent", "silent_after_head", "stalled", "drip"})


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def _asked(fault: catalogue.Fault) -> list[tuple[Way, bool]]:
    """Every way in which it may be met, with whether the answer is streamed."""
    ways = EVERY_WAY if fault.api == "any" else WAYS[fault.api]
    kinds = [stream for stream, met in ((False, fault.plain), (True, fault.streams)) if met]
    return [(way, stream) for way in ways for stream in kinds]


def _words(fault: Fault) -> str:
    """Everything that anybody may come to see of it."""
    named = [str(getattr(fault, field.name)) for field in fields(fault)]
    return " ".join([repr(fault), str(fault), *map(str, fault.args), *named])


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_told_by_its_cause(name: str) -> None:
    """The cause is the catalogue's, no key is in any word, and nothing is followed elsewhere."""
    fault: catalogue.Fault = FAULTS[name]
    asked = _asked(fault)
    # Those that only wait do so together; who sends without an end leaves others no time.
    limits, at_once = (HASTY, len(asked)) if fault.course in QUICK else (SMALL, 1)
    with FaultServer(fault) as server:
        clients = [(client(server.url, way, limits), stream) for way, stream in asked]
        found = ask_each(clients, at_once=at_once)

        assert not server.strayed
    for case, outcome in zip(asked, found, strict=True):
        _check(fault, outcome, case)


def _check(fault: catalogue.Fault, found: Outcome, case: tuple[Way, bool]) -> None:
    if fault.cause is None:
        assert found.fault is None, case
        assert found.end is not None, case
        return
    assert found.fault is not None, case
    assert found.fault.cause == fault.cause, (case, found.fault.message)
    assert found.fault.message, case
    assert found.fault.broke_off == bool(found.pieces), case
    assert KEY not in _words(found.fault), case
    assert found.end is None, case
