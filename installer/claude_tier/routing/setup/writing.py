"""Puts additions into config.yaml: read anew, checked by the loader, backed up, replaced."""

from __future__ import annotations

import copy
import difflib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from claude_tier_hooks.policy import PROJECT_FILE

from claude_tier import config, paths
from claude_tier.config import ConfigError, document
from claude_tier.errors import UserError
from claude_tier.install import backups, files, installing, transaction
from claude_tier.install.plan import Plan
from claude_tier.install.scopes import Target
from claude_tier.routing.setup.insertion import Additions, inserted

UNUSUAL = "the file is written in an unusual way"


@dataclass(frozen=True)
class Change:
    """One version of config.yaml to the next; `before` is None where there is no file."""

    path: Path
    before: bytes | None
    after: bytes | None

    @property
    def diff(self) -> list[str]:
        """The change as `diff -u` shows it; nothing where nothing changes."""
        old, new = ((content or b"").decode().splitlines() for content in (self.before, self.after))
        name = str(self.path)
        origin = name if self.before is not None else "/dev/null"
        return list(difflib.unified_diff(old, new, origin, name, lineterm=""))


def change(additions: Additions) -> Change:
    """What would be written; raises UserError where it cannot be put in safely."""
    path = files.target(paths.state_dir() / config.CONFIG)
    if path.parts[-2:] == Path(PROJECT_FILE).parts:
        raise UserError(
            f"{path} is the file of a project, which may not name providers",
            f"Make {paths.state_dir() / config.CONFIG} a file of your own.",
        )
    before = files.read(path)
    return Change(path, before, _extended(path, before, additions))


def write(additions: Additions, now: float) -> Change:
    """Write what the file lacks of that, and compile it; raises UserError, then nothing changed."""
    target = Target("user", paths.config_dir())
    made: list[Change] = []

    def draft() -> Plan:
        plan = Plan(target)
        made.append(change(additions))
        if made[-1].before is not None and made[-1].before != made[-1].after:
            backups.add(plan, made[-1].path, made[-1].before, now)
        plan.replace(made[-1].path, made[-1].before, made[-1].after, "config")
        return plan

    with transaction.locked(target.state):
        transaction.recover(target.state)
        installing.carry_out(target, draft)
        backups.prune(target.state)
    config.compile_user_policy(target.state)
    return made[-1]


def _extended(path: Path, before: bytes | None, additions: Additions) -> bytes | None:
    """The file with what it lacks, proven to say the same as before and the additions besides."""
    if not additions:
        return before
    text = (before or b"").decode()
    try:
        after = inserted(text, additions).encode()
        old, new = _values(path, text.encode()), _values(path, after)
    except (ConfigError, yaml.YAMLError) as error:
        raise _refused(path, additions, str(error).replace("\n", " ")) from error
    if new != _merged(old, additions):
        raise _refused(path, additions, UNUSUAL)
    return after


def _values(path: Path, content: bytes) -> dict[str, object]:
    """What the loader makes of that content; raises ConfigError where it is no configuration."""
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / path.name
        copied.write_bytes(content)
        config.load(copied)
        return document.read(copied).values


def _merged(old: Mapping[str, object], additions: Additions) -> dict[str, object]:
    """Both, where what is there wins; an empty section counts as none."""
    found = {key: copy.deepcopy(value) for key, value in old.items()}
    for key, value in additions.items():
        there = found.get(key)
        if isinstance(value, Mapping) and (there is None or isinstance(there, Mapping)):
            found[key] = _merged(there or {}, value)
        else:
            found.setdefault(key, value)
    return found


def _refused(path: Path, additions: Additions, why: str) -> UserError:
    return UserError(
        f"{path} was not changed: {why}",
        f"Put this into it yourself:\n{inserted('', additions)}",
    )
