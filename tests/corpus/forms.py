"""The ways in which one answer is spread over rows.

A form takes the answer and its content blocks and says what each row shows. Whatever the form,
the answer is billed once; where it says more than one figure, the row with the most output wins,
then the one with a stop reason, then the greater total, then the later one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .answer import Answer, Tokens
from .dialect import Row
from .rows import Shown

Form = Callable[[Answer, Sequence[Row]], list[Shown]]


def final(answer: Answer, block: Row) -> Shown:
    """Return a row with everything in it."""
    return Shown(block, answer.tokens, answer.stop_reason, answer.model, answer.iterations)


def early(answer: Answer, block: Row, output_tokens: int) -> Shown:
    """Return a row from before the answer was done."""
    shown = min(output_tokens, answer.tokens.output_tokens)
    tokens = replace(answer.tokens, output_tokens=shown, web_searches=0)
    return Shown(block, tokens, None, answer.model)


def whole(answer: Answer, blocks: Sequence[Row]) -> list[Shown]:
    """Show the final figures on every row, as 2.1.3xx does."""
    return [final(answer, block) for block in blocks]


def growing(answer: Answer, blocks: Sequence[Row]) -> list[Shown]:
    """Show a growing placeholder, and the final figures on the last row."""
    rows = [early(answer, block, 1 + 3 * index) for index, block in enumerate(blocks[:-1])]
    return [*rows, final(answer, blocks[-1])]


def placeholder(answer: Answer, blocks: Sequence[Row]) -> list[Shown]:
    """Show the same first figure on every row but the last."""
    return [*(early(answer, block, 2) for block in blocks[:-1]), final(answer, blocks[-1])]


def final_first(answer: Answer, blocks: Sequence[Row]) -> list[Shown]:
    """Show the final figures on the first row, and placeholders after it."""
    return [final(answer, blocks[0]), *(early(answer, block, 1) for block in blocks[1:])]


def final_inside(answer: Answer, blocks: Sequence[Row]) -> list[Shown]:
    """Show the final figures on a row in the middle."""
    return [early(answer, blocks[0], 1), *final_first(answer, blocks[1:])]


def tie_on_output(answer: Answer, blocks: Sequence[Row]) -> list[Shown]:
    """Show the same output twice: only the earlier row knows why it stopped, and the prompt."""
    unsure = replace(final(answer, blocks[-1]), stop_reason=None)
    tokens = replace(answer.tokens, input_tokens=answer.tokens.input_tokens + 7)
    return [*whole(answer, blocks[:-1]), replace(unsure, tokens=tokens)]


def tie_on_stop(answer: Answer, blocks: Sequence[Row]) -> list[Shown]:
    """Show the same output and stop reason twice: the earlier row has the greater prompt."""
    tokens = replace(answer.tokens, input_tokens=0)
    return [*whole(answer, blocks[:-1]), replace(final(answer, blocks[-1]), tokens=tokens)]


def tie_on_total(answer: Answer, blocks: Sequence[Row]) -> list[Shown]:
    """Show the same sum twice, and only the later row knows what was read from the cache."""
    tokens = answer.tokens
    uncached = Tokens(tokens.prompt, tokens.output_tokens)
    rows = [replace(final(answer, block), tokens=uncached) for block in blocks[:-1]]
    return [*rows, final(answer, blocks[-1])]


def fallen_back(answer: Answer, blocks: Sequence[Row]) -> list[Shown]:
    """Show another model with a larger prompt first: the client fell back in mid-stream."""
    larger = Tokens(answer.tokens.prompt + 5000, 1)
    first = Shown(blocks[0], larger, None, "claude-opus-5-5")
    return [first, *whole(answer, blocks[1:])]


def interrupted(answer: Answer, blocks: Sequence[Row]) -> list[Shown]:
    """Show what was known when the turn was cut short: no stop reason on any row."""
    return [replace(final(answer, block), stop_reason=None) for block in blocks]
