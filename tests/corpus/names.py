"""Identifiers, words and blocks: the matter that rows are filled with."""

from __future__ import annotations

import json
from random import Random

from .dialect import Row

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SENTENCE = (
    "parser returns the next token before reading its own buffer again and tests expect usage of "
    "cached input while output_tokens stay at zero naïve café 你好 → ✓ \t {braces} [brackets] "
    '"quoted" back\\slash path/to/file.py:42'
)
_WORDS = _SENTENCE.split(" ")
_LIES = (
    '{"type":"assistant","message":{"id":"msg_lie","model":"claude-opus-5-5","stop_reason":'
    '"end_turn","usage":{"input_tokens":900000,"output_tokens":900000}}}'
)


def uuid(rng: Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def message_id(rng: Random) -> str:
    return "msg_01" + _base58(rng)


def request_id(rng: Random) -> str:
    return "req_01" + _base58(rng)


def tool_id(rng: Random) -> str:
    return "toolu_01" + _base58(rng)


def agent_id(rng: Random) -> str:
    return f"a{rng.getrandbits(64):016x}"


def digest(rng: Random) -> str:
    return f"{rng.getrandbits(256):064x}"


def _base58(rng: Random) -> str:
    return "".join(rng.choices(_BASE58, k=22))


def prose(rng: Random, size: int) -> str:
    """Return about `size` characters; now and then they hold a row that nobody was billed for."""
    some = " ".join(rng.choices(_WORDS, k=60))
    text = (some + "\n") * (size // len(some)) + some[: size % len(some)]
    return text + lie() if rng.random() < 0.03 else text


def lie() -> str:
    """Return text that reads exactly like a usage row."""
    return f"\n{_LIES}\n"


def lying_object() -> Row:
    """Return the same as an object, to be nested where it means nothing."""
    row: Row = json.loads(_LIES)
    return row


def thinking(rng: Random) -> Row:
    signature = _base58(rng) * rng.randint(4, 20)
    return {"type": "thinking", "thinking": "", "signature": signature}


def text(rng: Random, size: int = 200) -> Row:
    return {"type": "text", "text": prose(rng, size)}


def tool_use(rng: Random, name: str = "Bash", arguments: Row | None = None) -> Row:
    given = arguments or {"command": prose(rng, 80)}
    return {"type": "tool_use", "id": tool_id(rng), "name": name, "input": given}
