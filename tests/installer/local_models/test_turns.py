"""Who waits for a turn, and who is told to come again."""

from __future__ import annotations

import anyio
import pytest
from claude_tier.errors import UserError
from claude_tier.local_models.turns import MOST_WAITING, Turns


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_thousand_calls_at_once_are_answered_or_refused(parallel: int) -> None:
    """Never more at work than may be, and nobody waits without end."""
    turns, at_work, most = Turns(), 0, 0
    done, refused, said = list[int](), list[int](), list[str]()

    async def call(number: int) -> None:
        nonlocal at_work, most
        try:
            async with turns.take(parallel, said.append):
                at_work += 1
                most = max(most, at_work)
                await anyio.lowlevel.checkpoint()
                at_work -= 1
                done.append(number)
        except UserError:
            refused.append(number)

    async def all_at_once() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(1000):
                tasks.start_soon(call, number)

    anyio.run(all_at_once)
    assert most == parallel
    assert len(done) == MOST_WAITING + parallel
    assert len(done) + len(refused) == 1000
    assert len(said) == MOST_WAITING
