"""`python -m claude_tier`: the same command, for hooks that know only the interpreter."""

from __future__ import annotations

from claude_tier.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
