"""Groups in the real client: what answers where an endpoint does not, and the terminal."""

from __future__ import annotations

import json
import shutil

import pytest
from claude_tier.groups import verdict
from claude_tier.livecheck import (
    Script,
    Terminal,
    fail,
    tool_use,
)
from claude_tier.livecheck.client import API_KEY
from claude_tier.livecheck.terminal import accept_dialogs
from llama_server import Start

from .conftest import Serve
from .desk import Desk
from .turns import STREAMED, failing, in_turn


@pytest.mark.parametrize(("stopped", "output_format"), [("before", "json"), ("within", "text")])
def test_haiku_answers_where_the_local_server_does_not(
    stopped: str, output_format: str, desk: Desk, llama: Start, serve: Serve
) -> None:
    """Stopped before the run, or failing within it: one answer on stdout, and it is said."""
    if stopped == "before":
        server = desk.local(llama, "never")
        server.stop()
        desk.configure(server.url, kind="llama-server", fallback="haiku")
    else:
        desk.configure(serve(lambda _: fail(500, "out of memory")).url, fallback="haiku")

    done = desk.run("-p", "--output-format", output_format, stdin="what is this?")

    shown = json.loads(done.stdout)["result"] if output_format == "json" else done.stdout.strip()
    assert (done.returncode, shown) == (0, "from Claude")
    assert "did not answer: " in done.stderr
    assert "Claude's haiku answers instead" in done.stderr
    (asked,) = desk.claude.requests
    assert (asked.request.model, "what is this?" in asked.request.prompt) == (
        "claude-haiku-5-5",
        True,
    )


def test_without_a_fallback_a_stopped_server_is_a_clear_failure(desk: Desk, llama: Start) -> None:
    """What, why and what to do; Claude is not asked."""
    server = desk.local(llama, "never")
    server.stop()
    desk.configure(server.url, kind="llama-server")

    done = desk.run("-p", "hello")

    assert (done.returncode, done.stdout) == (1, "")
    assert f"the group chat ({server.url}) does not answer: " in done.stderr
    assert desk.claude.requests == []


FAILURES = {
    "400": fail(400, "no"),
    "401": fail(401, "no"),
    "403": fail(403, "no"),
    "404": fail(404, "model 'tiny' not found"),
    "413": fail(413, "too large"),
    "429": fail(429, "slow down"),
    "500": fail(500, "no"),
    "529": fail(529, "overloaded"),
    "credit": fail(400, "Your credit balance is too low to access the Anthropic API."),
    "long": fail(400, "prompt is too long: 300000 tokens > 200000 maximum"),
}


def test_each_failure_of_an_endpoint_is_known_for_one(desk: Desk, serve: Serve) -> None:
    """The client words them differently; each would let Claude answer."""
    desk.configure(serve(failing(FAILURES)).url)

    results = in_turn(
        desk.command("-p", *STREAMED),
        cwd=desk.client.cwd,
        env=desk.environment(CLAUDE_CODE_MAX_RETRIES="0"),
        prompts=FAILURES,
    )

    told = dict(zip(FAILURES, results, strict=True))
    assert [kind for kind, one in told.items() if not _known(f"{one['result']}\n", "text")] == []
    assert [kind for kind, one in told.items() if not _known(json.dumps(one), "json")] == []


def _known(printed: str, output_format: str) -> bool:
    return verdict.failure(printed, output_format=output_format) is not None


def test_a_failure_of_the_run_itself_does_not_fall_back(desk: Desk, serve: Serve) -> None:
    """Too many turns would be too many for Claude as well."""
    other = serve(Script().on("start", tool_use("Bash", command="true")))
    desk.configure(other.url, fallback="haiku")

    done = desk.run("-p", "start", "--max-turns", "1", "--allowedTools", "Bash")

    assert (done.returncode, "max turns" in done.stdout) == (1, True)
    assert desk.claude.requests == []


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_an_interactive_session_has_the_terminal(desk: Desk, llama: Start) -> None:
    """A real local server, typed words, Ctrl-C, and the end of the session."""
    server = desk.local(llama, "from llama.cpp")
    desk.configure(server.url, kind="llama-server")
    accept_dialogs(desk.client.home / ".claude.json", project=desk.client.cwd, key=API_KEY)

    with Terminal(desk.command(), cwd=desk.client.cwd, env=desk.environment()) as terminal:
        terminal.send("hello there")
        terminal.wait_for("from llama.cpp")
        terminal.key("C-c")
        terminal.wait_for("again to exit")
        terminal.key("C-c")
        terminal.wait_end()

    assert (desk.claude.requests, desk.claude.probes) == ([], [])


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")
def test_an_interactive_session_falls_back_at_its_start(desk: Desk, llama: Start) -> None:
    """The only time it can: later an answer would be glued to another."""
    server = desk.local(llama, "never")
    server.stop()
    desk.configure(server.url, kind="llama-server", fallback="haiku")
    accept_dialogs(desk.client.home / ".claude.json", project=desk.client.cwd, key=API_KEY)

    with Terminal(desk.command(), cwd=desk.client.cwd, env=desk.environment()) as terminal:
        terminal.send("hello there")
        terminal.wait_for("from Claude")
        terminal.send("/exit")
        terminal.wait_end()

    models = {one.request.model for one in desk.claude.requests}
    assert models == {"claude-haiku-5-5"}
