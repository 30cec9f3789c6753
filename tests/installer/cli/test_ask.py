"""`claude-tier ask`: the answer on stdout, everything else on stderr, and who was asked."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_server
import pytest
from claude_tier import cli
from command_process import running
from fault_server import FAULTS, FaultServer, Reply
from routers import configured, provider, rows
from silent_server import Silent

PATIENCE = 60  # seconds until a process counts as hanging
SUMMARY = "Summarise this thread in two sentences"


def local(url: str, name: str = "here") -> str:
    return provider(name, url, kind="llama-server", more=", free: true")


def configure(*lines: str, more: str = "router: {default: here/alpha, small: here/alpha}") -> None:
    configured(f"providers:\n{''.join(lines)}{more}\n")


def sent(server: FaultServer) -> Any:
    """The body of the last request."""
    return server.requests[-1].body


@pytest.mark.skipif(llama_server.missing() is not None, reason=str(llama_server.missing()))
def test_a_real_local_model_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """Its answer is all that stands on stdout, and it costs nothing."""
    with llama_server.serving("Two sentences.") as llama:
        configure(local(llama.url), more="router: {default: here/tiny, small: here/tiny}")
        assert cli.main(["ask", SUMMARY]) == 0
        assert capsys.readouterr() == ("Two sentences.\n", "")
        assert cli.main(["ask", SUMMARY, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["route"], found["target"], found["usd"]) == ("summarise", "here/tiny", 0)
    assert rows("SELECT origin, route FROM exchange") == [("ask", "summarise")] * 2


@pytest.mark.skipif(llama_server.missing() is not None, reason=str(llama_server.missing()))
def test_an_answer_can_be_printed_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    """In the end it is the same."""
    with llama_server.serving("Two sentences.") as llama:
        configure(local(llama.url), more="router: {default: here/tiny}")
        assert cli.main(["ask", "hello", "--stream"]) == 0
    assert capsys.readouterr() == ("Two sentences.\n", "")


def test_the_text_the_files_and_the_system_are_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file stands in a fence that its own text cannot close."""
    file = tmp_path / "notes.md"
    file.write_text("before\n````\nafter\n")
    with FaultServer(Reply(text="fine")) as server:
        configure(local(server.url))
        args = ["--file", str(file), "--system", "Be brief.", "--max-tokens", "77"]
        assert cli.main(["ask", SUMMARY, *args]) == 0
        body = json.dumps(sent(server))
    assert json.dumps(f"{file}:\n`````\nbefore\n````\nafter\n`````")[1:-1] in body
    assert "Be brief." in body
    assert "77" in body


def test_a_target_a_chain_and_a_kind_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Instead of what the text asks for."""
    with FaultServer(Reply(text="one")) as one, FaultServer(Reply(text="two")) as two:
        more = "chains: {all: [there/beta]}\nrouter: {default: here/alpha, coding: there/beta}"
        configure(local(one.url), local(two.url, "there"), more=more)
        for args, told in (
            (["--to", "there/beta"], "two\n"),
            (["--to", "all"], "two\n"),
            (["--to", "coding"], "two\n"),
            (["--as", "refactor"], "two\n"),
            ([], "one\n"),
        ):
            assert cli.main(["ask", "continue", *args]) == 0
            assert capsys.readouterr().out == told


def test_mistakes_of_the_configuration_are_shown_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what that means."""
    file = home / ".claude/claude-tier/config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("routr: {}\n")
    assert cli.main(["ask", "Hello"]) == 1
    err = capsys.readouterr().err
    assert err.count("routr: unknown key; did you mean router?") == 1
    assert "the previous configuration stays in effect" in err


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--to", "nobody/x"], "--to nobody/x: names no provider of yours"),
        (["--to", "nobody"], "must be provider/model"),
        (["--as", "poetry"], "'poetry' is not one of heartbeat"),
        (["--to", "small", "--as", "code"], "exclude each other"),
        (["--stream", "--json"], "--stream does not go with"),
        (["--timeout", "soon"], "'soon'"),
        (["--max-tokens", "0"], "0 is not in the range"),
    ],
)
def test_a_mistake_of_usage_asks_nobody(
    args: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told, with exit code 2."""
    configured("")
    assert cli.main(["ask", "hello", *args]) == 2
    out, err = capsys.readouterr()
    assert (out, told in err) == ("", True)


def test_a_fallback_is_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Who did not answer, why, and who is asked instead."""
    with FaultServer(FAULTS["refused"]) as dead, FaultServer(Reply(text="fine")) as server:
        more = "chains: {all: [dead/alpha, here/alpha]}\nrouter: {default: all, retries: 0}"
        configure(local(dead.url, "dead"), local(server.url), more=more)
        assert cli.main(["ask", "continue"]) == 0
    out, err = capsys.readouterr()
    assert out == "fine\n"
    assert "dead/alpha" in err
    assert "Asking here/alpha instead." in err


def test_where_nobody_answers_each_attempt_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr with what to do, or as JSON; exit code 1."""
    with FaultServer(FAULTS["refused"]) as dead:
        more = "router: {default: here/alpha, retries: 0}"
        configure(local(dead.url), more=more)
        assert cli.main(["ask", "continue"]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert "nobody answered (here/alpha: " in err
        assert cli.main(["ask", "continue", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["attempts"][0]["target"] == "here/alpha"
    assert found["route"] == "default"


def test_a_stream_that_breaks_off_ends_the_request(capsys: pytest.CaptureFixture[str]) -> None:
    """Two halves of different answers are never put together."""
    with FaultServer(FAULTS["reset_stream"]) as broken, FaultServer(Reply(text="fine")) as other:
        more = "chains: {all: [here/alpha, there/beta]}\nrouter: {default: all}"
        configure(local(broken.url), local(other.url, "there"), more=more)
        assert cli.main(["ask", "continue", "--stream"]) == 1
        assert other.requests == []
    out, err = capsys.readouterr()
    assert "fine" not in out
    assert out.endswith("\n")
    assert "here/alpha" in err


def test_local_only_asks_nobody_else(capsys: pytest.CaptureFixture[str]) -> None:
    """A remote target in the chain is passed over, and is not reached."""
    with FaultServer(Reply(text="remote")) as remote, FaultServer(Reply(text="local")) as here:
        more = "chains: {all: [there/beta, here/alpha]}\nrouter: {default: all}"
        configure(provider("there", remote.url), local(here.url), more=more)
        assert cli.main(["ask", "continue", "--local-only"]) == 0
        assert remote.seen == []
    assert capsys.readouterr().out == "local\n"


@pytest.fixture
def shape(tmp_path: Path) -> str:
    file = tmp_path / "shape.json"
    wanted = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    file.write_text(json.dumps(wanted))
    return str(file)


def test_an_answer_that_fits_its_schema_is_printed(
    shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """At once."""
    with FaultServer(Reply(text='{"n": 3}')) as server:
        configure(local(server.url))
        assert cli.main(["ask", "How many?", "--schema", shape]) == 0
        assert len(server.requests) == 1
    assert capsys.readouterr() == ('{"n": 3}\n', "")


def test_an_answer_that_does_not_fit_is_asked_for_once_more(
    shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what was wrong about it."""
    with FaultServer([Reply(text='{"n": "x"}'), Reply(text='{"n": 3}')]) as server:
        configure(local(server.url))
        assert cli.main(["ask", "How many?", "--schema", shape]) == 0
        assert "does not fit" in json.dumps(sent(server))
    out, err = capsys.readouterr()
    assert out == '{"n": 3}\n'
    fault = "n: 'x' is not of type 'integer'"
    assert err == (
        f"The answer of here/alpha does not fit the schema ({fault}). Asking for it once more.\n"
    )


def test_an_answer_that_never_fits_fails(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    """After the second try nobody is asked again."""
    with FaultServer(Reply(text="three")) as server:
        configure(local(server.url))
        assert cli.main(["ask", "How many?", "--schema", shape]) == 1
        assert len(server.requests) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "is not JSON" in err


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"type": "nothing"}'])
def test_a_file_that_is_no_schema_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anybody is asked."""
    file = tmp_path / "shape.json"
    file.write_text(text)
    assert cli.main(["ask", "How many?", "--schema", str(file)]) == 2
    assert str(file) in capsys.readouterr().err


def test_an_answer_that_was_cut_off_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """And what allows more."""
    with FaultServer(Reply(text="half", finish="length")) as server:
        configure(local(server.url))
        assert cli.main(["ask", "continue", "--max-tokens", "7"]) == 0
    out, err = capsys.readouterr()
    assert (out, "--max-tokens allows more" in err) == ("half\n", True)


def test_an_answer_that_ends_before_its_limit_blames_the_window(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """More tokens would not help."""
    with FaultServer(Reply(text="half", finish="length", output_tokens=7)) as server:
        configure(local(server.url))
        assert cli.main(["ask", "continue", "--max-tokens", "8"]) == 0
    out, err = capsys.readouterr()
    assert out == "half\n"
    assert "after 7 tokens, before --max-tokens: the context window of here/alpha is full" in err


def test_the_text_may_come_from_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it is -."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from a pipe")))
    with FaultServer(Reply(text="fine")) as server:
        configure(local(server.url))
        assert cli.main(["ask", "-"]) == 0
        assert "from a pipe" in json.dumps(sent(server))


def test_an_interrupt_reaches_the_provider() -> None:
    """The connection is closed, and the command ends with 130 and no traceback."""
    with Silent() as silent:
        configure(local(silent.url))
        with running("ask", "continue") as process:
            assert silent.asked.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
        assert silent.left.wait(PATIENCE)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert rows("SELECT origin, outcome FROM exchange") == [("ask", "cancelled")]


def test_on_a_terminal_it_says_who_answered_and_obeys_nothing() -> None:
    """A last line with the model, tokens, price and time; escape sequences are shown as text."""
    with FaultServer(Reply(text="\x1b[31mred")) as server:
        configure(local(server.url))
        ours, theirs = pty.openpty()
        imports = os.pathsep.join(entry for entry in sys.path if entry)
        command = [sys.executable, "-m", "claude_tier", "ask", "continue"]
        env = {**os.environ, "PYTHONPATH": imports}
        with subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as run:
            os.close(theirs)
            shown = b"".join(_until_closed(ours))
        os.close(ours)
    assert run.returncode == 0
    assert b"Waiting for an answer (default)" in shown
    assert b"\\x1b[31mred" in shown
    assert b"\x1b[31m" not in shown
    assert b"default: here/alpha, 11 tokens in, 7 out, $0, " in shown


def _until_closed(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux says so when the other side is closed; macOS ends the file
            return
        if not part:
            return
        yield part


def test_a_deadline_ends_the_wait(capsys: pytest.CaptureFixture[str]) -> None:
    """With what was asked until then."""
    with Silent() as silent:
        configure(local(silent.url))
        assert cli.main(["ask", "continue", "--timeout", "1s"]) == 1
    assert "here/alpha" in capsys.readouterr().err
