"""What in settings files would lead a group's `claude` elsewhere: their `env` beats the shell's.

Files are read as plain values and never changed; what cannot be parsed the client drops as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from claude_tier_hooks import project

from claude_tier import paths
from claude_tier.errors import UserError
from claude_tier.groups import variables
from claude_tier.groups.profile import Profile

PROXIES = ("HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
LEADING: tuple[variables.Part, ...] = ("endpoint", "login")


class Source(NamedTuple):
    """Settings that are in effect, and where they stand."""

    where: str
    values: Mapping[str, object]

    @property
    def env(self) -> dict[str, str]:
        """The variables it sets to something."""
        found = self.values.get("env")
        items = found.items() if isinstance(found, dict) else ()
        return {str(name): str(value) for name, value in items if value not in (None, "")}


def sources(folder: Path, levels: Iterable[str] = ("user", "project", "local")) -> list[Source]:
    """Everything that a client started in that folder reads, of the given levels."""
    from claude_tier.install.doctor.elsewhere import managed_files

    config = paths.config_dir()
    places = dict.fromkeys((folder, Path(project.root(str(folder)))))
    files = [*managed_files(), _global_file(config)]
    if "user" in levels:
        files.append(config / "settings.json")
    for level, name in (("project", "settings.json"), ("local", "settings.local.json")):
        if level in levels:
            files += [place / ".claude" / name for place in places]
    return [found for file in dict.fromkeys(files) if (found := read(str(file), file))]


def read(where: str, file: Path) -> Source | None:
    """The settings in that file; None where there are none, and for a pipe, which may never end."""
    try:
        values = json.loads(file.read_bytes().decode("utf-8-sig")) if file.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None
    return Source(where, values) if isinstance(values, dict) else None


def refuse(profile: Profile, found: Iterable[Source]) -> None:
    """Raise UserError where one of them would undo the profile, with its place."""
    for source in found:
        reason = next(_undoing(profile, source), None)
        if reason:
            raise UserError(
                f"{source.where}: {reason}",
                f"Take it out of there for `claude-tier run --group {profile.name}`.",
            )


def _global_file(config: Path) -> Path:
    """~/.claude.json, which may have an `env` of its own; inside of $CLAUDE_CONFIG_DIR if set."""
    inside = config / ".claude.json"
    return inside if inside.exists() else config.parent / ".claude.json"


def _undoing(profile: Profile, source: Source) -> Iterator[str]:
    env = {name: value for name, value in source.env.items() if not profile.keeps(name)}
    if profile.endpoint is None:
        for name in variables.not_claudes(env):
            yield f"env.{name} would lead {profile.name} away from Claude"
        return
    if source.values.get("apiKeyHelper"):
        yield f"the key that apiKeyHelper prints would be sent to {profile.endpoint}"
    for name in env:
        if variables.part_of(name) in LEADING:
            yield f"env.{name} would decide where requests go or who pays, over the group's own"
        elif name.upper() in PROXIES and profile.near:
            yield f"env.{name} would send what is to stay near through a proxy"
