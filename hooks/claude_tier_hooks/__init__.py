"""The hook runtime: standard library only, because it runs inside other people's sessions."""

import sys

__version__ = "0.1.0"

# The plugin starts whichever python3 is on PATH. This file alone must be readable to an old one.
if sys.version_info < (3, 9):
    if sys.argv[0].endswith("session_start.py"):
        print(
            '{"systemMessage": "claude-tier: needs Python 3.9 or later as python3; not counting"}'
        )
    sys.exit(0)
