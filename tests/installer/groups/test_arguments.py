"""What the client's own arguments mean for a group."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.groups import arguments, settings
from claude_tier.groups.arguments import Arguments

from .conftest import User


def given(line: str) -> Arguments:
    return Arguments(tuple(line.split()))


@pytest.mark.parametrize("line", ["-p hi", "--print", "-p --output-format json hi", "hi -p"])
def test_a_printing_run_can_be_done_again(line: str) -> None:
    """Its answer is held back until it is whole."""
    assert given(line).repeatable


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hi",
        "-- -p",
        "-p --output-format stream-json",
        "-p --output-format=stream-json",
        "-p --input-format stream-json",
        "-p --continue",
        "-pc",
        "-p -r",
        "-p --resume=x",
        "-p --session-id x",
    ],
)
def test_what_shows_itself_or_goes_on_is_done_once(line: str) -> None:
    """Interactive, streamed, or part of a conversation that the first try has changed."""
    assert not given(line).repeatable


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("-p hi", "--model haiku -p hi"),
        ("--model opus -p hi", "--model haiku -p hi"),
        ("-p --model=qwen hi", "--model haiku -p hi"),
        ("-p --allowedTools A B -- --model x", "--model haiku -p --allowedTools A B -- --model x"),
    ],
)
def test_on_claude_the_tier_of_the_fallback_is_asked(line: str, wanted: str) -> None:
    """In the place of any other; the prompt is not touched."""
    assert " ".join(given(line).on_claude("haiku").given) == wanted


@pytest.mark.parametrize(
    "line",
    ["--bg hi", "-p --cloud=x", "--remote-control", "--teleport", "agents", "ultrareview 5"],
)
def test_what_runs_elsewhere_is_refused(line: str, user: User) -> None:
    """The cloud and the supervisor have environments of their own."""
    with pytest.raises(UserError, match="runs outside of this environment"):
        arguments.refuse(user.profile(), given(line))

    arguments.refuse(user.profile("main"), given(line))


def test_a_word_of_the_prompt_is_no_option(user: User) -> None:
    """Only what the client takes for one."""
    arguments.refuse(user.profile(), Arguments(("-p", "list agents", "--", "--bg")))


@pytest.mark.parametrize("inline", [True, False], ids=["JSON", "a file"])
def test_settings_on_the_command_line_are_judged_like_files(
    inline: bool, user: User, tmp_path: Path
) -> None:
    """They would be taken as well."""
    text = json.dumps({"apiKeyHelper": "x"})
    file = tmp_path / "more.json"
    file.write_text(text)
    line = Arguments(("-p", "--settings", text if inline else str(file)))

    with pytest.raises(UserError, match=r"(--settings|more\.json): the key that apiKeyHelper"):
        settings.refuse(user.profile(), arguments.sources(line))


def test_settings_from_a_pipe_are_refused_unread(tmp_path: Path) -> None:
    """As `--settings <(…)` gives them: what we had read the client could not."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="can be read once only"):
        arguments.sources(Arguments(("--settings", str(tmp_path / "pipe"))))


@pytest.mark.parametrize(
    "text", ["{not json", "/nowhere.json", '{"a": 1}', "x" * 5000, "[" * 99999]
)
def test_settings_that_cannot_be_read_are_the_clients_to_refuse(text: str, user: User) -> None:
    """It says what is wrong with them."""
    settings.refuse(user.profile(), arguments.sources(Arguments(("--settings", text))))


def test_the_levels_of_settings_are_those_the_client_will_read() -> None:
    """All, unless it was told."""
    assert arguments.levels(given("-p")) == ["user", "project", "local"]
    assert arguments.levels(given("--setting-sources user,local")) == ["user", "local"]
    assert arguments.levels(Arguments(("--setting-sources", ""))) == [""]


@pytest.mark.parametrize(
    ("line", "notes"),
    [
        ("--model opus", 0),
        ("--model tiny", 0),
        ("--model opus[1m]", 0),
        ("--model claude-opus-5-5", 1),
        ("--fallback-model sonnet,claude-haiku-5-5", 1),
    ],
)
def test_a_full_name_of_claudes_is_passed_on_and_told(line: str, notes: int, user: User) -> None:
    """An alias stands for the group's model; a full name is asked for as it is."""
    assert len(list(arguments.notes(user.profile(), given(line)))) == notes
    assert list(arguments.notes(user.profile("main"), given(line))) == []
