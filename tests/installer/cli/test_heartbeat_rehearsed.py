"""`heartbeat run NAME --dry-run`: the request as it would be, and nobody is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from claude_tier import cli
from claude_tier.heartbeat import request
from fault_server import FaultServer, Reply
from heartbeats import LOCAL, Home, made

FILE = """\
---
model: local/alpha
tasks:
  - {name: disk, every: 1h, check: "echo '97 % full'", prompt: Say how full it is.}
  - {name: calm, every: 1h, check: "false", prompt: Say it.}
  - {name: bad, every: 1h, check: exit 7, prompt: Say it.}
---
"""


def rehearsed(
    home: Path, capsys: pytest.CaptureFixture[str], name: str, *more: str
) -> tuple[Home, str]:
    """What is printed, with a provider that counts its requests."""
    with FaultServer(Reply("HEARTBEAT_OK")) as server:
        here = made(home, LOCAL.format(url=server.url))
        here.add(FILE)
        assert cli.main(["heartbeat", "run", name, "--dry-run", *more]) == 0
        assert server.requests == []
    return here, capsys.readouterr().out


def test_the_request_is_shown_with_its_size(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole, with the output of its check, and whom it would go to; there is no receipt."""
    here, text = rehearsed(home, capsys, "disk")
    assert text.startswith("local/alpha would be asked, about 2,")
    assert request.SYSTEM in text
    assert "Say how full it is." in text
    assert "97 % full" in text
    assert here.rows() == []


@pytest.mark.parametrize(
    ("name", "why"), [("calm", "its check found nothing"), ("bad", "exit code 7")]
)
def test_what_would_ask_nobody_is_said_with_the_reason(
    home: Path, capsys: pytest.CaptureFixture[str], name: str, why: str
) -> None:
    """As its receipt would have it."""
    _, text = rehearsed(home, capsys, name, "--json")
    found = json.loads(text)
    assert why in found["reason"]
    assert found["prompt"] is found["request_bytes"] is None
