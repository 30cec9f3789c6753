"""The MCP server of local models as part of an install: registered by the client's own commands.

A project's registration is an entry in its .mcp.json. The user's own is in a file that the client
rewrites at any time, so that only `claude mcp add` and `claude mcp remove` touch it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from claude_tier.config.policy import START
from claude_tier.errors import UserError
from claude_tier.install import client_file, mcp_json
from claude_tier.install.json_file import JsonFile
from claude_tier.install.manifest import Install, Settings, ToolServer
from claude_tier.install.plan import Call, Plan
from claude_tier.install.scopes import Target
from claude_tier.local_models import NAME

SECONDS = 60  # for one command of the client
_IMPORT = "from claude_tier.cli import main"
_HINT = "Nothing was changed; mend the file, then run the command again."


def command() -> tuple[str, ...]:
    """What starts this very claude-tier from any folder, upgrades in place included."""
    return sys.executable, "-c", START, "mcp"


def is_ours(entry: dict[str, object]) -> bool:
    """Whether a registered server is `claude-tier mcp`, of this environment or version or another.

    By what it starts: ["-c", "…; from claude_tier.cli import main; …", "mcp"].
    """
    given = entry.get("args")
    words = [str(word) for word in given] if isinstance(given, list) else []
    started = len(words) == 3 and words[::2] == ["-c", "mcp"] and _IMPORT in words[1]
    return started or mcp_json.is_ours(entry)


def is_current(entry: dict[str, object] | None) -> bool:
    """Whether it starts what `command` says."""
    first, *others = command()
    return entry is not None and (entry.get("command"), entry.get("args")) == (first, others)


def register(plan: Plan, old: Install | None, now: float, *, asked: bool) -> ToolServer | None:
    """Plan the registration; None where nobody asked for it, now or before.

    Raises UserError where another server has the name, or no client is there to be asked.
    """
    known = old.tool_server if old else None
    if not asked and known is None:
        return None
    if plan.target.is_shared:
        return ToolServer(file=_into_file(plan, known, now))
    entry = client_file.server(plan.target, NAME)
    if entry is not None and not is_ours(entry):
        raise UserError(
            f"Claude Code has another MCP server named {NAME}",
            f"`{_shown(_remove(plan.target))}` removes it; nothing was changed.",
        )
    if entry is not None and not is_current(entry) and entry.get("env"):
        plan.notes.append(_left_alone(plan.target))
    elif not is_current(entry):
        plan.calls += [] if entry is None else [_remove(plan.target)]
        plan.calls.append(_add(plan.target))
    if plan.calls and asked and shutil.which("claude") is None:
        raise UserError(
            "no `claude` on PATH, which registers MCP servers",
            "Nothing was changed. Install Claude Code first; or `claude-tier install DIR --mcp`"
            " writes the .mcp.json of a project, which needs no client.",
        )
    return ToolServer(command=command())


def unregister(plan: Plan, old: Install | None, now: float) -> None:
    """Plan the registration out again; what is not ours stays."""
    if plan.target.is_shared:
        _out_of_file(plan, old.tool_server if old else None, now)
        return
    entry = client_file.server(plan.target, NAME)
    if entry is not None and is_ours(entry):
        plan.calls.append(_remove(plan.target))


def carry_out(calls: Sequence[Call]) -> list[str]:
    """Have the client do it; what did not work, in words that say what to run."""
    for call in calls:
        if fault := _failure(call):
            return [f"{fault}; run it yourself: {_shown(call)}"]
    return []


def file(target: Target) -> Path:
    """The file of a project that names its MCP servers."""
    assert target.root is not None
    return target.root / ".mcp.json"


def _add(target: Target) -> Call:
    words = ("claude", "mcp", "add", "--scope", target.scope, NAME, "--", *command())
    return Call(words, target.root)


def _remove(target: Target) -> Call:
    return Call(("claude", "mcp", "remove", "--scope", target.scope, NAME), target.root)


def _left_alone(target: Target) -> str:
    """Of a registration that only its user can renew: a key in its `env` would be in our words."""
    return (
        f"The MCP server {NAME} is registered with variables of your own and starts an older"
        f" claude-tier; to renew it: `{_shown(_remove(target))}`, then `{_shown(_add(target))}`"
        " with your variables"
    )


def _shown(call: Call) -> str:
    line = shlex.join(call.words)
    return line if call.folder is None else f"cd {shlex.quote(str(call.folder))} && {line}"


def _failure(call: Call) -> str | None:
    try:
        done = subprocess.run(
            call.words, cwd=call.folder, env=dict(os.environ), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return "no `claude` is on PATH"
    except (OSError, subprocess.SubprocessError) as error:
        return f"`claude mcp` did not work: {error}"
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"`claude mcp` failed: {said[-1] if said else f'exit code {done.returncode}'}"


def _into_file(plan: Plan, known: ToolServer | None, now: float) -> Settings:
    record = known.file if known else None
    found = _read(plan)
    with found.placed():
        merged = mcp_json.merge(found.text, record)
    if merged.text != found.text and shutil.which(mcp_json.PROGRAM) is None:
        plan.notes.append(
            f"No `{mcp_json.PROGRAM}` is on PATH here, which {found.path.name} starts"
        )
    found.replace(merged.text, now)
    return merged.record


def _out_of_file(plan: Plan, known: ToolServer | None, now: float) -> None:
    found = _read(plan)
    if found.text is None:
        return
    with found.placed():
        text = mcp_json.unmerge(found.text, known.file if known else None)
    found.replace(text, now)


def _read(plan: Plan) -> JsonFile:
    return JsonFile.read(plan, file(plan.target), kind="mcp", hint=_HINT)
