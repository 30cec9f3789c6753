"""A checked configuration to a policy: the preset with the user's own words over it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import cast

from claude_tier_hooks import __version__, state

from claude_tier.config.faults import Source
from claude_tier.config.fields import LADDER
from claude_tier.config.load import Policy, shipped_models, shipped_presets
from claude_tier.config.model import WEEKDAYS, Budget, Config
from claude_tier.config.pricing import merge
from claude_tier.config.providers import USUAL, Provider, host_of
from claude_tier.config.routing import ROLES, leads_to

Record = dict[str, object]

# Not `-m`: that looks into the folder it is started in first, and that may be somebody's clone.
START = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "from claude_tier.cli import main; raise SystemExit(main())"
)


def rules(config: Config) -> Policy:
    """Everything that policy.json says about agents, budgets and prices."""
    preset = shipped_presets()[config.preset]
    table = merge(shipped_models(), config.prices)
    return {
        "preset": config.preset,
        "tiers": list(config.tiers),
        "assign": _assign(preset, config),
        "budgets": _budgets(preset, config),
        "floor": dict(config.floor),
        "exempt": list(config.exempt),
        "fan_out": _fan_out(preset, config),
        "model_switch": config.model_switch or preset["model_switch"],
        "week_start": WEEKDAYS.index(config.week_start),
        "log": {"descriptions": config.log.descriptions},
        "hosts": {
            host: provider.record(name, table)
            for name, provider in config.providers.items()
            if (host := host_of(provider.url or ""))
        },
        "providers": providers(config),
        "router": router(config),
        "prices": table,
        "baseline": config.baseline,
    }


def providers(config: Config) -> dict[str, Record]:
    """Who can be asked: the host, the longest cooldown, and whether it is Anthropic itself."""
    return {name: _address(one) for name, one in config.all_providers.items() if one.kind}


def router(config: Config) -> Record:
    """What keeps requests on this machine, and what else they may be sent to: [provider, model].

    Who has configured no provider does not use the router, though it could ask `claude`.
    """
    paid = _paid(config) if config.providers else ()
    return {"local_only": config.router.local_only, "paid": [*paid]}


def _paid(config: Config) -> Iterator[list[str]]:
    """Every target that a role, a chain or a route leads to and that does not run here."""
    routes = (route.target for route in config.routes)
    names = (config.router.default, *ROLES, *config.chains, *routes)
    ends = (leads_to(name, config.router, config.chains) for name in names)
    there = config.all_providers
    for target in dict.fromkeys(chain.from_iterable(ends)):
        provider, _, model = target.partition("/")
        if not there[provider].runs_here(model):
            yield [provider, model]


def _address(provider: Provider) -> Record:
    usual = provider.kind == "claude-cli" or (
        provider.kind == "anthropic" and provider.url == USUAL["anthropic"].base_url
    )
    return {
        "host": host_of(provider.url or ""),
        "anthropic": usual,
        "cooldown": provider.longest_cooldown,
    }


def whole(config: Config, state_dir: Path, sources: Iterable[Source]) -> Policy:
    """The policy as the hooks read it: the rules, where they came from and what runs them."""
    manifest = state.read_json(str(state_dir / "manifest.json")) or {}
    return {
        "version": 1,
        "runtime": {"version": __version__, "hooks": str(state_dir / "hooks")},
        "command": [sys.executable, "-c", START],
        "sources": [source.record() for source in sources],
        **rules(config),
        "status_line": {"chain": manifest.get("status_line_chain")},
        "subagent_line": {"chain": manifest.get("subagent_line_chain")},
    }


def budget_record(budget: Budget, *, tiers: list[str], on_stop: str) -> Record:
    """A budget as policy.json has it, with what it leaves open filled in."""
    assert budget.limit is not None
    return {
        "name": budget.name,
        "scope": {"kind": budget.scope.kind, "name": budget.scope.name},
        "period": budget.period,
        "unit": budget.limit.unit,
        "limit": budget.limit.figure,
        "warn": budget.warn,
        "recover": budget.recover,
        "cap": budget.cap,
        "stop": budget.stop,
        "ceiling": budget.ceiling or tiers[-2:][0],  # the second lowest, if there are two
        "on_stop": budget.on_stop or on_stop,
    }


def _assign(preset: Policy, config: Config) -> dict[str, Record]:
    shipped = cast("dict[str, Record]", preset["assign"])
    assign = {
        agent: entry | {"tier": settled(cast("str", entry["tier"]), list(config.tiers))}
        for agent, entry in shipped.items()
    }
    for agent, own in config.assign.items():
        assign.pop(agent, None)
        if own:
            assign[agent] = own.model_dump()
    return assign


def _budgets(preset: Policy, config: Config) -> list[Record]:
    tiers = [str(tier) for tier in config.tiers]
    budgets = {}
    for shipped in cast("list[Record]", preset["budgets"]):
        ceiling = settled(cast("str", shipped["ceiling"]), tiers)
        budgets[shipped["name"]] = shipped | {"ceiling": ceiling}
    for own in config.budgets:
        budgets.pop(own.name, None)
        if own.limit:
            on_stop = cast("str", preset["on_stop"])
            budgets[own.name] = budget_record(own, tiers=tiers, on_stop=on_stop)
    return list(budgets.values())


def _fan_out(preset: Policy, config: Config) -> Record | None:
    if config.fan_out is None:
        return None
    own = {
        "max_new_agents": config.fan_out.max_new_agents,
        "seconds": config.fan_out.per,
        "action": config.fan_out.action,
    }
    said = {key: value for key, value in own.items() if value is not None}
    return cast("Record", preset["fan_out"]) | said


def settled(tier: str, tiers: list[str]) -> str:
    """A preset's tier on the user's own ladder: that rung, else the next lower one it has."""
    lower = LADDER[[*LADDER].index(tier) :]  # type: ignore[arg-type]
    return next((rung for rung in lower if rung in tiers), tiers[-1])
