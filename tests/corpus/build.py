"""A corpus: scenes and ordinary work, and the manifest of their true totals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from . import bulk
from .scenes import SCENES
from .stage import Stage
from .transcript import File
from .truth import Truth, totals


@dataclass
class Corpus:
    """Files and the truth about them; `scenes` names the sessions of each scene."""

    seed: int
    files: list[File] = field(default_factory=list)
    truth: Truth = field(default_factory=Truth)
    scenes: dict[str, list[str]] = field(default_factory=dict)

    def manifest(self) -> dict[str, object]:
        """Return the true totals.

        `by_session` is exact but for the groups of sessions in `shared`, whose files do not tell
        who owns a response: there only the sum over the group is.
        """
        truth = self.truth
        return {
            "version": 1,
            "seed": self.seed,
            "files": len(self.files),
            "bytes": sum(len(file.content) for file in self.files),
            "totals": totals(truth.charges),
            "by_model": truth.by(lambda charge: charge.model),
            "by_day": truth.by(lambda charge: charge.day),
            "by_session": truth.by(lambda charge: charge.session),
            "by_agent": truth.by(lambda charge: charge.agent),
            "by_project": truth.by(lambda charge: charge.project),
            "unlisted": truth.unlisted(),
            "unmeasured": truth.unmeasured,
            "shared": [list(group) for group in truth.shared],
            "scenes": self.scenes,
        }


def build(
    seed: int = 0, *, size: int = 0, scenes: Iterable[str] | None = None, outputs: int = 1
) -> Corpus:
    """Play scenes (all of them, unless told which), then add ordinary work up to `size` bytes.

    The more `outputs` of tools, the fewer responses there are in as many bytes.
    """
    corpus = Corpus(seed)
    for name in SCENES if scenes is None else scenes:
        stage = _stage(corpus, name)
        SCENES[name](stage)
        corpus.scenes[name] = [session.id for session in stage.sessions]
    stage = _stage(corpus, "ordinary work")
    bulk.fill(stage, size, outputs)
    corpus.scenes["ordinary_work"] = [session.id for session in stage.sessions]
    return corpus


def _stage(corpus: Corpus, name: str) -> Stage:
    """Give each scene its own dice, so that a new scene changes no other one."""
    return Stage(Random(f"{corpus.seed}:{name}"), corpus.truth, corpus.files)
