"""A corpus on disk: at once, or piece by piece as clients would write it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from .build import Corpus
from .transcript import File


@dataclass(frozen=True)
class Change:
    """One thing that happens to one file.

    `append` adds bytes, which may end anywhere in a row; `replace` puts a shorter file in its
    place, as the client's cleaning does; `truncate` writes the shorter content into the same
    file; `delete` removes it.
    """

    kind: str
    path: str
    data: bytes = b""

    def apply(self, folder: Path) -> None:
        path = folder / self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.kind == "append":
            with path.open("ab") as file:
                file.write(self.data)
        elif self.kind == "replace":
            beside = path.with_name(path.name + ".tmp")
            beside.write_bytes(self.data)
            beside.replace(path)
        elif self.kind == "truncate":
            path.write_bytes(self.data)
        else:
            path.unlink()


def write(corpus: Corpus, folder: str | os.PathLike[str]) -> None:
    """Write every file, whole."""
    for file in corpus.files:
        Change("append", file.path, file.content).apply(Path(folder))


@dataclass
class Growth:
    """A plan that brings a corpus to disk in a number of steps, at least ten.

    What a step takes away was there, whole, after an earlier one: a reader that runs after each
    step has seen all of it. Rows of `cost-state` are never taken away. `rewrites` is the share
    of transcripts that lose rows; some are deleted in the last step.
    """

    corpus: Corpus
    steps: int = 40
    seed: int = 0
    rewrites: float = 0.4
    plan: list[list[Change]] = field(init=False)

    def __post_init__(self) -> None:
        rng = Random(f"growth:{self.seed}")
        self.plan = [[] for _ in range(self.steps)]
        started: dict[str, int] = {}
        for file in self.corpus.files:
            if is_transcript(file.path):
                started[_stem(file.path)] = self._schedule(rng, file)
        for file in self.corpus.files:
            if not is_transcript(file.path):
                step = started.get(_stem(file.path), 0)
                self.plan[step].append(Change("append", file.path, file.content))

    def grow(self, folder: str | os.PathLike[str], step: int) -> tuple[Change, ...]:
        """Apply one step, the first being 0, and return what it did."""
        for change in self.plan[step]:
            change.apply(Path(folder))
        return tuple(self.plan[step])

    def _schedule(self, rng: Random, file: File) -> int:
        rewrite = not file.read_whole and rng.random() < self.rewrites
        changes = list(_rewritten(rng, file) if rewrite else _appended(rng, file))
        steps = sorted(rng.sample(range(self.steps - 1), len(changes)))
        for step, change in zip(steps, changes, strict=True):
            self.plan[step].append(change)
        if rewrite and rng.random() < 0.2:
            self.plan[-1].append(Change("delete", file.path))
        return steps[0]


def is_transcript(path: str) -> bool:
    return path.endswith(".jsonl") or ".jsonl.orphaned-" in path


def _stem(path: str) -> str:
    return path.removesuffix(".jsonl").removesuffix(".meta.json")


def _appended(rng: Random, file: File) -> Iterator[Change]:
    for piece in _cut(rng, file.content, rng.randint(1, 6)):
        yield Change("append", file.path, piece)


def _rewritten(rng: Random, file: File) -> Iterator[Change]:
    lines = file.content.splitlines(keepends=True)
    seen = rng.randint(0, len(lines) - 1) if lines else 0
    before, after = b"".join(lines[:seen]), b"".join(lines[seen:])
    for piece in _cut(rng, before, 2):
        yield Change("append", file.path, piece)
    kept = b"".join(line for line in lines[:seen] if b"cost-state" in line or rng.random() < 0.5)
    rest = _cut(rng, after, 3)
    if rng.random() < 0.5:
        yield Change("truncate", file.path, kept)
    else:
        yield Change("replace", file.path, kept + rest.pop(0))
    for piece in rest:
        yield Change("append", file.path, piece)


def _cut(rng: Random, content: bytes, pieces: int) -> list[bytes]:
    """Cut anywhere, in the middle of a row or of a character."""
    cuts = sorted(rng.randint(0, len(content)) for _ in range(pieces - 1))
    return [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
