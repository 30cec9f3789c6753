"""Where the plugin's own files are: inside the wheel, or at the root of a checkout."""

from __future__ import annotations

from pathlib import Path

from claude_tier.errors import UserError

_TABLE = Path("hooks", "hooks.json")


def root() -> Path:
    """The folder with agents/, hooks/, skills/ and .claude-plugin/; raises UserError if none."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "plugin", package.parents[1]):
        if (candidate / _TABLE).is_file():
            return candidate
    raise UserError("the files to install are missing", "Install the claude-tier package again.")
