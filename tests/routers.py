"""A router for tests: configured in YAML, with time and chance of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
from books import NOON
from claude_tier import config, paths
from claude_tier.config import Config
from claude_tier.routing.answer import Answer, NobodyError
from claude_tier.routing.chain import Timing
from claude_tier.routing.prompt import Prompt
from claude_tier.routing.router import Clients, Router
from claude_tier.routing.target import resolve
from claude_tier_hooks import ledger, policy
from claude_tier_hooks.shapes import Json


class Clock:
    """Time that passes only when somebody sleeps, and what was said meanwhile."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now
        self.slept: list[float] = []
        self.said: list[str] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await anyio.lowlevel.checkpoint()

    @property
    def timing(self) -> Timing:
        return Timing(clock=self, elapsed=self, sleep=self.sleep, chance=lambda: 0.5)


def configured(text: str) -> Config:
    """That config.yaml, compiled for the hooks as well."""
    file = Path.home() / ".claude/claude-tier/config.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    config.compile_user_policy(file.parent)
    return config.load(file).config


def place(more: str = "", **addresses: str) -> None:
    """Put local providers into config.yaml, by name and address, and more text after them."""
    providers = [
        provider(name, url, kind="llama-server", more=", free: true")
        for name, url in addresses.items()
    ]
    file = paths.state_dir() / config.CONFIG
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(("providers:\n" if providers else "") + "".join(providers) + more, "utf-8")


def ask(
    text: str,
    name: str,
    prompt: Prompt | str = "hello",
    *,
    clock: Clock | None = None,
    clients: Clients | None = None,
    route: str | None = None,
    on_text: Callable[[str], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
    timeout: float | None = None,
) -> Answer:
    """One request to what a name stands for; raises what the router raises."""
    clock = clock or Clock()
    known = configured(text)
    wanted = Prompt.of(prompt) if isinstance(prompt, str) else prompt

    async def run() -> Answer:
        async with Router(
            known, policy.load(), say=clock.said.append, clients=clients, timing=clock.timing
        ) as router:
            return await router.ask(
                wanted,
                resolve(known, name),
                route=route,
                on_text=on_text,
                on_progress=on_progress,
                timeout=timeout,
            )

    return anyio.run(run)


def refused(text: str, name: str, prompt: Prompt | str = "hello", **how: object) -> NobodyError:
    """The same where nobody is to answer."""
    try:
        answer = ask(text, name, prompt, **how)  # type: ignore[arg-type]
    except NobodyError as error:
        return error
    raise AssertionError(f"{answer.target} answered")


def rows(query: str, *values: object) -> list[tuple[object, ...]]:
    """What the ledger holds."""
    db = ledger.connect()
    try:
        return db.execute(query, values).fetchall()
    finally:
        db.close()


def cooling() -> dict[str, Json]:
    """The rows that keep something out, by what they keep out."""
    columns = "provider, model, account, cause, why, since, until, named, step, probe"
    found = rows(f"SELECT {columns} FROM cooldown")
    names = columns.split(", ")
    return {f"{one[0]}/{one[1]}": dict(zip(names, one, strict=True)) for one in found}


def provider(name: str, url: str, *, kind: str = "openai-compatible", more: str = "") -> str:
    """One line of `providers`."""
    return f"  {name}: {{kind: {kind}, base_url: '{url}'{more}}}\n"


def chain(*targets: str, providers: Sequence[str], more: str = "") -> str:
    """A config.yaml with one chain called `all`."""
    return f"providers:\n{''.join(providers)}chains: {{all: [{', '.join(targets)}]}}\n{more}"
