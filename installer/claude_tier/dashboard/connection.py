"""A connection that must say what it wants: idle ones would keep everybody else out."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 10.0  # seconds until a request's head must be complete


class Connection(H11Protocol):
    """Closes itself where no complete head came in time, since it opened or since the last one."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._rest()

    def handle_events(self) -> None:
        super().handle_events()
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        """A clock runs exactly while nothing is being answered; bytes do not set it back."""
        if self.transport.is_closing() or (self.cycle and not self.cycle.response_complete):
            self._rest()
        elif self._late is None:
            self._late = self.loop.call_later(HEAD, self.transport.close)

    def _rest(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
