"""The folders that calls may name files of: projects, and never a home with all that is in it."""

from __future__ import annotations

import warnings
from pathlib import Path
from urllib.parse import unquote, urlsplit

import anyio
from mcp.server.session import ServerSession
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from pydantic import ValidationError

ROOTS_SECONDS = 2


async def readable(session: ServerSession, folder: Path) -> tuple[Path, ...]:
    """The folder that the client works in, and those it names as its roots."""
    found = dict.fromkeys([folder, *await _roots(session)])
    return tuple(each for each in found if is_project(each))


def is_project(folder: Path) -> bool:
    """Whether it is there and neither the user's home nor above it, by whatever name."""
    home = Path.home().resolve()
    try:
        return not any(folder.samefile(each) for each in (home, *home.parents))
    except OSError:
        return False


async def _roots(session: ServerSession) -> list[Path]:
    able = session.client_capabilities
    if able is None or able.roots is None or not session.can_send_request:
        return []
    with warnings.catch_warnings():
        # Newer clients name no roots; those that do still mean them.
        warnings.simplefilter("ignore", MCPDeprecationWarning)
        asked = session.list_roots()
    named: list[str] = []
    with anyio.move_on_after(ROOTS_SECONDS):
        try:
            named = [unquote(urlsplit(str(root.uri)).path) for root in (await asked).roots]
        except (MCPError, ValidationError):
            named = []
    return [Path(each) for each in named if each.startswith("/") and "\0" not in each]
