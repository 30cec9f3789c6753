"""What the real client says of a turn that failed, and what claude-tier makes of it."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest
from books import NOON
from claude_tier.livecheck import Client, Failure, fail
from claude_tier.livecheck.terminal import poll
from claude_tier_hooks import cooldowns, failures, ledger
from trees import write

from .conftest import Serve
from .installation import Installed, command
from .witness import opened

BILLING = "Your credit balance is too low to access the Anthropic API."
LIMIT = (
    "You have reached your specified API usage limits."
    " You will regain access on 2026-12-01 at 00:00 UTC."
)
DECEMBER = 1_796_083_200.0


@pytest.mark.parametrize(
    ("failure", "cause", "until"),
    [
        (fail(429, "This request would exceed your rate limit"), "pace", None),
        (fail(402, BILLING), "billing", None),
        (fail(400, BILLING), "billing", None),
        (fail(400, LIMIT), "billing", DECEMBER),
        (fail(401, "invalid x-api-key"), "key", None),
        (fail(403, "OAuth token revoked"), "key", None),
        (fail(500, "Internal server error"), "server", None),
        (fail(529, "Overloaded"), "server", None),
        (fail(404, "model: claude-nope"), None, None),
        (fail(413, "Request too large"), None, None),
        (fail(400, "prompt is too long: 250000 tokens > 200000 maximum"), None, None),
    ],
)
def test_the_client_names_the_kind_of_failure(
    client: Client, serve: Serve, project: Path, failure: Failure, cause: str | None,
    until: float | None,
) -> None:  # fmt: skip
    """From which its cause follows, and the end where the message has one."""
    event = project / "event.json"
    # The client kills its hooks when it ends, unless they have left its process group.
    kept = f"setsid -f sh -c 'cat > {event}.part && mv {event}.part {event}'"
    hook = {"type": "command", "command": kept, "timeout": 30}
    settings = {"hooks": {"StopFailure": [{"hooks": [hook]}]}}
    write(client.home / ".claude/settings.json", json.dumps(settings))
    api = serve(lambda _request: failure)
    for _ in range(3):
        client.run("-p", "start", api=api, env={"CLAUDE_CODE_MAX_RETRIES": "0"})
        if poll(event.exists, 5):
            break
    told = json.loads(event.read_text())
    assert failures.cause(told) == cause
    with closing(ledger.connect()) as db, ledger.Writing(db):
        failures.keep(db, told, {}, {}, NOON)
        assert [row["cause"] for row in cooldowns.listed(db, NOON)] == [cause] * bool(cause)
        assert [row["until"] for row in cooldowns.listed(db, NOON) if until] == [until] * bool(
            until
        )


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_a_turn_that_failed_cools_the_account(
    client: Client, serve: Serve, here: Installed
) -> None:
    """The model of the provider at that address, written by the hook, shown by the command."""
    api = serve(lambda _request: fail(402, BILLING))
    here.configure(
        f"providers: {{scripted: {{kind: anthropic-compatible, base_url: '{api.url}'}}}}\n"
    )
    with client.terminal(api=api, env={"CLAUDE_CODE_MAX_RETRIES": "0"}) as terminal:
        terminal.send("start")
        with closing(opened(here)) as db:
            assert poll(lambda: bool(cooldowns.listed(db, time.time())), 30)
            (row,) = cooldowns.listed(db, time.time())
    assert (row["provider"], row["cause"]) == ("scripted", "billing")
    assert row["model"].startswith("claude-")
    assert "scripted" in command(client, "cooldown", "list").stdout
