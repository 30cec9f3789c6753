"""A step and the values it has to what is asked, and of whom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from claude_tier.config.routing import SKIP
from claude_tier.errors import UserError
from claude_tier.pipelines import confined, template
from claude_tier.pipelines.model import Step
from claude_tier.pipelines.template import Content, Scope, Unknown
from claude_tier.routing.prompt import Message, Prompt
from claude_tier.routing.target import Target, resolve

if TYPE_CHECKING:
    from claude_tier.config import Config

JSON_ONLY = "Answer with one JSON value and nothing else: no explanation, no Markdown."
BY_SCHEMA = "It must fit this JSON Schema:"
# How a step is run, and not what is asked: an answer is as good after a change to these.
BESIDE = {"at_most", "parallel", "needs", "when", "timeout", "budget", "fallback"}


class Item(NamedTuple):
    """One of what a step goes over; `name` is what people are told of it."""

    name: str
    value: object


class Targets(NamedTuple):
    """Those of the step itself, and those it falls back to."""

    own: tuple[Target, ...]
    fallback: tuple[Target, ...]

    @property
    def all(self) -> tuple[Target, ...]:
        return tuple(dict.fromkeys((*self.own, *self.fallback)))


def targets(step: Step, config: Config) -> Targets:
    """Whom the step asks, by its target or by its kind of task."""
    if step.task is not None:
        from claude_tier.routing import routes

        own = routes.of_kind(config, step.task).targets
    else:
        own = resolve(config, step.target or "")
    later = [one for name in step.fallback if name != SKIP for one in resolve(config, name)]
    return Targets(tuple(own), tuple(dict.fromkeys(later)))


def scope_of(step: Step, scope: Scope, folder: Path) -> Scope:
    """The values that this step can refer to."""
    files = {name: Content(path, confined.read(folder, path)) for name, path in step.files.items()}
    return {**scope, "files": files}


def prompt(step: Step, scope: Scope) -> Prompt:
    """What is asked; UserError where a value is not there."""
    said = template.render(step.prompt or "", scope, fence=True)
    system = template.render(step.system or "", scope, fence=True)
    notes = [template.FENCED] if said.fenced or system.fenced else []
    return Prompt(
        (Message("user", "\n\n".join([said.text.strip(), *_form(step)])),),
        "\n\n".join(filter(None, [system.text.strip(), *notes])) or None,
        max_tokens=step.max_tokens,
        temperature=step.temperature,
        schema=step.shape,
        local_only=step.local_only,
    )


def _form(step: Step) -> Iterator[str]:
    """What the answer has to look like: not every provider can see to that itself."""
    if step.is_json:
        yield JSON_ONLY
    if step.shape is not None:
        yield f"{BY_SCHEMA}\n{json.dumps(step.shape, ensure_ascii=False)}"


def again(prompt: Prompt, answer: str, fault: str) -> Prompt:
    """The same request, with the answer that does not fit and why."""
    told = f"That answer does not fit: it {fault}\nAnswer again, with the whole JSON value alone."
    return replace(
        prompt, messages=(*prompt.messages, Message("assistant", answer), Message("user", told))
    )


def items(step: Step, scope: Scope) -> tuple[Item, ...]:
    """What a step with for_each goes over; UserError where that is no list, or too long."""
    place = template.reference(step.for_each or "")
    value = template.lookup(place, scope)
    if isinstance(value, Unknown):
        each = Unknown(-(-value.tokens // step.at_most))  # the list is no longer than it is
        return tuple(Item(f"{place}[{n}]", each) for n in range(step.at_most))
    if not isinstance(value, list):
        raise UserError(f"{place} is no list")
    if len(value) > step.at_most:
        raise UserError(
            f"{place} has {len(value)} items, and the step goes over {step.at_most} at most",
            "Raise `at_most` in the pipeline, or give it less.",
        )
    return tuple(
        Item(one.name if isinstance(one, Content) else f"{place}[{n}]", one)
        for n, one in enumerate(value)
    )


def fingerprint(step: Step, *texts: str | None) -> str:
    """What an outcome depends on: what the step asks of whom, and the texts that came of it."""
    written = step.model_dump(mode="json", by_alias=True, exclude=BESIDE)
    whole = json.dumps([written, *texts], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def of_prompt(step: Step, prompt: Prompt) -> str:
    """The fingerprint of a request."""
    return fingerprint(step, prompt.system, *(message.text for message in prompt.messages))
