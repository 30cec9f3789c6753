"""What a hostile page in the user's own browser is refused, before anything else is looked at.

Listening on 127.0.0.1 keeps other machines out, not other pages: a name that resolves to 127.0.0.1
makes them same-origin (DNS rebinding), so Host must be exactly ours, port included.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES = ("127.0.0.1", "localhost")
HTTP = 80
METHODS = ("GET", "HEAD", "POST")
_OUR_OWN = ("same-origin", "none")  # `none`: typed, or a link from outside the browser

POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def refusal(message: str, code: int) -> Response:
    """An answer that says why, as every error of the API is worded."""
    return JSONResponse({"version": 1, "error": message}, code)


class Guard:
    """Wraps the application of one port; every answer leaves with the headers above."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        # Browsers leave out the port that http has anyway.
        self._hosts = (*(f"{name}:{port}" for name in NAMES), *(NAMES if port == HTTP else ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            answer = self._refused(scope["method"], Headers(scope=scope)) or self._app
            await answer(scope, receive, _headed(send))

    def _refused(self, method: str, headers: Headers) -> Response | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return refusal("this is not the host that was asked for", 421)
        if not _all_in(origins, (f"http://{hosts[0]}",)):
            return refusal("pages of another origin may not ask", 403)
        if not _all_in(headers.getlist("sec-fetch-site"), _OUR_OWN):
            return refusal("other sites may not ask", 403)
        if method not in METHODS:
            return refusal("this method is not allowed", 405)
        return None


def _all_in(found: Iterable[str], allowed: tuple[str, ...]) -> bool:
    return all(one in allowed for one in found)


def _headed(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(raw=message["headers"]).update(HEADERS)
        await send(message)

    return with_headers
