"""The ledger that the tests of this folder break."""

from __future__ import annotations

from pathlib import Path

import pytest
import wreckage


@pytest.fixture
def full(home: Path) -> wreckage.Content:
    """What the ledger holds before anything happens to it."""
    return wreckage.fill(home)
