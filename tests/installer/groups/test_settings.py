"""What settings files would undo, and which of them are looked at."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.groups import settings
from claude_tier.groups.settings import Source

from .conftest import User

UNDOING: list[tuple[dict[str, object], str]] = [
    ({"apiKeyHelper": "print-key"}, "the key that apiKeyHelper prints would be sent to http"),
    ({"env": {"ANTHROPIC_BASE_URL": "https://x"}}, "env.ANTHROPIC_BASE_URL would decide where"),
    ({"env": {"ANTHROPIC_AUTH_TOKEN": "t"}}, "env.ANTHROPIC_AUTH_TOKEN would decide where"),
    ({"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}}, "env.CLAUDE_CODE_USE_BEDROCK would decide where"),
    ({"env": {"ANTHROPIC_NEW": 1}}, "env.ANTHROPIC_NEW would decide where"),
    ({"env": {"http_proxy": "http://p"}}, "env.http_proxy would send what is to stay near th"),
]
HARMLESS: list[dict[str, object]] = [
    {},
    {"env": {"ANTHROPIC_API_KEY": ""}},
    {"env": {"EDITOR": "vi", "ANTHROPIC_MODEL": "opus", "AWS_PROFILE": "p"}},
    {"env": "not a table", "apiKeyHelper": None},
    {"model": "opus", "hooks": {}},
]


@pytest.mark.parametrize(("values", "reason"), UNDOING)
def test_what_leads_elsewhere_is_refused_with_its_place(
    values: dict[str, object], reason: str, user: User
) -> None:
    """What, where, and what to do."""
    with pytest.raises(UserError) as caught:
        settings.refuse(user.profile(), [Source("/s.json", {}), Source("/t.json", values)])

    assert caught.value.message.startswith(f"/t.json: {reason}")
    assert "Take it out of there" in str(caught.value.hint)


@pytest.mark.parametrize("values", HARMLESS)
def test_what_leads_nowhere_is_left_alone(values: dict[str, object], user: User) -> None:
    """Blank values, models that the client ignores in a group, keys of other programs."""
    settings.refuse(user.profile(), [Source("/s.json", values)])


def test_claude_itself_is_not_led_away_either(user: User) -> None:
    """Unless the user keeps that variable for the group."""
    away = [Source("/s.json", {"env": {"ANTHROPIC_BASE_URL": "https://x"}, "apiKeyHelper": "own"})]
    with pytest.raises(UserError, match=r"/s.json: env.ANTHROPIC_BASE_URL would lead main away"):
        settings.refuse(user.profile("main"), away)
    user.write(json.dumps({"groups": {"main": {"pass": ["ANTHROPIC_BASE_URL"]}}}))

    settings.refuse(user.profile("main"), away)


def test_every_level_that_the_client_reads_is_read(user: User, home: Path) -> None:
    """User, project and local, at the folder and at the root of its repository."""
    project = home / "project"
    inner = project / "inner"
    (project / ".git").mkdir(parents=True)
    files = [
        home / ".claude.json",
        home / ".claude/settings.json",
        inner / ".claude/settings.json",
        project / ".claude/settings.json",
        project / ".claude/settings.local.json",
    ]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('{"env": {}}')

    found = {source.where for source in settings.sources(inner)}
    users = {source.where for source in settings.sources(inner, ["user"])}

    assert found == set(map(str, files))
    assert users == {str(files[0]), str(files[1])}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"env": }'])
def test_a_file_that_the_client_drops_is_dropped(content: bytes, tmp_path: Path) -> None:
    """It has no effect there either."""
    file = tmp_path / "settings.json"
    file.write_bytes(content)

    assert settings.read("x", file) is None


def test_a_byte_order_mark_hides_nothing(tmp_path: Path) -> None:
    """The client reads past it."""
    file = tmp_path / "settings.json"
    file.write_bytes(b"\xef\xbb\xbf" + b'{"env": {"A": "b"}}')
    found = settings.read("x", file)

    assert found is not None
    assert found.env == {"A": "b"}


def test_a_pipe_among_the_settings_holds_nobody_up(home: Path) -> None:
    """It may have no end."""
    (home / ".claude").mkdir(exist_ok=True)
    os.mkfifo(home / ".claude/settings.local.json")
    assert settings.sources(home, ["local"]) == []
