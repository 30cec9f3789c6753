"""stdin event -> answer on stdout, and the boundary where every fault ends.

A hook runs inside somebody's session: whatever happens it exits 0, says nothing it need not say,
and tells the user of each kind of fault once a session. It never exits 2, which would block.
"""

from __future__ import annotations

import json
import os
import sys

from . import __version__, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .shapes import Json

LIMIT = 64 * 1024 * 1024  # bytes of one event
TEXTS = (
    "session_id", "transcript_path", "cwd", "tool_name", "tool_use_id", "agent_id", "agent_type",
    "agent_transcript_path", "model", "from_model", "to_model", "source",
)  # fmt: skip
# Python itself exits 2, which blocks, when it cannot open a script; read by a program it is 1.
START = """import sys
sys.argv = sys.argv[1:]
sys.path[0] = sys.argv[0].rpartition("/")[0]
with open(sys.argv[0], encoding="utf-8") as script:
    text = script.read()
exec(compile(text, sys.argv[0], "exec"))
"""


def run(name: str) -> None:
    """Answer the event on stdin with the function of that name, then end the process."""
    try:
        _hand_over()
        sys.stdout.write(respond(name, sys.stdin.buffer.read(LIMIT)))
        sys.stdout.flush()
    except BaseException as fault:
        state.log_fault(name, fault)
    # Not sys.exit: an open ledger is left to the next checkpoint instead of paying for one here.
    os._exit(0)


def respond(name: str, data: bytes) -> str:
    """The answer to an event, both as JSON; "" for none. Raises nothing."""
    event: Json = {}
    try:
        event = _parsed(data)
        answer = _answered(_handler(name), event) if event else None
        return _text(_with_notices(answer))
    except BaseException as fault:
        state.log_fault(name, fault)
        return _text(_with_notices(_say(name, event, fault)))


def _text(answer: Json | None) -> str:
    return json.dumps(answer, allow_nan=False) if answer else ""


def _answered(handler: Callable[[Json], Json | None], event: Json) -> Json | None:
    """The handler's answer; a ledger found damaged on the way is moved aside first."""
    from . import ledger

    try:
        return handler(event)
    except Exception as fault:
        if not ledger.is_damage(fault):
            raise
        state.log_fault("ledger", fault)
        ledger.set_aside()
    return handler(event)


def _handler(name: str) -> Callable[[Json], Json | None]:
    if name == "PreToolUse":  # somebody waits for this one, so nothing else is loaded
        from . import gate

        return gate.answer
    from . import events

    words = "".join("_" + c.lower() if c.isupper() else c for c in name)
    return getattr(events, words.lstrip("_"))  # type: ignore[no-any-return]


def _parsed(data: bytes) -> Json:
    """The event, its texts being texts: a field of another type is as good as missing."""
    if not data.strip():
        return {}
    event = json.loads(data.decode("utf-8", "replace"))
    if not isinstance(event, dict):
        raise TypeError("the event is no JSON object")
    for key in TEXTS:
        value = event.pop(key, None)
        if isinstance(value, str):
            event[key] = state.storable(value)
    return event


def _hand_over() -> None:
    """Let the newer of two installed copies do the work (a plugin and the command, say)."""
    script = state.path("hooks", os.path.basename(sys.argv[0]))
    if os.path.abspath(sys.argv[0]) == os.path.abspath(script):
        return
    version = (state.read_json(state.path("manifest.json")) or {}).get("runtime_version")
    if not isinstance(version, str) or _number(version) <= _number(__version__):
        return
    if not os.path.isfile(script) or not os.access(script, os.R_OK):
        return
    if os.environ.get("CLAUDE_TIER_HANDED_OVER") != version:
        os.environ["CLAUDE_TIER_HANDED_OVER"] = version
        os.execv(sys.executable, [sys.executable, "-S", "-E", "-c", START, script])


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _say(name: str, event: Json, fault: BaseException) -> Json | None:
    session = str(event.get("session_id") or os.environ.get("CLAUDE_CODE_SESSION_ID") or "none")
    if not state.first_time(session, type(fault).__name__):
        return None
    text = " ".join(str(fault).split())[:200]
    return {
        "systemMessage": "claude-tier: its %s hook failed (%s: %s); the session goes on without it."
        " `claude-tier doctor` shows more." % (name, type(fault).__name__, text)
    }


def _with_notices(answer: Json | None) -> Json | None:
    if not state.notices:
        return answer
    said = [answer["systemMessage"]] if answer and "systemMessage" in answer else []
    return dict(
        answer or {}, systemMessage="\n".join(said + ["claude-tier: " + n for n in state.notices])
    )
