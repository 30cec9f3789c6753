"""What else is on the machine: the client, other hooks, agent files, the status line."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from claude_tier.install import conflicts, entries
from claude_tier.install.doctor.machine import Machine, values
from claude_tier.install.doctor.registration import SWITCHES
from claude_tier.install.doctor.report import Finding, ok, warning

_CHAINS = "Run `claude-tier install`: it chains the other one."
LONGEST_NAME = 256  # the client skips an agent with a longer one
_PLAIN = re.compile(r"([A-Za-z_-]+):[ ]+([^\"'\s].*)")


def client(machine: Machine) -> Iterator[Finding]:
    """A Claude Code is on PATH, and new enough that what we set is what runs."""
    version = conflicts.client_version(machine.environ)
    oldest = ".".join(map(str, conflicts.OLDEST_CLIENT))
    if version is None:
        what = "no `claude` on PATH says its version"
        yield warning("client", what, f"claude-tier needs Claude Code {oldest} or later.")
        return
    have = ".".join(map(str, version))
    if version < conflicts.OLDEST_CLIENT:
        what = f"Claude Code {have} may not run subagents as set"
        yield warning("client", what, f"Update it to {oldest} or later.")
    else:
        yield ok("client", f"Claude Code {have}")


def conflicting(machine: Machine) -> Iterator[Finding]:
    """Nothing else decides about subagents or their models."""
    said = [line for target in machine.targets for line in conflicts.find(target, machine.environ)]
    others = [line for line in dict.fromkeys(said) if not _has_its_own_check(line)]
    yield from (warning("conflicts", line) for line in others)
    if not others:
        yield ok("conflicts", "no other hook or setting decides about subagents")


def _has_its_own_check(line: str) -> bool:
    own = (*SWITCHES, "claude-tier is installed there too", "model-tier plugin", " is older than ")
    return any(words in line for words in own)


def agents(machine: Machine) -> Iterator[Finding]:
    """Every agent file can be used: the client skips the others without a word."""
    folders = {target.folder / "agents" for target in machine.targets}
    found = [finding for folder in sorted(folders) for finding in _folder(folder)]
    found += _lost(machine)
    yield from found or [ok("agents", "every agent file can be used")]


def _folder(folder: Path) -> Iterator[Finding]:
    names: Counter[str] = Counter()
    for path in sorted(folder.rglob("*.md")):
        name, reason = _judged(path)
        if reason:
            what = f"{path}: {reason}, so Claude Code skips it"
            yield warning("agents", what, "Mend it or move it away.")
        names[name] += 1
    for name in (name for name, files in names.items() if name and files > 1):
        yield warning("agents", f"{folder} has two agents named {name}; which one runs is chance")


def _judged(path: Path) -> tuple[str, str | None]:
    """The agent's name, and why the client would skip the file; notes beside agents are fine."""
    try:
        head = _head(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        return "", f"it cannot be read ({_first_line(error)})"
    missing = [key for key in ("name", "description") if not _is_text(head.get(key))]
    if missing:
        notes = not head.keys() & {"name", "description"}
        return "", None if notes else f"it has no {' and no '.join(missing)}"
    name = str(head["name"])
    if ":" in name or name.startswith("-") or len(name) > LONGEST_NAME:
        return "", f"{name!r} is no name for an agent"
    return name, None


def _head(text: str) -> dict[str, object]:
    """The YAML between a first and a second `---`; ValueError where the client cannot read it."""
    import yaml  # 20 ms; `doctor --live` does without

    lines = text.removeprefix("\ufeff").splitlines()
    ends = [number for number, line in enumerate(lines) if line.rstrip() == "---"]
    if len(ends) < 2 or ends[0] != 0:
        return {}
    head = lines[1 : ends[1]]
    try:
        loaded = yaml.safe_load("\n".join(head))
    except yaml.YAMLError:
        try:
            loaded = yaml.safe_load("\n".join(map(_quoted, head)))
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from error
    return loaded if isinstance(loaded, dict) else {}


def _quoted(line: str) -> str:
    """A plain `key: value` as the client's second try reads it: the value is a text."""
    found = _PLAIN.fullmatch(line)
    return f"{found[1]}: {json.dumps(found[2])}" if found else line


def _is_text(value: object) -> bool:
    # To the client's YAML 1.2 `yes` is a text; PyYAML takes it for a truth value.
    return isinstance(value, bool) or (isinstance(value, str) and bool(value.strip()))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _lost(machine: Machine) -> Iterator[Finding]:
    """Files of ours that somebody removed."""
    user = machine.manifest.find(("user", ""))
    names: Iterable[str] = user.files if user else ()
    lost = [name for name in sorted(names) if not (machine.config / name).exists()]
    if lost:
        what = f"removed since the install: {', '.join(lost)}"
        yield warning("agents", what, "Run `claude-tier install` to have them back.")


def status_line(machine: Machine) -> Iterator[Finding]:
    """Ours is there: nothing else tells us how much of a plan is used."""
    user = machine.manifest.find(("user", ""))
    if user is None:
        return
    line = values(machine.config / "settings.json").get("statusLine")
    if entries.is_ours(line):
        yield ok("status line", _ours(machine.manifest.status_line_chain))
    else:
        what = "another status line stands there, so the use of your plan is not known"
        yield warning("status line", what, _CHAINS)


def subagent_line(machine: Machine) -> Iterator[Finding]:
    """Ours is there: it shows the model that each running subagent really uses."""
    if machine.manifest.find(("user", "")) is None:
        return
    line = values(machine.config / "settings.json").get("subagentStatusLine")
    if entries.is_ours(line):
        yield ok("line of subagents", _ours(machine.manifest.subagent_line_chain))
    else:
        what = "not ours, so the models of running subagents are not shown"
        yield warning("line of subagents", what, _CHAINS)


def _ours(chain: str | None) -> str:
    return f"ours, after yours: {chain}" if chain else "ours"
