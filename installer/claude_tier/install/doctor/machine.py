"""Where the doctor looks: one user's folders, seen from one working folder."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from claude_tier_hooks import project

from claude_tier import bundle, paths
from claude_tier.errors import UserError
from claude_tier.install import files, scopes, settings, settings_file
from claude_tier.install.entries import Hooks
from claude_tier.install.json_text import JsonError, Node
from claude_tier.install.manifest import Manifest, load
from claude_tier.install.scopes import Target


@dataclass(frozen=True)
class Registered:
    """A settings file and the hooks of ours in it, by event."""

    target: Target
    hooks: Hooks


@dataclass(frozen=True)
class Machine:
    """Paths follow the environment; time and folders are given, so that tests can set them."""

    cwd: Path = field(default_factory=Path.cwd)
    bundle: Path = field(default_factory=bundle.root)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    now: float = field(default_factory=time.time)

    @property
    def config(self) -> Path:
        return paths.config_dir()

    @property
    def state(self) -> Path:
        return paths.state_dir()

    @cached_property
    def root(self) -> Path:
        """The project that the working folder belongs to."""
        return Path(project.root(str(self.cwd)))

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """Where an install may be: for the user, then in this project."""
        user = scopes.target("user", self.config, None)
        try:
            return (
                user,
                scopes.target("project", self.config, self.root),
                scopes.target("local", self.config, self.root),
            )
        except UserError:  # the working folder is the home folder
            return (user,)

    @cached_property
    def registered(self) -> tuple[Registered, ...]:
        """Every settings file with hooks of ours in it."""
        found = (Registered(target, hooks_of(target)) for target in self.targets)
        return tuple(each for each in found if each.hooks)

    @cached_property
    def manifest(self) -> Manifest:
        """The user's manifest; an empty one where it cannot be read."""
        path = self.state / "manifest.json"
        try:
            return load(path, files.read(path))
        except UserError:
            return Manifest()

    @property
    def has_plugin(self) -> bool:
        """Whether Claude Code has the plugin enabled in any settings file in effect."""
        tables = (values(target.settings).get("enabledPlugins") for target in self.targets)
        plugins = [table for table in tables if isinstance(table, dict)]
        return any(
            name.partition("@")[0] == "model-tier" and enabled is True
            for table in plugins
            for name, enabled in table.items()
        )


def parsed(path: Path) -> Node | None:
    """The settings object; None where there is none. Raises JsonError or UserError."""
    text = settings_file.read_text(path)
    return None if text is None or settings.is_blank(text) else settings.parse(text)


def values(path: Path) -> dict[str, object]:
    """The settings as plain values; empty where they cannot be read."""
    try:
        node = parsed(path)
    except (JsonError, UserError):
        return {}
    return node.value if node and isinstance(node.value, dict) else {}


def hooks_of(target: Target) -> Hooks:
    """Our hooks in that scope; none where the settings cannot be read."""
    try:
        text = settings_file.read_text(target.settings)
        return settings.ours(text) if text else {}
    except (JsonError, UserError):
        return {}
