"""The three places an install can go, and which files that means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from claude_tier.errors import UserError
from claude_tier.install import files

Scope = Literal["user", "project", "local"]
SCOPES: tuple[Scope, ...] = ("user", "project", "local")


@dataclass(frozen=True)
class Target:
    """One place to install into.

    `folder` holds the settings file, agents/ and skills/; `owner` holds the hook runtime and the
    manifest: the user's state folder, or the project's own.
    """

    scope: Scope
    config: Path
    root: Path | None = None
    trusted: bool = False  # links in the project may lead out of it

    @property
    def state(self) -> Path:
        return self.config / "claude-tier"

    @property
    def folder(self) -> Path:
        return self.root / ".claude" if self.root else self.config

    @property
    def owner(self) -> Path:
        return self.folder / "claude-tier" if self.is_shared else self.state

    @property
    def is_shared(self) -> bool:
        """Whether the install is committed with the project for everyone."""
        return self.scope == "project"

    @property
    def settings(self) -> Path:
        name = "settings.local.json" if self.scope == "local" else "settings.json"
        return self.folder / name

    @property
    def manifest(self) -> Path:
        return self.owner / "manifest.json"

    @property
    def recorded_root(self) -> str | None:
        """The root as the manifest names it: a committed one must not name this machine."""
        return str(self.root) if self.scope == "local" else None

    @property
    def place(self) -> tuple[str, str]:
        """Scope and root, as the manifest finds an install again."""
        return self.scope, self.recorded_root or ""

    def locate(self, path: Path) -> Path:
        """Where a file of ours really is; raises UserError where a clone's link leads out."""
        real = files.target(path)
        ours = self.root is None or self.trusted or not path.is_relative_to(self.root)
        if not ours and not real.is_relative_to(files.target(self.root or real)):
            raise UserError(
                f"{path} leads to {real}, outside the project",
                "Use --force if that is what you want.",
            )
        return real


def target(scope: Scope, config: Path, root: Path | None, *, trusted: bool = False) -> Target:
    """The place for that scope; raises UserError for a folder that is none."""
    if scope == "user":
        return Target(scope, config)
    where = files.target((root or Path.cwd()).absolute())
    if not where.is_dir():
        raise UserError(f"{where} is not a folder")
    chosen = Target(scope, config, where, trusted)
    if files.target(chosen.folder) == files.target(config):
        raise UserError(
            f"{chosen.folder} is Claude Code's own folder, not a project's",
            "Install with --scope user instead.",
        )
    return chosen
