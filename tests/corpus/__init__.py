"""Synthetic Claude Code transcripts with their true totals.

    corpus = build(seed=1, size=5_000_000)
    write(corpus, folder)                        # a whole CLAUDE_CONFIG_DIR
    corpus.manifest()["by_model"]                # what a reader has to find in it

    growth = Growth(corpus, steps=40)            # or piece by piece, files being rewritten between
    for step in range(growth.steps):
        growth.grow(folder, step)

Each odd thing that transcripts hold is one function in `scenes`, and its docstring says what it
is. `build(scenes=["fork"])` plays some of them alone; `corpus.scenes` names the sessions of each.
"""

from .build import Corpus, build
from .disk import Change, Growth, write
from .scenes import SCENES
from .truth import Charge, Totals, Truth, totals

__all__ = [
    "SCENES",
    "Change",
    "Charge",
    "Corpus",
    "Growth",
    "Totals",
    "Truth",
    "build",
    "totals",
    "write",
]
