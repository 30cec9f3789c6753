"""Make the pictures of docs/pictures anew: terminal screens as SVG, the dashboard as PNG.

python tests/pictures.py              # all of them
python tests/pictures.py terminal     # or page
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
PARTS = ("terminal", "page")


def main(parts: list[str]) -> int:
    """Each part is a module with `draw(folder)`, which fills a ledger of its own."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for part in parts or PARTS:
        importlib.import_module(f"pictures_{part}").draw(FOLDER)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
