"""Where the user's own `claude` is, and what it is started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_tier.routing import keys
from claude_tier.routing.providers import claude_login

KEY = "sk-ant-0123456789abcdef"


def _install(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n", "utf-8")
    file.chmod(0o700)
    return str(file)


def test_the_one_on_path_is_first(home: Path) -> None:
    """As in the user's own shell."""
    _install(home / ".local/bin/claude")
    first = _install(home / "bin/claude")

    assert claude_login.program({"PATH": f"{home}/bin:/usr/bin"}) == first


@pytest.mark.parametrize("place", [".local/bin/claude", ".claude/local/claude"])
def test_a_poor_path_does_not_hide_it(home: Path, place: str) -> None:
    """Cron's PATH knows none of the places that installers use."""
    program = _install(home / place)

    assert claude_login.program({"PATH": str(home)}) == program


def test_none_is_none(home: Path) -> None:
    """Also where a file of that name cannot be run."""
    (home / "claude").write_text("not a program", "utf-8")

    assert claude_login.program({"PATH": str(home)}) is None


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (None, True),
        ("", True),
        ("https://api.anthropic.com", True),
        ("https://api.anthropic.com/", True),
        ("https://api.anthropic.com.example", False),
        ("https://user@api.anthropic.com", False),
        ("http://127.0.0.1:4000", False),
        ("not a url", False),
    ],
)
def test_a_key_belongs_to_the_address_beside_it(url: str | None, kept: bool) -> None:
    """Only Anthropic's own is kept, and then it stands for the account."""
    given = {"ANTHROPIC_API_KEY": KEY} | ({} if url is None else {"ANTHROPIC_BASE_URL": url})

    started = claude_login.environment(given)

    assert ("ANTHROPIC_API_KEY" in started) == kept
    assert "ANTHROPIC_BASE_URL" not in started
    assert claude_login.account(given) == (keys.fingerprint(KEY) if kept else "login")


def test_what_is_not_the_clients_own_passes() -> None:
    """Home, folders, proxies and certificates of a company's network."""
    given = {
        "HOME": "/home/me",
        "CLAUDE_CONFIG_DIR": "/home/me/elsewhere",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "NODE_EXTRA_CA_CERTS": "/etc/ca.pem",
        "CLAUDE_CODE_CLIENT_CERT": "/etc/cert.pem",
    }

    started = claude_login.environment(given)

    assert given.items() <= started.items()
    assert started["CLAUDE_CODE_MAX_RETRIES"] == "0"
