"""Everything that can go wrong with a provider, against a server where it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest
from claude_tier.routing.fault import Fault
from fault_server import FAULTS, FaultServer
from faults import fault as catalogue

from .asking import EVERY_WAY, HASTY, KEY, PATIENT, VARIABLE, WAYS, Way, ask, client

NOW = 1795780800.0  # 2026-11-27 12:00 UTC, shortly before the dates that the catalogue names
SMALL = PATIENT._replace(largest=3_000_000)
# Nothing of an answer can have come before these.
TEXTLESS = frozenset({"whole", "refused", "reset", "silent", "silent_after_head"})
QUICK = frozenset({"silent", "silent_after_head", "stalled", "drip"})


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def _cases() -> Iterator[object]:
    for name, fault in FAULTS.items():
        for way in EVERY_WAY if fault.api == "any" else WAYS[fault.api]:
            for stream in (False, True):
                if fault.streams if stream else fault.plain:
                    label = f"{name}-{way}-{'stream' if stream else 'plain'}"
                    yield pytest.param(fault, way, stream, id=label)


def _words(fault: Fault) -> str:
    """Everything that anybody may come to see of it."""
    named = [str(getattr(fault, field.name)) for field in fields(fault)]
    return " ".join([repr(fault), str(fault), *map(str, fault.args), *named])


@pytest.mark.parametrize(("fault", "way", "stream"), [*_cases()])
def test_every_fault_is_told_by_its_cause(fault: catalogue.Fault, way: Way, stream: bool) -> None:
    """The cause is the catalogue's, no key is in any word, and nothing is followed elsewhere."""
    limits = HASTY if fault.course in QUICK else SMALL
    with FaultServer(fault) as server:
        found = ask(client(server.url, way, limits), stream=stream)

        assert not server.strayed
    if fault.cause is None:
        assert found.fault is None
        assert found.end is not None
        return
    assert found.fault is not None
    assert found.fault.cause == fault.cause, found.fault.message
    assert found.fault.message
    assert found.fault.broke_off == bool(found.pieces)
    assert KEY not in _words(found.fault)
    assert found.end is None
