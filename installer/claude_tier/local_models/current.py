"""The configuration as it is now: read again when its file has changed."""

from __future__ import annotations

from pathlib import Path

from claude_tier.config import Config, ConfigError, load

_Version = tuple[int, int, int] | None


class Current:
    """One file's configuration; `last` is the last one that was right."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = Config()
        self._seen: _Version | str = "never"
        self._fault: ConfigError | None = None

    def config(self) -> Config:
        """The configuration; ConfigError, with file and line, while there is a mistake in it."""
        version = _version(self.path)
        if version != self._seen:
            fault = None
            try:
                self.last = load(self.path).config
            except ConfigError as error:
                fault = error
            self._seen, self._fault = version, fault
        if self._fault is not None:
            raise self._fault
        return self.last


def _version(path: Path) -> _Version:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
