"""What we wrote, so that exactly that can be taken back: one record for each install.

The user's manifest, in the state folder, holds the user and local installs. A project's is
committed with it, so it names nothing of this machine, and whoever clones it need not be trusted:
names are checked to stay inside the project's own folders.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from claude_tier.errors import UserError

VERSION = 1
Preset = Literal["balanced", "budget", "premium"]
HERE = "."  # the folder that holds agents/ and skills/, as a folder we made
PLACES = frozenset({"agents", "skills"})


def _relative(name: str) -> str:
    """A name that stays below its folder: `hooks/stop.py`."""
    if "\0" in name or any(part in {"", ".", ".."} for part in name.split("/")):
        raise ValueError(f"{name!r} leads elsewhere")
    return name


def _placed(name: str) -> str:
    """The name of an agent's or skill's file or folder: `agents/explorer.md`."""
    if name != HERE and _relative(name).split("/")[0] not in PLACES:
        raise ValueError(f"{name!r} is no place of ours")
    return name


Relative = Annotated[str, AfterValidator(_relative)]
Name = Annotated[str, AfterValidator(_placed)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Container(_Record):
    """A place in the settings that holds an entry of ours: made by us, or found empty."""

    path: tuple[str, ...]
    created: bool = False
    lead: str = ""
    trail: str = ""


class StatusLine(_Record):
    """The user's own command as it stood in the file, quotes and escapes included; or none."""

    original: str | None = None


class Settings(_Record):
    """How to take our entries out of a settings file to the byte."""

    created: bool = False
    blank: str | None = None  # the text of a file that held only white space
    containers: tuple[Container, ...] = ()
    commands: tuple[str, ...] = ()
    status_line: StatusLine | None = None
    subagent_line: StatusLine | None = None

    def container(self, path: tuple[str, ...]) -> Container | None:
        return next((each for each in self.containers if each.path == path), None)


class ToolServer(_Record):
    """How the MCP server was registered: what the client starts, or the entry in .mcp.json."""

    command: tuple[str, ...] = ()
    file: Settings | None = None


class Install(_Record):
    """One install: its settings, the files beside them, the folders made for those."""

    scope: Literal["user", "project", "local"]
    root: str | None = None  # the project folder of a local install
    preset: Preset | None = None  # of a project install; elsewhere config.yaml has it
    settings: Settings = Settings()
    files: dict[Name, str] = Field(default_factory=dict)  # sha256 of what we wrote
    displaced: tuple[Name, ...] = ()  # files of others, kept aside until uninstall
    folders: tuple[Name, ...] = ()
    tool_server: ToolServer | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Scope and root: what makes it this install and no other."""
        return self.scope, self.root or ""


class Manifest(_Record):
    """All installs that share one copy of the hook runtime."""

    version: int = VERSION
    runtime_version: str | None = None
    runtime: tuple[Relative, ...] = ()  # files of the runtime, relative to the manifest's folder
    config_created: bool = False  # whether Claude Code's own folder was missing before
    status_line_chain: str | None = None  # for the compiler of policy.json
    subagent_line_chain: str | None = None
    installs: tuple[Install, ...] = ()

    def find(self, place: tuple[str, str]) -> Install | None:
        return next((each for each in self.installs if each.place == place), None)

    def with_chain(self) -> Manifest:
        """The same, naming the user's own lines that an install of it runs."""
        found = {
            "status_line_chain": _chain(each.settings.status_line for each in self.installs),
            "subagent_line_chain": _chain(each.settings.subagent_line for each in self.installs),
        }
        return self.model_copy(update=found)

    def dump(self) -> bytes:
        fields = {"version": VERSION, **self.model_dump(mode="json", exclude_defaults=True)}
        return json.dumps(fields, indent=2, ensure_ascii=False).encode() + b"\n"


def _chain(lines: Iterable[StatusLine | None]) -> str | None:
    """The first command of the user's own among those lines."""
    chains = (str(json.loads(line.original)) for line in lines if line and line.original)
    return next(chains, None)


def load(path: Path, content: bytes | None) -> Manifest:
    """The manifest in that content; an empty one for no file. Raises UserError for damage."""
    if content is None:
        return Manifest()
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UserError(
            f"{path} is damaged: {where}: {first['msg']}",
            "Move it away and run the command again: our entries are found without it.",
        ) from error
    if manifest.version > VERSION:
        raise UserError(
            f"{path} was written by a newer claude-tier",
            "Upgrade claude-tier, then run the command again.",
        )
    return manifest
