"""Files that a tool reads for Claude: below the project's folders only, and nothing secret.

What is in them is data. It goes to the model between marks that it cannot imitate.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from claude_tier.errors import UserError

MOST_FILES = 32
LARGEST_FILE = 1024 * 1024  # bytes
LARGEST_SUM = 2 * 1024 * 1024
Identity = tuple[int, int]  # device and inode

# Hidden files and folders hold credentials more often than not; these do not.
HARMLESS = frozenset(
    {
        ".circleci", ".dockerignore", ".editorconfig", ".gitattributes", ".github",
        ".gitignore", ".gitlab", ".gitlab-ci.yml", ".pre-commit-config.yaml", ".storybook",
    }
)  # fmt: skip
_SECRET_NAME = re.compile(
    r"id_(?:rsa|dsa|ecdsa|ed25519)\b|_netrc\Z|kubeconfig\Z|.*\.(?:htpasswd|kubeconfig|ovpn)\Z"
    r"|.*\.(?:pem|key|p8|p12|pkcs12|pfx|jks|keystore|keychain|kdbx|ppk|asc|gpg)\Z"
    r"|(?:.*[._-])?(?:credentials?|secrets?|passwords?)(?:\.(?:json|ya?ml|toml|ini|txt|env))?\Z"
    r"|.*\.env(?:\.(?:local|dev|development|test|staging|prod|production))?\Z"
    r"|.*\.tfstate(?:\.backup)?\Z|(?:service[-_]account|client_secret).*\.json\Z",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY|^PuTTY-User-Key-File-|^\s*client-key-data:", re.MULTILINE
)


class Attachment(NamedTuple):
    """One file: its name as it was asked for, and its text."""

    name: str
    text: str

    def marked(self) -> str:
        """The text between two marks that name a digest of it, so that it cannot end itself."""
        mark = hashlib.sha256(self.text.encode()).hexdigest()[:12]
        name = ascii(self.name)[1:-1]
        return f"<file {mark} {name}>\n{self.text}\n</file {mark}>"


def read(
    names: Sequence[str], folders: Sequence[Path], keys: Iterable[Path] = ()
) -> tuple[Attachment, ...]:
    """The files of those names, relative to the first folder; UserError for any that may not be.

    `keys` are files with keys of the user's, which are read under no name.
    """
    if names and not folders:
        raise UserError(
            "no file is read here: this is the home folder, or all there is",
            "Put the text into the prompt, or start Claude Code in a project's folder.",
        )
    if len(names) > MOST_FILES:
        raise UserError(f"{len(names)} files are more than the {MOST_FILES} of one request")
    found, total = [], 0
    kept = frozenset(_identities(keys)) if names else frozenset()
    for name in dict.fromkeys(names):
        content = _content(name, folders, kept)
        total += len(content)
        if total > LARGEST_SUM:
            raise UserError(f"the files are larger than {LARGEST_SUM} bytes", "Ask in parts.")
        found.append(Attachment(name, _text(name, content)))
    return tuple(found)


def _identities(files: Iterable[Path]) -> Iterator[Identity]:
    for file in files:
        with suppress(OSError):
            status = file.stat()
            yield status.st_dev, status.st_ino


def _content(name: str, folders: Sequence[Path], kept: frozenset[Identity]) -> bytes:
    root, parts = _place(name, folders)
    if fault := _forbidden(parts):
        raise UserError(f"{_shown(name)} is not read: {fault}")
    try:
        with ExitStack() as opened:
            descriptor = _open(root, parts, opened)
            content = _whole(name, descriptor, kept)
    except OSError as error:
        raise UserError(f"{_shown(name)} cannot be read: {error.strerror}") from error
    if _PRIVATE_KEY.search(content):
        raise UserError(f"{_shown(name)} is not read: it holds a private key")
    return content


def _place(name: str, folders: Sequence[Path]) -> tuple[Path, tuple[str, ...]]:
    """The folder that the file is really below, links followed, and the way from there."""
    try:
        real = Path(os.path.realpath(folders[0] / name))
        roots = [Path(os.path.realpath(folder)) for folder in folders]
    except (OSError, ValueError) as error:  # a zero byte in it
        raise UserError(f"{_shown(name)} is no path: {error}") from error
    root = next((each for each in roots if real != each and real.is_relative_to(each)), None)
    if root is None:
        where = ", ".join(str(folder) for folder in folders)
        raise UserError(f"{_shown(name)} is not read: it is not below {where}")
    return root, real.relative_to(root).parts


def _forbidden(names: tuple[str, ...]) -> str | None:
    parts = [_plain(name) for name in names]
    if any(part.startswith(".") and part.lower() not in HARMLESS for part in parts):
        return "hidden files and folders may hold secrets"
    if any(_SECRET_NAME.match(part) for part in parts):
        return "by its name it may hold secrets"
    return None


def _plain(name: str) -> str:
    """The name as file systems compare it that ignore what nobody sees: HFS+ opens .env for it."""
    seen = "".join(each for each in name if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFKC", seen)


def _open(root: Path, parts: tuple[str, ...], opened: ExitStack) -> int:
    """The file, opened name by name without a link, whatever is exchanged meanwhile."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    at = os.open(root, flags | os.O_DIRECTORY)
    opened.callback(os.close, at)
    for part in parts[:-1]:
        at = os.open(part, flags | os.O_DIRECTORY, dir_fd=at)
        opened.callback(os.close, at)
    at = os.open(parts[-1], flags, dir_fd=at)
    opened.callback(os.close, at)
    return at


def _whole(name: str, descriptor: int, kept: frozenset[Identity]) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"{_shown(name)} is not read: it is no file")
    if (status.st_dev, status.st_ino) in kept:
        raise UserError(f"{_shown(name)} is not read: it holds the key of a provider")
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        content = stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise UserError(f"{_shown(name)} is larger than {LARGEST_FILE} bytes", "Ask in parts.")
    return content


def _text(name: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{_shown(name)} is not read: it is no UTF-8 text") from None
    if "\0" in text:
        raise UserError(f"{_shown(name)} is not read: it is no text")
    return text


def _shown(name: str) -> str:
    return name[:200] if name.isprintable() else ascii(name[:200])
