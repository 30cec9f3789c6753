"""Fetch the pinned axe-core into the cache and print the path of its script.

python tests/fetch_axe.py
"""

from __future__ import annotations

import sys

from fetching import Fetched

AXE = Fetched("axe", "axe-core", "4.14.1", "node_modules/axe-core/axe.min.js")

if __name__ == "__main__":
    sys.stdout.write(f"{AXE.fetch()}\n")
