"""What else on this machine keeps hooks or models from doing what we set; found, never changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, cast

from claude_tier.errors import UserError
from claude_tier.install import entries, settings, settings_file
from claude_tier.install.json_text import JsonError
from claude_tier.install.scopes import Target

OLDEST_CLIENT = (2, 1, 251)  # the first in which a spawn's own model wins over the environment
CLIENT_SECONDS = 15
SPAWN_TOOLS = ("Agent", "Task")
PLUGIN = "model-tier@"
MANAGED = {
    "linux": Path("/etc/claude-code/managed-settings.json"),
    "darwin": Path("/Library/Application Support/ClaudeCode/managed-settings.json"),
}
MODEL_RULES = ("availableModels", "deniedModels", "enforceAvailableModels")
_EXACT = re.compile(r"[\w ,|-]*", re.ASCII)  # any other matcher is a regular expression
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class File(NamedTuple):
    """A settings file that is in effect here, as plain values."""

    path: Path
    values: Mapping[str, object]


def find(target: Target, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Everything that may get in the way, one sentence each."""
    found = list(_settings_files(target))
    return [
        *_other_hooks(found),
        *_subagent_model(found, environ),
        *_switches(found),
        *_double(target, found),
        *_old_client(environ),
    ]


def _settings_files(target: Target) -> Iterator[File]:
    paths = [MANAGED.get(sys.platform), target.config / "settings.json"]
    if target.root:
        local = target.root / ".claude"
        paths += [local / "settings.json", local / "settings.local.json"]
    for path in filter(None, paths):
        values = _values(path)
        if values:
            yield File(path, values)


def _values(path: Path) -> Mapping[str, object]:
    """The settings in that file; nothing where the client cannot read it either."""
    try:
        text = settings_file.read_text(path)
        root = settings.parse(text) if text and not settings.is_blank(text) else None
    except (UserError, JsonError):
        return {}
    return cast("Mapping[str, object]", root.value) if root else {}


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _other_hooks(found: list[File]) -> Iterator[str]:
    for path, values in found:
        groups = _table(values.get("hooks")).get("PreToolUse")
        for at, group in enumerate(groups if isinstance(groups, list) else []):
            strangers = [each for each in entries.handlers(group) if not entries.is_ours(each)]
            if strangers and _sees_spawns(_table(group).get("matcher")):
                yield (
                    f"{path}: hooks.PreToolUse[{at}] also sees new subagents; if it rewrites them, "
                    "Claude Code takes whichever hook ends last"
                )


def _sees_spawns(matcher: object) -> bool:
    """Whether the client would run a hook with that matcher for a new subagent."""
    if matcher in (None, "", "*"):
        return True
    if not isinstance(matcher, str):
        return False
    if _EXACT.fullmatch(matcher):
        return any(name.strip() in SPAWN_TOOLS for name in re.split(r"[|,]", matcher))
    try:
        return any(re.search(matcher, tool) for tool in SPAWN_TOOLS)
    except re.error:
        return False


def _subagent_model(found: list[File], environ: Mapping[str, str]) -> Iterator[str]:
    places = [("the environment", environ)]
    places += [(str(path), _strings(values.get("env"))) for path, values in found]
    for where, variables in places:
        if variables.get("CLAUDE_CODE_SUBAGENT_MODEL_FORCE") not in {None, "", "0", "false"}:
            yield f"CLAUDE_CODE_SUBAGENT_MODEL_FORCE in {where}: no subagent's model can be set"
        elif variables.get("CLAUDE_CODE_SUBAGENT_MODEL"):
            yield (
                f"CLAUDE_CODE_SUBAGENT_MODEL in {where} is what subagents without a model run on; "
                "assignments leave that alone"
            )


def _strings(value: object) -> Mapping[str, str]:
    return {name: each for name, each in _table(value).items() if isinstance(each, str)}


def _switches(found: list[File]) -> Iterator[str]:
    for path, values in found:
        rules = [key for key in MODEL_RULES if values.get(key)]
        if rules:
            yield f"{path}: {', '.join(rules)} may send a subagent to another model than was set"
        if values.get("disableAllHooks") is True:
            yield f"{path}: disableAllHooks is on, so nothing here works"
        if values.get("allowManagedHooksOnly") is True:
            yield f"{path}: allowManagedHooksOnly is on, so only your organization's hooks run"


def _double(target: Target, found: list[File]) -> Iterator[str]:
    for path, values in found:
        plugins = _table(values.get("enabledPlugins")).items()
        if any(name.startswith(PLUGIN) and enabled is True for name, enabled in plugins):
            yield f"{path}: the model-tier plugin is enabled too; one of the two is enough"
        if path != target.settings and _has_ours(values):
            yield f"{path}: claude-tier is installed there too; each subagent is decided once"


def _has_ours(values: Mapping[str, object]) -> bool:
    events = [groups for groups in _table(values.get("hooks")).values() if isinstance(groups, list)]
    groups = [group for groups in events for group in groups]
    return any(entries.is_ours(each) for group in groups for each in entries.handlers(group))


def _old_client(environ: Mapping[str, str]) -> Iterator[str]:
    version = client_version(environ)
    if version and version < OLDEST_CLIENT:
        oldest, have = (".".join(map(str, each)) for each in (OLDEST_CLIENT, version))
        yield f"Claude Code {have} is older than {oldest}; subagents may not run as set"


def client_version(environ: Mapping[str, str]) -> tuple[int, ...] | None:
    """The version of the `claude` on PATH; None where there is none or it does not say."""
    client = shutil.which("claude", path=environ.get("PATH"))
    if client is None:
        return None
    command = [client, "--version"]
    try:
        said = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=CLIENT_SECONDS, check=False, env=dict(environ),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    found = _VERSION.search(said.stdout)
    return tuple(int(part) for part in found.groups()) if found else None
