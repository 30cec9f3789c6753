"""The frame around every command: lazy, one boundary, and an exit code for each kind of end."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import anyio
import click
import pytest
from claude_tier import bug_log, cli
from claude_tier.errors import UserError
from claude_tier_hooks import __version__

ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
KEY = "sk-test-0123456789abcdef"
HEAVY = {"httpx", "mcp", "pydantic", "rich", "starlette", "uvicorn", "yaml"}


def run(*args: str, **options: object) -> subprocess.CompletedProcess[str]:
    """A real `python -m claude_tier` in this test's own home."""
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-m", "claude_tier", *args],
        text=True,
        check=False,
        **{"capture_output": True, "env": {**os.environ, **ENVIRONMENT}, **options},
    )


@pytest.fixture
def status(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Put a command of the test's own in the place of `status`."""

    def place(body: Callable[[], object]) -> None:
        module = types.ModuleType("claude_tier.cli.status")
        module.command = click.command(body)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "claude_tier.cli.status", module)

    return place


def test_help_lists_every_command() -> None:
    """With its one line, from a table that imports none of them."""
    shown = run("--help")
    assert shown.returncode == 0
    for name, text in cli.COMMANDS.items():
        assert f"  {name} " in shown.stdout
        assert text in shown.stdout


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    """The examples keep their lines."""
    command = importlib.import_module(f"claude_tier.cli.{name}").command
    assert isinstance(command, click.Command)
    assert not command.hidden
    assert re.search(r"\x08\n *Examples:\n", command.help or "")


@pytest.mark.parametrize(
    ("args", "heavy"),
    [
        (["--help"], set()),
        (["--version"], set()),
        (["statsu"], set()),
        (["dashboard", "--help"], set()),
        (["pipeline", "run", "--help"], set()),
        (["heartbeat", "--help"], set()),
        (["heartbeat", "lint", "--help"], set()),
        (["heartbeat", "remove"], set()),
        (["off"], set()),
        (["on"], set()),
        (["compile"], {"pydantic", "yaml"}),
        (["status"], {"rich"}),
    ],
)
def test_a_command_imports_only_what_it_uses(args: list[str], heavy: set[str]) -> None:
    """Asserted by the set of imported packages, not by time."""
    program = (
        "import sys\nfrom claude_tier.cli import main\nmain(sys.argv[1:])\n"
        "print({name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, *args]
    ended = subprocess.run(
        command, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=True
    )
    imported = set(ended.stderr.splitlines()[-1].strip("{}").replace("'", "").split(", "))
    assert {"click", "claude_tier"} <= imported
    assert imported & HEAVY <= heavy


def test_the_version_is_that_of_the_hooks() -> None:
    """One number for both."""
    assert run("--version").stdout == f"claude-tier {__version__}\n"


def test_a_near_miss_is_suggested() -> None:
    """Usage errors end with 2, on stderr."""
    ended = run("unistall")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "No such command 'unistall'. Did you mean 'uninstall'?" in ended.stderr


@pytest.mark.parametrize("args", [["zzz"], ["--nope"], ["off", "--for", "soon"], ["off", "more"]])
def test_a_usage_error_ends_with_2(args: list[str]) -> None:
    """Whoever raises it."""
    assert run(*args).returncode == 2


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (7, 7)])
def test_what_a_command_returns_is_the_exit_code(
    status: Callable[[Callable[[], object]], None], returned: int | None, code: int
) -> None:
    """A command that returns nothing is done."""
    status(lambda: returned)
    assert cli.main(["status"]) == code


def test_an_expected_failure_says_what_and_what_to_do(
    status: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, with the error's own code, and without a log."""

    def body() -> None:
        raise UserError("the well is dry.", hint="Dig deeper.", code=1)

    status(body)
    assert cli.main(["status"]) == 1
    assert capsys.readouterr() == ("", "claude-tier: the well is dry.\nDig deeper.\n")


def test_what_the_system_refuses_is_not_a_bug(
    status: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    """A missing permission names the file and writes no log."""

    def body() -> None:
        raise PermissionError(13, "Permission denied", "/etc/shadow")

    status(body)
    assert cli.main(["status"]) == 1
    assert capsys.readouterr().err == "claude-tier: /etc/shadow: Permission denied\n"
    assert not list(home.rglob("bug-*"))


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, click.Abort])
def test_an_interruption_ends_with_130(
    status: Callable[[Callable[[], object]], None], interruption: type[BaseException]
) -> None:
    """Without a word."""

    def body() -> None:
        raise interruption

    status(body)
    assert cli.main(["status"]) == 130


def test_a_bug_ends_with_3_and_a_log_ready_for_an_issue(
    status: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
    home: Path,
) -> None:
    """Readable by its owner only; with version, platform and traceback."""

    def body() -> None:
        raise ZeroDivisionError("six by nothing")

    status(body)
    assert cli.main(["status"]) == 3
    [log] = (home / ".claude" / "claude-tier").glob("bug-*.log")
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    assert text.startswith(f"claude-tier {__version__}\npython ")
    assert "Traceback" in text
    assert text.endswith("ZeroDivisionError: six by nothing\n")
    message = capsys.readouterr().err
    assert message.startswith("claude-tier: this is a bug: ZeroDivisionError: six by nothing\n")
    assert str(log) in message


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["report", "week", "--csv"], "['report', 'week', '--csv']"),
        (["ask", "--to=a/b", "our secret plan", "--json"], "['ask', '--to', '…', '--json']"),
        (["pipeline", "run", "x.yaml", "--input", "a=b"], "['pipeline', '…', '…', '--input', '…']"),
    ],
)
def test_a_bug_log_holds_no_prompt(
    given: list[str], kept: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what somebody asks only the options are kept."""
    monkeypatch.setattr(sys, "argv", ["claude-tier", *given])

    log = bug_log.write(ValueError("odd"))

    assert log is not None
    assert f"\narguments {kept}\n" in log.read_text()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError(), "ValueError"),
        (ValueError("\n  \nlater\nmore"), "ValueError: later"),
        (ValueError("red \x1b[31m"), "ValueError: red  [31m"),
        (ValueError(f"no {KEY} there"), "ValueError: no [key] there"),
    ],
)
def test_a_bug_is_told_in_one_line(
    status: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
    home: Path,
    error: Exception,
    line: str,
) -> None:
    """The first that says something, without what a terminal would obey; no key is in the log."""

    def body() -> None:
        raise error

    status(body)
    assert cli.main(["status"]) == 3
    assert capsys.readouterr().err.splitlines()[0] == f"claude-tier: this is a bug: {line}"
    [log] = (home / ".claude" / "claude-tier").glob("bug-*.log")
    assert KEY not in log.read_text()


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("the well is dry", "Dig."), 1, "the well is dry"),
        (ValueError("odd"), 3, "this is a bug: ValueError: odd"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
    ],
)
def test_what_fails_in_a_task_counts_as_what_it_is(
    status: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
    line: str,
) -> None:
    """Not as a group of one exception, which says nothing."""

    async def fail() -> None:
        raise error

    async def both() -> None:
        async with anyio.create_task_group() as outer, anyio.create_task_group() as inner:
            outer.start_soon(anyio.sleep, 0)
            inner.start_soon(fail)

    status(lambda: anyio.run(both))
    assert cli.main(["status"]) == code
    assert capsys.readouterr().err.splitlines()[0] == f"claude-tier: {line}"


def test_a_bug_log_goes_elsewhere_when_the_state_folder_takes_none(
    status: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file in the folder's place is no reason to lose the traceback."""
    (home / ".claude").write_text("in the way")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def body() -> None:
        raise ZeroDivisionError

    status(body)
    assert cli.main(["status"]) == 3
    [log] = tmp_path.glob("bug-*.log")
    assert str(log) in capsys.readouterr().err


@pytest.mark.parametrize("printing", ["click.echo('x')", "sys.stdout.write('x')"])
def test_a_reader_that_has_gone_is_met_with_silence(printing: str) -> None:
    """`claude-tier status | head -0` leaves no traceback, not even at exit."""
    program = (
        "import click, sys, types\n"
        "from claude_tier import cli\n"
        "module = types.ModuleType('status')\n"
        f"module.command = click.command(lambda: {printing} and None)\n"
        "sys.modules['claude_tier.cli.status'] = module\n"
        "sys.exit(cli.main(['status']))\n"
    )
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **ENVIRONMENT},
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_name_that_is_not_utf8_does_not_end_the_command(encoding: str, tmp_path: Path) -> None:
    """The path of a refused file is printed as well as the terminal can."""
    root = tmp_path / os.fsdecode(b"caf\xe9")
    (root / ".claude").mkdir(parents=True)
    (root / ".claude" / "claude-tier.yaml").write_text("")
    folder = {"PYTHONIOENCODING": encoding, "CLAUDE_CONFIG_DIR": str(root)}
    ended = run("compile", "--project", str(root), env={**os.environ, **ENVIRONMENT, **folder})
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Compiled ")


def test_json_results_carry_a_version(home: Path) -> None:
    """The convention of every `--json`."""
    result = json.loads(run("off", "--json").stdout)
    assert result == {"version": 1, "off": True, "until": None, "changed": True}
