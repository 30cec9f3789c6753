"""What the tests take from npm, by name and version, into a cache outside of the repository."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

OPTIONS = ("--ignore-scripts", "--no-save", "--no-package-lock", "--no-audit", "--no-fund")


def cache() -> Path:
    """Where fetched packages are kept."""
    root = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(root) / "claude-tier"


class Fetched(NamedTuple):
    """A package of which one file is wanted; `file` is a pattern below the folder fetched into."""

    name: str
    package: str
    version: str
    file: str

    def installed(self) -> Path:
        return cache() / f"{self.name}-{self.version}"

    def find(self, folder: Path | None = None) -> Path | None:
        """The file, where it is there; npm picked the package of this platform, so it is one."""
        found = sorted((folder or self.installed()).glob(self.file))
        return found[0] if found else None

    def fetch(self) -> Path:
        """The file, fetched unless it is there; safe to run twice at once.

        Raises SystemExit saying what is missing.
        """
        cache().mkdir(parents=True, exist_ok=True)
        with (cache() / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = self.find()
            return self._install() if found is None else found

    def _install(self) -> Path:
        # Beside the target, so that the rename is atomic: it is there whole or not at all.
        with tempfile.TemporaryDirectory(dir=cache(), prefix="fetching-") as scratch:
            folder = Path(scratch) / self.name
            self._npm_install(folder)
            if self.find(folder) is None:
                raise SystemExit(f"{self.package}@{self.version} brings nothing for this platform")
            shutil.rmtree(self.installed(), ignore_errors=True)
            folder.rename(self.installed())
        found = self.find()
        assert found is not None
        return found

    def _npm_install(self, folder: Path) -> None:
        folder.mkdir()
        target = f"{self.package}@{self.version}"
        command = ["npm", "install", "--prefix", str(folder), *OPTIONS, target]
        try:
            subprocess.run(command, stdout=sys.stderr, check=True)
        except FileNotFoundError:
            raise SystemExit(f"npm is not on PATH: install Node.js to fetch {target}") from None
        except subprocess.CalledProcessError as exc:
            raise SystemExit(f"npm could not fetch {target} (exit {exc.returncode})") from None
