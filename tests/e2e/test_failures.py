"""What the real client says of a turn that failed, and what claude-tier makes of it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from books import NOON
from claude_tier.livecheck import Client, Failure, fail
from claude_tier.livecheck.client import API_KEY
from claude_tier.livecheck.terminal import poll
from claude_tier_hooks import cooldowns, failures, ledger
from trees import write

from .conftest import Serve
from .installation import Installed, command
from .turns import STREAMED, failing, in_turn
from .witness import opened

BILLING = "Your credit balance is too low to access the Anthropic API."
LIMIT = (
    "You have reached your specified API usage limits."
    " You will regain access on 2026-12-01 at 00:00 UTC."
)
DECEMBER = 1_796_083_200.0


CAUSES: list[tuple[Failure, str | None, float | None]] = [
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
]


def test_the_client_names_the_kind_of_failure(client: Client, serve: Serve, project: Path) -> None:
    """From which its cause follows, and the end where the message has one."""
    events = project / "events"
    events.mkdir()
    # The client kills its hooks when it ends, unless they have left its process group.
    kept = f"cd {events}; setsid -f sh -c 'cat > $$.part && mv $$.part $$.json'"
    hook = {"type": "command", "command": kept, "timeout": 30}
    settings = {"hooks": {"StopFailure": [{"hooks": [hook]}]}}
    write(client.home / ".claude/settings.json", json.dumps(settings))
    api = serve(failing({str(number): one for number, (one, _, _) in enumerate(CAUSES)}))
    command = [str(client.binary), "-p", *STREAMED]

    def has(number: int) -> bool:
        return len(_by_prompt(events)) == number

    def prompts() -> Iterator[str]:
        for number, cause in enumerate(CAUSES):
            yield str(number)
            assert poll(partial(has, number + 1), 30), f"no event of {cause}"

    in_turn(
        command if api.namespace is None else api.namespace.command(command),
        cwd=project,
        env={**client.environment(api), "CLAUDE_CODE_MAX_RETRIES": "0"},
        prompts=prompts(),
    )

    told = _by_prompt(events)
    assert [failures.cause(each) for each in told] == [cause for _, cause, _ in CAUSES]
    for each, (_, cause, until) in zip(told, CAUSES, strict=True):
        cooled = _cooled(each)
        assert [row["cause"] for row in cooled] == [cause] * bool(cause)
        assert [row["until"] for row in cooled if until] == [until] * bool(until)


def _by_prompt(folder: Path) -> list[dict[str, object]]:
    """The first event of each prompt, in order; a summary that fails too has one of its own."""
    found: dict[object, dict[str, object]] = {}
    for file in sorted(folder.glob("*.json"), key=lambda one: one.stat().st_mtime_ns):
        event = json.loads(file.read_text())
        found.setdefault(event["prompt_id"], event)
    return [*found.values()]


def _cooled(event: dict[str, object]) -> list[dict[str, object]]:
    """What follows from that event alone."""
    with closing(ledger.connect()) as db, ledger.Writing(db):
        failures.keep(db, event, {}, {}, NOON)
        found = cooldowns.listed(db, NOON)
        cooldowns.clear(db)
        return found


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_a_turn_that_failed_cools_the_account(
    client: Client, serve: Serve, here: Installed
) -> None:
    """The model of the provider at that address, written by the hook, shown by the command."""
    api = serve(lambda _request: fail(402, BILLING))
    provider = f"kind: anthropic-compatible, base_url: '{api.url}', key_env: ANTHROPIC_API_KEY"
    here.configure(f"providers: {{scripted: {{{provider}}}}}\n")
    with client.terminal(api=api, env={"CLAUDE_CODE_MAX_RETRIES": "0"}) as terminal:
        terminal.send("start")
        with closing(opened(here)) as db:
            assert poll(lambda: bool(cooldowns.listed(db, time.time())), 30)
            (row,) = cooldowns.listed(db, time.time())
    assert (row["provider"], row["cause"]) == ("scripted", "billing")
    assert row["model"].startswith("claude-")
    listed = command(client, "cooldown", "list", env={"ANTHROPIC_API_KEY": API_KEY})
    assert "scripted" in listed.stdout
