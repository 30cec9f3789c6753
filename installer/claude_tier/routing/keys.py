"""Keys of providers: read when they are used, shown nowhere.

A key comes from the environment or from a file that only its owner can read. Everything a server
says passes `shown` or `redacted` before anybody sees it, because servers echo what they were sent.
"""

from __future__ import annotations

import base64
import hashlib
import html
import os
import re
import stat
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

from claude_tier.config.providers import USUAL, is_loopback
from claude_tier.errors import UserError

if TYPE_CHECKING:
    from claude_tier.config.providers import Provider

NOBODY = "-"  # the account of a provider that is asked without a key
HIDDEN = "[key]"
LONGEST = 4096  # bytes
SHOWN = 300  # characters of a server's own words
PIECE = 12  # characters of a key in a row that are hidden: servers cut and wrap what they echo
_LABEL = "claude-tier:"  # the fingerprint is of no use to who has a table of plain hashes
_SHAPED = re.compile(r"\b(?:sk|gsk|xai|hf|pplx)[-_][\w-]{12,}|(?i:bearer)\s+[\w.~+/=-]{8,}")


class Secret:
    """A key that has to be asked for its text; printed, formatted or pickled it gives nothing."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    @property
    def account(self) -> str:
        """What tells one key from another and says nothing about either."""
        return fingerprint(self._text) if self._text else NOBODY

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return f"Secret({self.account})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not written anywhere")


def fingerprint(key: str) -> str:
    """Twelve hexadecimal digits that stand for that key."""
    return hashlib.sha256(f"{_LABEL}{key}".encode("utf-8", "replace")).hexdigest()[:12]


def of(provider: Provider) -> Secret:
    """The key of that provider, empty where it needs none; UserError where it cannot be had."""
    if provider.key_file:
        found = _from_file(provider.key_file)
    elif provider.key_variable:
        found = _from_environment(provider.key_variable)
    else:
        return Secret()
    url = provider.url or ""
    if url.startswith("http://") and not (is_loopback(url) or provider.local):
        raise UserError("its key would cross a network in the clear", "use https")
    return found


def shown(words: str, *secrets: Secret) -> str:
    """A server's words on one line, without keys and what a terminal would obey, and cut."""
    return _on_one_line(redacted(words, *secrets))


def name(given: str, *secrets: Secret) -> str:
    """A name that a server gives, likewise; one of a model may look like a key and be none."""
    return _on_one_line(_without_known(given, *secrets))


def redacted(text: str, *secrets: Secret) -> str:
    """The text without these keys, those of the usual variables, and all that looks like one."""
    return _SHAPED.sub(HIDDEN, _without_known(text, *secrets))


def _on_one_line(text: str) -> str:
    clean = "".join(each if each.isprintable() else " " for each in text)
    line = " ".join(clean.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def _without_known(text: str, *secrets: Secret) -> str:
    variables = {usual.key_env for usual in USUAL.values() if usual.key_env}
    known = {*(each.reveal() for each in secrets), *map(os.environ.get, variables)}
    for key in sorted(filter(None, known), key=len, reverse=True):
        text = text.replace(key, HIDDEN)
        for form in dict.fromkeys(_forms(key)):
            text = _without(text, form)
    return text


def _forms(key: str) -> Iterator[str]:
    """The key as it may stand in an address, a page, a header of basic authentication, a dump."""
    raw = key.encode("utf-8", "replace")
    yield from (key, quote(key, safe=""), html.escape(key), raw.hex())
    for before in range(3):  # bytes: what precedes it there shifts all digits
        coded = base64.b64encode(b"\0" * before + raw).decode()
        yield coded[before + 1 if before else 0 :].rstrip("=")


def _without(text: str, form: str) -> str:
    """The text without that, whole or in pieces, whatever blanks and unseen characters break it."""
    seen = [at for at, each in enumerate(text) if "!" <= each <= "~"]
    line, sought = "".join(text[at] for at in seen).lower(), form.lower()
    hidden = set[int]()
    for at in range(len(line) - PIECE + 1):
        if line[at : at + PIECE] in sought:
            hidden.update(range(seen[at], seen[at + PIECE - 1] + 1))
    if not hidden:
        return text
    runs = groupby(enumerate(text), key=lambda each: each[0] in hidden)
    return "".join(HIDDEN if hide else "".join(each for _, each in run) for hide, run in runs)


def _from_environment(variable: str) -> Secret:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UserError(f"its key is missing: {variable} is not set", f"set {variable}")
    return _checked(key, variable)


def _from_file(name: str) -> Secret:
    """The one line of that file; refused when others could read it too."""
    try:
        # Opened first and judged then, so that nobody swaps the file in between.
        handle = os.open(os.path.expanduser(name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # noqa: PTH111 - Path's raises for a user who is not there
    except OSError as error:
        reason = f"its key cannot be read from {name}: {error.strerror}"
        raise UserError(reason, "put the key into that file, alone on one line") from None
    try:
        _refuse_shared(name, os.fstat(handle))
        found = os.read(handle, LONGEST + 1)
    finally:
        os.close(handle)
    return _checked(found.decode("utf-8", "replace").strip(), name)


def _refuse_shared(name: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"its key cannot be read from {name}: it is no plain file")
    if found.st_uid != os.geteuid():
        raise UserError(f"the key in {name} belongs to another user", f"chown it: {name}")
    if found.st_mode & 0o077:
        raise UserError(f"the key in {name} can be read by others", f"chmod 600 {name}")


def _checked(key: str, where: str) -> Secret:
    if not key or len(key) > LONGEST or not (key.isascii() and key.isprintable()) or " " in key:
        raise UserError(f"{where} holds no key: a key is one line without spaces")
    return Secret(key)
