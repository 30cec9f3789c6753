"""A past to make, and the ledger it is in."""

from __future__ import annotations

from pathlib import Path

import pytest
from histories import Past


@pytest.fixture
def past(home: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    return Past(home, monkeypatch)
