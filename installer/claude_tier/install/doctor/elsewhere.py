"""What would lead a driven client elsewhere than to us: then it is not driven at all.

A client's managed settings hold in a scratch home too, and their `env` wins over ours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from claude_tier.errors import UserError
from claude_tier.install.conflicts import MANAGED

PROVIDERS = (
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_GATEWAY",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
)
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
CREDENTIALS = ("apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "gcpAuthRefresh")
LOGINS = ("forceLoginMethod", "forceLoginOrgUUID")
PREFERENCES = Path("/Library/Managed Preferences/com.anthropic.claudecode.plist")
WINDOWS = Path("/mnt/c/Program Files/ClaudeCode/managed-settings.json")  # seen from WSL


def managed_files(platform: str = sys.platform) -> list[Path]:
    """Where an organization's settings for this machine may be."""
    files = [MANAGED[platform]] if platform in MANAGED else []
    if platform == "linux":
        files.append(WINDOWS)
    drop_ins = (file.parent / "managed-settings.d" for file in files)
    files += [file for folder in drop_ins for file in sorted(folder.glob("*.json"))]
    return [*files, PREFERENCES]


def refuse(environ: Mapping[str, str], files: list[Path]) -> None:
    """Raise UserError where a client would not come to us, or would show something else."""
    reasons = [*_provider(environ), *(why for file in files for why in _managed(file))]
    if reasons:
        raise UserError(
            f"not driving Claude Code: {reasons[0]}",
            "`claude-tier doctor` without --live looks at everything else.",
        )


def _provider(environ: Mapping[str, str]) -> Iterator[str]:
    for name in PROVIDERS:
        if environ.get(name, "") not in {"", "0", "false"}:
            yield f"{name} is set, so your sessions go to another provider than is driven here"


def _managed(file: Path) -> Iterator[str]:
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield f"{file} cannot be read ({error.strerror}) and may lead it elsewhere"
        return
    try:
        settings = json.loads(content.decode("utf-8-sig"))
    except ValueError:
        yield f"{file} cannot be understood and may lead it elsewhere"
        return
    if not isinstance(settings, dict):
        return
    env = settings.get("env")
    names = [name for name in env if _redirects(name)] if isinstance(env, dict) else []
    names += [key for key in (*CREDENTIALS, *LOGINS) if settings.get(key)]
    if names:
        yield f"{file} sets {', '.join(names)}, which may lead it elsewhere"


def _redirects(name: str) -> bool:
    return name.startswith("ANTHROPIC_") or name in PROVIDERS or name.lower() in PROXIES
