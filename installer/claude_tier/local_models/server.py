"""The server itself: the tools over the Model Context Protocol on stdin and stdout."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from claude_tier_hooks import __version__
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from claude_tier import bug_log, paths
from claude_tier.config import CONFIG, Config, ConfigError
from claude_tier.errors import UserError
from claude_tier.local_models import NAME, asking, folders, lines, rendering, replying
from claude_tier.local_models.current import Current
from claude_tier.local_models.listing import listing
from claude_tier.local_models.offers import Offer, offers
from claude_tier.local_models.pages import Pages
from claude_tier.local_models.progress import Progress
from claude_tier.local_models.shapes import Further, Nothing, Question, Reply, Task
from claude_tier.local_models.turns import Turns

Context = ServerRequestContext[dict[str, Any], Any]
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENDING_SECONDS = 2
MEND = "The user has to mend it; the change is seen at the next call."


class Service:
    """The handlers of one connection, and what they share."""

    def __init__(self, current: Current, folder: Path) -> None:
        self._current = current
        self._folder = folder
        self._pages = Pages()
        self._turns = Turns()
        self._listed: tuple[Offer, ...] | None = None
        self._calls: dict[anyio.CancelScope, anyio.Event] = {}

    async def list_tools(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """Every tool; while the configuration has a mistake, those from before it."""
        try:
            config = self._current.config()
        except ConfigError:
            config = self._current.last
        self._listed = offers(config)
        return types.ListToolsResult(tools=rendering.tools(self._listed))

    async def call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """The tool's result; a failure is one too, so that Claude reads what to do."""
        scope, done = anyio.CancelScope(), anyio.Event()
        self._calls[scope] = done
        try:
            with scope:
                return await self._answered(context, params)
        finally:
            del self._calls[scope]
            done.set()
        return rendering.failure("the server was told to end", None)

    async def end(self) -> None:
        """End every request, and with it what is asked of a provider."""
        calls = dict(self._calls)
        for scope in calls:
            scope.cancel()
        for done in calls.values():
            await done.wait()

    async def _answered(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            return await self._called(context, params.name, params.arguments or {})
        except ConfigError as error:
            return rendering.failure(error.message, MEND)
        except UserError as error:
            return rendering.failure(error.message, error.hint)
        except ValidationError as error:
            return rendering.misused(params.name, error)
        except MCPError:
            raise
        except Exception as error:  # noqa: BLE001 - anything else is a bug of ours
            return rendering.failure(f"a bug of claude-tier: {type(error).__name__}", _log(error))

    async def _called(
        self, context: Context, name: str, given: dict[str, object]
    ) -> types.CallToolResult:
        if name == "read_more":
            wanted = Further.model_validate(given)
            return rendering.part(self._pages.read(wanted.page_id, wanted.page))
        config = self._current.config()
        made = offers(config)
        if self._listed not in (None, made):
            await context.session.send_tool_list_changed()
        self._listed = made
        if name == "list_available_local_models":
            Nothing.model_validate(given)
            return rendering.listing(await listing(config))
        offer = next((each for each in made if each.name == name), None)
        if offer is None:
            raise UserError(f"there is no tool {name[:60]!r}", f"There are {_names(made)}.")
        return rendering.reply(await self._asked(context, config, offer, given))

    async def _asked(
        self, context: Context, config: Config, offer: Offer, given: dict[str, object]
    ) -> Reply:
        task = (Question if offer.takes_system else Task).model_validate(given)
        session, wants = context.session, (context.meta or {}).get("progress_token") is not None
        readable = await folders.readable(session, self._folder) if task.files else ()
        place = asking.Place(self._folder, readable)
        progress = Progress(lambda figure, words: session.report_progress(figure, None, words))
        heard = progress.heard if wants else None
        limits = config.local_models
        async with progress.telling(), self._turns.take(limits.parallel, progress.say):
            answer = await asking.ask(config, offer, task, place, say=progress.say, heard=heard)
        return await replying.reply(offer, answer, self._pages, limits.page)


def _names(made: tuple[Offer, ...]) -> str:
    return ", ".join([*(each.name for each in made), "list_available_local_models", "read_more"])


def _log(error: Exception) -> str:
    path = bug_log.write(error)
    return f"The traceback is in {path}." if path else "No log of it could be written."


def serve() -> None:
    """Serve until the client closes our input, or sends a signal."""
    anyio.run(_serve)


def protocol(served: Service) -> Server[dict[str, Any]]:
    """The protocol around that service."""
    return Server(
        NAME,
        version=__version__,
        instructions=rendering.INSTRUCTIONS,
        on_list_tools=served.list_tools,
        on_call_tool=served.call_tool,
    )


def service() -> Service:
    """What this process serves: the user's configuration, for the folder the client works in."""
    folder = Path(os.environ.get("CLAUDE_PROJECT_DIR") or Path.cwd())
    return Service(Current(paths.state_dir() / CONFIG), folder)


async def _serve() -> None:
    served = service()
    server = protocol(served)
    options = server.create_initialization_options(NotificationOptions(tools_changed=True))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_on_signal, served)
        async with stdio_server() as (read, write):
            into, readable = anyio.create_memory_object_stream[lines.Item]()
            tasks.start_soon(lines.mended, read, into)
            await server.run(readable, write, options)
        tasks.cancel_scope.cancel()


async def _end_on_signal(service: Service) -> None:
    """End as a signal of the client's or terminal's asks; what is at work is counted first."""
    with anyio.open_signal_receiver(*ENDING) as signals:
        async for number in signals:
            with anyio.move_on_after(ENDING_SECONDS):
                await service.end()
            os._exit(128 + number)  # a thread waits for our input, and nothing wakes it
