"""Write a corpus: `python -m corpus OUT --seed 1 --size 5MB`, from the tests folder."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import SCENES, build, write

UNITS = {"B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000}


def size_in_bytes(text: str) -> int:
    """Read a size such as 300KB or 5MB; a bare number is in bytes."""
    number = text.upper().rstrip("KMGB")
    unit = text.upper()[len(number) :] or "B"
    if not number.isdigit() or unit not in UNITS:
        message = f"{text!r} is no size; write for example 300KB or 5MB"
        raise argparse.ArgumentTypeError(message)
    return int(number) * UNITS[unit]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m corpus",
        description="Write synthetic Claude Code transcripts to OUT, a config folder that must "
        "not exist, and their true totals to OUT.manifest.json.",
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=size_in_bytes, default=0, help="at least, e.g. 5MB")
    parser.add_argument("--scene", action="append", choices=sorted(SCENES), help="only these")
    return parser


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    if options.out.exists():
        sys.stderr.write(f"{options.out} exists; name a folder that does not\n")
        return 1
    corpus = build(options.seed, size=options.size, scenes=options.scene)
    write(corpus, options.out)
    manifest = options.out.with_name(f"{options.out.name}.manifest.json")
    manifest.write_text(json.dumps(corpus.manifest(), indent=1) + "\n")
    sys.stdout.write(f"Wrote {len(corpus.files)} files to {options.out}, totals to {manifest}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
