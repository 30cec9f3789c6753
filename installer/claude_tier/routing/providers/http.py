"""The wire: one HTTP client for each provider, with limits on time and size.

The only file that opens connections for requests to models. Redirects are not followed, TLS is
verified, bodies are never logged, and what goes wrong is a Fault.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

import anyio
import httpx

from claude_tier.config.providers import is_loopback
from claude_tier.routing.fault import Fault

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")

CONNECT = 10.0  # seconds until a connection stands
LARGEST = 128_000_000  # bytes of one answer; a stream spends hundreds on each token
LONGEST_LINE = 8_000_000  # bytes of one event of a stream
LARGEST_ERROR = 64_000  # bytes that are read of an error
_JSON = {"content-type": "application/json"}


class Limits(NamedTuple):
    """Seconds for the whole request and between two pieces of what comes back; bytes of it."""

    timeout: float
    silence: float
    largest: int = LARGEST


class Deadline:
    """The time that one request has left; a wait beyond it is a Fault."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._end = anyio.current_time() + limits.timeout

    async def wait(self, awaited: Awaitable[T], *, silence: bool = True) -> T:
        """What is awaited, as long as the deadline and, unless told, the silence allow."""
        left = max(0.0, self._end - anyio.current_time())
        allowed = min(left, self._limits.silence) if silence else left
        with anyio.move_on_after(allowed):
            return await awaited
        if allowed < left:
            raise Fault("timeout", f"silent for {self._limits.silence:g} s")
        raise self._over()

    def check(self, size: int) -> None:
        """Fault when it is over, or for too many bytes so far.

        A fast stream never waits, so that no wait would notice.
        """
        if anyio.current_time() > self._end:
            raise self._over()
        if size > self._limits.largest:
            raise Fault("server", "sent more than an answer can be")

    def _over(self) -> Fault:
        return Fault("timeout", f"no whole answer within {self._limits.timeout:g} s")


class Reply:
    """A response of which the head is there; headers by lower-case name.

    `patient`: until its body begins, nothing but the deadline ends the wait.
    """

    def __init__(self, response: httpx.Response, deadline: Deadline, *, patient: bool) -> None:
        self._response = response
        self._deadline = deadline
        self._patient = patient
        self.status = response.status_code
        self.headers: Mapping[str, str] = {k.lower(): v for k, v in response.headers.items()}

    async def read(self) -> bytes:
        """The whole body; Fault when it is larger than any answer."""
        body = bytearray()
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                body += piece
        return bytes(body)

    async def read_error(self) -> bytes:
        """The start of a body that explains a failure, as far as it comes."""
        body = bytearray()
        try:
            async with aclosing(self.pieces()) as pieces:
                async for piece in pieces:
                    body += piece
                    if len(body) >= LARGEST_ERROR:
                        break
        except Fault:
            pass  # the status alone has to do
        return bytes(body[:LARGEST_ERROR])

    def lines(self) -> AsyncGenerator[bytes, None]:
        """The body line by line."""
        return lines(self.pieces())

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it arrives."""
        size = 0
        body = cast("AsyncGenerator[bytes, None]", self._response.aiter_bytes())
        async with aclosing(body) as chunks:
            while True:
                with _translated(answered=True):
                    silence = size > 0 or not self._patient
                    chunk = await self._deadline.wait(anext(chunks, None), silence=silence)
                if chunk is None:
                    return
                size += len(chunk)
                self._deadline.check(size)
                yield chunk


async def lines(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Lines without their ends, out of pieces as they come; Fault for one that never ends."""
    rest = bytearray()
    async with aclosing(pieces):
        async for piece in pieces:
            *whole, last = piece.split(b"\n")
            for line in whole:
                yield bytes(rest + line).rstrip(b"\r")
                rest.clear()
            rest += last
            if len(rest) > LONGEST_LINE:
                raise Fault("server", "sent an event without an end")
    if rest:
        yield bytes(rest)


class Wire:
    """The way to one provider; use it in an `async with`."""

    def __init__(self, url: str, headers: Mapping[str, str], limits: Limits, *, near: bool) -> None:
        self.url = url
        self.limits = limits
        self._headers = {"accept-encoding": "identity", "user-agent": "claude-tier", **headers}
        self._near = near or is_loopback(url)
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        # No proxy for what stays near: it would see what is not to leave.
        self._client = httpx.AsyncClient(
            headers=self._headers,
            timeout=httpx.Timeout(None, connect=CONNECT),
            verify=_certificates(self.url),
            trust_env=not self._near,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        client, self._client = self._client, None
        if client is not None:
            with anyio.CancelScope(shield=True):
                await client.aclose()

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        stream: bool = False,
        limits: Limits | None = None,
    ) -> AsyncIterator[Reply]:
        """The reply to one request, from its head on."""
        assert self._client is not None, "use the client in an `async with`"
        deadline = Deadline(limits or self.limits)
        # Without a stream nothing comes before all is thought out: that is no silence.
        patient = body is not None and not stream
        with _translated(answered=False):
            request = self._client.build_request(
                method, f"{self.url}{path}", content=_content(body), headers=_JSON if body else None
            )
            sent = self._client.send(request, stream=True)
            response = await deadline.wait(sent, silence=not patient)
        try:
            yield Reply(response, deadline, patient=patient)
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()


def _certificates(url: str) -> ssl.SSLContext:
    """Those that the environment names, else the usual ones; trusting none where none is shown."""
    if url.startswith("https://"):
        return httpx.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading all the usual ones takes 30 ms


def _content(body: Mapping[str, object] | None) -> bytes | None:
    if body is None:
        return None
    # A lone surrogate, as file names have them, is no Unicode and would be refused.
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


@contextmanager
def _translated(*, answered: bool) -> Iterator[None]:
    """A Fault in place of what httpx raises."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise Fault("connect", _said(error, "nobody answers there")) from None
    except httpx.TransportError as error:
        if answered:
            raise Fault("server", "the connection broke off within the answer") from None
        raise Fault("connect", _said(error, "the connection broke off")) from None
    except httpx.DecodingError:
        raise Fault("server", "sent what cannot be decoded") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Fault("request", f"cannot be sent: {type(error).__name__}") from None


def _said(error: Exception, otherwise: str) -> str:
    text = str(error)
    if "CERTIFICATE" in text.upper():
        return "its certificate cannot be verified"
    return otherwise
