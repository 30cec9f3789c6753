"""config.yaml: what it may say, and how it becomes the policy.json that the hooks read."""

from __future__ import annotations

from claude_tier.config.compiler import (
    CONFIG,
    CompileResult,
    compile_project_policy,
    compile_user_policy,
)
from claude_tier.config.faults import ConfigError, Fault
from claude_tier.config.load import Loaded, load, shipped_presets
from claude_tier.config.model import Config
from claude_tier.config.project import project_policy_for_commit

__all__ = [
    "CONFIG",
    "CompileResult",
    "Config",
    "ConfigError",
    "Fault",
    "Loaded",
    "compile_project_policy",
    "compile_user_policy",
    "load",
    "project_policy_for_commit",
    "shipped_presets",
]
