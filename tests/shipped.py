"""The agents and skills as they are shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[1]
TABLE = json.loads((ROOT / "hooks/claude_tier_hooks/builtins.json").read_bytes())["delegation"]
IDS = {
    "haiku": "claude-haiku-5-5",
    "sonnet": "claude-sonnet-5-5",
    "opus": "claude-opus-5-5",
}


class Document(NamedTuple):
    """A Markdown file with a head of YAML."""

    path: Path
    head: dict[str, str]
    body: str

    @property
    def name(self) -> str:
        return self.head["name"]


def read(path: Path) -> Document:
    _, head, body = path.read_text("utf-8").split("---\n", 2)
    return Document(path, yaml.safe_load(head), body)


AGENTS = {agent.name: agent for agent in map(read, sorted(ROOT.glob("agents/*.md")))}
SKILLS = {skill.name: skill for skill in map(read, sorted(ROOT.glob("skills/*/SKILL.md")))}
