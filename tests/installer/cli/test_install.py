"""`install` and `uninstall` as the user sees them, with what this package really ships."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from claude_tier import bundle, cli, paths
from claude_tier.errors import UserError
from claude_tier.install import interpreter, payload
from trees import snapshot, times, write

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    """No client of the developer's own is asked for its version."""
    monkeypatch.setenv("PATH", "/nowhere")


@pytest.fixture
def config(home: Path) -> Path:
    return home / ".claude"


def test_install_says_what_it_wrote_and_what_comes_next(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line a file, the runtime as one; the second run had nothing to do."""
    assert cli.main(["install"]) == 0
    files = len(payload.runtime(bundle.root()))
    placed = [f"Wrote {config / name}" for name in payload.shipped(bundle.root())]
    assert capsys.readouterr().out.splitlines() == [
        *placed,
        f"Wrote {config}/claude-tier/hooks ({files} files)",
        f"Wrote {config}/claude-tier/config.yaml",
        f"Wrote {config}/settings.json",
        "Restart running sessions to load the agents.",
        "Start a Claude Code session; `claude-tier status` shows what comes of it.",
    ]
    assert cli.main(["install"]) == 0
    assert capsys.readouterr() == ("Nothing to change: already installed.\n", "")


def test_uninstall_says_what_it_took_out(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was removed and what was put back, and where the rest is."""
    write(config / "settings.json", '{"statusLine": {"type": "command", "command": "mine"}}')
    cli.main(["install"])
    assert "Your status line still runs, before ours: mine" in capsys.readouterr().out
    assert cli.main(["uninstall"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith(f"Updated {config}/settings.json\nRemoved {config}/agents/")
    assert "Your status line is as it was: mine" in printed.out
    assert f"{config}/claude-tier keeps your configuration, backups; `claude-tier" in printed.out
    assert cli.main(["uninstall", "--purge"]) == 0
    assert capsys.readouterr().out == f"Removed {config}/claude-tier\n"
    assert snapshot(config).keys() == {"settings.json"}


def test_uninstall_says_all_that_it_keeps(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Typed texts, tokens and switches among it; of what is not there nothing is said."""
    cli.main(["install"])
    state = config / "claude-tier"
    for name in ("ledger.db", "pipelines/1/run.json", "heartbeat/alerts/1", "dashboard.token"):
        write(state / name, "kept")
    write(state / "emergency", "{}")
    capsys.readouterr()
    assert cli.main(["uninstall"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"{state} keeps your configuration, the ledger, backups, pipelines and their runs with"
        " what was typed and answered, alerts, the token of the dashboard, the switch of emergency"
        " mode; `claude-tier uninstall --purge` removes all of it."
    )


def test_the_result_is_json_on_request(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same object, with a version."""
    mine = write(config / "agents" / "explorer.md", "mine\n")
    assert cli.main(["install", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["version"], result["action"], result["scope"]) == (1, "install", "user")
    settings = {"change": "wrote", "kind": "settings", "path": str(config / "settings.json")}
    assert settings in result["changes"]
    assert [kept["path"] for kept in result["kept"]] == [str(mine)]
    assert cli.main(["uninstall", "--dry-run", "--json"]) == 0
    assert "---" in "\n".join(json.loads(capsys.readouterr().out)["diff"])


def test_a_folder_means_the_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`install DIR` and `install --scope project` in it are the same."""
    assert cli.main(["install", str(tmp_path)]) == 0
    assert (tmp_path / ".claude" / "claude-tier" / "policy.json").is_file()
    capsys.readouterr()
    assert cli.main(["install", "--scope", "project", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "Nothing to change: already installed.\n"
    assert cli.main(["uninstall", str(tmp_path)]) == 0
    assert snapshot(tmp_path) == {}


def test_the_current_folder_is_the_default_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["install", "--scope", "local"]) == 0
    assert (tmp_path / ".claude" / "settings.local.json").is_file()


def test_a_folder_and_user_scope_contradict_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["install", str(tmp_path), "--scope", "user"]) == 2
    assert "--scope project" in capsys.readouterr().err


def test_a_dry_run_prints_a_diff(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of what is the user's; what is all ours is named."""
    write(config / "settings.json", '{\n  "model": "opus"\n}\n')
    before = snapshot(config)
    assert cli.main(["install", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert f"--- {config}/settings.json\n+++ {config}/settings.json\n" in shown
    assert '-  "model": "opus"\n+  "model": "opus",\n+  "hooks": {\n' in shown
    size = (bundle.root() / "agents/explorer.md").stat().st_size
    assert f"would write {config}/agents/explorer.md ({size:,} bytes, new)\n" in shown
    assert f"would write {config}/claude-tier/hooks/stop.py (" in shown
    assert shown.count("\n--- ") + shown.startswith("--- ") == 1
    assert snapshot(config) == before


def test_a_dry_uninstall_names_what_goes(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of each file only as JSON."""
    write(config / "settings.json", "{}")
    cli.main(["install"])
    agent = config / "agents/explorer.md"
    first, size = agent.read_text().splitlines()[1], agent.stat().st_size
    capsys.readouterr()
    assert cli.main(["uninstall", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert f"would remove {agent} ({size:,} bytes)\n" in shown
    assert f"\n-{first}\n" not in shown
    assert cli.main(["uninstall", "--dry-run", "--json"]) == 0
    assert f"-{first}" in json.loads(capsys.readouterr().out)["diff"]


@pytest.mark.parametrize("installed", [True, False])
def test_a_dry_purge_names_all_that_goes(
    config: Path, capsys: pytest.CaptureFixture[str], *, installed: bool
) -> None:
    """The ledger above all, also when it is all there is; as text and as JSON."""
    if installed:
        cli.main(["install"])
    ledger = write(config / "claude-tier/ledger.db", "counted")
    capsys.readouterr()

    assert cli.main(["uninstall", "--purge", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {f"would remove {ledger}", f"would remove {ledger.parent}"} <= {*lines}
    assert cli.main(["uninstall", "--purge", "--dry-run", "--json"]) == 0
    assert {str(ledger), str(ledger.parent)} <= {*json.loads(capsys.readouterr().out)["purged"]}
    assert ledger.exists()


def test_a_dry_run_without_a_purge_keeps_the_ledger(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then nothing is purged."""
    cli.main(["install"])
    capsys.readouterr()
    assert cli.main(["uninstall", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["purged"] == []


def test_a_file_that_cannot_be_read_ends_with_one_message(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config / "settings.json", "{,}")
    assert cli.main(["install"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"claude-tier: {config}/settings.json:1:2: ")
    assert "Nothing was changed" in printed.err


def test_claude_cannot_take_its_limits_away(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Inside a session neither uninstall nor another preset; a plain install may repair."""
    cli.main(["install"])
    before = snapshot(config)
    monkeypatch.setenv("CLAUDECODE", "1")
    assert cli.main(["uninstall"]) == 1
    assert cli.main(["install", "--preset", "premium"]) == 1
    assert "terminal of their own" in capsys.readouterr().err
    assert cli.main(["install"]) == 0
    assert snapshot(config) == before


def test_native_windows_is_refused_with_the_reason() -> None:
    with pytest.raises(UserError, match="native Windows is not supported: ") as refused:
        paths.require_posix("win32")
    assert "WSL" in str(refused.value.hint)
    for platform in ("linux", "darwin"):
        paths.require_posix(platform)


def test_the_interpreter_is_neither_an_environments_nor_a_shim() -> None:
    """A virtual environment may go; what it was made from stays, under its own name."""
    python = interpreter.own_python()
    asked = [python, "-c", "import sys; print(sys.prefix == sys.base_prefix)"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert said == "True\n"
    assert "shims" not in python


def test_installs_at_the_same_time_end_as_one(config: Path, home: Path) -> None:
    """The lock lets one through after the other, and all succeed."""
    command = [sys.executable, "-m", "claude_tier", "install"]
    environ = {"HOME": str(home), "PYTHONPATH": f"{ROOT}/installer:{ROOT}/hooks"}
    processes = [subprocess.Popen(command, env=environ) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    settings = (config / "settings.json").read_text()
    written = times(config)
    assert cli.main(["install"]) == 0
    assert (config / "settings.json").read_text() == settings
    assert times(config) == written


def test_a_full_disk_changes_nothing(config: Path, home: Path) -> None:
    """What does not fit is found out before the first file is touched."""
    write(config / "settings.json", "{}")
    before = snapshot(config)
    small = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    run = "from claude_tier.cli import main; raise SystemExit(main(['install']))"
    done = subprocess.run(
        [sys.executable, "-c", f"{small}\n{run}"],
        env={"HOME": str(home), "PYTHONPATH": f"{ROOT}/installer:{ROOT}/hooks"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Nothing was changed." in done.stderr
    left = snapshot(config)
    assert {path for path in left if path not in before} == {
        "claude-tier",
        "claude-tier/install.lock",
    }
    assert left["settings.json"] == before["settings.json"]
