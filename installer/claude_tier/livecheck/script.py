"""Which request gets which answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from claude_tier.livecheck.answers import Answer, Block, Failure, text
from claude_tier.livecheck.request import Asker, Request

Step = Block | Sequence[Block] | Answer | Failure

DONE = Answer((text("done"),))
TITLE = Answer((text('{"title": "Scripted session"}'),))


@dataclass
class Rule:
    """Answers for the turns whose prompt holds `words`."""

    words: str
    steps: tuple[Answer | Failure, ...]
    asker: Asker | None
    model: str | None
    left: int | None

    def matches(self, request: Request) -> bool:
        if self.left == 0 or self.words not in request.prompt:
            return False
        # A side request repeats the user's words, so it must be asked for by name.
        if self.asker != request.asker and (self.asker or request.asker == "side"):
            return False
        return self.model is None or self.model in request.model


class Script:
    """Rules, tried in order; a request that none matches is answered with "done"."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def on(
        self,
        words: str,
        /,
        *steps: Step,
        asker: Asker | None = None,
        model: str | None = None,
        times: int | None = None,
    ) -> Script:
        """Answer turns whose prompt holds `words`: the first request with the first step, and so
        on; past the last step the turn ends. `times` is how many requests the rule serves at most.
        """
        answers = tuple(_answer(step) for step in steps)
        self._rules.append(Rule(words, answers, asker, model, times))
        return self

    def __call__(self, request: Request) -> Answer | Failure:
        rule = self._take(request)
        if rule is None or request.step >= len(rule.steps):
            return TITLE if request.asker == "side" else DONE
        return rule.steps[request.step]

    def _take(self, request: Request) -> Rule | None:
        with self._lock:
            rule = next((rule for rule in self._rules if rule.matches(request)), None)
            if rule is not None and rule.left is not None:
                rule.left -= 1
            return rule


def _answer(step: Step) -> Answer | Failure:
    if isinstance(step, Answer | Failure):
        return step
    if isinstance(step, dict):
        return Answer((step,))
    return Answer(tuple(step))
