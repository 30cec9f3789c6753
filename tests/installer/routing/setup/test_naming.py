"""Which targets the configuration names, and where."""

from __future__ import annotations

from pathlib import Path

from claude_tier import config
from claude_tier.routing.setup.naming import named

TEXT = """\
providers: {o: {kind: ollama}}
chains: {cheap: [o/a, claude/haiku], mixed: [small, o/b]}
router: {small: o/a, coding: cheap}
routes: [{name: notes, target: o/c}, {name: rest, target: cheap}]
local_models:
  general: o/a
  tools: [{name: draft, target: o/x/y, description: Drafts.}]
groups: {main: {}, chat: {provider: o, model: a}}
"""


def test_every_place_that_names_a_target_is_told(tmp_path: Path) -> None:
    """Chains and roles are looked into at their own place."""
    (tmp_path / "config.yaml").write_text(TEXT)
    found = named(config.load(tmp_path / "config.yaml").config)
    assert {str(target): places for target, places in found.items()} == {
        "o/a": ("chains.cheap", "router.small", "local_models.general", "groups.chat"),
        "claude/haiku": ("chains.cheap",),
        "o/b": ("chains.mixed",),
        "claude/sonnet": ("router.default", "router.claude"),
        "o/c": ("routes.notes",),
        "o/x/y": ("local_models.draft",),
    }
