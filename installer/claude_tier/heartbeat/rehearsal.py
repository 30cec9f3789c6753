"""What a run of a beat would come to now: free checks are made, and nobody is asked."""

from __future__ import annotations

import time
from typing import NamedTuple

from claude_tier_hooks import policy, project

from claude_tier.heartbeat import calling, free, known, request
from claude_tier.heartbeat.case import Asked, Case
from claude_tier.heartbeat.receipts import End
from claude_tier.heartbeat.running import opened
from claude_tier.pipelines.screen import safe


class Rehearsal(NamedTuple):
    """The end of a run that would ask nobody, or the request and whom it would go to, in order."""

    name: str
    end: End | None
    asked: Asked | None
    targets: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """About the size of the request with what its provider puts around it."""
        return request.size(self.asked.prompt) if self.asked else 0

    def fields(self) -> dict[str, object]:
        """The JSON of it."""
        prompt = self.asked.prompt if self.asked else None
        return {
            "name": self.name,
            "dry_run": True,
            "status": self.end.status if self.end else None,
            "reason": self.end.reason if self.end else None,
            "targets": list(self.targets),
            "system": prompt.system if prompt else None,
            "prompt": prompt.messages[0].text if prompt else None,
            "request_bytes": self.bytes if prompt else None,
        }


def rehearse(name: str) -> Rehearsal:
    """As `run NAME` would, up to the request; its check is run."""
    world = known.read()
    found = world.find(name)
    case = _case(found, world, time.time())
    decided = free.decide(case, lambda: False)
    if isinstance(decided, End):
        return Rehearsal(found.beat.name, decided, None)
    targets = tuple(map(str, calling.targets(case)))
    return Rehearsal(found.beat.name, None, decided, targets)


def _case(found: known.Known, world: known.World, at: float) -> Case:
    folder = found.beat.file.parent
    rules = policy.load(project.root(str(folder)))
    with opened() as db:
        spent = free.spent(db, world.config, rules, folder, at)
    deadline = time.monotonic() + found.beat.timeout
    return Case(found, world.config, rules, spent, None, None, at, deadline)


def as_text(found: Rehearsal) -> str:
    """The request as it would be sent, or why there is none."""
    if found.asked is None or found.end is not None:
        reason = found.end.reason if found.end else None
        return f"Nobody would be asked: {safe(reason or '')}."
    prompt = found.asked.prompt
    return "\n".join(
        [
            f"{', then '.join(found.targets)} would be asked, about {found.bytes:,} bytes:",
            "",
            safe(prompt.system or ""),
            "",
            safe(prompt.messages[0].text),
        ]
    )
