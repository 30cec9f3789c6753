"""The preset named in config.yaml: written with a new file, exchanged in an existing one."""

from __future__ import annotations

import re

import yaml

from claude_tier.errors import UserError
from claude_tier.install import files
from claude_tier.install.manifest import Preset
from claude_tier.install.plan import Plan

DEFAULT: Preset = "balanced"

_FRESH = """\
# How claude-tier works for you; docs/config.md lists every key, and all of them are optional.
preset: {preset}
"""
_LINE = re.compile(r"^preset[ \t]*:(?P<gap>[ \t]*)(?P<value>[^\s#]*)", re.MULTILINE)


def plan_config(plan: Plan, preset: Preset | None) -> None:
    """Plan a config.yaml where none is; in one that exists change the preset if one is given."""
    path = files.target(plan.target.state / "config.yaml")
    before = files.read(path)
    if before is None:
        plan.replace(path, None, _FRESH.format(preset=preset or DEFAULT).encode(), "config")
    elif preset:
        plan.replace(path, before, _exchanged(before, preset, str(path)), "config")


def _exchanged(content: bytes, preset: Preset, path: str) -> bytes:
    """The file with that preset and nothing else changed; raises UserError where that is unsure."""
    text = content.decode(errors="replace")
    old = _values(text)
    if old is not None and old.get("preset") == preset:
        return content
    new = _with_preset(text, preset)
    if old is None or text.encode() != content or _values(new) != {**old, "preset": preset}:
        raise UserError(
            f"the preset in {path} was not changed, because the file is unusual",
            f"Write the line `preset: {preset}` into it yourself; the next prompt follows it.",
        )
    return new.encode()


def _values(text: str) -> dict[object, object] | None:
    """The file's keys and values; None where it is no mapping."""
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return None
    return values if isinstance(values, dict) else {} if values is None else None


def _with_preset(text: str, preset: Preset) -> str:
    found = _LINE.search(text)
    if found:
        return text[: found.start("gap")] + (found["gap"] or " ") + preset + text[found.end() :]
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"preset: {preset}{newline}{text}"
