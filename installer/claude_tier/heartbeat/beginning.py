"""The file that `heartbeat init` writes: it asks nothing until somebody writes an item into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from claude_tier.errors import UserError
from claude_tier.install import files

TEMPLATE = Path(__file__).with_name("template.md")


def write(file: Path, *, force: bool) -> Iterator[str]:
    """Write it and yield what was done; UserError where there is one already, or no folder."""
    if not file.parent.is_dir():
        raise UserError(f"there is no folder {file.parent}")
    if os.path.lexists(file):
        if not force:
            raise UserError(
                f"{file} is there already", "`--force` replaces it and keeps it as .bak."
            )
        kept = file.with_name(f"{file.name}.bak")
        file.replace(kept)
        yield f"Kept the old one as {kept}."
    files.write(file, TEMPLATE.read_bytes(), private=False)
    yield f"Wrote {file}."
