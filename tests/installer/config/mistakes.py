"""A config.yaml with mistakes, and what its user is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier import config
from claude_tier.config import ConfigError


def faults(tmp_path: Path, text: str) -> list[str]:
    """The faults as a user sees them, without the file's name."""
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    return [str(fault).removeprefix(f"{file}:") for fault in caught.value.faults]
