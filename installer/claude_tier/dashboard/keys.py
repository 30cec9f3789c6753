"""Who may read the dashboard: a token in a file of its owner's, one-time links, and cookies.

The token itself is a bearer for scripts. Links and cookies are signed with it, for one port, so
that none of them has to be kept. Neither outlives the server: while it is down, another user may
listen on its port, whom browsers send the cookie, and Prometheus the token for metrics. That one
is a token of its own, and opens nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path

from claude_tier_hooks import state

from claude_tier.errors import UserError

LINK_LASTS = 600.0  # seconds until a link that nobody followed is void
COOKIE_LASTS = 7 * 86400.0
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_NONCE = re.compile(r"[0-9a-f]{32}")
_SIGNED = re.compile(r"(\d{1,16})\.([0-9a-f]{32})\.([0-9a-f]{64})")


def token_file() -> str:
    return state.path("dashboard.token")


def metrics_file() -> str:
    return state.path("metrics.token")


def token(file: str | None = None) -> str:
    """The token of this user in that file, made when there is none; raises OSError.

    One that others could have read, or that is none, is replaced.
    """
    file = file or token_file()
    found = _kept(file)
    if found is None:
        _make(file)
        found = _kept(file)
    if found is None:
        raise UserError(f"{file} cannot be used", "Delete it, and start again.")
    return found


def _kept(file: str) -> str | None:
    try:
        at = os.lstat(file)
    except OSError:
        return None
    text = (state.read(file, 100) or b"").decode("ascii", "replace").strip()
    private = stat.S_ISREG(at.st_mode) and at.st_uid == os.getuid() and not at.st_mode & 0o077
    if private and _TOKEN.fullmatch(text):
        return text
    Path(file).unlink(missing_ok=True)
    return None


def _make(file: str) -> None:
    """Two dashboards that start at once must agree: whoever comes first has made it."""
    own = f"{file}.{os.getpid()}"
    state.write_private(own, secrets.token_urlsafe(32) + "\n")
    try:
        os.link(own, file)
    except FileExistsError:
        pass
    finally:
        Path(own).unlink()


def _bearer(authorization: str | None) -> bytes:
    """Empty for any other scheme."""
    scheme, _, given = (authorization or "").partition(" ")
    return given.strip().encode("utf-8", "replace") if scheme.lower() == "bearer" else b""


class Keys:
    """Links, cookies and bearers of the dashboard on one port; `metrics` is the lesser token."""

    def __init__(
        self,
        token: str,
        port: int,
        clock: Callable[[], float] = time.time,
        *,
        metrics: str | None = None,
    ) -> None:
        self._token = token.encode()
        self._metrics = None if metrics is None else metrics.encode()
        self._start = secrets.token_hex(16)
        self._port = port
        self._clock = clock
        self._began = self._now()
        self._used: dict[str, int] = {}

    @property
    def cookie(self) -> str:
        """Cookies are not kept apart by port, so the name is."""
        return f"claude_tier_{self._port}"

    def code(self) -> str:
        """What a one-time link carries."""
        return self._signed("link")

    def exchange(self, code: str) -> str | None:
        """The cookie for a code; None when it was used, is too old or is none of ours."""
        issued = self._issued("link", code, LINK_LASTS)
        # One from before this server may have been used then: nobody remembers.
        if issued is None or issued < self._began or code in self._used:
            return None
        oldest = self._now() - LINK_LASTS * 1000
        self._used = {one: at for one, at in self._used.items() if at >= oldest} | {code: issued}
        return self._signed("cookie")

    def opens(self, *, cookie: str | None, authorization: str | None) -> bool:
        """Whether a request with that cookie or that Authorization header may read."""
        if cookie is not None and self._issued("cookie", cookie, COOKIE_LASTS) is not None:
            return True
        return hmac.compare_digest(_bearer(authorization), self._token)

    def opens_metrics(self, *, cookie: str | None, authorization: str | None) -> bool:
        """As `opens`, for the one address that the lesser token is for."""
        lesser = self._metrics or self._token
        known = hmac.compare_digest(_bearer(authorization), lesser)
        return known or self.opens(cookie=cookie, authorization=authorization)

    def proof(self, nonce: str) -> str | None:
        """What only a holder of the token can say of a nonce; None for what is no nonce."""
        return self._mac("proof", nonce) if _NONCE.fullmatch(nonce) else None

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _signed(self, kind: str) -> str:
        said = f"{self._now()}.{secrets.token_hex(16)}"
        return f"{said}.{self._mac(kind, said)}"

    def _mac(self, kind: str, said: str) -> str:
        start = self._start if kind == "cookie" else ""
        text = f"{kind} {self._port} {said} {start}".encode()
        return hmac.new(self._token, text, hashlib.sha256).hexdigest()

    def _issued(self, kind: str, text: str, lasts: float) -> int | None:
        """When it was signed, in milliseconds; None for a forged or an old one."""
        found = _SIGNED.fullmatch(text)
        if found is None:
            return None
        at, nonce, mac = found.groups()
        if not hmac.compare_digest(mac, self._mac(kind, f"{at}.{nonce}")):
            return None
        age = self._now() - int(at)
        return int(at) if 0 <= age <= lasts * 1000 else None
