"""Keys: where they come from, and that they show nowhere."""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import os
import pickle
from pathlib import Path
from urllib.parse import quote

import pytest
from claude_tier.config.providers import Provider
from claude_tier.errors import UserError
from claude_tier.routing import keys

KEY = "a-secret-of-0123456789"
ODD = "Kj3/x+9&Qw&Zz7~pL2m_Vb8nR4tY"  # nothing that looks like a key, with all that is escaped


def _provider(**given: object) -> Provider:
    return Provider.model_validate({"kind": "openai", **given})


def _file(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "key"
    file.write_text(text, "utf-8")
    file.chmod(mode)
    return file


def test_a_secret_shows_nothing(home: Path) -> None:
    """Printed, formatted, compared or kept in an error it is a fingerprint."""
    secret = keys.Secret(KEY)

    shown = f"{secret} {secret!r} {[secret]} {ValueError(secret)!r}"
    assert KEY not in shown
    assert secret.reveal() == KEY
    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)


def test_an_account_is_a_fingerprint() -> None:
    """The same for the same key, and no use to who has a table of hashes."""
    account = keys.Secret(KEY).account

    assert account == hashlib.sha256(f"claude-tier:{KEY}".encode()).hexdigest()[:12]
    assert keys.Secret().account == "-"


def test_the_usual_variable_is_for_the_usual_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another address gets no key that the file does not name for it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    assert keys.of(_provider()).reveal() == KEY
    assert keys.of(_provider(base_url="https://api.openai.com/v1/")).reveal() == KEY
    assert not keys.of(_provider(base_url="https://elsewhere.example/v1"))


def test_a_named_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the blanks around it that a shell's file often has."""
    monkeypatch.setenv("LAN_KEY", f" {KEY}\n")

    found = keys.of(_provider(base_url="https://elsewhere.example/v1", key_env="LAN_KEY"))

    assert found.reveal() == KEY


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_variable_that_is_not_set_is_named(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do about it."""
    if value is not None:
        monkeypatch.setenv("OPENAI_API_KEY", value)

    with pytest.raises(UserError, match="OPENAI_API_KEY is not set") as found:
        keys.of(_provider())

    assert found.value.hint == "set OPENAI_API_KEY"


@pytest.mark.parametrize("value", ["two words", "two\nlines", "ключ", "k" * 5000, "\x1b[31mkey"])
def test_what_cannot_be_a_key_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without showing it: it may be one, and more."""
    monkeypatch.setenv("OPENAI_API_KEY", value)

    with pytest.raises(UserError, match="holds no key") as found:
        keys.of(_provider())

    assert value not in str(found.value)


def test_a_private_file_is_read(home: Path) -> None:
    """Below the home, as ~ says."""
    _file(home, f"{KEY}\n")

    assert keys.of(_provider(key_file="~/key")).reveal() == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_can_read_is_refused(home: Path, mode: int) -> None:
    """And how to make it private."""
    file = _file(home, KEY, mode)

    with pytest.raises(UserError, match="can be read by others") as found:
        keys.of(_provider(key_file=str(file)))

    assert found.value.hint == f"chmod 600 {file}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(home: Path) -> None:
    """Its owner could change what is sent."""
    file = _file(home, KEY)
    os.chown(file, 12345, 12345)

    with pytest.raises(UserError, match="belongs to another user"):
        keys.of(_provider(key_file=str(file)))


def test_what_is_no_file_is_refused_at_once(home: Path) -> None:
    """A pipe would be waited for; a folder holds no key; neither does what is not there."""
    os.mkfifo(home / "pipe", 0o600)
    (home / "folder").mkdir()

    for name in ("pipe", "folder", "missing"):
        with pytest.raises(UserError, match="cannot be read"):
            keys.of(_provider(key_file=str(home / name)))


def test_a_key_file_of_a_user_who_is_not_there_is_no_bug() -> None:
    """It is a file that cannot be read."""
    with pytest.raises(UserError, match="cannot be read"):
        keys.of(_provider(key_file="~nobody-of-that-name/key"))


@pytest.mark.parametrize(
    "said",
    [
        f"Incorrect API key provided: {KEY}",
        f"header was 'Bearer {KEY}'",
        f'{{"x-api-key": "{KEY}"}}',
        "sk-ant-api03-abcdefghijklmnop and sk-proj-abcdefghijklmnop",
        "authorization: Bearer abcdefgh.ijklmnop",
    ],
)
def test_no_key_is_left_in_a_servers_words(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a known one nor what looks like one."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another-secret")

    left = keys.redacted(f"{said} another-secret", keys.Secret(KEY))

    assert keys.HIDDEN in left
    for word in (KEY, "another-secret", "abcdefgh"):
        assert word not in left


@pytest.mark.parametrize(
    "form",
    [
        quote(ODD, safe=""),
        html.escape(ODD),
        ODD.encode().hex(),
        base64.b64encode(f"user:{ODD}".encode()).decode(),
        base64.b64encode(f":{ODD}".encode()).decode(),
        base64.b64encode(ODD.encode()).decode(),
        ODD.upper(),
        "\u200b".join(ODD),
        "\x00".join(ODD),
        f"{ODD[:14]}\n  {ODD[14:]}",
        ODD[:-3],
        ODD[3:],
    ],
)
def test_a_key_is_hidden_in_every_form_that_servers_give_it(form: str) -> None:
    """Encoded, wrapped, or cut at either end: no telling piece of it is left."""
    left = keys.redacted(f"refused <{form}> today", keys.Secret(ODD))

    assert left.startswith("refused <")
    assert left.endswith("> today")
    assert keys.HIDDEN in left
    assert len(left) < len("refused <> today") + len(keys.HIDDEN) + keys.PIECE


def test_plain_words_are_left_as_they_are() -> None:
    """Names of models are no keys."""
    said = "model 'qwen3:8b' not found; rate limit of 50 requests; claude-opus-5-5"

    assert keys.redacted(said, keys.Secret()) == said
    assert keys.name("pplx-70b-online-chat", keys.Secret(KEY)) == "pplx-70b-online-chat"
