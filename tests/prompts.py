"""The labelled prompts of the task classifier: to look at, to measure with, to fit to."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

FOLDER = Path(__file__).parent / "installer" / "routing" / "prompts"
Half = Literal["dev", "held_out", "practice", "fresh"]
UNSURE = "unsure"


class Prompt(NamedTuple):
    """One line of a file; a field that is not one of these is refused."""

    lang: str
    kind: str
    prompt: str
    context_tokens: int = 0
    also: Sequence[str] = ()

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\w+", self.prompt.casefold()))


def read(half: Half) -> list[Prompt]:
    text = (FOLDER / f"prompts_{half}.jsonl").read_text(encoding="utf-8")
    return [Prompt(**json.loads(line)) for line in text.splitlines()]
