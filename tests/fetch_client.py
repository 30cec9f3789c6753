"""Fetch the pinned Claude Code client into a cache and print the path of its program.

python tests/fetch_client.py          # fetch it if need be
python tests/fetch_client.py --find   # only look; exit 1 when it is not there
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "2.1.329"
PACKAGE = "@anthropic-ai/claude-code"
COMMAND = "python tests/fetch_client.py"


def cache() -> Path:
    """Where clients are kept, outside the repository."""
    root = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(root) / "claude-tier"


def find(folder: Path) -> Path | None:
    """The program in `folder`: npm picked the package of this platform, so there is one."""
    found = sorted(folder.glob(f"node_modules/{PACKAGE}-*/claude"))
    return found[0] if found else None


def installed() -> Path:
    return cache() / f"client-{VERSION}"


def fetch() -> Path:
    """The program, fetched by name through npm unless it is there; safe to run twice at once."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program = find(installed())
        if program is None:
            program = _install()
    return program


def _install() -> Path:
    # Beside the target, so that the rename is atomic: a client is there whole or not at all.
    with tempfile.TemporaryDirectory(dir=cache(), prefix="fetching-") as scratch:
        folder = Path(scratch) / "client"
        _npm_install(folder)
        if find(folder) is None:
            raise SystemExit(f"{PACKAGE}@{VERSION} brings no program for this platform")
        shutil.rmtree(installed(), ignore_errors=True)
        folder.rename(installed())
    program = find(installed())
    assert program is not None
    return program


def _npm_install(folder: Path) -> None:
    folder.mkdir()
    options = ["--ignore-scripts", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
    target = f"{PACKAGE}@{VERSION}"
    command = ["npm", "install", "--prefix", str(folder), *options, target]
    try:
        subprocess.run(command, stdout=sys.stderr, check=True)
    except FileNotFoundError:
        raise SystemExit("npm is not on PATH: install Node.js to fetch the client") from None
    except subprocess.CalledProcessError as exc:
        raise SystemExit(f"npm could not fetch {target} (exit {exc.returncode})") from None


def main(arguments: list[str]) -> int:
    program = find(installed()) if "--find" in arguments else fetch()
    if program is None:
        sys.stderr.write(f"Claude Code {VERSION} is not in {cache()}: run `{COMMAND}`\n")
        return 1
    sys.stdout.write(f"{program}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
