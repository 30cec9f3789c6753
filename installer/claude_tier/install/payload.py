"""Agents, skills and the hook runtime: put in place, replaced when ours, taken back.

An agent or skill file is ours only if we wrote it and nobody changed it since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath

from claude_tier.install import backups, files
from claude_tier.install.manifest import HERE, Install
from claude_tier.install.plan import Kind, Plan

EDITED = "you changed it since it was installed"
FOREIGN = "it was there before; --force sets it aside until you uninstall"
CACHE = "__pycache__"
ASIDE = "displaced"


def shipped(bundle: Path) -> dict[str, bytes]:
    """The agents and skills by name: agents/explorer.md, skills/budget/SKILL.md."""
    return {**_tree(bundle, "agents"), **_tree(bundle, "skills")}


def runtime(bundle: Path) -> dict[str, bytes]:
    """The hook runtime by name: hooks/stop.py, hooks/claude_tier_hooks/state.py."""
    return _tree(bundle, "hooks")


def _tree(bundle: Path, name: str) -> dict[str, bytes]:
    found = (path for path in sorted((bundle / name).rglob("*")) if path.is_file())
    names = {path.relative_to(bundle).as_posix(): path for path in found}
    return {name: path.read_bytes() for name, path in names.items() if not _is_litter(name)}


def _is_litter(name: str) -> bool:
    """What editors, file managers and Python leave in a checkout."""
    return any(part == CACHE or part.startswith(".") for part in name.split("/"))


class Placement:
    """Puts agents and skills in place and collects what the install then owns."""

    def __init__(self, plan: Plan, old: Install, *, force: bool, now: float) -> None:
        self.plan = plan
        self.old = old
        self.force = force
        self.now = now
        self.files: dict[str, str] = {}
        self.displaced: set[str] = set()
        self.folders: set[str] = set(old.folders)

    def place(self, wanted: Mapping[str, bytes]) -> None:
        self._make_folder(HERE)
        for name, content in wanted.items():
            owned = self._place(name, content)
            if owned:
                self.files[name] = owned
        take_back(self.plan, self.old, self.old.files.keys() - wanted.keys())
        self.displaced |= self.files.keys() & set(self.old.displaced)
        unused = self.folders - _parents(wanted) - {HERE}
        drop_folders(self.plan, unused)
        self.folders -= unused

    def _place(self, name: str, content: bytes) -> str | None:
        """Put one file in place; the digest of what is ours there, None if it is not."""
        path = self.plan.target.locate(self.plan.target.folder / name)
        before, recorded = files.read(path), self.old.files.get(name)
        if before == content:
            return recorded and digest(content)
        if before is not None and digest(before) != recorded:
            if not self.force:
                self.plan.keep(path, EDITED if recorded else FOREIGN)
                return recorded
            self._save(name, path, before)
        self._make_folders(name)
        self.plan.replace(path, before, content, kind_of(name))
        return digest(content)

    def _save(self, name: str, path: Path, content: bytes) -> None:
        """Keep what --force replaces: our edited file as a backup, another's to be restored."""
        if name in self.old.files:
            backups.add(self.plan, path, content, self.now)
            return
        copy, owner = _aside(self.plan, name), self.plan.target.owner
        self.plan.make_parents(owner / ASIDE / name, owner)
        self.plan.replace(copy, files.read(copy), content, "record")
        self.displaced.add(name)

    def _make_folders(self, name: str) -> None:
        for parent in reversed(PurePosixPath(name).parents):
            self._make_folder(str(parent))

    def _make_folder(self, name: str) -> None:
        folder = self.plan.target.folder
        if not self.plan.make_folder(self.plan.target.locate(folder / name)):
            return
        if name == "agents" and name not in self.folders:
            self.plan.notes.append("Restart running sessions to load the agents.")
        self.folders.add(name)


def take_back(plan: Plan, old: Install, names: Collection[str]) -> None:
    """Remove our files; one edited since stays, one that displaced another gives way to it."""
    target = plan.target
    for name in sorted(names):
        path = target.locate(target.folder / name)
        current = files.read(path)
        if current is not None and digest(current) != old.files[name]:
            plan.keep(path, EDITED)
            continue
        copy = _aside(plan, name)
        original = files.read(copy) if name in old.displaced else None
        plan.replace(path, current, original, kind_of(name))
        plan.replace(copy, original, None, "record")
    if old.displaced:
        _drop_folders(plan, target.owner, [f"{ASIDE}/{name}" for name in old.displaced])


def drop_folders(plan: Plan, names: Iterable[str]) -> None:
    """Remove the folders made for our files, where nothing else is in them."""
    target = plan.target
    for name in sorted(names, reverse=True):
        if name != HERE:
            plan.drop_folder(target.locate(target.folder / name))
    if HERE in names:
        plan.drop_folder(target.locate(target.folder))


def place_runtime(plan: Plan, wanted: Mapping[str, bytes], old: Collection[str]) -> None:
    """Make the runtime what it shall be; modules of an older version go."""
    target = plan.target
    for name, content in wanted.items():
        path = target.locate(target.owner / name)
        plan.make_parents(target.owner / name, target.owner)
        plan.replace(path, files.read(path), content, "runtime")
    _remove(plan, sorted(set(old) - wanted.keys()))


def drop_runtime(plan: Plan, names: Collection[str]) -> None:
    """Remove the runtime, Python's caches of it, and its folders."""
    target = plan.target
    _remove(plan, names)
    for folder in _parents(names):
        plan.drop_folder(target.locate(target.owner / folder / CACHE), whole=True)
    _drop_folders(plan, target.owner, names)


def _remove(plan: Plan, names: Iterable[str]) -> None:
    for name in names:
        path = plan.target.locate(plan.target.owner / name)
        plan.replace(path, files.read(path), None, "runtime")


def _drop_folders(plan: Plan, top: Path, names: Collection[str]) -> None:
    for folder in sorted(_parents(names), reverse=True):
        plan.drop_folder(plan.target.locate(top / folder))


def _parents(names: Iterable[str]) -> set[str]:
    """The folders on the way to those names, the top one left out."""
    return {str(parent) for name in names for parent in PurePosixPath(name).parents} - {HERE}


def _aside(plan: Plan, name: str) -> Path:
    """Where another's file is kept while ours stands in its place."""
    return plan.target.locate(plan.target.owner / ASIDE / name)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def kind_of(name: str) -> Kind:
    return "agent" if name.startswith("agents/") else "skill"
