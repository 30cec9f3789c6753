"""Who may read the dashboard: a token in a file of its owner's, one-time links, and cookies.

The token itself is a bearer for scripts and for Prometheus. Links and cookies are signed with it,
for one port, so that none of them has to be kept: a cookie outlives the server, a link does not.
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
_SIGNED = re.compile(r"(\d{1,16})\.([0-9a-f]{32})\.([0-9a-f]{64})")


def token_file() -> str:
    return state.path("dashboard.token")


def token() -> str:
    """The token of this user, made when there is none; raises OSError.

    One that others could have read, or that is none, is replaced.
    """
    found = _kept()
    if found is None:
        _make()
        found = _kept()
    if found is None:
        raise UserError(f"{token_file()} cannot be used", "Delete it, and start again.")
    return found


def _kept() -> str | None:
    try:
        at = os.lstat(token_file())
    except OSError:
        return None
    text = (state.read(token_file(), 100) or b"").decode("ascii", "replace").strip()
    private = stat.S_ISREG(at.st_mode) and at.st_uid == os.getuid() and not at.st_mode & 0o077
    if private and _TOKEN.fullmatch(text):
        return text
    Path(token_file()).unlink(missing_ok=True)
    return None


def _make() -> None:
    """Two dashboards that start at once must agree: whoever comes first has made it."""
    own = f"{token_file()}.{os.getpid()}"
    state.write_private(own, secrets.token_urlsafe(32) + "\n")
    try:
        os.link(own, token_file())
    except FileExistsError:
        pass
    finally:
        Path(own).unlink()


class Keys:
    """Links, cookies and bearers of the dashboard on one port."""

    def __init__(self, token: str, port: int, clock: Callable[[], float] = time.time) -> None:
        self._token = token.encode()
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
        scheme, _, bearer = (authorization or "").partition(" ")
        given = bearer.strip().encode("utf-8", "replace")
        return scheme.lower() == "bearer" and hmac.compare_digest(given, self._token)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _signed(self, kind: str) -> str:
        said = f"{self._now()}.{secrets.token_hex(16)}"
        return f"{said}.{self._mac(kind, said)}"

    def _mac(self, kind: str, said: str) -> str:
        text = f"{kind} {self._port} {said}".encode()
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
