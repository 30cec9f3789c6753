"""`doctor --live` refuses where a client might go to somebody else, and ends one that does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from claude_tier.cli import main
from claude_tier.errors import UserError
from claude_tier.install.doctor import elsewhere, live
from trees import write


def refusal(environ: dict[str, str], *files: Path) -> str:
    with pytest.raises(UserError, match="not driving Claude Code") as refused:
        elsewhere.refuse(environ, list(files))
    return refused.value.message


@pytest.mark.parametrize("name", elsewhere.PROVIDERS)
def test_another_provider_is_refused(name: str) -> None:
    """What is driven would not be what the user's sessions do."""
    assert name in refusal({name: "1"})


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_a_provider_switched_off_is_fine(value: str) -> None:
    """As the client reads such a variable."""
    elsewhere.refuse({"CLAUDE_CODE_USE_BEDROCK": value, "ANTHROPIC_BASE_URL": "http://x"}, [])


@pytest.mark.parametrize(
    "settings",
    [
        {"env": {"ANTHROPIC_BASE_URL": "https://gateway.example"}},
        {"env": {"ANTHROPIC_AUTH_TOKEN": "x"}},
        {"env": {"CLAUDE_CODE_USE_VERTEX": "1"}},
        {"env": {"https_proxy": "http://proxy"}},
        {"apiKeyHelper": "/bin/helper"},
        {"forceLoginMethod": "claudeai"},
    ],
)
def test_managed_settings_that_redirect_are_refused(
    tmp_path: Path, settings: dict[str, object]
) -> None:
    """They hold in a scratch home too, and win over what it is told."""
    file = write(tmp_path / "managed-settings.json", json.dumps(settings))

    assert str(file) in refusal({}, file)


@pytest.mark.parametrize("content", ["{", "\\xff"])
def test_managed_settings_that_cannot_be_understood_are_refused(
    tmp_path: Path, content: str
) -> None:
    """Better not driven than led elsewhere."""
    assert "cannot be understood" in refusal({}, write(tmp_path / "x.plist", content))


def test_managed_settings_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """A folder in its place, say."""
    assert "cannot be read" in refusal({}, tmp_path)


def test_harmless_managed_settings_are_fine(tmp_path: Path) -> None:
    """Most organizations only set permissions."""
    settings = {"permissions": {"deny": ["WebFetch"]}, "env": {"EDITOR": "vi"}}
    files = [
        write(tmp_path / "managed-settings.json", json.dumps(settings)),
        write(tmp_path / "list.json", "[]"),
        tmp_path / "missing.json",
    ]

    elsewhere.refuse({}, files)


def test_drop_ins_are_looked_at_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client merges every file of the folder beside."""
    monkeypatch.setitem(elsewhere.MANAGED, "linux", tmp_path / "managed-settings.json")
    drop_in = write(tmp_path / "managed-settings.d/10-net.json", "{}")

    assert drop_in in elsewhere.managed_files("linux")


def fake_client(folder: Path, behaviour: str) -> Path:
    """A program that says a version and else does as told."""
    version = "test \"$1\" = --version && { echo '2.1.329 (Claude Code)'; exit 0; }"
    program = write(folder / "claude", f"#!/bin/sh\n{version}\n{behaviour}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("echo going elsewhere >&2; exec sleep 600", "going elsewhere"),
        ("echo 'error: unknown option -p' >&2; exit 1", "unknown option -p"),
    ],
)
def test_a_client_that_does_not_come_to_us_is_ended(
    tmp_path: Path, behaviour: str, said: str
) -> None:
    """Whatever it is at; what it said is told."""
    program = fake_client(tmp_path, behaviour)

    with pytest.raises(UserError, match="made no request to us") as ended:
        live.examine(program, environ={}, managed=[], patience=0.2)

    assert said in ended.value.message


def test_no_client_is_an_expected_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named, and nothing is driven."""
    missing = tmp_path / "claude"

    assert main(["doctor", "--live", "--client", str(missing)]) == 1
    assert f"no Claude Code client at {missing}" in capsys.readouterr().err


def test_a_client_without_live_is_a_mistake() -> None:
    """The option would have no effect."""
    assert main(["doctor", "--client", "/bin/true"]) == 2
