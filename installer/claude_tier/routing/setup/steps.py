"""`providers setup` as a whole: look, propose, show; then write. The command asks in between."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import anyio

from claude_tier.errors import UserError
from claude_tier.routing import providers
from claude_tier.routing.setup import catalogue, looking, memory, proposing, writing
from claude_tier.routing.setup.looking import GET_OLLAMA, Clients, Seen, Server
from claude_tier.routing.setup.memory import Memory
from claude_tier.routing.setup.proposing import Proposal
from claude_tier.routing.setup.writing import Change

if TYPE_CHECKING:
    from claude_tier.config import Config


@dataclass(frozen=True)
class Findings:
    """What is there, what it could be used for, and how config.yaml would change."""

    seen: Seen
    memories: tuple[Memory, ...]
    proposal: Proposal
    change: Change

    def lines(self) -> Iterator[str]:
        """What was found, why it is proposed, and the difference to the file."""
        yield from (_found(server) for server in self.seen.servers.values())
        yield from (f"Key: {variable} is set" for variable in self.seen.keys.values())
        sizes = " and ".join(map(str, self.memories)) or "unknown, so no model is proposed"
        yield f"Memory: {sizes}"
        yield ""
        yield from self.proposal.reasons
        if any(reason.startswith("router.") for reason in self.proposal.reasons):
            yield f"Each model fits alone, not all at once (sizes as of {catalogue.checked()})."
        yield from self.change.diff or [f"Nothing to change in {self.change.path}."]

    def pull_lines(self) -> Iterator[str]:
        """The commands that fetch what is named and not there yet."""
        if self.proposal.pulls:
            yield "Not there yet. Fetch it, then run `claude-tier providers check --ask`:"
        yield from (f"  ollama pull {target.model}" for target in self.proposal.pulls)

    def fields(self, *, dry_run: bool) -> dict[str, object]:
        servers = self.seen.servers.values()
        return {
            "dry_run": dry_run,
            "servers": [_fields(server) for server in servers],
            "keys": list(self.seen.keys.values()),
            "memory": [asdict(one) for one in self.memories],
            "reasons": list(self.proposal.reasons),
            "path": str(self.change.path),
            "changed": bool(self.change.diff) and not dry_run,
            "diff": self.change.diff,
            "pulls": [str(target) for target in self.proposal.pulls],
        }


def look(
    config: Config,
    environ: Mapping[str, str] = os.environ,
    clients: Clients = providers.client,
) -> Findings:
    """Look at this machine; raises UserError where there is nothing that could be set up."""

    async def around() -> Seen:
        return await looking.around(config, environ, clients)

    seen, memories = anyio.run(around), memory.found()
    made = proposing.proposal(config, seen, memories)
    there = any(server.found.reachable for server in seen.servers.values())
    if not (there or seen.keys or proposing.filled_roles(config)):
        raise UserError(
            "there is neither a local model server nor a key on this machine", _start(seen)
        )
    return Findings(seen, memories, made, writing.change(made.additions))


def _start(seen: Seen) -> str:
    return f"Do this, then run it again: {seen.servers['ollama'].remedy or GET_OLLAMA}"


def _found(server: Server) -> str:
    """ollama: 3 models at http://127.0.0.1:11434"""
    name, url = server.owner.name, server.owner.provider.url
    if not server.found.reachable:
        remedy = f". Do this: {server.remedy}" if server.kind == "ollama" and server.remedy else ""
        return f"{name}: not at {url}{remedy}"
    models = len(server.found.models)
    return f"{name}: {models} model{'' if models == 1 else 's'} at {url}"


def _fields(server: Server) -> dict[str, object]:
    return {
        "kind": server.kind,
        "name": server.owner.name,
        "address": server.owner.provider.url,
        "reachable": server.found.reachable,
        "message": server.found.message,
        "remedy": server.remedy,
        "models": list(server.found.models),
    }
