"""What comes of a request to the router: an answer and who gave it, or why nobody did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from claude_tier.errors import UserError
from claude_tier.routing.prompt import Usage, Used
from claude_tier.routing.target import Target


@dataclass(frozen=True)
class Attempt:
    """One target that did not answer, by a fault's cause; `skipped` is one that was never asked.

    Causes besides those of a fault: `cooling`, `window` (too small), `local` (the prompt stays
    here), `emergency`, and `budget` (of the plan).
    """

    target: Target
    cause: str
    why: str
    seconds: float = 0.0
    skipped: bool = False

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return asdict(self) | {"target": str(self.target)}


@dataclass(frozen=True)
class Lost:
    """What a try without an answer used, at least; `usd` is None where nobody knows a price."""

    target: Target
    used: Used
    usd: float | None

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "target": str(self.target),
            "model": self.used.model,
            "usage": asdict(self.used.usage),
            "usd": self.usd,
        }


@dataclass(frozen=True)
class Answer:
    """A whole answer: who was asked first, who answered, and what happened on the way.

    `model` is the served one, by the provider's own word. `usd` is None where nobody knows a
    price. `notices` are the lines that were said while it came. `lost` is in neither `usage` nor
    `usd`.
    """

    text: str
    asked: Target
    target: Target
    model: str
    usage: Usage
    usd: float | None
    seconds: float
    reason: str
    attempts: tuple[Attempt, ...] = ()
    notices: tuple[str, ...] = ()
    lost: tuple[Lost, ...] = ()
    exchange: str | None = None  # its row in the ledger

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "text": self.text,
            "asked": str(self.asked),
            "target": str(self.target),
            "model": self.model,
            "usage": asdict(self.usage),
            "usd": self.usd,
            "seconds": self.seconds,
            "reason": self.reason,
            "attempts": [one.fields() for one in self.attempts],
            "lost": [one.fields() for one in self.lost],
            "notices": list(self.notices),
        }


class NobodyError(UserError):
    """Nobody answered; `attempts` are all that were tried or skipped, in order.

    `lost` is what those that were tried used.
    """

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        attempts: Sequence[Attempt] = (),
        notices: Sequence[str] = (),
        lost: Sequence[Lost] = (),
        exchange: str | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.attempts = tuple(attempts)
        self.notices = tuple(notices)
        self.lost = tuple(lost)
        self.exchange = exchange

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "error": self.message,
            "hint": self.hint,
            "attempts": [one.fields() for one in self.attempts],
            "lost": [one.fields() for one in self.lost],
            "notices": list(self.notices),
        }
