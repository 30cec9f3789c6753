"""What the arguments for `claude` mean for a group: what they ask for, and what they would undo."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from claude_tier.errors import UserError
from claude_tier.groups import settings, variables
from claude_tier.groups.profile import Profile

# They run in the cloud, in another program or under a supervisor with an environment of its own.
ELSEWHERE = (
    "--bg",
    "--background",
    "--cloud",
    "--desktop",
    "--environment",
    "--remote",
    "--remote-control",
    "--teleport",
)
COMMANDS_ELSEWHERE = ("agents", "attach", "remote-control", "respawn", "ultrareview")
# A second try would go on with the conversation of the first, or find its id taken.
ONCE = ("--continue", "--resume", "--session-id", "--fork-session", "--from-pr")
_SHORT = re.compile(r"-[A-Za-z]+\Z")
_ALIAS = re.compile(r"(?:fable|opus|sonnet|haiku|best|opusplan|default)(?:\[1m\])?\Z")


@dataclass(frozen=True)
class Arguments:
    """The arguments for `claude`, unchanged."""

    given: tuple[str, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """Those before a `--`."""
        end = self.given.index("--") if "--" in self.given else len(self.given)
        return self.given[:end]

    def first_of(self, names: Sequence[str]) -> str | None:
        """The first of these options that is given."""
        given = (each.partition("=")[0] for each in self.options)
        return next((each for each in given if each in names), None)

    def has(self, *names: str) -> bool:
        return self.first_of(names) is not None

    def values(self, name: str) -> Iterator[str]:
        """What follows each use of that option."""
        for index, each in enumerate(self.options):
            option, equals, value = each.partition("=")
            if option == name:
                yield value if equals else next(iter(self.given[index + 1 :]), "")

    def last(self, name: str, default: str) -> str:
        return [default, *self.values(name)][-1]

    @property
    def prints(self) -> bool:
        return self.has("--print") or self._short("p")

    @property
    def output_format(self) -> str:
        return self.last("--output-format", "text")

    @property
    def repeatable(self) -> bool:
        """Whether the run could be done again from its start, with nothing shown of the first."""
        shown = self.output_format == "stream-json" or self.has("--input-format")
        return self.prints and not (shown or self.has(*ONCE) or self._short("cr"))

    def on_claude(self, tier: str) -> Arguments:
        """The same for Claude itself, on that tier."""
        kept, skip = list[str](), False
        for index, each in enumerate(self.given):
            if not skip and index < len(self.options) and each.partition("=")[0] == "--model":
                skip = "=" not in each
            elif skip:
                skip = False
            else:
                kept.append(each)
        # First, because an option that takes several values would swallow it.
        return Arguments(("--model", tier, *kept))

    def _short(self, letters: str) -> bool:
        return any(_SHORT.match(each) and set(each) & set(letters) for each in self.options)


def levels(arguments: Arguments) -> list[str]:
    """The levels of settings that will be read."""
    given = arguments.last("--setting-sources", "user,project,local")
    return [level.strip() for level in given.split(",")]


def sources(arguments: Arguments) -> list[settings.Source]:
    """The settings on the command line itself: a file or JSON."""
    found = []
    for value in arguments.values("--settings"):
        if value.lstrip().startswith("{"):
            values = _parsed(value)
            found.append(settings.Source("--settings", values))
        else:
            found += filter(None, [settings.read(value, _file(value))])
    return found


def refuse(profile: Profile, arguments: Arguments) -> None:
    """Raise UserError for what would not run in this environment."""
    if profile.endpoint is None:
        return
    first = next(iter(arguments.options), None)
    named = first if first in COMMANDS_ELSEWHERE else arguments.first_of(ELSEWHERE)
    if named:
        raise UserError(
            f"`claude {named}` runs outside of this environment, and so not on {profile.endpoint}",
            "Run `claude` itself for that.",
        )


def notes(profile: Profile, arguments: Arguments) -> Iterator[str]:
    """What is passed on, and is perhaps not what was meant."""
    if profile.endpoint is None:
        return
    for option in ("--model", "--fallback-model"):
        for value in arguments.values(option):
            for model in filter(None, value.split(",")):
                if variables.names_claude(model) and not _ALIAS.match(model.lower()):
                    yield f"{profile.endpoint} is asked for {model}, which {option} names"


def _file(value: str) -> Path:
    """The file that --settings names; UserError for a pipe: the client could not read it again."""
    file = Path(value).expanduser()
    if os.path.exists(file) and not os.path.isfile(file):  # noqa: PTH110,PTH113 - any text is no fault
        raise UserError(
            f"--settings {value} can be read once only, and is looked at before the client starts",
            "Name a file, or give the JSON itself.",
        )
    return file


def _parsed(text: str) -> dict[str, object]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return {}  # the client says so itself
    return values if isinstance(values, dict) else {}
