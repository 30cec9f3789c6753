"""One request to a provider: what it refuses is left out, and every failure is told as a Fault."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from claude_tier.routing.fault import Fault
from claude_tier.routing.prompt import Delta, Event, Prompt

Attempt = Callable[[Prompt], AsyncGenerator[Event, None]]
Final = Callable[[Fault, bool], Fault]  # a fault, and whether text had come before it

_SCHEMA = re.compile(r"schema|response_format|output_config|text\.format|grammar")


async def plainly(attempt: Attempt, prompt: Prompt, final: Final) -> AsyncGenerator[Event, None]:
    """The events of an attempt; a temperature or a schema that is refused is left out of another.

    An answer can do without either, and a refused request would be the end of a whole chain.
    """
    asked: Prompt | None = prompt
    while asked is not None:
        told = False
        try:
            async with aclosing(attempt(asked)) as events:
                async for event in events:
                    told = told or isinstance(event, Delta)
                    yield event
        except Fault as fault:
            asked = None if told else plainer(asked, fault)
            if asked is None:
                raise final(fault, told) from None
        else:
            return


def plainer(prompt: Prompt, fault: Fault) -> Prompt | None:
    """The prompt without what the refusal names; None where it names nothing of the kind."""
    said = fault.message.lower()
    if fault.cause != "request":
        return None
    if prompt.temperature is not None and "temperature" in said:
        return replace(prompt, temperature=None)
    if prompt.schema is not None and _SCHEMA.search(said):
        return replace(prompt, schema=None)
    return None
