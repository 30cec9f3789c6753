"""The user's own `claude` on PATH: the real client, which is told where the scripted API is.

The provider drops every address but Anthropic's, so that only a program in between can lead the
client to another. It keeps what it was started with and the process it became, and leaves one of
its own behind.
"""

from __future__ import annotations

import shlex
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest
from claude_tier.config import Config
from claude_tier.livecheck import Client, ScriptedAPI
from claude_tier.routing import providers
from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Event, Finished, Prompt, Usage, Used
from claude_tier.routing.providers.http import Limits

PATIENT = Limits(60, 60)

# Only what is exported here reaches the client besides what the provider gave.
SCRIPT = """#!/bin/sh
env > {folder}/environment
pwd > {folder}/cwd
printf '%s\\n' "$@" > {folder}/arguments
echo $$ > {folder}/pid
sleep 600 &
{exports}
exec {command} "$@"
"""


@dataclass(frozen=True)
class Own:
    """What the program in between saw."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        lines = self._read("environment").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    @property
    def arguments(self) -> list[str]:
        return self._read("arguments").splitlines()

    @property
    def cwd(self) -> str:
        return self._read("cwd").strip()

    @property
    def pid(self) -> int:
        return int(self._read("pid"))

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")


def on_path(
    client: Client, url: str, api: ScriptedAPI, patch: pytest.MonkeyPatch, **more: str
) -> Own:
    """Put it first on PATH; `url` is where it finds the API, `more` what it is told besides."""
    folder = client.home / "own"
    folder.mkdir()
    told = {"ANTHROPIC_BASE_URL": url, **more}
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in told.items())
    inside = [str(client.binary)]
    command = shlex.join(inside if api.namespace is None else api.namespace.command(inside))
    program = folder / "claude"
    program.write_text(SCRIPT.format(folder=folder, exports=exports, command=command), "utf-8")
    program.chmod(0o700)
    patch.setenv("PATH", f"{folder}:/usr/bin:/bin:/usr/sbin:/sbin")
    return Own(folder)


@dataclass(frozen=True)
class Told:
    """What came of a request."""

    pieces: tuple[str, ...]
    end: Finished | None
    fault: Fault | None
    used: Usage | None  # by the last that was told of it

    @property
    def failed(self) -> Fault:
        assert self.fault is not None, self
        return self.fault

    @property
    def finished(self) -> Finished:
        assert self.end is not None, self.fault
        return self.end


async def asked(
    prompt: Prompt, *, model: str = "haiku", stream: bool = False, limits: Limits = PATIENT
) -> Told:
    """One request to the provider `claude`, as the router makes it."""
    events = list[Event]()
    fault = None
    try:
        async with (
            providers.client(Config(), "claude", limits=limits) as there,
            aclosing(there.answer(model, prompt, stream=stream)) as answer,
        ):
            async for event in answer:
                events.append(event)
    except Fault as found:
        fault = found
    pieces = tuple(event.text for event in events if isinstance(event, Delta))
    end = next((event for event in events if isinstance(event, Finished)), None)
    used = [event.usage for event in events if isinstance(event, Used)]
    return Told(pieces, end, fault, used[-1] if used else None)
