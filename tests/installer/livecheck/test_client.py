"""Finding and running a client: here a shell script stands where the client would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.livecheck import Client, Run, ScriptedAPI, find_client
from claude_tier.livecheck.script import DONE
from claude_tier.livecheck.terminal import accept_dialogs, poll

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is missing")


@pytest.fixture
def api() -> Iterator[ScriptedAPI]:
    with ScriptedAPI(lambda request: DONE) as api:
        yield api


def program(folder: Path, script: str, name: str = "claude") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def client(home: Path, script: str) -> Client:
    return Client(home, binary=program(home, script))


def test_the_client_is_looked_for_in_three_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path that is named, else the variable, else PATH."""
    named, in_variable, on_path = (program(tmp_path / n, "exit 0") for n in ("a", "b", "c"))
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert find_client() == on_path

    monkeypatch.setenv("CLAUDE_TIER_CLIENT", str(in_variable))
    assert find_client() == in_variable
    assert find_client(named) == named


def test_a_missing_client_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says where we looked and what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UserError, match="no Claude Code client at claude") as caught:
        find_client()
    assert caught.value.hint is not None
    assert "CLAUDE_TIER_CLIENT" in caught.value.hint


def test_only_an_allow_list_of_the_environment_passes(
    home: Path, api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the caller's shell holds, the client sees the names we know."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere")
    ours = Client(home, binary=program(home, "env"), config_dir=home / "c", env={"EXTRA": "1"})

    run = ours.run(api=api, env={"MORE": "2"})

    seen = dict(line.split("=", 1) for line in run.stdout.splitlines())
    assert seen["ANTHROPIC_BASE_URL"] == api.url
    assert seen["HOME"] == str(home)
    assert seen["CLAUDE_CONFIG_DIR"] == str(home / "c")
    assert (seen["EXTRA"], seen["MORE"]) == ("1", "2")
    assert not {"AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"} & seen.keys()


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (("-p", "hi"), "-p hi --output-format json"),
        (("-p", "hi", "--output-format", "text"), "-p hi --output-format text"),
        (("mcp", "list"), "mcp list"),
    ],
)
def test_a_print_run_asks_for_json(
    home: Path, api: ScriptedAPI, given: tuple[str, ...], passed: str
) -> None:
    """Only -p has an output format, and one that is given stands."""
    assert client(home, 'echo "$@"').run(*given, api=api).stdout.strip() == passed


def test_stdin_folder_and_exit_code_pass(home: Path, api: ScriptedAPI) -> None:
    """A run is an ordinary process."""
    run = client(home, "cat; pwd; echo oops >&2; exit 3").run(api=api, stdin="given\n")

    assert (run.returncode, run.stdout, run.stderr) == (3, f"given\n{home}\n", "oops\n")


def test_a_run_at_its_deadline_is_killed_with_its_children(home: Path, api: ScriptedAPI) -> None:
    """Nothing it started goes on; what it said last is in the error."""
    script = "sleep 1000 & echo $! > child; echo stuck >&2; wait"

    with pytest.raises(UserError, match=r"still at work after 0\.5 s: stuck"):
        client(home, script).run(api=api, timeout=0.5)

    child = int((home / "child").read_text())
    assert _ends(child)


def _ends(pid: int) -> bool:
    """Whether a process is gone soon: a killed one takes a moment, and may wait as a zombie."""
    return poll(lambda: _state(pid) in ("", "Z"), timeout=20)


def _state(pid: int) -> str:
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout[:1]


def test_a_started_run_is_heard_and_signalled(home: Path, api: ScriptedAPI) -> None:
    """A test waits for what it says before it interrupts."""
    script = "trap 'echo interrupted; exit 0' INT; echo ready; while :; do sleep 0.01; done"

    with client(home, script).start(api=api) as running:
        running.wait_for("ready")
        running.signal(signal.SIGINT)
        run = running.finish()

    assert run.stdout == "ready\ninterrupted\n"


def test_words_that_do_not_come_are_an_error(home: Path, api: ScriptedAPI) -> None:
    """Leaving the block ends the run that was not finished."""
    silent = client(home, "exec sleep 1000")
    did_not = pytest.raises(UserError, match="did not say 'ready' within 0 s")
    with silent.start(api=api) as running, did_not:
        running.wait_for("ready", timeout=0)


def test_the_result_is_the_last_of_its_kind() -> None:
    """Both output formats are read; noise between the lines is not."""
    lines = ["warning", '{"type": "system"}', '{"type": "result", "session_id": "s", "n": 1}']
    run = Run(0, "\n".join([*lines, '{"type": "result", "session_id": "t", "n": 2}']), "")

    assert len(run.events) == 3
    assert (run.result["n"], run.session_id) == (2, "t")


def test_a_run_without_result_says_why() -> None:
    """The client's own words are in the error."""
    with pytest.raises(UserError, match=r"no result \(exit 1\): no such option"):
        _ = Run(1, "", "no such option").result


def test_the_version_is_the_first_word(home: Path) -> None:
    """A program that does not say its version is an error."""
    assert client(home, "echo '2.1.329 (Claude Code)'").version() == "2.1.329"
    with pytest.raises(UserError, match="--version failed: broken"):
        client(home, "echo broken >&2; exit 1").version()


def test_first_run_dialogs_are_accepted_beside_what_is_there(home: Path) -> None:
    """Other keys of the file stay."""
    file = home / "config/.claude.json"
    accept_dialogs(file, project=Path("/p1"), key="k" * 30)
    before = json.loads(file.read_text())
    file.write_text(json.dumps({**before, "theme": "light", "mine": 1}))
    accept_dialogs(file, project=Path("/p2"), key="k" * 30)

    after = json.loads(file.read_text())
    assert after["projects"].keys() == {"/p1", "/p2"}
    assert (after["theme"], after["mine"]) == ("light", 1)
    assert after["customApiKeyResponses"]["approved"] == ["k" * 20]


LINE_EDITOR = r"""
printf '\342\235\257 '
while read -r line; do
    [ "$line" = quit ] && exit 0
    echo "heard: $line"
    printf '\342\235\257 '
done
"""


@needs_tmux
def test_a_terminal_types_reads_and_ends(home: Path, api: ScriptedAPI) -> None:
    """What is sent arrives as one line; the end is noticed."""
    with client(home, LINE_EDITOR).terminal(api=api) as terminal:
        terminal.send("one line; with 'quotes'")
        assert "heard: one line; with 'quotes'" in terminal.wait_for("heard:")
        terminal.send("quit")
        terminal.wait_end()

        assert terminal.screen == ""


@needs_tmux
def test_a_terminal_that_says_nothing_shows_its_screen(home: Path, api: ScriptedAPI) -> None:
    """The error holds what stood there instead."""
    with client(home, LINE_EDITOR).terminal(api=api) as terminal:
        terminal.send("hello")
        terminal.wait_for("heard: hello")
        with pytest.raises(UserError, match=r"(?s)'other' did not appear .* heard: hello|hello"):
            terminal.wait_for("other", timeout=0)
        with pytest.raises(UserError, match="did not end within 0 s"):
            terminal.wait_end(timeout=0)

    assert terminal.ended


@needs_tmux
def test_leaving_a_terminal_ends_what_ran_there(home: Path, api: ScriptedAPI) -> None:
    """Also a program that heeds no hangup."""
    script = f"trap '' HUP TERM; echo $$ > pid; {LINE_EDITOR}"
    with client(home, script).terminal(api=api):
        pid = int((home / "pid").read_text())
        assert _state(pid) not in ("", "Z")

    assert _ends(pid)


def test_without_tmux_there_is_no_terminal(
    home: Path, api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names what to install."""
    ours = client(home, "exit 0")
    monkeypatch.setenv("PATH", os.devnull)

    with pytest.raises(UserError, match="no tmux on PATH"):
        ours.terminal(api=api)
