"""`doctor --live`: drives an installed Claude Code in a scratch home, with our hooks in it.

The client is told of no address but that of a scripted API on this machine and has no key but a
dummy one, so that nothing is spent; it is killed unless its first request comes to that API.
"""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import claude_tier_hooks
from claude_tier_hooks import ledger
from claude_tier_hooks import policy as ladder

import claude_tier
from claude_tier.errors import UserError
from claude_tier.install.doctor import elsewhere
from claude_tier.install.doctor.report import Finding, Report, fault, ok
from claude_tier.livecheck import (
    Client,
    Namespace,
    Run,
    RunningClient,
    Script,
    ScriptedAPI,
    spawn,
    text,
)

FIRST_REQUEST = 20  # seconds until the client has come to us
WHOLE_RUN = 60
ROUNDING = 1e-9  # dollars two prices may differ, by rounding alone
FIRED = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "SubagentStop", "Stop",
         "SessionEnd")  # fmt: skip
LATER = {"SubagentStop", "Stop"}  # async hooks: a client that ends at once may end them unstarted
SPENT = "budgets: [{name: live check, scope: user, period: seven_day, limit: {tokens: 1}}]\n"
ASSIGNED, EXPLICIT, REFUSED = "an assigned task", "a task on sonnet", "a task too many"
TOKENS = {
    "inputTokens": ("input_tokens",),
    "outputTokens": ("output_tokens",),
    "cacheReadInputTokens": ("cache_read_tokens",),
    "cacheCreationInputTokens": ("cache_write_5m_tokens", "cache_write_1h_tokens"),
}


@dataclass(frozen=True)
class Bench:
    """A scratch home with our hooks installed, and the client to drive in it."""

    home: Path
    client: Client
    namespace: Namespace | None
    patience: float = FIRST_REQUEST

    @property
    def config(self) -> Path:
        return self.home / ".claude"

    def drive(self, script: Script) -> Driven:
        """One run of the client; UserError unless it comes to us, and then to its end."""
        with (
            ScriptedAPI(script, namespace=self.namespace) as api,
            self.client.start("-p", "start", api=api) as running,
        ):
            try:
                api.wait_for(lambda _: True, timeout=self.patience)
            except UserError:
                raise _unreached(running, self.patience) from None
            return Driven(api, running.finish(WHOLE_RUN))

    def command(self, *arguments: str) -> None:
        """Run this very claude-tier for the scratch home."""
        modules = (str(claude_tier.__file__), str(claude_tier_hooks.__file__))
        folders = [Path(module).parents[1] for module in modules]
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
        }
        done = subprocess.run(
            [sys.executable, "-m", "claude_tier", *arguments], env=environment, cwd=self.home,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise UserError(f"claude-tier {arguments[0]} failed in a scratch home: {done.stderr}")


@dataclass(frozen=True)
class Driven:
    """One run, and what the API was asked in it."""

    api: ScriptedAPI
    run: Run

    def models(self) -> dict[str, str]:
        """prompt -> model of each subagent that asked."""
        asked = [one.request for one in self.api.requests if one.request.asker == "subagent"]
        return {request.prompt: request.model for request in asked}

    def charged(self) -> dict[str, dict[str, float]]:
        """What the client says it was charged, by model."""
        return cast("dict[str, dict[str, float]]", self.run.result.get("modelUsage") or {})


def _unreached(running: RunningClient, seconds: float) -> UserError:
    """It asked somebody else, or nobody; whatever it is at, it ends with this."""
    try:
        run = running.finish(0)
        said = (run.stderr or run.stdout).strip()[-300:]
    except UserError as still_running:
        said = still_running.message
    return UserError(
        f"Claude Code made no request to us within {seconds:g} s and was ended: {said}"
    )


def examine(
    program: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    managed: list[Path] | None = None,
    patience: float = FIRST_REQUEST,
) -> Report:
    """Drive that client (else the `claude` on PATH); UserError where it must not or cannot be."""
    elsewhere.refuse(environ, elsewhere.managed_files() if managed is None else managed)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="claude-tier-live-"))
        home = Path(folder).resolve()
        project = home / "project"
        project.mkdir()
        client = Client(home, binary=program, cwd=project)
        namespace = stack.enter_context(Namespace()) if Namespace.available() else None
        bench = Bench(home, client, namespace, patience)
        subject = {"client": str(client.binary), "client_version": client.version()}
        return Report((_named(subject), *_findings(bench)), subject)


def _named(subject: Mapping[str, str]) -> Finding:
    return ok("client", f"Claude Code {subject['client_version']} at {subject['client']}")


def _findings(bench: Bench) -> Iterator[Finding]:
    bench.command("install")
    fired = _watch(bench)
    delegating = [
        spawn(ASSIGNED, subagent_type="Explore"),
        spawn(EXPLICIT, subagent_type="general-purpose", model="sonnet"),
    ]
    driven = bench.drive(Script().on("start", delegating, text("ok")))
    yield ok("reach", f"all {len(driven.api.requests)} requests came to the scripted API")
    yield _fired(fired)
    yield _rewritten(driven)
    listed = _listed(bench)
    yield _counted(driven, listed)
    yield _priced(driven, listed)
    yield _denied(bench)


def _watch(bench: Bench) -> Path:
    """Let each hook of ours leave a file named like its event before it starts."""
    folder = bench.home / "fired"
    folder.mkdir()
    path = bench.config / "settings.json"
    settings = json.loads(path.read_bytes())
    for event, groups in settings["hooks"].items():
        mark = shlex.quote(str(folder / event))
        for handler in (each for group in groups for each in group["hooks"]):
            handler["command"] = f": > {mark}; {handler['command']}"
    path.write_text(json.dumps(settings), "utf-8")
    return folder


def _fired(folder: Path) -> Finding:
    fired = {path.name for path in folder.iterdir()}
    missing = [event for event in FIRED if event not in fired | LATER]
    if missing:
        return fault("hooks", f"this version did not run {', '.join(missing)}")
    ran = f"ran: {', '.join(event for event in FIRED if event in fired)}"
    unseen = ", ".join(event for event in FIRED if event not in fired)
    more = f"; not seen, because this run ended before its background hooks began: {unseen}"
    return ok("hooks", ran + (more if unseen else ""))


def _rewritten(driven: Driven) -> Finding:
    """Explore was put on haiku by assignment; a model named in the call was left."""
    models = driven.models()
    ran = {task: ladder.tier_of(model, list(ladder.TIERS)) for task, model in models.items()}
    if ran != {ASSIGNED: "haiku", EXPLICIT: "sonnet"}:
        return fault(
            "rewrite", f"the subagents were to run on haiku and sonnet, and asked: {models}"
        )
    return ok("rewrite", f"a subagent without a model was put on {models[ASSIGNED]}")


def _listed(bench: Bench) -> dict[str, dict[str, float]]:
    """The sums that our hooks wrote, by model."""
    sums = ", ".join(f"sum({kind}) AS {kind}" for kind in (*ledger.KINDS, "usd"))
    query = f"SELECT name.text AS model, {sums} FROM usage JOIN name ON name.id = model GROUP BY 1"  # noqa: S608 - columns of ours
    path = bench.config / "claude-tier" / "ledger.db"
    if not path.exists():
        return {}
    with closing(ledger.connect(str(path), patience=10)) as db:
        db.row_factory = sqlite3.Row
        return {row["model"]: dict(row) for row in db.execute(query)}


def _counted(driven: Driven, listed: dict[str, dict[str, float]]) -> Finding:
    charged = {
        model: {key: usage.get(key, 0) for key in TOKENS}
        for model, usage in driven.charged().items()
    }
    counted = {
        model: {key: sum(row[kind] for kind in kinds) for key, kinds in TOKENS.items()}
        for model, row in listed.items()
    }
    if charged != counted:
        return fault("tokens", f"the client says {charged}, the ledger {counted}")
    total = sum(sum(usage.values()) for usage in charged.values())
    return ok("tokens", f"all {total:,.0f} tokens of {len(charged)} models are in the ledger")


def _priced(driven: Driven, listed: dict[str, dict[str, float]]) -> Finding:
    ours = {model: listed[model]["usd"] or 0.0 for model in listed}
    wrong = [
        f"{model} ${usage['costUSD']:.9f} against ${ours.get(model, 0.0):.9f} here"
        for model, usage in sorted(driven.charged().items())
        if abs(usage["costUSD"] - ours.get(model, 0.0)) > ROUNDING
    ]
    if wrong:
        todo = "Update claude-tier, or give the price under `prices:` in config.yaml."
        return fault("prices", f"the client charges {'; '.join(wrong)}", todo)
    total = sum(usage["costUSD"] for usage in driven.charged().values())
    return ok("prices", f"the client charged ${total:.6f}, and so does the ledger")


def _denied(bench: Bench) -> Finding:
    """With a budget used up a new subagent is refused, and Claude is told why."""
    (bench.config / "claude-tier" / "config.yaml").write_text(SPENT, "utf-8")
    bench.command("compile")
    driven = bench.drive(Script().on("start", spawn(REFUSED, subagent_type="Explore"), text("ok")))
    told = "budget live check is at" in json.dumps(driven.api.requests[-1].request.body)
    if driven.models() or not told:
        return fault("deny", f"a subagent over budget was not refused: {driven.models()}")
    return ok("deny", "a subagent over budget was refused, and Claude was told why")
