"""A run from its check to its end: what it says, what falls back, what is kept of it."""

from __future__ import annotations

import json
import sqlite3

import pytest
from claude_tier.groups import preflight
from claude_tier.livecheck import Request, ScriptedAPI
from claude_tier_hooks import ledger
from loopback_server import Handler, LoopbackServer

from .conftest import User

RUN = ("run", "--group", "chat", "--")
DEAD = "http://127.0.0.1:9"


def exchanges() -> list[dict[str, object]]:
    db = sqlite3.connect(ledger.file())
    db.row_factory = sqlite3.Row
    rows = [dict(row) for row in db.execute("SELECT * FROM exchange")]
    db.close()
    return rows


def test_the_profile_is_told_on_stderr(user: User) -> None:
    """Which endpoint, which model, what is behind it; stdout is the client's."""
    user.configure(fallback="haiku")
    done = user.run(*RUN, "-p", "print x")

    assert done.out == b"x"
    assert f"claude-tier: chat: tiny at {user.endpoint}, behind it haiku\n" in done.errors


def test_a_run_that_fails_in_the_middle_is_done_again_by_claude(user: User) -> None:
    """With the same input, on the tier that was named, and one answer on stdout."""
    user.configure(fallback="haiku")
    done = user.run(*RUN, "-p", "--model", "opus", "fail", stdin=b"the text")

    (first, second) = user.told
    assert (done.code, done.out) == (0, b"Claude read the text\n")
    assert first[0] == ["-p", "--model", "opus", "fail"]
    assert second[0] == ["--model", "haiku", "-p", "fail"]
    assert "ANTHROPIC_BASE_URL" not in second[1]
    assert "did not answer: API Error: 500 broken; Claude's haiku answers instead" in done.errors


def test_claude_reads_all_of_an_input_that_was_read_in_part(user: User) -> None:
    """The first client took a few bytes only."""
    user.configure(fallback="haiku")
    done = user.run(*RUN, "-p", "fail 3", stdin=b"x" * 200_000)

    assert done.out == b"Claude read " + b"x" * 200_000 + b"\n"


def test_a_client_with_claude_behind_it_does_not_knock_for_minutes(user: User) -> None:
    """Unless the user said how often."""
    user.configure(fallback="haiku")
    user.run(*RUN, "-p", "exit 0")
    user.run(*RUN, "-p", "exit 0", CLAUDE_CODE_MAX_RETRIES="9")
    user.run(*RUN, "exit 0")

    retries = [env.get("CLAUDE_CODE_MAX_RETRIES") for _, env, _ in user.told]
    assert retries == ["2", "9", None]


def test_without_a_fallback_a_failure_is_shown_as_it_came(user: User) -> None:
    """Nobody else is asked."""
    done = user.run(*RUN, "-p", "fail")

    assert (done.code, done.out, len(user.told)) == (1, b"API Error: 500 broken\n", 1)


def test_a_streamed_run_does_not_fall_back_in_the_middle(user: User) -> None:
    """Part of an answer may have been shown."""
    user.configure(fallback="haiku")
    done = user.run(*RUN, "-p", "--output-format", "stream-json", "--verbose", "fail")

    assert (done.code, len(user.told)) == (1, 1)


def test_an_endpoint_that_is_not_there_is_a_failure_with_a_remedy(user: User) -> None:
    """The client is not even started."""
    user.configure(url=DEAD)
    done = user.run(*RUN, "-p", "print x")

    assert (done.code, done.out, user.told) == (1, b"", [])
    assert f"claude-tier: the group chat ({DEAD}) does not answer: " in done.errors


def test_a_fallback_is_kept_in_the_ledger(user: User) -> None:
    """Who was asked, why they did not answer, who was asked instead; no prompt."""
    user.configure(url=DEAD, fallback="sonnet")
    done = user.run(*RUN, "-p", "print secret")

    assert (done.code, done.out) == (0, b"secret")
    (row,) = exchanges()
    kept = {key: row[key] for key in ("origin", "route", "asked", "target", "usage", "outcome")}
    assert kept == {
        "origin": "group",
        "route": "chat",
        "asked": "other/tiny",
        "target": "claude/sonnet",
        "usage": None,
        "outcome": "failed",
    }
    assert "secret" not in json.dumps(row)


@pytest.mark.parametrize("how", ["by hand", "by configuration"])
def test_where_only_this_machine_may_answer_claude_is_not_asked(how: str, user: User) -> None:
    """Emergency mode, and how it ends."""
    user.configure(url=DEAD, fallback="haiku")
    if how == "by hand":
        (user.state / "emergency").write_text('{"since": 1, "until": null}')
    else:
        config = json.loads((user.state / "config.yaml").read_text())
        user.write(json.dumps({**config, "router": {"local_only": True}}))
    done = user.run(*RUN, "-p", "print x")

    assert (done.code, user.told) == (1, [])
    way_out = {
        "by hand": "`claude-tier emergency off`",
        "by configuration": "setting router: {local_only: false} in config.yaml",
    }
    assert "Claude is not asked: " in done.errors
    assert f"(ends with {way_out[how]})" in done.errors


def test_a_key_that_a_server_repeats_is_not_shown(user: User, endpoint: ScriptedAPI) -> None:
    """Neither on stderr nor in the ledger."""
    key = "odd-looking-key"
    file = user.home / "key"
    file.write_text(key)
    file.chmod(0o600)
    provider = {"kind": "anthropic-compatible", "base_url": endpoint.url, "key_file": str(file)}
    chat = {"provider": "other", "model": "tiny", "fallback": "haiku"}
    user.write(json.dumps({"providers": {"other": provider}, "groups": {"chat": chat}}))
    program = user.home / "bin/claude"
    told = f"API Error: 401 no such key: {key}\\x1b[2J"
    program.write_text(program.read_text().replace("API Error: 500 broken", told))

    done = user.run(*RUN, "-p", "fail")

    assert user.told[0][1]["ANTHROPIC_AUTH_TOKEN"] == key
    assert key not in done.errors + json.dumps(exchanges())
    assert "no such key: [key] [2J; Claude's haiku" in done.errors


class Listless(Handler):
    """Answers questions, and has no list of its models."""

    def answer(self, request: Request, body: bytes) -> None:
        found = request.method == "POST" and request.model == "tiny"
        message = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "tiny",
            "content": [], "stop_reason": "max_tokens",
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }  # fmt: skip
        content = json.dumps(message if found else {"error": "not found"}).encode()
        headers = {"content-type": "application/json", "content-length": str(len(content))}
        self.head(200 if found else 404, headers)
        self.wfile.write(content)


@pytest.mark.parametrize(("model", "there"), [("tiny", True), ("other", False)])
def test_an_endpoint_without_a_list_of_models_is_asked_for_one_token(
    model: str, there: bool, user: User
) -> None:
    """Many servers that speak Anthropic's API have no such list."""
    with LoopbackServer(Listless) as server:
        user.configure(url=server.url, model=model)
        fault = preflight.look(user.config, user.profile())

    assert (fault is None) is there
    assert server.seen[-1].body["max_tokens"] == 1


class Ollama(Handler):
    """Its list of models, by its documentation."""

    def answer(self, request: Request, body: bytes) -> None:
        content = json.dumps({"models": [{"name": "here:latest", "model": "here:latest"}]}).encode()
        headers = {"content-type": "application/json", "content-length": str(len(content))}
        self.head(200, headers)
        self.wfile.write(content)


@pytest.mark.parametrize("model", ["here", "here:latest"])
def test_a_model_that_ollama_has_is_ready(model: str, user: User) -> None:
    """Under its name with and without what Ollama puts after it."""
    with LoopbackServer(Ollama) as server:
        user.configure(kind="ollama", url=server.url, model=model)
        assert preflight.look(user.config, user.profile()) is None


def test_a_model_that_ollama_has_not_got_is_named_with_the_command_for_it(user: User) -> None:
    """Before the client starts: it would only say that there is an issue."""
    with LoopbackServer(Ollama) as server:
        user.configure(kind="ollama", url=server.url, model="there:8b")
        done = user.run(*RUN, "-p", "print x")

    assert (done.code, user.told) == (1, [])
    assert "it has no model there:8b\nDo this: `ollama pull there:8b`" in done.errors


def test_a_dry_run_starts_nothing_and_shows_no_key(user: User) -> None:
    """Only what would be set and unset."""
    done = user.run("run", "--group", "chat", "--dry-run", "--", "-p", "x", OPENAI_API_KEY="dummy")

    assert (done.code, user.told) == (0, [])
    assert f"chat: tiny at {user.endpoint}\n".encode() in done.out
    assert b"unset OPENAI_API_KEY\n" in done.out
    assert b"dummy" not in done.out


def test_a_dry_run_needs_no_client(user: User) -> None:
    """What is missing is said, and what the client would be given is shown and checked."""
    dry = ("run", "--group", "chat", "--dry-run")
    done = user.run(*dry, PATH="/nowhere")
    refused = user.run(*dry, "--", "agents", PATH="/nowhere")

    assert (done.code, refused.code) == (0, 1)
    assert "there is no claude on your PATH" in done.errors
    assert f"chat: tiny at {user.endpoint}\n".encode() in done.out


def test_the_group_has_to_be_named(user: User) -> None:
    """A wrong guess would send text to somebody else."""
    assert user.run("run", "--", "-p", "x").code == 2
    assert user.told == []
