"""What the doctor says of providers."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest
from claude_tier.install.doctor import asking
from claude_tier.install.doctor.machine import Machine
from claude_tier.install.doctor.report import Finding
from claude_tier.routing import by_hand, keys
from claude_tier_hooks import cooldowns, ledger
from routers import configured

ROUTER = "providers: {router: {kind: openrouter}}\n"


def found() -> list[Finding]:
    return list(asking.providers(Machine()))


def test_without_providers_there_is_nothing_to_say() -> None:
    """Most users have none."""
    assert found() == []


def test_a_missing_key_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """And all is well once it is set."""
    configured(ROUTER)
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    (one,) = found()
    assert one.verdict == "warning"
    assert "OPENROUTER_API_KEY is not set" in one.what
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-0123456789")
    assert [one.verdict for one in found()] == ["ok"]


def test_what_is_cooling_is_named_with_the_way_out() -> None:
    """Also where only the user's own claude is asked."""
    fault = {"cause": "billing", "why": "used up", "until": None, "everywhere": True}
    with closing(ledger.connect()) as db, ledger.Writing(db):
        cooldowns.fail(db, ("claude", "login", "sonnet"), fault, time.time(), 7200)
    (one,) = found()
    assert one.what.startswith("claude is not asked until ")
    assert "`claude-tier cooldown clear claude`" in str(one.todo)


def test_what_a_replaced_key_was_refused_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The router asks under the new one."""
    configured(ROUTER)
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-0123456789")
    fault = {"cause": "key", "why": "refused", "until": None, "everywhere": True}
    with closing(ledger.connect()) as db, ledger.Writing(db):
        place = ("router", keys.fingerprint("sk-or-before"), "x/y")
        cooldowns.fail(db, place, fault, time.time(), 7200)
    assert [one.verdict for one in found()] == ["ok"]


def test_a_cooldown_that_is_over_is_no_finding() -> None:
    """The next request tries it."""
    fault = {"cause": "server", "why": "it failed", "until": None}
    with closing(ledger.connect()) as db, ledger.Writing(db):
        cooldowns.fail(db, ("claude", "login", "sonnet"), fault, time.time() - 600, 7200)
    assert found() == []


def test_emergency_mode_is_named_with_the_way_out() -> None:
    """Somebody may have forgotten the switch."""
    by_hand.turn_on(time.time(), None)
    (one,) = found()
    assert one.what == (
        "emergency mode, switched on by hand: only models on this machine are asked"
    )
    assert "`claude-tier emergency off`" in str(one.todo)


def test_a_broken_ledger_is_another_checks_concern(home: Path) -> None:
    """And none is made where there is none."""
    assert found() == []
    assert not Path(ledger.file()).exists()
    configured("router: {retries: 0}\n")
    Path(ledger.file()).write_text("no database")
    assert found() == []


def test_a_faulty_configuration_is_another_checks_concern() -> None:
    """It says so with file and line."""
    configured(ROUTER)
    from claude_tier import paths

    (paths.state_dir() / "config.yaml").write_text("providers: [")
    assert found() == []
