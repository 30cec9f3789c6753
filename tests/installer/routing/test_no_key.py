"""No key in anything that is shown or kept, whatever servers echo: each command, every file."""

from __future__ import annotations

import base64
import os
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_tier import cli
from claude_tier.config.providers import Kind
from fault_server import FAULTS, FaultServer
from routers import configured, provider, rows

KEY = "k3y-Zq9+/0123456789abcdefXYZ=="
LEAKS = [*sorted(name for name in FAULTS if name.startswith("leaky")), "garbage", "refused"]
KINDS: tuple[Kind, ...] = (
    "anthropic",
    "anthropic-compatible",
    "openai",
    "openai-compatible",
    "openrouter",
    "litellm",
    "ollama",
    "llama-server",
)
SHOWN = (
    ("ask", "--to", "all", "hello"),
    ("ask", "--to", "all", "hello", "--json"),
    ("ask", "--to", "all", "hello", "--stream"),
    ("route", "hello", "--explain", "--json"),
    ("providers", "list", "--json"),
    ("providers", "check", "--json"),
    ("providers", "check", "--ask"),
    ("cooldown", "list", "--json"),
    ("emergency", "--json"),
    ("log", "--router"),
    ("log", "--router", "--json"),
    ("report", "provider", "--json"),
    ("ledger", "export", "--what", "requests"),
    ("status", "--json"),
    ("doctor", "--json"),
    ("env", "--group", "there"),
    ("run", "--group", "there", "--dry-run", "--json"),
)


def forms(key: str) -> set[bytes]:
    """The key as it is, and as it could be written by mistake."""
    plain = key.encode()
    quoted = urllib.parse.quote(key, safe="").encode()
    return {plain, quoted, base64.b64encode(plain).rstrip(b"="), plain.hex().encode()}


def kept(home: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below the home folder, the ledger and its log among them."""
    for folder, _, names in os.walk(home):
        for name in names:
            file = Path(folder, name)
            if file != home / "key":
                yield file, file.read_bytes()


@pytest.mark.parametrize("name", LEAKS)
def test_no_key_is_shown_or_kept(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every kind of provider fails with it once, then every command speaks of that."""
    monkeypatch.setenv("THE_KEY", KEY)
    (home / "key").write_text(f"{KEY}\n")
    (home / "key").chmod(0o600)
    with FaultServer(FAULTS[name]) as server:
        where = ["key_env: THE_KEY", f"key_file: {home / 'key'}"]
        lines = [
            provider(kind, server.url, kind=kind, more=f", {where[number % 2]}")
            for number, kind in enumerate(KINDS)
        ]
        targets = ", ".join(f"{kind}/alpha" for kind in KINDS)
        configured(
            f"providers:\n{''.join(lines)}chains: {{all: [{targets}]}}\n"
            "router: {default: openai/alpha, claude: openai/alpha, retries: 0}\n"
            "groups: {there: {provider: anthropic-compatible, model: alpha}}\n"
        )
        codes = {words: cli.main(list(words)) for words in SHOWN}

    shown = "".join(capfd.readouterr())
    assert 3 not in codes.values(), codes  # 3 is a bug
    assert len(rows("SELECT id FROM exchange")) >= 3
    for form in forms(KEY):
        assert form.decode() not in shown
        assert [str(file) for file, content in kept(home) if form in content] == []


def test_the_key_was_really_sent_and_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else there was nothing to find."""
    monkeypatch.setenv("THE_KEY", KEY)
    with FaultServer(FAULTS["leaky_error"]) as server:
        line = provider("p", server.url, more=", key_env: THE_KEY")
        configured(f"providers:\n{line}router: {{default: p/alpha, claude: p/alpha}}\n")
        assert cli.main(["ask", "--to", "p/alpha", "hello"]) == 1

    assert KEY in server.requests[0].headers["authorization"]
