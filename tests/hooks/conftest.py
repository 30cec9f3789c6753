"""A hook that costs no start of an interpreter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import process
from .process import Run


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """As `process.run`, in children of one interpreter."""
    with process.forking() as run:
        yield run
