"""HEARTBEAT.md files of a test, and what is made of them."""

from __future__ import annotations

from pathlib import Path

from claude_tier.config import Config
from claude_tier.heartbeat import document
from claude_tier.heartbeat.beat import Beat
from claude_tier.heartbeat.document import Defaults, Loaded

CONFIG = Config.model_validate(
    {
        "providers": {"ollama": {"kind": "ollama"}, "costs": {"base_url": "https://x.example"}},
        "chains": {"cheap": ["ollama/qwen3:8b", "claude/haiku"]},
    }
)


def load(folder: Path, text: str, config: Config = CONFIG, tz: str | None = "UTC") -> Loaded:
    """What is made of a file with that text."""
    file = folder / "HEARTBEAT.md"
    file.write_text(text, "utf-8")
    return document.load(file, Defaults(config, tz))


def beats(folder: Path, text: str, config: Config = CONFIG, tz: str | None = "UTC") -> list[Beat]:
    """The same of a file without a mistake."""
    loaded = load(folder, text, config, tz)
    assert not loaded.faults, "\n".join(map(str, loaded.faults))
    return list(loaded.beats)
