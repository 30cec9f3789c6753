"""What became of a step: of each of its requests or files, and of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, TypeVar, cast

from claude_tier.routing.answer import Answer, Lost
from claude_tier.routing.prompt import Usage

Number = TypeVar("Number", int, float)
Status = Literal["answered", "written", "skipped", "failed", "left", "undone"]


@dataclass
class Tally:
    """The requests behind one outcome, a repair among them; None for what nobody measured."""

    requests: int = 0
    input: int | None = 0
    output: int | None = 0
    usd: float | None = 0.0
    notices: list[str] = field(default_factory=list)

    def add(self, answer: Answer) -> None:
        """Count an answer, one that does not fit too."""
        self._count(answer.usage, answer.usd)
        self.notices += answer.notices

    def lose(self, lost: Lost) -> None:
        """Count what came to no answer, and was paid for."""
        self._count(lost.used.usage, lost.usd)

    def _count(self, usage: Usage, usd: float | None) -> None:
        self.requests += 1
        self.input = added(self.input, usage.tokens - usage.output if usage.measured else None)
        self.output = added(self.output, usage.output if usage.measured else None)
        self.usd = added(self.usd, usd)

    def onto(self, outcome: Outcome, *, item: str | None, seconds: float) -> Outcome:
        """The outcome with these figures."""
        return replace(
            outcome,
            item=item,
            requests=self.requests,
            input=self.input,
            output=self.output,
            usd=self.usd,
            seconds=seconds,
            notices=tuple(self.notices),
        )


def added(one: Number | None, other: Number | None) -> Number | None:
    """The sum; unknown where a part is."""
    return None if one is None or other is None else one + other


@dataclass(frozen=True)
class Outcome:
    """What became of one request or file; `item` names what it was for, within a for_each.

    `value` is the checked JSON. `reused` is one of an earlier part of the same run.
    """

    status: Status
    fingerprint: str = ""
    item: str | None = None
    text: str = ""
    value: object = None
    why: str | None = None
    asked: str | None = None
    target: str | None = None
    model: str | None = None
    path: str | None = None
    requests: int = 0
    input: int | None = 0
    output: int | None = 0
    usd: float | None = 0.0
    seconds: float = 0.0
    notices: tuple[str, ...] = ()
    reused: bool = False

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, object]) -> Outcome:
        """The outcome that was kept; what an older version did not keep is as by default."""
        known = {name: kept[name] for name in cls.__dataclass_fields__ if name in kept}
        notices = known.get("notices")
        known["notices"] = tuple(notices) if isinstance(notices, list) else ()
        return cls(**cast("dict[str, Any]", known))


@dataclass(frozen=True)
class StepOutcome:
    """What became of a step; one with for_each has an outcome for each item."""

    step: str
    status: Status
    units: tuple[Outcome, ...] = ()
    why: str | None = None
    repeats: bool = False

    @property
    def usd(self) -> float | None:
        """Dollars of what is priced; None where nothing is."""
        known = [one.usd for one in self.units if one.usd is not None]
        return sum(known) if known or not self.units else None

    @property
    def unpriced(self) -> int:
        """Requests whose price nobody knows."""
        return sum(one.requests for one in self.units if one.usd is None)

    @property
    def reused(self) -> bool:
        return bool(self.units) and all(one.reused for one in self.units)

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        return {
            "step": self.step,
            "status": self.status,
            "why": self.why,
            "usd": self.usd,
            "unpriced": self.unpriced,
            "reused": self.reused,
            "outcomes": [one.fields() for one in self.units],
        }
