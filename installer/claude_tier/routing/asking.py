"""One question to whoever its route names, and once more where the answer does not fit a schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claude_tier_hooks.shapes import Json

from claude_tier.config.routing import fault_in
from claude_tier.errors import UserError
from claude_tier.pipelines import request, schemas
from claude_tier.routing import routes
from claude_tier.routing.answer import Answer
from claude_tier.routing.classify import recognise
from claude_tier.routing.prompt import Message, Prompt
from claude_tier.routing.question import Question
from claude_tier.routing.router import Router
from claude_tier.routing.routes import Choice

if TYPE_CHECKING:
    from pathlib import Path

    from claude_tier.config import Config

REPAIRS = 1  # how often an answer that does not fit is asked for again


@dataclass(frozen=True)
class Wish:
    """How a question is to be asked; `to` and `kind` are what somebody chose instead of us."""

    to: str | None = None
    kind: str | None = None
    system: str | None = None
    max_tokens: int = 4096
    schema: Json | None = None
    local_only: bool = False
    timeout: int | None = None  # seconds


@dataclass(frozen=True)
class Asking:
    """A question, whom it goes to, and who is told what meanwhile: `on_text` gets the answer."""

    prompt: Prompt
    choice: Choice
    timeout: int | None
    say: Callable[[str], None]
    on_text: Callable[[str], None] | None = None


def route(config: Config, question: Question, wish: Wish) -> Choice:
    """Where it goes: where somebody said, by the kind they named, or by what it asks for."""
    if wish.to is not None:
        if fault := fault_in(wish.to, config.providers, config.chains):
            raise UserError(f"--to {wish.to}: {fault}", code=2)
        return routes.named(config, wish.to)
    if wish.kind is not None:
        return routes.of_kind(config, wish.kind)
    found = recognise(question.text, context_tokens=question.context_tokens)
    return routes.choose(config, found, question.text)


def prompt(question: Question, wish: Wish) -> Prompt:
    """What is sent; not every provider can enforce a schema, so that the model is told of it."""
    text = question.whole
    if wish.schema is not None:
        shape = json.dumps(wish.schema, ensure_ascii=False)
        text = f"{text}\n\n{request.JSON_ONLY}\n{request.BY_SCHEMA}\n{shape}"
    return Prompt(
        (Message("user", text),),
        wish.system,
        max_tokens=wish.max_tokens,
        schema=wish.schema,
        local_only=wish.local_only,
    )


def schema(file: Path) -> Json:
    """The JSON Schema in a file; UserError where it is none."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file} is not JSON: {error}", code=2) from None
    fault = schemas.fault_of(found) if isinstance(found, dict) else "is no JSON object"
    if fault:
        raise UserError(f"the schema in {file} {fault}", code=2)
    return dict(found)


async def ask(config: Config, rules: Json, asking: Asking) -> Answer:
    """The answer; NobodyError where none came, UserError where it does not fit the schema."""
    sent = asking.prompt
    async with Router(config, rules, say=asking.say) as router:
        for left in reversed(range(REPAIRS + 1)):
            answer = await router.ask(
                sent,
                asking.choice.targets,
                route=asking.choice.route,
                on_text=asking.on_text,
                timeout=asking.timeout,
            )
            fault = await _misfit(answer.text, sent.schema)
            if fault is None:
                return answer
            if left:
                misfit = f"The answer of {answer.target} does not fit the schema ({fault})"
                asking.say(f"{misfit}. Asking for it once more.")
                sent = request.again(sent, answer.text, fault)
    raise UserError(
        f"the answer of {answer.target} does not fit the schema ({fault})",
        "Ask another model with --to, or allow more with --max-tokens.",
    )


async def _misfit(text: str, schema: object) -> str | None:
    """Why an answer does not fit; None where it does, or where nothing is asked of it."""
    if not isinstance(schema, dict):
        return None
    try:
        return await schemas.fault_in(schemas.read(text), schema)
    except ValueError as error:
        return str(error)
