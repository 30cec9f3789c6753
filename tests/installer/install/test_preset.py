"""The preset in config.yaml: written once, exchanged on request, nothing else touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from claude_tier import config as configuration
from claude_tier.errors import UserError
from claude_tier.install.outcome import Outcome
from claude_tier.install.scopes import Target
from trees import write

Run = Callable[..., Outcome]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "preset: budget\n"),
        ("preset: balanced\n", "preset: budget\n"),
        ("preset:   balanced   # mine\nassign: {}\n", "preset:   budget   # mine\nassign: {}\n"),
        ("# mine\nassign: {}\npreset: 'premium'", "# mine\nassign: {}\npreset: budget"),
        ("assign: {}\r\n", "preset: budget\r\nassign: {}\r\n"),
        ("preset: budget # already\n", "preset: budget # already\n"),
        ("preset:\n", "preset: budget\n"),
        ("preset: [x]\n", "preset: budget\n"),
        ("presets: 1\n", "preset: budget\npresets: 1\n"),
    ],
)
def test_only_the_preset_changes(
    user: Target, install: Run, state: Path, before: str, after: str
) -> None:
    """Comments, order, quotes of other keys and line ends stay."""
    config = write(state / "config.yaml", before)
    install(user, preset="budget")
    assert config.read_bytes().decode() == after


def test_without_a_preset_an_existing_configuration_is_left_alone(
    user: Target, install: Run, state: Path
) -> None:
    config = write(state / "config.yaml", "# empty\n")
    install(user)
    assert config.read_text() == "# empty\n"


@pytest.mark.parametrize("preset", ["balanced", "budget", "premium"])
def test_a_new_configuration_names_the_preset(
    user: Target, install: Run, state: Path, preset: str
) -> None:
    install(user, preset=preset)
    assert configuration.load(state / "config.yaml").config.preset == preset


@pytest.mark.parametrize(
    "text", ["- a\n- list\n", "%YAML 1.1\n---\na: 1\n", "a: [1\n", "{a: 1}\n", "a: 2001-99-99\n"]
)
def test_an_unusual_file_is_left_to_the_user(
    user: Target, install: Run, state: Path, text: str
) -> None:
    """Where a line cannot be exchanged surely, the message says what to write."""
    config = write(state / "config.yaml", text)
    with pytest.raises(UserError, match="was not changed") as refused:
        install(user, preset="budget")
    assert "`preset: budget`" in str(refused.value.hint)
    assert config.read_text() == text
    assert not user.settings.exists()
