"""The folders of Claude Code and ours, as absolute paths; and where we run at all."""

from __future__ import annotations

import sys
from pathlib import Path

from claude_tier_hooks import state

from claude_tier.errors import UserError


def config_dir() -> Path:
    """Claude Code's own folder."""
    return Path(state.config_dir()).absolute()


def state_dir() -> Path:
    """What claude-tier keeps: configuration, ledger, runtime, backups."""
    return config_dir() / "claude-tier"


def require_posix(platform: str = sys.platform) -> None:
    """Refuse native Windows, where hooks would never run; WSL is Linux."""
    if platform in {"win32", "cygwin"}:
        raise UserError(
            "native Windows is not supported: its Claude Code starts hooks without sh, "
            "and file locks and atomic replacement work differently there",
            "Use claude-tier inside WSL, with the Claude Code installed there.",
        )
