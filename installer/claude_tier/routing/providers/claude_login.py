"""The user's own `claude`: where it is, who it is logged in as, and what it is told.

Whatever this shell is set to, it reaches Anthropic and nobody else: a login is for the unmodified
client alone, and a key that stands beside another address belongs to that address.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from claude_tier.config.providers import host_of
from claude_tier.routing import keys

LOGIN = "login"  # the account where no key stands in the environment
PLACES = ("~/.local/bin/claude", "~/.claude/local/claude")  # cron's PATH knows neither
OWN_HOST = "api.anthropic.com"
KEY = "ANTHROPIC_API_KEY"

# What is the client's own is dropped, but for the login and the way through a company's network.
_DROPPED = ("ANTHROPIC_", "CLAUDE_CODE_", "CLAUDECODE", "VERTEX_REGION_", "CLOUD_ML_REGION")
_KEPT = frozenset(
    {
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_CLIENT_CERT",
        "CLAUDE_CODE_CLIENT_KEY",
        "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
        "CLAUDE_CODE_CERT_STORE",
        "CLAUDE_CODE_PROXY_RESOLVES_HOSTS",
    }
)
_SET = {
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_MAX_RETRIES": "0",  # the router retries, and says so
}


def program(environment: Mapping[str, str] | None = None) -> str | None:
    """The `claude` on PATH, else where its installers put it; None where there is none."""
    path = (os.environ if environment is None else environment).get("PATH")
    for name in ("claude", *map(os.path.expanduser, PLACES)):
        if found := shutil.which(name, path=path):
            return str(Path(found).absolute())
    return None


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What the client is started with."""
    kept = {name: value for name, value in given.items() if _passes(name)}
    if key := own_key(given):
        kept[KEY] = key
    return {**kept, **_SET}


def own_key(given: Mapping[str, str]) -> str | None:
    """The key that `claude -p` uses instead of a login, where it is one of Anthropic's."""
    url = given.get("ANTHROPIC_BASE_URL", "")
    if url and host_of(url) != OWN_HOST:
        return None
    return given.get(KEY) or None


def account(given: Mapping[str, str]) -> str:
    """Whose account it is: a fingerprint of the key, or the login."""
    key = own_key(given)
    return keys.fingerprint(key) if key else LOGIN


def _passes(name: str) -> bool:
    return name in _KEPT or not name.startswith(_DROPPED)
