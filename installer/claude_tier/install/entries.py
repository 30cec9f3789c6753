"""Our entries in a settings file: derived from the plugin's hooks.json, and recognised again."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from claude_tier.errors import UserError

Group = dict[str, object]  # {"matcher": "Agent", "hooks": [{"type": "command", …}]}
Hooks = dict[str, list[Group]]  # by event

_PLUGIN_HOOKS = "${CLAUDE_PLUGIN_ROOT}/hooks/"
_OURS = re.compile(r"(?:^|/)claude-tier/hooks/[a-z_]+\.py")
_OURS_AT_END = re.compile(_OURS.pattern + r"\Z")
_PYTHON = re.compile("python|pypy")
_PYTHON_GONE = "claude-tier: its Python is gone, so nothing is counted; run `claude-tier install`"
_NO_PYTHON = "claude-tier: no python3 on PATH, so this project's budgets are not applied"


@dataclass(frozen=True)
class Runtime:
    """How a settings file starts the hooks, in words for sh.

    `test` is the command that says whether that Python is there; a hook whose Python or script
    has vanished must stay silent, because Python's own exit code for a missing script is 2,
    which Claude Code takes as "block".
    """

    python: str  # quoted
    test: str
    folder: str
    quote: Callable[[str], str]  # for a path in that folder
    gone: str  # what to tell the user when only Python is missing

    def hook(self, script: str) -> str:
        path = self._path(script)
        start = f"exec {self.python} -S -E {path}"
        if script == "session_start.py":
            said = shlex.quote(json.dumps({"systemMessage": self.gone}, ensure_ascii=False))
            tell = f"{{ printf '%s\\n' {said}; exit 0; }}"
            return f"test -r {path} || exit 0; {self.test} || {tell}; {start}"
        return f"{self.test} && test -r {path} || exit 0; {start}"

    def line(self, script: str, chain: str | None) -> str:
        """The command of a line in a session; the user's own runs alone if ours has vanished."""
        path = self._path(script)
        otherwise = f"exec sh -c {shlex.quote(chain)}" if chain is not None else "exit 0"
        return f"{self.test} && test -r {path} || {otherwise} ; exec {self.python} -S -E {path}"

    def _path(self, script: str) -> str:
        return self.quote(f"{self.folder}/{script}")


def own_runtime(python: str, folder: Path) -> Runtime:
    """The runtime of one user on one machine: full paths."""
    quoted = shlex.quote(python)
    return Runtime(quoted, f"test -x {quoted}", str(folder), shlex.quote, _PYTHON_GONE)


def project_runtime() -> Runtime:
    """The runtime committed with a project: nothing of this machine in it."""
    folder = '"$CLAUDE_PROJECT_DIR"/.claude/claude-tier/hooks'
    return Runtime("python3", "command -v python3 >/dev/null 2>&1", folder, str, _NO_PYTHON)


def load_table(path: Path) -> Hooks:
    """The plugin's table of events, the only one there is."""
    try:
        table = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}", "Install claude-tier again.") from error
    return cast("Hooks", table["hooks"])


def settings_hooks(table: Hooks, runtime: Runtime) -> Hooks:
    """The table as settings entries: the same matchers and options, commands in shell form."""
    return {
        event: [
            {**group, "hooks": [_handler(each, runtime) for each in handlers(group)]}
            for group in groups
        ]
        for event, groups in table.items()
    }


def handlers(group: object) -> list[dict[str, object]]:
    """The handlers of a matcher group; none where it has another shape."""
    listed = group.get("hooks") if isinstance(group, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _handler(handler: dict[str, object], runtime: Runtime) -> dict[str, object]:
    script = cast("list[str]", handler["args"])[-1]  # the plugin's own guard comes before it
    shell_form = {**handler, "command": runtime.hook(script.removeprefix(_PLUGIN_HOOKS))}
    del shell_form["args"]  # its presence, even empty, would mean exec form
    return shell_form


def is_ours(handler: object, written: Collection[str] = ()) -> bool:
    """Whether a handler or status line is ours: as written before, or one that runs our hooks."""
    if not isinstance(handler, dict):
        return False
    command, args = handler.get("command"), handler.get("args")
    if not isinstance(command, str):
        return False
    return command in written or _runs_our_hook(command, args)


def mentions_us(command: str) -> bool:
    """Whether a command holds the path of our hooks anywhere, even inside another word."""
    return _OURS.search(command) is not None


def _runs_our_hook(command: str, args: object) -> bool:
    extra = [word for word in args if isinstance(word, str)] if isinstance(args, list) else []
    program = ""
    for word in _words(command) + extra:
        if _PYTHON.search(program) and _OURS_AT_END.search(word):
            return True
        if not word.startswith("-"):
            program = word.rpartition("/")[2].lower()
    return False


def chained(command: str) -> str | None:
    """The user's own status line, read back from the command that chains it."""
    words = _words(command)
    for at in range(len(words) - 3):
        if words[at : at + 3] == ["exec", "sh", "-c"]:
            return words[at + 3]
    return None


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return []
