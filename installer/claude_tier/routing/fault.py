"""Why a provider did not answer, by what is to be done about it.

The classes are those of the providers' own documentation and of reports in public trackers: the
body of an error counts for more than its status, because proxies and spend limits answer 429, 400
and 402 for each other's reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cause = Literal[
    "pace",  # too many requests for now: wait if it is short, else the next; cools
    "billing",  # money or quota is used up: cools, until the named date where there is one
    "key",  # the key is missing, wrong or may not: stops that provider until the key changes
    "model",  # no such model there: the next, with a warning about the configuration
    "size",  # too long for the model: only one with a larger window will do
    "server",  # theirs: overloaded, 5xx, a broken answer; one short retry, then the next
    "connect",  # nobody there: refused, reset, no such host
    "timeout",  # silent or too slow until the deadline
    "request",  # what we sent is refused as such: the same everywhere, so nobody else is asked
]


@dataclass(eq=False)  # two that say the same are two
class Fault(Exception):  # noqa: N818 - a fault of a provider, not an error of ours
    """One attempt that failed.

    `message` holds no key and nothing that a terminal would obey. `retry_after` is in seconds and
    `until` an epoch time, both as the server named them. `everywhere` means the whole account at
    that provider, not this model alone. `broke_off` is set when part of an answer had come,
    `lasting` when the next try would end the same.
    """

    cause: Cause
    message: str
    status: int | None = None
    retry_after: float | None = None
    until: float | None = None
    everywhere: bool = False
    remedy: str | None = None
    broke_off: bool = False
    lasting: bool = False

    def __str__(self) -> str:
        return self.message
