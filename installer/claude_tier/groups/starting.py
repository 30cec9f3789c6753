"""One run of a group: checked, looked at, started, and done again by Claude where that is wanted.

what would undo the profile -> refused
the endpoint is not there   -> Claude instead, or a clear failure
it fails in the middle      -> Claude instead, where nothing of the run was shown yet
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from claude_tier.config.groups import MAIN
from claude_tier.errors import UserError
from claude_tier.groups import arguments as reading
from claude_tier.groups import (
    fallback,
    preflight,
    profile,
    replay,
    running,
    settings,
    verdict,
)
from claude_tier.groups.arguments import Arguments
from claude_tier.groups.profile import Profile

if TYPE_CHECKING:
    from claude_tier.config import Config

# A client that has somebody behind it need not knock for minutes.
RETRIES = {"CLAUDE_CODE_MAX_RETRIES": "2"}


@dataclass(frozen=True)
class Start:
    """Who runs what, where: everything a run needs that does not change while it runs."""

    config: Config
    profile: Profile
    arguments: Arguments
    environ: Mapping[str, str]
    folder: Path
    say: Callable[[str], None]

    @property
    def fallback(self) -> str | None:
        """The tier that answers where the endpoint does not."""
        tier = self.profile.group.fallback
        return None if self.profile.endpoint is None or tier == "none" else tier

    def check(self) -> None:
        """Refuse what would lead the client elsewhere, and say what was perhaps not meant."""
        if self.profile.endpoint is not None:
            running.refuse_old(running.program(self.environ), self.environ)
        self._check_words()

    def _check_words(self) -> None:
        reading.refuse(self.profile, self.arguments)
        found = settings.sources(self.folder, reading.levels(self.arguments))
        settings.refuse(self.profile, [*found, *reading.sources(self.arguments)])
        for note in reading.notes(self.profile, self.arguments):
            self.say(note)

    def rehearse(self) -> None:
        """The same where nothing is started: a client that is missing is only told of."""
        try:
            running.program(self.environ)
        except UserError as fault:
            self.say(fault.message)
            self._check_words()
        else:
            self.check()

    def run(self) -> int:
        """The client's own exit code; where nothing can fall back this process becomes it."""
        self.check()
        command = self._command()
        fault = preflight.look(self.config, self.profile)
        if fault:
            return self._instead(fault.message, fault.remedy)
        self.say(described(self.profile))
        if self.fallback is None or not self.arguments.repeatable:
            running.become(command)
        return self._twice(command)

    def _twice(self, command: running.Command) -> int:
        given = replay.again()
        with running.held(command, given) as first:
            output_format = self.arguments.output_format
            failed = verdict.failure(first.text(), output_format=output_format)
            if first.code == 0 or first.interrupted or failed is None:
                first.show()
                return first.code
        claude = self._claude(failed)
        with running.held(claude, given) as second:
            second.show()
            return second.code

    def _instead(self, why: str, remedy: str | None) -> int:
        if self.fallback is None:
            asked = f"the group {self.profile.name} ({self.profile.endpoint}) does not answer"
            start = "Start that server, or let Claude answer: `fallback: haiku`."
            hint = f"Do this: {remedy}" if remedy else start
            raise UserError(f"{asked}: {self._shown(why)}", hint)
        running.become(self._claude(why))

    def _claude(self, why: str) -> running.Command:
        """The same run on Claude itself; says so, and raises UserError where it may not be."""
        asked, shown = self.profile, self._shown(why)
        assert self.fallback is not None
        failed = f"{asked.name} ({asked.endpoint}) did not answer: {shown}"
        if kept := fallback.withheld(self.config, self.folder):
            raise UserError(f"{failed}; Claude is not asked: {kept}")
        other = replace(
            self,
            profile=profile.of(self.config, MAIN, self.environ),
            arguments=self.arguments.on_claude(self.fallback),
        )
        other.check()
        self.say(f"{failed}; Claude's {self.fallback} answers instead")
        fallback.note(asked, shown, folder=self.folder, warn=self.say)
        return other._command()

    def _command(self) -> running.Command:
        environ = self.profile.environment(self.environ, self.profile.token())
        if self.fallback and self.arguments.repeatable:
            environ = {**RETRIES, **environ}
        return running.Command(running.program(self.environ), self.arguments.given, environ)

    def _shown(self, text: str) -> str:
        """What a server said, without keys, on one line and cut."""
        from claude_tier.routing import keys

        secret = self.profile.token()
        return keys.shown(text, *([secret] if secret else []))


def described(profile: Profile) -> str:
    """The profile in one line."""
    if profile.endpoint is None:
        return f"{profile.name}: Claude"
    behind = "" if profile.group.fallback == "none" else f", behind it {profile.group.fallback}"
    return f"{profile.name}: {profile.model} at {profile.endpoint}{behind}"
