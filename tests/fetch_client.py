"""Fetch the pinned Claude Code client into a cache and print the path of its program.

python tests/fetch_client.py          # fetch it if need be
python tests/fetch_client.py --find   # only look; exit 1 when it is not there
"""

from __future__ import annotations

import sys

from fetching import Fetched, cache

VERSION = "2.1.329"
PACKAGE = "@anthropic-ai/claude-code"
COMMAND = "python tests/fetch_client.py"
CLIENT = Fetched("client", PACKAGE, VERSION, f"node_modules/{PACKAGE}-*/claude")


def main(arguments: list[str]) -> int:
    program = CLIENT.find() if "--find" in arguments else CLIENT.fetch()
    if program is None:
        sys.stderr.write(f"Claude Code {VERSION} is not in {cache()}: run `{COMMAND}`\n")
        return 1
    sys.stdout.write(f"{program}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
