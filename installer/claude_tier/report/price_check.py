"""Whether the installed client charges what the price table says.

The real client runs in a scratch home against a scripted API on this machine: a subagent for each
model of the table answers with known usage, and the client's own `modelUsage` is what ours is
compared with. Nothing is spent.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from claude_tier_hooks import policy, prices, state
from claude_tier_hooks.shapes import Json

from claude_tier.livecheck import (
    Answer,
    Client,
    Failure,
    Namespace,
    Request,
    ScriptedAPI,
    Usage,
    spawn,
    text,
)
from claude_tier.report import figures
from claude_tier.report.table import Column, render

# Subagents of one answer; the client runs twenty at once.
AT_ONCE = 15
FIRST_REQUEST, WHOLE_RUN = 30.0, 120.0  # seconds
# A family that no alias names: under another one that alias would mean the very same model.
MAIN_MODEL = "claude-mythos-5-2"
ENVIRONMENT = {
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP": "1",
}
SAME, DIFFERS, UNKNOWN, NOT_RUN = "same", "differs", "unknown to the client", "not run"


class Case(NamedTuple):
    """One kind of request: the usage it is told, and what of it the price function needs."""

    name: str
    usage: Usage
    more: Mapping[str, object] = {}


_PLAIN = Usage(1_000, 2_000, 3_000, 4_000, 5_000)
_LONG = 100_000
_CALL = {
    "type": "message",
    "input_tokens": _LONG // 2 + 1,
    "output_tokens": 1_000,
    "cache_read_input_tokens": 0,
    "cache_creation_input_tokens": 0,
}
CASES = (
    Case("all kinds of tokens", _PLAIN),
    Case("a prompt of 100,000", Usage(_LONG - 3_000, 2_000, 3_000)),
    Case("a prompt of 100,001", Usage(_LONG - 2_999, 2_000, 3_000)),
    Case(
        "two calls in one response",
        Usage(_LONG + 2, 2_000, iterations=(_CALL, _CALL)),
        {"parts": [[_LONG // 2 + 1, 1_000, 0, 0, 0]] * 2},
    ),
    Case("a cache write without its split", Usage(1_000, 2_000, 0, 4_000, split=False)),
    Case("fast mode", Usage(1_000, 2_000, 3_000, 4_000, 5_000, speed="fast"), {"speed": "fast"}),
    Case(
        "US inference", Usage(1_000, 2_000, 3_000, 4_000, 5_000, inference_geo="us"), {"geo": "us"}
    ),
    Case("three web searches", Usage(1_000, 2_000, web_searches=3), {"web_searches": 3}),
)


@dataclass(frozen=True)
class Comparison:
    """Dollars for one request of that kind; None where one side has no price."""

    model: str
    case: str
    ours: float | None
    theirs: float | None
    verdict: str


@dataclass(frozen=True)
class Checked:
    """Every comparison; `aliases` is (alias, ours, the model the client asked for)."""

    client: str
    comparisons: tuple[Comparison, ...]
    aliases: tuple[tuple[str, str, str | None], ...]

    @property
    def same(self) -> bool:
        moved = any(ours != theirs for _, ours, theirs in self.aliases)
        return not moved and not any(one.verdict == DIFFERS for one in self.comparisons)

    def fields(self) -> dict[str, object]:
        return {
            "client": self.client,
            "same": self.same,
            "comparisons": [vars(one) for one in self.comparisons],
            "aliases": [
                {"alias": alias, "ours": ours, "theirs": theirs}
                for alias, ours, theirs in self.aliases
            ],
        }


def check(
    rules: Json,
    now: float,
    *,
    binary: str | os.PathLike[str] | None = None,
    namespace: Namespace | None = None,
    cases: Sequence[Case] = CASES,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Checked:
    """Run the client once for each case; UserError where there is none or it fails."""
    models = [*rules["models"]]
    found: list[Comparison] = []
    with tempfile.TemporaryDirectory(prefix="claude-tier-prices-") as folder:
        client = Client(Path(folder), binary=binary, env=ENVIRONMENT)
        aliases = _aliases(client, namespace)
        for number, case in enumerate(cases):
            progress(number, len(cases))
            charged = _run(client, models, case.usage, namespace).charged
            found += [_compared(rules, now, case, model, charged) for model in models]
        found.sort(key=lambda one: models.index(one.model))
        return Checked(client.version(), tuple(found), aliases)


class Drive(NamedTuple):
    """What one run showed: the model each subagent ran on, and `modelUsage` by plain model id."""

    ran: dict[str, str]
    charged: dict[str, list[dict[str, object]]]


def _aliases(
    client: Client, namespace: Namespace | None
) -> tuple[tuple[str, str, str | None], ...]:
    builtins = state.read_json(policy.data_file("builtins.json")) or {}
    ours = cast("dict[str, str]", builtins["models"])
    ran = _run(client, [*ours], Usage(), namespace).ran
    return tuple((alias, model, ran.get(alias)) for alias, model in ours.items())


def _run(client: Client, models: list[str], usage: Usage, namespace: Namespace | None) -> Drive:
    """Let a subagent for each of these models or aliases answer once with that usage."""
    _write_agents(client.home, models)
    ran: dict[str, str] = {}

    def respond(request: Request) -> Answer | Failure:
        if request.asker == "subagent":
            ran[request.prompt] = request.model
            return Answer((text("done"),), usage=usage)
        first = request.step * AT_ONCE if request.asker == "main" else len(models)
        spawns = [
            spawn(model, subagent_type=f"price-{number}")
            for number, model in enumerate(models)
            if first <= number < first + AT_ONCE
        ]
        return Answer((*spawns,) or (text("done"),), usage=Usage())

    with (
        ScriptedAPI(respond, namespace=namespace) as api,
        client.start("-p", "start", "--model", MAIN_MODEL, api=api) as running,
    ):
        # A client that asks somebody else ends here, before it has spent anything.
        api.wait_for(lambda _: True, timeout=FIRST_REQUEST)
        run = running.finish(WHOLE_RUN)
    return Drive(ran, _by_model(run.result.get("modelUsage")))


def _write_agents(home: Path, models: list[str]) -> None:
    folder = home / ".claude" / "agents"
    folder.mkdir(parents=True, exist_ok=True)
    for number, model in enumerate(models):
        fields = f"name: price-{number}\ndescription: a price\nmodel: {json.dumps(model)}\n"
        (folder / f"price-{number}.md").write_text(f"---\n{fields}---\nAnswer.\n")


def _by_model(charged: object) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for model, figures_ in cast("dict[str, dict[str, object]]", charged or {}).items():
        found.setdefault(prices.plain_id(model), []).append(figures_)
    return found


def _compared(
    rules: Json, now: float, case: Case, model: str, charged: Mapping[str, list[dict[str, object]]]
) -> Comparison:
    told = charged.get(prices.plain_id(model), [])
    theirs = sum(cast("float", one.get("costUSD", 0.0)) for one in told) if told else None
    tokens = case.usage
    usage = dict(zip(prices.KINDS, _kinds(tokens), strict=True)) | dict(case.more)
    ours = prices.price(rules, model, now, usage)
    if theirs is None or ours is None:
        verdict = NOT_RUN
    elif any(one.get("costBasis") == "unknown" for one in told):
        verdict = UNKNOWN
    else:
        verdict = SAME if math.isclose(ours, theirs, rel_tol=1e-9) else DIFFERS
    return Comparison(model, case.name, ours, theirs, verdict)


def _kinds(usage: Usage) -> tuple[int, ...]:
    return (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
    )


def as_text(checked: Checked, *, width: int) -> str:
    """The screen of it: what agrees in one line, what does not in a table."""
    verdicts = {one.model: one.verdict for one in checked.comparisons}
    agreed = sum(
        all(one.verdict == SAME for one in checked.comparisons if one.model == model)
        for model in verdicts
    )
    lines = [
        f"Claude Code {checked.client} charges {agreed} of {len(verdicts)} models as the table says"
        f" ({figures.plural(len({one.case for one in checked.comparisons}), 'kind')} of request)."
    ]
    odd = [one for one in checked.comparisons if one.verdict in (DIFFERS, NOT_RUN)]
    if odd:
        lines += ["", _table(odd, width), ""]
    strange = [model for model, verdict in verdicts.items() if verdict == UNKNOWN]
    if strange:
        lines.append(f"It does not know {', '.join(strange)}, and guesses.")
    lines += [
        f"The alias {alias} is {theirs or 'nothing'} there, not {ours}."
        for alias, ours, theirs in checked.aliases
        if ours != theirs
    ]
    return "\n".join(lines)


def _table(odd: list[Comparison], width: int) -> str:
    columns = [
        Column("Model"),
        Column("Request"),
        Column("Ours", figures=True),
        Column("Theirs", figures=True),
        Column("Verdict"),
    ]
    rows = [
        [one.model, one.case, _dollars(one.ours), _dollars(one.theirs), one.verdict] for one in odd
    ]
    return render(columns, rows, width=width)


def _dollars(usd: float | None) -> str:
    return figures.UNKNOWN if usd is None else f"{usd:.6f}"
