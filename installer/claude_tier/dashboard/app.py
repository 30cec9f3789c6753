"""The application behind the page: who may ask what, and how it is answered."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from claude_tier.dashboard import answers, bugs, metrics, parameters
from claude_tier.dashboard.guard import Guard, refusal
from claude_tier.dashboard.keys import COOKIE_LASTS, Keys
from claude_tier.dashboard.parameters import ParameterError
from claude_tier.dashboard.reading import Books
from claude_tier.dashboard.watching import Watcher
from claude_tier.errors import UserError

PAGE = Path(__file__).parent / "page"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
CODE = "x-claude-tier-code"  # a header that no form can send
NO_KEY = "this needs the link that `claude-tier dashboard` prints, or the token as bearer"

Handler = Callable[[Request], Awaitable[Response]]


def assets() -> dict[str, tuple[bytes, str]]:
    """Every file of the page by name, with its type; a path is never looked up on disk."""
    files = [file for file in PAGE.iterdir() if file.suffix in TYPES]
    return {file.name: (file.read_bytes(), TYPES[file.suffix]) for file in files}


@dataclass(frozen=True)
class Site:
    """What the answers are made from; the clock is epoch seconds."""

    keys: Keys
    books: Books
    watcher: Watcher
    clock: Callable[[], float] = time.time

    def knows(self, request: Request) -> bool:
        """Whether this request may read figures."""
        return self.keys.opens(
            cookie=request.cookies.get(self.keys.cookie),
            authorization=request.headers.get("authorization"),
        )

    async def exchange(self, request: Request) -> Response:
        """The cookie for the code of a one-time link."""
        cookie = self.keys.exchange(request.headers.get(CODE, ""))
        if cookie is None:
            return refusal("this link was used or is too old: ask for a new one", 401)
        answer = Response(status_code=204)
        lasts = int(COOKIE_LASTS)
        answer.set_cookie(self.keys.cookie, cookie, max_age=lasts, httponly=True, samesite="strict")
        return answer

    async def proof(self, request: Request) -> Response:
        """That this holds the token, for `--link`."""
        found = self.keys.proof(request.query_params.get("nonce", ""))
        if found is None:
            raise ParameterError("nonce must be 32 hexadecimal digits")
        return _json({"proof": found})

    async def stats(self, _request: Request) -> Response:
        place, now = self.books.named, self.clock()
        return _json(await self.books.ask(lambda db, rules: answers.stats(db, rules, place, now)))

    async def usage(self, request: Request) -> Response:
        asked = parameters.usage(request.query_params, self.clock())
        now = self.clock()
        return _json(await self.books.ask(lambda db, rules: answers.usage(db, rules, asked, now)))

    async def decisions(self, request: Request) -> Response:
        asked = parameters.decisions(request.query_params)
        return _json(await self.books.ask(lambda db, _rules: answers.decisions(db, asked)))

    async def events(self, request: Request) -> Response:
        if request.method != "GET":
            return refusal("this method is not allowed", 405)
        if not self.watcher.enter():
            return refusal("too many pages are open", 503)
        return _Stream(self.watcher)

    async def scraped(self, request: Request) -> Response:
        """Metrics, for their own token as well."""
        known = self.keys.opens_metrics(
            cookie=request.cookies.get(self.keys.cookie),
            authorization=request.headers.get("authorization"),
        )
        return await self.metrics(request) if known else refusal(NO_KEY, 401)

    async def metrics(self, _request: Request) -> Response:
        place, now = self.books.named, self.clock()
        text = await self.books.ask(lambda db, rules: metrics.text(db, rules, place, now))
        return Response(_bytes(text), headers={"content-type": metrics.TYPE})

    def routes(self) -> list[Route]:
        """Every address there is. Figures need a key; the page itself holds none."""
        parts = assets()

        async def page(request: Request) -> Response:
            name = request.path_params.get("name", "index.html")
            if name not in parts:
                return refusal("there is nothing here", 404)
            return Response(parts[name][0], headers={"content-type": parts[name][1]})

        return [
            Route("/", _plain(page)),
            Route("/page/{name}", _plain(page)),
            Route("/api/session", _plain(self.exchange), methods=["POST"]),
            Route("/api/proof", _plain(self.proof, ("nonce",))),
            Route("/api/stats", self._keyed(self.stats)),
            Route("/api/usage", self._keyed(self.usage, parameters.USAGE)),
            Route("/api/decisions", self._keyed(self.decisions, parameters.DECISIONS)),
            Route("/api/events", self._keyed(self.events)),
            Route("/metrics", _plain(self.scraped)),
        ]

    def _keyed(self, handler: Handler, known: Sequence[str] = ()) -> Handler:
        async def keyed(request: Request) -> Response:
            return await handler(request) if self.knows(request) else refusal(NO_KEY, 401)

        return _plain(keyed, known)


class _Stream(StreamingResponse):
    """News for one page, whose place is free again once it ends in whatever way."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher.events(), media_type="text/event-stream")
        self._watcher = watcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._watcher.leave()


def application(site: Site, port: int) -> ASGIApp:
    """All of it for that port, the watcher at work as long as it is served."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(site.watcher.run)
            yield
            tasks.cancel_scope.cancel()

    app = Starlette(
        routes=site.routes(), lifespan=lifespan, exception_handlers={HTTPException: _named}
    )
    app.router.redirect_slashes = False
    return Guard(app, port)


def _plain(handler: Handler, known: Sequence[str] = ()) -> Handler:
    """Known parameters only, and every failure worded as JSON."""

    async def answered(request: Request) -> Response:
        try:
            parameters.only(request.query_params, known)
            return await handler(request)
        except ParameterError as fault:
            return refusal(str(fault), 400)
        except UserError as fault:
            return refusal(" ".join(filter(None, (fault.message, fault.hint))), 503)
        except Exception as fault:  # noqa: BLE001 - anything else is a bug of ours
            where = bugs.written(fault) or "no log could be written"
            return refusal(f"this is a bug ({type(fault).__name__}): {where}", 500)

    return answered


async def _named(_request: Request, fault: Exception) -> Response:
    """What the router refuses: an unknown address, a method that is not for it."""
    code = fault.status_code if isinstance(fault, HTTPException) else 500
    return refusal("there is nothing here" if code == 404 else "this is not allowed", code)


def _json(fields: dict[str, object]) -> Response:
    text = json.dumps({"version": 1, **fields}, ensure_ascii=False, allow_nan=False)
    return Response(_bytes(text), headers={"content-type": "application/json"})


def _bytes(text: str) -> bytes:
    """In UTF-8: a folder's name that is none has a question mark where it is not."""
    return text.encode("utf-8", "replace")
