"""What the doctor says of the settings files and of what they start."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Diagnose, change, remove

Install = Callable[..., None]


def test_a_fresh_install_has_no_fault(install: Install, diagnose: Diagnose) -> None:
    """Nothing to say but that all is well."""
    install()

    findings = [finding for found in diagnose().values() for finding in found]

    assert {finding.verdict for finding in findings} == {"ok"}
    assert {"settings", "hooks", "interpreter", "runtime", "policy"} <= {f.name for f in findings}


def test_no_install_is_a_fault(diagnose: Diagnose) -> None:
    """The first thing to do is named."""
    (finding,) = diagnose()["hooks"]

    assert (finding.verdict, finding.todo) == ("fault", "Run `claude-tier install`.")


def test_the_plugin_alone_is_an_install(home: Path, diagnose: Diagnose) -> None:
    """Enabled in the settings, the plugin registers the hooks itself."""
    (home / ".claude").mkdir()
    enabled = {"enabledPlugins": {"model-tier@anywhere": True}}
    (home / ".claude/settings.json").write_text(json.dumps(enabled))

    (finding,) = diagnose()["hooks"]

    assert (finding.verdict, finding.what) == ("ok", "registered by the plugin model-tier")


@pytest.mark.parametrize(
    ("text", "verdict", "words"),
    [
        ('{\n  "a": 1, // why\n}', "fault", "settings.json:2:11: "),
        ('{"a": 1,}', "fault", "Claude Code drops the whole file"),
        ("[]", "fault", "settings must be an object"),
        ('{"a": 1, "a": 2}', "warning", "`claude-tier install` would refuse it"),
        ("", "ok", "every settings file can be read"),
        ("\ufeff{}", "ok", "every settings file can be read"),
    ],
)
def test_a_settings_file_is_judged_as_the_client_would(
    home: Path, diagnose: Diagnose, text: str, verdict: str, words: str
) -> None:
    """File, line and column of what makes the client drop it."""
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").write_text(text, "utf-8")

    (finding,) = diagnose()["settings"]

    assert finding.verdict == verdict
    assert words in finding.what


def test_a_folder_in_the_place_of_settings_is_a_fault(home: Path, diagnose: Diagnose) -> None:
    """What cannot be read at all is said, not raised."""
    (home / ".claude/settings.json").mkdir(parents=True)

    assert [finding.verdict for finding in diagnose()["settings"]] == ["fault"]


@pytest.mark.parametrize("key", ["disableAllHooks", "allowManagedHooksOnly"])
def test_hooks_switched_off_are_a_fault(
    install: Install, settings: Path, diagnose: Diagnose, key: str
) -> None:
    """Nothing of ours runs then, and no other check would tell."""
    install()
    change(settings, **{key: True})

    found = diagnose()

    assert key in found["settings"][0].what
    assert found["settings"][0].verdict == "fault"
    assert [finding.verdict for finding in found["conflicts"]] == ["ok"]


def test_a_missing_event_is_a_fault(install: Install, settings: Path, diagnose: Diagnose) -> None:
    """A hook somebody took out is named."""
    install()
    remove(settings, "PreToolUse")

    (finding,) = diagnose()["hooks"]

    assert finding.what.endswith("lacks PreToolUse")
    assert finding.todo == "Run `claude-tier install`."


def test_a_missing_script_is_a_fault(install: Install, state: Path, diagnose: Diagnose) -> None:
    """Registered, but deleted: the hook stays silent, so only the doctor tells."""
    install()
    (state / "hooks/pre_tool_use.py").unlink()

    (finding,) = diagnose()["hooks"]

    assert (finding.verdict, finding.what.count("pre_tool_use.py")) == ("fault", 1)


def swap_python(settings: Path, python: str) -> None:
    here = str(sys._base_executable)  # type: ignore[attr-defined]
    settings.write_text(settings.read_text().replace(here, shlex.quote(python)))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "is not there, so no hook runs"),
        ("echo 3.8.10", "is Python 3.8.10; the hooks need 3.9"),
        ("echo 'No module named _sqlite3' >&2; exit 1", "does not work: No module named _sqlite3"),
        ("exit 9", "does not work: exit code 9"),
        ("echo 3.9.1", "is Python 3.9.1"),
    ],
)
def test_the_interpreter_is_asked(
    install: Install,
    settings: Path,
    diagnose: Diagnose,
    tmp_path: Path,
    answer: str | None,
    words: str,
) -> None:
    """There, new enough, and with SQLite; in a folder with a space."""
    install()
    python = tmp_path / "my python3"
    if answer:
        python.write_text(f"#!/bin/sh\n{answer}\n")
        python.chmod(0o755)
    swap_python(settings, str(python))

    (finding,) = diagnose()["interpreter"]

    assert finding.what.endswith(words)
    assert (finding.verdict == "ok") == (answer == "echo 3.9.1")


def test_two_installs_are_one_too_many(
    install: Install, work: Path, settings: Path, diagnose: Diagnose
) -> None:
    """User, project and plugin at once: said once, as a warning."""
    install()
    install("project", work)
    change(settings, enabledPlugins={"model-tier@x": True})

    found = diagnose()

    (finding,) = found["installs"]
    assert finding.verdict == "warning"
    assert finding.what.startswith("installed 3 times: ")
    assert [one.verdict for one in found["hooks"]] == ["ok", "ok"]
    assert [one.verdict for one in found["conflicts"]] == ["ok"]


def test_a_project_install_needs_python3_from_the_path(
    install: Install, work: Path, path: Path, diagnose: Diagnose
) -> None:
    """The committed entries name no interpreter of a machine, and their scripts are found."""
    install("project", work)
    python = path / "python3"
    python.write_text("#!/bin/sh\necho 3.7.0\n")
    python.chmod(0o755)

    found = diagnose()

    assert [one.verdict for one in found["hooks"]] == ["ok"]
    (finding,) = found["interpreter"]
    assert finding.what == f"{python} is Python 3.7.0; the hooks need 3.9"
    assert finding.todo == "Install Python 3.9 or later as python3."
