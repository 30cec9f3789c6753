"""`cooldown`, `emergency` and `log --router`: what is shown, switched and cleared."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from books import NOON
from claude_tier import cli, paths
from claude_tier.report import cooling as screen
from claude_tier.routing import keys, wording
from claude_tier.routing.cooling import Cooling
from claude_tier_hooks import cooldowns, ledger
from fault_server import FAULTS, FaultServer, Reply
from routers import Clock, ask, chain, configured, provider, refused

PROVIDERS = """\
providers:
  api: {kind: openai, key_env: API_KEY}
  router: {kind: openrouter}
"""


@pytest.fixture
def now() -> float:
    return time.time()


def cool(now: float, place: tuple[str, str, str], cause: str, *, everywhere: bool = False) -> None:
    """A failure of that place just now."""
    fault = {"cause": cause, "why": "it said so", "until": None, "everywhere": everywhere}
    with closing(ledger.connect()) as db, ledger.Writing(db):
        cooldowns.fail(db, place, fault, now, 7200)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The JSON of a command that succeeds."""
    assert cli.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_nothing_cools_at_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Which is said."""
    assert cli.main(["cooldown"]) == 0
    assert capsys.readouterr().out == "Nothing is cooling.\n"


def test_what_is_cooling_is_listed_with_the_way_out(
    now: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cause, time of the next try, and the command that clears it."""
    configured(PROVIDERS)
    cool(now, ("api", "0123456789ab", "alpha"), "key", everywhere=True)
    cool(now, ("router", "-", "x/y:free"), "billing")
    first, second = printed(capsys, "cooldown", "list")["cooldowns"]
    assert (first["provider"], first["model"], first["until"]) == ("api", None, None)
    assert (second["model"], second["cause"]) == ("x/y:free", "billing")
    assert second["next_probe"] == pytest.approx(now + 300)
    assert cli.main(["cooldown", "list"]) == 0
    text = capsys.readouterr().out
    assert "with another key" in text
    assert "claude-tier cooldown clear router/x/y:free" in text


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (0.5, "12:00:00"),
        (20, "12:00:20"),
        (90, "12:01"),
        (7200, "14:00"),
        (3 * 86400, "Tue Nov 24 12:00"),
    ],
)
def test_the_next_try_is_named_as_exactly_as_it_matters(left: float, shown: str) -> None:
    """With seconds where it is less than a minute ahead, with the day where it is another."""
    kept = Cooling(
        "api", "-", "alpha", "server", "it failed",
        since=NOON - 600, until=NOON + left, named=False, step=0, probing=False,
    )  # fmt: skip
    row = screen.as_text([kept], now=NOON, width=200).splitlines()[-1]
    assert f"  {shown}  " in row
    assert "  11:50  " in row
    assert wording.until(kept, NOON) == f"until {shown}"


def test_what_a_replaced_key_was_refused_is_not_listed(
    now: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With another key everything may be asked; without one here, somebody else may have it."""
    configured("providers: {api: {kind: openai, key_env: API_KEY}}\n")
    cool(now, ("api", keys.fingerprint("sk-first-0123456789"), "alpha"), "key", everywhere=True)
    cool(now, ("api", keys.fingerprint("sk-first-0123456789"), "beta"), "pace")
    cool(now, ("claude", "login", "haiku"), "billing", everywhere=True)
    listed = {}
    for key in ("", "sk-first-0123456789", "sk-second-0123456789"):
        monkeypatch.setenv("API_KEY", key)
        found = printed(capsys, "cooldown", "list")["cooldowns"]
        listed[key] = [(one["provider"], one["model"]) for one in found]
    assert listed == {
        "": [("api", None), ("api", "beta"), ("claude", None)],
        "sk-first-0123456789": [("api", None), ("api", "beta"), ("claude", None)],
        "sk-second-0123456789": [("claude", None)],
    }


@pytest.mark.parametrize(
    ("text", "listed"), [("providers: [", 1), ("providers: {other: {kind: ollama}}\n", 0)]
)
def test_what_is_configured_no_more_is_not_listed(
    text: str, listed: int, now: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody would ask it; a faulty configuration hides nothing."""
    cool(now, ("api", "0123456789ab", "alpha"), "pace")
    (paths.state_dir() / "config.yaml").write_text(text)
    assert len(printed(capsys, "cooldown", "list")["cooldowns"]) == listed


@pytest.mark.parametrize(("what", "left"), [("router/x/y:free", 1), ("api", 1), (None, 0)])
def test_clearing_lets_it_be_asked_again(
    what: str | None, left: int, now: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """A provider, a model of it whose name has slashes, or everything."""
    configured(PROVIDERS)
    cool(now, ("api", "0123456789ab", "alpha"), "key", everywhere=True)
    cool(now, ("router", "-", "x/y:free"), "billing")
    printed(capsys, "cooldown", "clear", *([what] if what else []))
    assert len(printed(capsys, "cooldown", "list")["cooldowns"]) == left


def test_clearing_what_is_not_cooling_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 1."""
    assert cli.main(["cooldown", "clear", "nobody"]) == 1
    assert "nobody is not cooling" in capsys.readouterr().err


def test_emergency_mode_is_switched_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """With the way out; the same from `status`."""
    assert printed(capsys, "emergency", "status")["on"] is False
    on = printed(capsys, "emergency", "on", "--for", "2h")
    assert (on["on"], on["ends"]) == (True, "claude-tier emergency off")
    assert printed(capsys, "status")["emergency"]["until"] == on["until"]
    assert cli.main(["emergency", "status"]) == 0
    assert capsys.readouterr().out.startswith("On: switched on by hand, until ")
    assert printed(capsys, "emergency", "off")["changed"] is True
    assert printed(capsys, "status")["emergency"] is None


def test_off_says_what_still_keeps_it_on(capsys: pytest.CaptureFixture[str]) -> None:
    """The configuration, say."""
    configured("router: {local_only: true}\n")
    assert cli.main(["emergency", "off"]) == 0
    text = capsys.readouterr().out
    assert "It was not switched on." in text
    assert "router.local_only is set" in text


def test_off_works_whatever_the_configuration_is_like(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its mistake is said once, and what it said before still counts."""
    configured("router: {local_only: true}\n")
    printed(capsys, "status")
    printed(capsys, "emergency", "on")
    configuration = home / ".claude/claude-tier/config.yaml"
    configuration.write_text("budgts: []\n")
    assert cli.main(["emergency", "off"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Switched off.\nOn: router.local_only is set.")
    assert said.err.count("budgts: unknown key") == 1


def test_claude_cannot_end_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The switch is the user's; to set it is no way out of anything."""
    printed(capsys, "emergency", "on")
    monkeypatch.setenv("CLAUDECODE", "1")
    assert cli.main(["emergency", "off"]) == 1
    assert "does not run inside a Claude Code session" in capsys.readouterr().err
    assert printed(capsys, "emergency", "status")["on"] is True


def test_status_names_what_is_cooling(now: float, capsys: pytest.CaptureFixture[str]) -> None:
    """In a line for each, and only where there is something."""
    assert cli.main(["status"]) == 0
    assert "is not asked" not in capsys.readouterr().out
    cool(now, ("api", "0123456789ab", "alpha"), "billing", everywhere=True)
    assert cli.main(["status"]) == 0
    text = capsys.readouterr().out
    assert "api is not asked until" in text
    assert "`claude-tier cooldown clear api`" in text
    (one,) = printed(capsys, "status")["cooldowns"]
    assert one["cause"] == "billing"


def test_the_log_of_the_router_tells_who_answered_instead(
    now: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """And who failed, why, how long it took, what it cost."""
    with FaultServer(FAULTS["openai_key"]) as bad, FaultServer(Reply()) as good:
        prices = ", prices: {beta: {input: 1, output: 10}}"
        lines = [provider("one", bad.url), provider("two", good.url, more=prices)]
        ask(chain("one/alpha", "two/beta", providers=lines), "all", route="code", clock=Clock(now))
        refused(chain("one/alpha", providers=lines), "all", clock=Clock(now + 1))
    first, second = printed(capsys, "log", "--router")["requests"]
    assert (first["asked"], first["target"], first["route"]) == ("one/alpha", "two/beta", "code")
    assert first["usd"] == pytest.approx(81e-6)
    assert [each["cause"] for each in first["attempts"]] == ["key"]
    assert (second["outcome"], second["target"], second["usd"]) == ("failed", None, None)
    assert cli.main(["log", "--router"]) == 0
    text = capsys.readouterr().out
    assert "ask/code  two/beta answered instead of one/alpha" in text
    assert "  one/alpha failed (key): " in text
    assert len(printed(capsys, "log", "--router", "-n", "1")["requests"]) == 1
    assert cli.main(["log", "--router", "--day", "2020-01-01"]) == 0
    assert capsys.readouterr().out == "No request matches.\n"
    assert cli.main(["log", "--router", "--follow"]) == 2


def test_requests_can_be_exported(now: float, capsys: pytest.CaptureFixture[str]) -> None:
    """One object in each line, or a line of CSV."""
    with FaultServer(FAULTS["openai_request"]) as server:
        refused(chain("one/alpha", providers=[provider("one", server.url)]), "all")
    assert cli.main(["ledger", "export", "--what", "requests"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["attempts"] == "one/alpha request"
    assert cli.main(["ledger", "export", "--what", "requests", "--format", "csv"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.startswith("id,at,session")
    assert row.endswith("one/alpha request")
